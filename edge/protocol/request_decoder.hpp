#pragma once

// A client's frame to a typed request: the left half of docs/protocol.md.

#include "actors/base/errors.hpp"
#include "actors/client.hpp"
#include "edge/protocol/value.hpp"

#include <string_view>
#include <variant>

namespace rollcall::edge {

/// Why a frame is not a request. `id` is set where it could be read, so that
/// the refusal can be answered even when another field is bad.
struct decode_failure {
  request_id id;
  failure why;
};

/// Decodes one frame (at most limits::frame_bytes). Pure and total: any bytes
/// give a request or a failure whose `field` names the offending part. What a
/// request says about its sender is never trusted here: there are no such
/// fields.
[[nodiscard]] std::variant<client_request, decode_failure>
decode_request(dialect language, std::string_view bytes);

/// The same for a frame that is a map already.
[[nodiscard]] std::variant<client_request, decode_failure>
decode_request(const value::map& fields);

/// The wire name of a request's operation, for logs and metrics.
[[nodiscard]] std::string_view op_name(const client_request& request);

} // namespace rollcall::edge
