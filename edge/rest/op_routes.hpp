#pragma once

// Routes that are operations of the native protocol under another roof: their
// keys come from path, query and body, their answer is the protocol's.

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> op_routes();

} // namespace rollcall::edge
