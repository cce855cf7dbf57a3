#include "edge/auth/claims.hpp"

#include "actors/base/limits.hpp"
#include "edge/auth/jws.hpp"

#include <algorithm>

namespace rollcall::edge {

namespace {

/// Seconds since 1970 until the year 9999; nothing overflows below it.
constexpr std::int64_t latest_date = 253'402'300'799;

/// A claim of text, checked like an id; empty when absent. Issuers also write
/// "" for what they do not know.
result<std::string> read_text(const value& claims, std::string_view name) {
  const auto* found = claims.find(name);
  if (found == nullptr)
    return std::string{};
  const auto* text = found->get_if<std::string>();
  if (text == nullptr)
    return bad_token("must be text", name);
  if (text->empty())
    return std::string{};
  auto good = check_id(*text, name);
  if (!good)
    return bad_token(good.error().message, name);
  return good;
}

/// A date as milliseconds; `fallback` when absent.
result<millis> read_date(const value& claims, std::string_view name,
                         millis fallback) {
  const auto* found = claims.find(name);
  if (found == nullptr)
    return fallback;
  const auto* seconds = found->get_if<std::int64_t>();
  if (seconds == nullptr)
    return bad_token("must be an integer", name);
  if (*seconds < 0 || *seconds > latest_date)
    return bad_token("is not a date", name);
  return millis{*seconds * 1'000};
}

/// When the token ends, leeway included.
result<millis> check_dates(const value& claims, const token_config& config,
                           millis now) {
  if (claims.find("exp") == nullptr)
    return bad_token("is missing", "exp");
  auto ends = read_date(claims, "exp", millis{0});
  if (!ends)
    return ends;
  for (const auto* name : {"nbf", "iat"}) {
    auto starts = read_date(claims, name, millis{0});
    if (!starts)
      return starts;
    if (*starts > now + config.leeway)
      return bad_token("is in the future", name);
  }
  if (*ends + config.leeway <= now)
    return fail(errc::token_expired, "is over", "exp");
  if (*ends > now + config.max_lifetime + config.leeway)
    return bad_token("is too far ahead", "exp");
  return *ends + config.leeway;
}

/// `aud` is one text or a list of texts (RFC 7519, section 4.1.3).
result<done> check_audience(const value& claims, const std::string& wanted) {
  const auto* found = claims.find("aud");
  if (found == nullptr)
    return bad_token("is missing", "aud");
  bool matches = false;
  if (const auto* text = found->get_if<std::string>()) {
    matches = *text == wanted;
  } else if (const auto* list = found->get_if<value::array>()) {
    for (const auto& item : *list) {
      const auto* each = item.get_if<std::string>();
      if (each == nullptr)
        return bad_token("must be text or a list of texts", "aud");
      matches = matches || *each == wanted;
    }
  } else {
    return bad_token("must be text or a list of texts", "aud");
  }
  if (!matches)
    return bad_token("is for somebody else", "aud");
  return done{};
}

result<capability_set> read_rights(const value& content,
                                   std::string_view where) {
  const auto* list = content.get_if<value::array>();
  if (list == nullptr)
    return bad_token("must be a list of rights", where);
  capability_set out;
  for (const auto& item : *list) {
    const auto* name = item.get_if<std::string>();
    auto right = name != nullptr ? parse_capability(*name) : std::nullopt;
    if (!right)
      return bad_token("has an unknown right", where);
    out.add(*right);
  }
  return out;
}

result<grant_table> read_grants(const value& claims) {
  grant_table out;
  const auto* found = claims.find("grants");
  if (found == nullptr)
    return out;
  out.restrict();
  const auto* members = found->get_if<value::map>();
  if (members == nullptr) {
    auto rights = read_rights(*found, "grants");
    if (!rights)
      return rights.error();
    out.allow("*", *rights);
    return out;
  }
  for (const auto& [pattern, content] : *members) {
    if (auto good = check_id(pattern, "grants"); !good)
      return bad_token("has a key that is no session id", "grants");
    auto rights = read_rights(content, "grants." + pattern);
    if (!rights)
      return rights.error();
    out.allow(pattern, *rights);
  }
  return out;
}

result<std::vector<std::string>> read_groups(const value& claims) {
  std::vector<std::string> out;
  const auto* found = claims.find("groups");
  if (found == nullptr)
    return out;
  const auto* list = found->get_if<value::array>();
  if (list == nullptr)
    return bad_token("must be a list of texts", "groups");
  if (list->size() > limits::groups_per_caller)
    return bad_token("has more than 32 items", "groups");
  for (const auto& item : *list) {
    const auto* name = item.get_if<std::string>();
    if (name == nullptr || !check_id(*name, "groups"))
      return bad_token("must be a list of texts of 1 to 128 bytes", "groups");
    out.push_back(*name);
  }
  return out;
}

/// What the configuration shows of other claims.
result<done> read_profile(const value& claims, const token_config& config,
                          profile& out) {
  for (const auto& [name, claim] : config.profile) {
    const auto* found = claims.find(claim);
    if (found == nullptr)
      continue;
    const auto* text = found->get_if<std::string>();
    if (text == nullptr || text->size() > limits::profile_more_bytes
        || !is_utf8(*text))
      return bad_token("must be text of at most 256 bytes", claim);
    if (!text->empty())
      out.more.emplace(name, *text);
  }
  return done{};
}

} // namespace

result<verified_token> read_claims(const value& claims, const signing_key& key,
                                   const token_config& config,
                                   millis wall_now) {
  verified_token out;
  out.ns = key.ns;
  auto ns = read_text(claims, "ns");
  if (!ns)
    return ns.error();
  if (claims.find("ns") != nullptr && *ns != key.ns.str())
    return bad_token("is not the key's namespace", "ns");
  if (auto good = check_audience(claims, config.audience); !good)
    return good.error();
  auto user = read_text(claims, "sub");
  if (!user)
    return user.error();
  if (user->empty())
    return bad_token("is missing", "sub");
  out.user = user_id{*user};
  for (auto [name, target] :
       {std::pair{"name", &out.who.name}, std::pair{"email", &out.who.email},
        std::pair{"jti", &out.jti}, std::pair{"role", &out.role}}) {
    auto text = read_text(claims, name);
    if (!text)
      return text.error();
    *target = std::move(text).value();
  }
  auto groups = read_groups(claims);
  if (!groups)
    return groups.error();
  out.groups = std::move(groups).value();
  if (auto good = read_profile(claims, config, out.who); !good)
    return good.error();
  auto grants = read_grants(claims);
  if (!grants)
    return grants.error();
  out.grants = std::move(grants).value();
  // Last, so that `token_expired` means: otherwise good.
  auto ends = check_dates(claims, config, wall_now);
  if (!ends)
    return ends.error();
  out.expires_at = *ends;
  return out;
}

} // namespace rollcall::edge
