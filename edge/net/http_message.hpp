#pragma once

// HTTP requests and responses as values, and the bytes of a response.

#include "actors/base/errors.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::edge {

using http_headers = std::vector<std::pair<std::string, std::string>>;

/// A complete request that passed the limits of http_parser.hpp.
struct http_request {
  /// As sent; case matters.
  std::string method;
  /// Path and query as sent, always starting with a slash, not decoded.
  std::string target;
  http_headers headers;
  std::string body;
  /// The client's address, without port.
  std::string remote;
  /// HTTP/1.1 rather than HTTP/1.0.
  bool http11 = true;
  bool keep_alive = true;

  [[nodiscard]] std::string_view path() const noexcept;
  /// What follows the question mark, not decoded; may be empty.
  [[nodiscard]] std::string_view query() const noexcept;

  /// The first header of that name, compared without case.
  [[nodiscard]] std::optional<std::string_view>
  header(std::string_view name) const noexcept;

  /// The value of a cookie, the first one where there are several; empty when
  /// there is none.
  [[nodiscard]] std::string_view cookie(std::string_view name) const noexcept;

  [[nodiscard]] std::size_t header_count(std::string_view name) const noexcept;
};

/// What is to be answered. Content-Length, Connection, Date and the security
/// headers are added when it is written.
struct http_response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  http_headers headers;
  std::string body;
};

[[nodiscard]] bool has_header(const http_response& response,
                              std::string_view name) noexcept;

/// A refusal in the form of RFC 9457 (`application/problem+json`).
[[nodiscard]] http_response problem(unsigned status, std::string_view code,
                                    std::string_view detail);

/// The same for a failure of the domain, with the status that fits its code
/// and what docs/protocol.md says of an error beside: `field`, `retryable`,
/// `retry_after_ms`.
[[nodiscard]] http_response problem(const failure& why);

/// How a response is to be written.
struct http_writing {
  /// To a HEAD request: the length of the body, but not the body.
  bool head = false;
  bool keep_alive = false;
  /// We terminate TLS: add Strict-Transport-Security.
  bool secure = false;
};

[[nodiscard]] std::string encode_response(const http_response& response,
                                          const http_writing& how);

/// Case-insensitive for ASCII, as header names and many values are.
[[nodiscard]] bool equal_ignoring_case(std::string_view a,
                                       std::string_view b) noexcept;

/// Cuts spaces and tabs off both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

} // namespace rollcall::edge
