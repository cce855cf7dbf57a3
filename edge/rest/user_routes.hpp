#pragma once

// The routes under /v1/users: what can be said of a user without asking a
// session.

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> user_routes();

} // namespace rollcall::edge
