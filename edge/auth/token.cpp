#include "edge/auth/token.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/auth/claims.hpp"
#include "edge/auth/jws.hpp"
#include "edge/protocol/writers.hpp"

#include <algorithm>

namespace rollcall::edge {

namespace {

constexpr std::size_t kid_bytes_max = 64;

std::string_view name_of(algorithm alg) noexcept {
  switch (alg) {
  case algorithm::hs256:
    return "HS256";
  }
  return "none";
}

bool is_kid(std::string_view text) noexcept {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kid_bytes_max
         && std::all_of(text.begin(), text.end(), good);
}

bool is_prefix(std::string_view pattern) noexcept {
  return !pattern.empty() && pattern.back() == '*';
}

bool matches(std::string_view pattern, std::string_view id) noexcept {
  if (is_prefix(pattern))
    return id.starts_with(pattern.substr(0, pattern.size() - 1));
  return id == pattern;
}

std::string signature_of(const signing_key& key, std::string_view text) {
  auto digest = hmac_sha256(key.secret, text);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// A configured key that would weaken the rest.
result<done> check_key(const signing_key& key) {
  if (!key.kid.empty() && !is_kid(key.kid))
    return fail(errc::bad_request, "must be 1 to 64 of A-Z a-z 0-9 . _ -",
                "kid");
  if (auto good = check_id(key.ns.str(), "namespace"); !good)
    return good.error();
  if (key.secret.size() < hmac_secret_bytes_min)
    return fail(errc::bad_request, "must have at least 32 bytes", "secret");
  return done{};
}

void write_rights(json_writer& to, capability_set rights) {
  to.open_array(0);
  for (unsigned bit = 1;
       bit <= static_cast<unsigned>(capability::observe_hidden); bit <<= 1)
    if (rights.has(static_cast<capability>(bit)))
      to.text(to_string(static_cast<capability>(bit)));
  to.close_array();
}

void write_grants(json_writer& to, const grant_table& grants) {
  to.key("grants");
  to.open_map();
  for (const auto& [pattern, rights] : grants.entries()) {
    to.key(pattern);
    write_rights(to, rights);
  }
  to.close_map();
}

void write_if(json_writer& to, std::string_view key, const std::string& text) {
  if (text.empty())
    return;
  to.key(key);
  to.text(text);
}

void write_date(json_writer& to, std::string_view key, millis at) {
  to.key(key);
  to.integer(std::chrono::duration_cast<std::chrono::seconds>(at).count());
}

} // namespace

// -- grant_table -------------------------------------------------------------

void grant_table::allow(std::string_view pattern, capability_set rights) {
  restricted_ = true;
  // Exact patterns before prefixes, long before short: the first match counts.
  auto stronger = [](const auto& a, const auto& b) {
    if (is_prefix(a.first) != is_prefix(b.first))
      return is_prefix(b.first);
    if (a.first.size() != b.first.size())
      return a.first.size() > b.first.size();
    return a.first < b.first;
  };
  std::pair<std::string, capability_set> entry{pattern, rights};
  auto at = std::lower_bound(entries_.begin(), entries_.end(), entry, stronger);
  if (at != entries_.end() && at->first == pattern)
    at->second = at->second | rights;
  else
    entries_.insert(at, std::move(entry));
}

capability_set grant_table::of(const session_id& session) const noexcept {
  if (!restricted_)
    return default_grants;
  for (const auto& [pattern, rights] : entries_)
    if (matches(pattern, session.str()))
      return rights;
  return {};
}

// -- token_verifier ----------------------------------------------------------

token_verifier::token_verifier(token_config config)
  : config_(std::move(config)) {
  // nop
}

result<token_verifier> token_verifier::make(token_config config) {
  if (config.keys.empty())
    return fail(errc::bad_request, "must have at least one key", "keys");
  if (config.audience.empty())
    return fail(errc::bad_request, "must not be empty", "audience");
  if (config.leeway < millis{0} || config.max_lifetime <= millis{0})
    return fail(errc::bad_request, "must not be negative", "leeway");
  for (auto key = config.keys.begin(); key != config.keys.end(); ++key) {
    if (auto good = check_key(*key); !good)
      return good.error();
    // A token without `kid`, or one that two keys claim, would let one
    // namespace speak for another.
    if (key->kid.empty() && config.keys.size() > 1)
      return fail(errc::bad_request, "is needed where there are several keys",
                  "kid");
    if (std::any_of(config.keys.begin(), key,
                    [&](const auto& other) { return other.kid == key->kid; }))
      return fail(errc::bad_request, "is there twice", "kid");
  }
  return token_verifier{std::move(config)};
}

result<const signing_key*>
token_verifier::pick_key(std::string_view header_part) const {
  auto header = decode_part(header_part, "header");
  if (!header)
    return header.error();
  // Extensions that must be understood are not (RFC 7515, section 4.1.11).
  // `jku`, `jwk`, `x5u`, `x5c` are ignored: keys come from configuration only.
  if (header->find("crit") != nullptr)
    return bad_token("is not supported", "crit");
  const signing_key* key = nullptr;
  if (const auto* kid = header->find("kid")) {
    const auto* name = kid->get_if<std::string>();
    if (name == nullptr || !is_kid(*name))
      return bad_token("is not a key id", "kid");
    for (const auto& each : config_.keys)
      if (each.kid == *name)
        key = &each;
    // A lone key without a name serves whatever name its issuer gave it.
    if (key == nullptr && config_.keys.front().kid.empty())
      key = &config_.keys.front();
    if (key == nullptr)
      return bad_token("is not known", "kid");
  } else if (config_.keys.size() == 1) {
    key = &config_.keys.front();
  } else {
    return bad_token("is missing", "kid");
  }
  const auto* alg = header->find("alg");
  const auto* name = alg != nullptr ? alg->get_if<std::string>() : nullptr;
  if (name == nullptr || *name != name_of(key->alg))
    return bad_token("is not the key's algorithm", "alg");
  return key;
}

result<verified_token> token_verifier::verify(std::string_view jwt,
                                              millis wall_now) const {
  auto parts = split_jws(jwt);
  if (!parts)
    return parts.error();
  auto key = pick_key(parts->header);
  if (!key)
    return key.error();
  auto signature = base64url_decode(parts->signature);
  if (!signature
      || !equal_constant_time(*signature,
                              signature_of(**key, parts->signed_text())))
    return bad_token("does not match", "signature");
  auto claims = decode_part(parts->payload, "payload");
  if (!claims)
    return claims.error();
  return read_claims(*claims, **key, config_, wall_now);
}

// -- minting -----------------------------------------------------------------

std::string sign_jws(const signing_key& key, std::string_view header_json,
                     std::string_view payload_json) {
  auto out = base64url_encode(header_json);
  out += '.';
  out += base64url_encode(payload_json);
  auto signature = base64url_encode(signature_of(key, out));
  out += '.';
  out += signature;
  return out;
}

std::string mint_token(const signing_key& key, const token_claims& claims) {
  std::string header;
  json_writer head{header};
  head.open_map();
  head.key("alg");
  head.text(name_of(key.alg));
  head.key("typ");
  head.text("JWT");
  write_if(head, "kid", key.kid);
  head.close_map();
  head.finish();

  std::string payload;
  json_writer body{payload};
  body.open_map();
  write_if(body, "sub", claims.user.str());
  write_if(body, "aud", claims.audience);
  write_if(body, "ns", key.ns.str());
  write_date(body, "iat", claims.issued_at);
  write_date(body, "exp", claims.expires_at);
  if (claims.not_before)
    write_date(body, "nbf", *claims.not_before);
  write_if(body, "name", claims.who.name);
  write_if(body, "email", claims.who.email);
  write_if(body, "jti", claims.jti);
  write_if(body, "role", claims.role);
  if (!claims.groups.empty()) {
    body.key("groups");
    body.open_array(claims.groups.size());
    for (const auto& group : claims.groups)
      body.text(group);
    body.close_array();
  }
  if (!claims.grants.unrestricted())
    write_grants(body, claims.grants);
  body.close_map();
  body.finish();
  return sign_jws(key, header, payload);
}

} // namespace rollcall::edge
