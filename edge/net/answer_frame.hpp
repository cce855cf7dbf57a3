#pragma once

// What every answer over HTTP has, whoever gives it: the name of the request,
// and what a page of another origin must be told before it may read. Pure.

#include "edge/net/http_message.hpp"
#include "edge/net/origin_policy.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// What the answer to one request has to have.
struct answer_frame {
  /// Echoed as `X-Request-Id`.
  std::string request;
  /// The page that asks, where it is admitted and said so.
  std::optional<std::string> origin;
};

/// Takes over a fit `X-Request-Id` of the request, else `drawn`. Only the
/// header lines count, so a request that is refused may be half of one.
/// `secure` says that we terminate TLS.
[[nodiscard]] answer_frame open_frame(const http_request& request,
                                      const origin_policy& origins, bool secure,
                                      std::string_view drawn);

/// Puts the frame around `response`. Once for each response.
void close_frame(const answer_frame& frame, http_response& response);

} // namespace rollcall::edge
