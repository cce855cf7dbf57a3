// Bytes are a token only with our signature, and then only with good claims.

#include "edge/auth/token.hpp"

#include "actors/base/ids.hpp"

#include <cstdint>
#include <cstdlib>

using namespace rollcall;
using namespace rollcall::edge;

namespace {

constexpr millis now{1'700'000'000'000};

void require(bool condition) {
  if (!condition)
    std::abort();
}

const signing_key& key() {
  static const signing_key made{"k1", namespace_id{"default"}, algorithm::hs256,
                                std::string(32, 'k')};
  return made;
}

const token_verifier& verifier() {
  static const auto made = [] {
    token_config config;
    config.keys = {key()};
    return token_verifier::make(config);
  }();
  return *made;
}

void check(const result<verified_token>& out) {
  if (!out) {
    require(out.error().code == errc::unauthenticated
            || out.error().code == errc::token_expired);
    require(!out.error().field.empty());
    return;
  }
  require(check_id(out->user.str(), "sub").ok());
  require(out->ns == key().ns);
  require(out->expires_at > now);
}

} // namespace

/// The first byte chooses what the rest is: a token, a header or claims.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 3) {
  case 0:
    // Nobody finds a signature by chance.
    require(!verifier().verify(rest, now).ok());
    break;
  case 1:
    check(verifier().verify(
      sign_jws(key(), rest, R"({"sub":"a","aud":"rollcall","exp":1700000600})"),
      now));
    break;
  default:
    check(verifier().verify(sign_jws(key(), R"({"alg":"HS256"})", rest), now));
  }
  return 0;
}
