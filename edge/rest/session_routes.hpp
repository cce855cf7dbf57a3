#pragma once

// The routes under /v1/sessions: docs/rest.md.

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> session_routes();

} // namespace rollcall::edge
