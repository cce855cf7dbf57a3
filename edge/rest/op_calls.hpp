#pragma once

// Calls that the protocol has an operation for. Internal to edge/rest.

#include "actors/base/errors.hpp"
#include "edge/net/http_message.hpp"
#include "edge/rest/route.hpp"

#include <optional>

namespace rollcall::edge {

/// The operation `call.to->op`, its keys from path, query and body: as the
/// protocol has them, but that a `cursor` is its `after` and a `group` its
/// `session`. A failure names the field as HTTP does.
[[nodiscard]] result<session_order> decode_operation(const rest_call& call);

/// A page of the past as lines, where the query's `format` asks for that;
/// nothing where it does not, or the answer is no such page.
[[nodiscard]] std::optional<http_response>
page_as_file(const rest_answer& what);

} // namespace rollcall::edge
