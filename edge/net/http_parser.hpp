#pragma once

// Takes HTTP/1 requests apart. The grammar is Boost.Beast's; the limits and
// the answers to bad input are ours.

#include "actors/base/limits.hpp"
#include "edge/net/http_message.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace rollcall::edge {

/// What one request may take.
struct http_limits {
  /// Of the header; and of each chunk's line with its extensions, and of the
  /// trailer, after it.
  std::size_t header_bytes = limits::http_header_bytes;
  std::size_t header_lines = limits::http_header_lines;
  std::size_t body_bytes = limits::http_body_bytes;
};

/// Parses one request. Owned by the client's io loop. Trailer fields (RFC 9110,
/// section 6.5) are read past: they never become header lines.
class http_parser {
public:
  enum class status : std::uint8_t {
    need_more,
    /// As `need_more`, and the client waits for `100 Continue`; said once.
    wants_continue,
    complete,
    /// Answer with `refusal()` and close.
    failed,
  };

  explicit http_parser(const http_limits& bounds);
  http_parser(const http_parser&) = delete;
  http_parser& operator=(const http_parser&) = delete;
  ~http_parser();

  /// Looks at the front of `input` and removes what it consumed; the caller
  /// presents the rest again with more behind it. After `need_more` the rest
  /// is no longer than a header may be.
  [[nodiscard]] status feed(std::string_view& input);

  /// The request, after `complete`. Call once.
  [[nodiscard]] http_request take();

  /// What is known of the request so far: its header once that has ended, and
  /// after `failed` the lines before the fault. Before `take` only.
  [[nodiscard]] const http_request& known() const noexcept {
    return request_;
  }

  /// Why it failed.
  [[nodiscard]] const http_response& refusal() const noexcept {
    return refusal_;
  }

private:
  struct machine;

  /// Keeps the header as it is when it ends: Beast adds the trailer to it.
  void keep_header();
  status check_header();
  status refuse(unsigned code, std::string_view why);

  http_limits bounds_;
  std::unique_ptr<machine> machine_;
  http_request request_;
  http_response refusal_;
  bool header_checked_ = false;
};

} // namespace rollcall::edge
