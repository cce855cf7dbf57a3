#include "actors/base/hash.hpp"

#include "actors/base/base64url.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace rollcall {

namespace {

const unsigned char* raw(std::string_view bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string joined(const std::string& a, const std::string& b) {
  std::string out;
  out.reserve(a.size() + b.size() + 1);
  out += a;
  out += '\0';
  out += b;
  return out;
}

} // namespace

digest256 sha256(std::string_view bytes) {
  digest256 out{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(),
             nullptr);
  return out;
}

digest256 hmac_sha256(std::string_view key, std::string_view bytes) {
  digest256 out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(bytes),
       bytes.size(), out.data(), &size);
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size()
         && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  auto* data = reinterpret_cast<unsigned char*>(out.data());
  if (RAND_bytes(data, static_cast<int>(count)) != 1)
    throw std::runtime_error("the system's random generator failed");
  return out;
}

std::uint64_t random_u64() {
  auto bytes = random_bytes(8);
  std::uint64_t value = 0;
  for (char c : bytes)
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

partition_id partition_of(const session_key& key, std::uint32_t partitions) {
  auto digest = sha256(joined(key.ns.str(), key.id.str()));
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < 8; ++i)
    head = head << 8 | digest[i];
  return static_cast<partition_id>(head % partitions);
}

participant_id make_participant_id(std::string_view secret,
                                   const namespace_id& ns,
                                   const user_id& user) {
  auto digest = hmac_sha256(secret, joined(ns.str(), user.str()));
  return participant_id{
    base64url_encode({reinterpret_cast<const char*>(digest.data()), 16})};
}

} // namespace rollcall
