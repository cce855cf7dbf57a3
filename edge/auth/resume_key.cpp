#include "edge/auth/resume_key.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"

#include <array>

namespace rollcall::edge {

namespace {

constexpr std::size_t id_size = 16;
constexpr std::size_t mac_size = 16;

void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>((number >> shift) & 0xFF);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (char c : bytes.substr(0, 8))
    number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

/// Lengths come first, so that no two inputs give the same text.
void append_field(std::string& out, std::string_view field) {
  append_number(out, field.size());
  out += field;
}

std::string mac_of(std::string_view secret, const namespace_id& ns,
                   const user_id& user, std::string_view id) {
  std::string text = "rollcall resume key 1";
  append_field(text, ns.str());
  append_field(text, user.str());
  append_field(text, id);
  auto digest = hmac_sha256(secret, text);
  return {reinterpret_cast<const char*>(digest.data()), mac_size};
}

} // namespace

std::string make_resume_key(std::string_view secret, const namespace_id& ns,
                            const user_id& user,
                            const connection_id& connection) {
  std::string bytes;
  append_number(bytes, connection.high);
  append_number(bytes, connection.low);
  bytes += mac_of(secret, ns, user, bytes);
  return base64url_encode(bytes);
}

result<connection_id> open_resume_key(std::string_view secret,
                                      const namespace_id& ns,
                                      const user_id& user,
                                      std::string_view key) {
  auto refusal
    = fail(errc::unauthenticated, "is not a resume key of yours", "resume");
  if (key.size() != 43)
    return refusal;
  auto bytes = base64url_decode(key);
  if (!bytes || bytes->size() != id_size + mac_size)
    return refusal;
  std::string_view all = *bytes;
  auto id = all.substr(0, id_size);
  if (!equal_constant_time(all.substr(id_size), mac_of(secret, ns, user, id)))
    return refusal;
  connection_id out{read_number(id), read_number(id.substr(8))};
  if (!out.valid())
    return refusal;
  return out;
}

} // namespace rollcall::edge
