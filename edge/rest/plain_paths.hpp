#pragma once

// Which requests are for plain WebSockets: /streams/{id}/participants/ws,
// /boards/{id}/participants/ws, and /v1/connect?session={id} with the
// subprotocol `rollcall.board.json`.

#include "edge/net/connection_handler.hpp"

#include <optional>

namespace rollcall::edge {

/// See `plain_sockets`.
[[nodiscard]] std::optional<result<plain_socket>>
find_plain_socket(const http_request& request);

} // namespace rollcall::edge
