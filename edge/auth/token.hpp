#pragma once

// Who a client is: JSON Web Tokens, verified strictly (RFC 7515, RFC 7519,
// RFC 8725). Pure; time is an argument; safe on any thread.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/identity.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::edge {

/// The algorithm belongs to the key, never to the token.
enum class algorithm : std::uint8_t { hs256 };

/// Shortest secret of an HMAC key: the size of its digest (RFC 7518, 3.2).
inline constexpr std::size_t hmac_secret_bytes_min = 32;

/// A configured key. Its namespace is that of everyone who presents it.
struct signing_key {
  /// Empty, or 1–64 of `[A-Za-z0-9._-]`. Unique among all keys.
  std::string kid;
  namespace_id ns;
  algorithm alg = algorithm::hs256;
  std::string secret;
};

/// The claim `grants`: rights per session. The exact id wins, else the longest
/// prefix; without any entry at all `default_grants` hold everywhere.
class grant_table {
public:
  /// Allows `rights` in the session `pattern`, or in all sessions whose id
  /// starts with what precedes a final `*`.
  void allow(std::string_view pattern, capability_set rights);

  [[nodiscard]] capability_set of(const session_id& session) const noexcept;

  /// Whether nothing was ever allowed or refused (no claim).
  [[nodiscard]] bool unrestricted() const noexcept {
    return !restricted_;
  }

  /// Marks the claim as present, even if it allows nothing.
  void restrict() noexcept {
    restricted_ = true;
  }

  /// Pattern and rights, exact ones first, then prefixes, longest first.
  [[nodiscard]] const auto& entries() const noexcept {
    return entries_;
  }

private:
  bool restricted_ = false;
  std::vector<std::pair<std::string, capability_set>> entries_;
};

/// What a good token says.
struct verified_token {
  namespace_id ns;
  user_id user;
  profile who;
  grant_table grants;
  /// Wall time from which the token is good no more: `exp` plus the leeway.
  millis expires_at{0};
  /// The token's own id, or empty.
  std::string jti;
  /// At most limits::groups_per_caller.
  std::vector<std::string> groups;
  std::string role;

  [[nodiscard]] capability_set grants_for(const session_id& session) const {
    return grants.of(session);
  }
};

struct token_config {
  std::vector<signing_key> keys;
  std::string audience = "rollcall";
  /// Tolerated difference of clocks, on `exp`, `nbf` and `iat`.
  millis leeway{30'000};
  /// How far ahead `exp` may be.
  millis max_lifetime{86'400'000};
  /// Further fields of a profile: the name that others are shown, and the
  /// claim it comes from. At most limits::profile_fields.
  std::vector<std::pair<std::string, std::string>> profile{};
};

/// Verifies tokens under one immutable configuration.
class token_verifier {
public:
  /// Refuses configurations that would accept forged tokens: no key, short
  /// or empty secrets, repeated or malformed `kid`s, an empty audience.
  [[nodiscard]] static result<token_verifier> make(token_config config);

  /// Checks `jwt` at `wall_now`. `token_expired` if it was good once, else
  /// `unauthenticated`; `field` names the claim or header, or is `token`.
  /// Claims are looked at only after the signature.
  [[nodiscard]] result<verified_token> verify(std::string_view jwt,
                                              millis wall_now) const;

private:
  explicit token_verifier(token_config config);

  [[nodiscard]] result<const signing_key*>
  pick_key(std::string_view header_part) const;

  token_config config_;
};

/// What to put into a token.
struct token_claims {
  user_id user;
  profile who;
  std::string audience = "rollcall";
  millis issued_at{0};
  millis expires_at{0};
  std::optional<millis> not_before;
  grant_table grants;
  std::string jti;
  std::vector<std::string> groups{};
  std::string role{};
};

/// Makes a token: for the quick start, tools and tests. Services mint their
/// own with any JWT library.
[[nodiscard]] std::string mint_token(const signing_key& key,
                                     const token_claims& claims);

/// Signs a header and payload as they are (JWS compact form, RFC 7515).
[[nodiscard]] std::string sign_jws(const signing_key& key,
                                   std::string_view header_json,
                                   std::string_view payload_json);

} // namespace rollcall::edge
