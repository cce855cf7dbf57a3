#pragma once

// The frame around every route: what must be right of a request before its
// route looks at it, and what every answer has. Pure.

#include "edge/net/answer_frame.hpp"
#include "edge/net/http_message.hpp"
#include "edge/net/origin_policy.hpp"
#include "edge/rest/route.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rollcall::edge {

/// What all answers to one request have in common.
struct exchange : answer_frame {
  /// What the client has already.
  std::string if_none_match;
  /// Refusals are to be said as meetings say them.
  bool of_meeting = false;
};

/// A request that may be carried out once it is known who asks.
struct admitted_call {
  rest_call call;
  /// Not yet verified; empty for somebody unknown. Never logged.
  std::string token;
};

/// What the frame has to know. Immutable.
struct frame_rules {
  origin_policy origins;
  /// TLS ends here.
  bool secure = false;
  /// The cookie that may carry a token; empty: none may.
  std::string cookie;
};

/// Opens the exchange: takes over a fit `X-Request-Id`, else `drawn`.
[[nodiscard]] exchange open_exchange(const frame_rules& rules,
                                     const http_request& request,
                                     std::string_view drawn);

/// Whether the path may be one of ours; all else is somebody else's.
[[nodiscard]] bool is_rest_path(std::string_view path) noexcept;

/// Everything that can be said without asking anybody: the call, or the answer
/// (a refusal, or that to OPTIONS).
[[nodiscard]] std::variant<admitted_call, http_response>
admit(const frame_rules& rules, const exchange& open,
      const http_request& request);

/// `response` as it leaves: request id, CORS, and 304 where the client has it.
[[nodiscard]] http_response finish(const exchange& open,
                                   http_response response);

} // namespace rollcall::edge
