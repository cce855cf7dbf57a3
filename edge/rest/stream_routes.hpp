#pragma once

// The routes of a system for live streams, in its own words: /streams/{id}/….
// A stream is a session, whatever its kind.

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> stream_routes();

} // namespace rollcall::edge
