#pragma once

// The routes of a system for live streams, in its own words: /streams/{id}/….
// A stream is a session, whatever its kind.

#include "edge/rest/route.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> stream_routes();

/// The session whose joins and leaves a plain WebSocket on `path` is told:
/// /streams/{id}/participants/ws. See `plain_sockets`.
[[nodiscard]] std::optional<result<session_id>>
stream_socket(std::string_view path);

} // namespace rollcall::edge
