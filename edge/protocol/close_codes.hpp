#pragma once

// Why the server closes a WebSocket (docs/protocol.md, "bye"). Clients
// reconnect on 3000–3499 and stay away on 3500–3999.

#include <cstdint>
#include <string_view>

namespace rollcall::edge {

/// The close codes of the native protocol. Never renumber, never reuse.
enum class close_code : std::uint16_t {
  shutdown = 3000,
  slow_reader = 3001,
  silent = 3002,
  overloaded = 3003,
  token_expired = 3004,
  unauthenticated = 3500,
  bad_protocol = 3501,
  kicked = 3502,
  replaced = 3504,
  limit = 3506,
  not_found = 3507,
};

/// The reason text, in `bye` and in the close frame.
[[nodiscard]] constexpr std::string_view to_string(close_code code) noexcept {
  switch (code) {
  case close_code::shutdown:
    return "shutdown";
  case close_code::slow_reader:
    return "slow_reader";
  case close_code::silent:
    return "silent";
  case close_code::overloaded:
    return "overloaded";
  case close_code::token_expired:
    return "token_expired";
  case close_code::unauthenticated:
    return "unauthenticated";
  case close_code::bad_protocol:
    return "bad_protocol";
  case close_code::kicked:
    return "kicked";
  case close_code::replaced:
    return "replaced";
  case close_code::limit:
    return "limit";
  case close_code::not_found:
    return "not_found";
  }
  return "bad_protocol";
}

/// Whether the client is asked to come back.
[[nodiscard]] constexpr bool may_reconnect(close_code code) noexcept {
  return static_cast<std::uint16_t>(code) < 3500;
}

} // namespace rollcall::edge
