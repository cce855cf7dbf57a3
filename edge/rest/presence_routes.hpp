#pragma once

// The routes by which somebody without a socket takes part: docs/rest.md,
// "Taking part".

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> presence_routes();

} // namespace rollcall::edge
