#pragma once

// The routes of a system for voting meetings, in its own words:
// /meetings/{id}/…. A meeting is a session, whatever its kind.

#include "edge/rest/route.hpp"

#include <span>
#include <string_view>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> meeting_routes();

/// Whether refusals under `path` say `success` and `error`, too.
[[nodiscard]] bool is_meeting_path(std::string_view path) noexcept;

/// A refusal (`application/problem+json`) with `"success": false` and its
/// detail as `error` beside what it has.
[[nodiscard]] http_response as_meeting_refusal(http_response problem);

} // namespace rollcall::edge
