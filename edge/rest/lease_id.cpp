#include "edge/rest/lease_id.hpp"

#include "actors/base/hash.hpp"

#include <string>

namespace rollcall::edge {

connection_id make_lease_id(std::string_view secret, const session_key& session,
                            const user_id& user, std::string_view device) {
  // No id has a zero byte.
  std::string text{"lease"};
  for (auto part :
       {std::string_view{session.ns.str()}, std::string_view{session.id.str()},
        std::string_view{user.str()}, device}) {
    text += '\0';
    text += part;
  }
  const auto digest = hmac_sha256(secret, text);
  connection_id out;
  for (std::size_t i = 0; i < 8; ++i) {
    out.high = out.high << 8 | digest[i];
    out.low = out.low << 8 | digest[8 + i];
  }
  return out;
}

} // namespace rollcall::edge
