#include "edge/rest/session_code.hpp"

#include "actors/base/hash.hpp"

namespace rollcall::edge {

namespace {

constexpr std::size_t code_letters = 8;
/// Crockford's base 32: without i, l, o and u.
constexpr std::string_view letters = "0123456789abcdefghjkmnpqrstvwxyz";

static_assert(letters.size() == 32, "five bits a letter");

template <class Bytes>
std::string code_of(const Bytes& bytes) {
  std::string out;
  for (std::size_t i = 0; i < code_letters; ++i)
    out += letters[static_cast<unsigned char>(bytes[i]) % letters.size()];
  return out;
}

} // namespace

std::string draw_session_code() {
  return code_of(random_bytes(code_letters));
}

std::string session_code_for(std::string_view secret, const namespace_id& ns,
                             const user_id& user, const op_id& op,
                             std::uint32_t draw) {
  std::string text{"session code"};
  for (const auto& part :
       {ns.str(), user.str(), op.str(), std::to_string(draw)}) {
    text += '\0';
    text += part;
  }
  return code_of(hmac_sha256(secret, text));
}

} // namespace rollcall::edge
