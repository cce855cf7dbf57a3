#pragma once

// The routes under /v1/groups: docs/rest.md, "Groups".

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> group_routes();

} // namespace rollcall::edge
