#pragma once

// The WebSocket upgrade (RFC 6455, section 4) as a pure decision.

#include "actors/client.hpp"
#include "edge/net/http_message.hpp"
#include "edge/net/origin_policy.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace rollcall::edge {

/// Where the native protocol is spoken.
inline constexpr std::string_view connect_path = "/v1/connect";

/// An upgrade that may be granted, its token not yet verified.
struct upgrade {
  dialect language = dialect::json;
  /// From the Authorization header or the `bearer.` subprotocol; may be
  /// empty. Never logged.
  std::string token;
  /// As sent; empty when there was none.
  std::string origin;
  /// The response that switches protocols.
  std::string response;
};

/// Decides an upgrade request for the native protocol. `secure` says that we
/// terminate TLS. Bounded by the limits of the HTTP parser; linear in them.
[[nodiscard]] std::variant<upgrade, http_response>
negotiate_upgrade(const http_request& request, const origin_policy& origins,
                  bool secure);

/// Whether the first subprotocol that we know, of those offered, is
/// `rollcall.board.json`.
[[nodiscard]] bool wants_board(const http_request& request);

/// The same for a plain WebSocket: no subprotocol is needed
/// (`rollcall.events.json` or `rollcall.board.json` may be offered, beside a
/// `bearer.`; the first is chosen), and the token may come in the cookie of
/// that name, where there is a name.
[[nodiscard]] std::variant<upgrade, http_response>
negotiate_plain(const http_request& request, const origin_policy& origins,
                bool secure, std::string_view cookie);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
[[nodiscard]] std::string accept_key(std::string_view key);

} // namespace rollcall::edge
