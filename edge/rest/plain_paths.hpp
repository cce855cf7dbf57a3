#pragma once

// The paths of plain WebSockets: /streams/{id}/participants/ws and
// /boards/{id}/participants/ws.

#include "edge/net/connection_handler.hpp"

#include <optional>
#include <string_view>

namespace rollcall::edge {

/// See `plain_sockets`.
[[nodiscard]] std::optional<result<plain_socket>>
find_plain_socket(std::string_view path);

} // namespace rollcall::edge
