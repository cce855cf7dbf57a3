// What a token says of its user beside name, email and grants.

#include "actors/base/limits.hpp"
#include "edge/auth/token.hpp"

#include <gtest/gtest.h>

namespace rollcall::edge {

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
constexpr millis now{now_s * 1'000};

signing_key make_key() {
  return {{}, namespace_id{"default"}, algorithm::hs256, std::string(32, 'k')};
}

result<verified_token> verified(const std::string& more) {
  token_config config;
  config.keys = {make_key()};
  config.profile = {{"image_url", "imageUrl"}, {"username", "username"}};
  auto verifier = token_verifier::make(std::move(config));
  EXPECT_TRUE(verifier.ok());
  return verifier->verify(sign_jws(make_key(), R"({"alg":"HS256"})",
                                   R"({"sub":"ada","aud":"rollcall","exp":)"
                                     + std::to_string(now_s + 600) + more
                                     + "}"),
                          now);
}

std::string list_of(std::size_t count) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i)
    out += (i == 0 ? "\"g" : ",\"g") + std::to_string(i) + '"';
  return out + ']';
}

} // namespace

TEST(Caller, HasGroupsAndARole) {
  auto token = verified(R"(,"groups":["staff","film club"],"role":"tutor")");
  ASSERT_TRUE(token) << token.error().field;
  EXPECT_EQ(token->groups, (std::vector<std::string>{"staff", "film club"}));
  EXPECT_EQ(token->role, "tutor");
  auto plain = verified("");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->groups.empty() && plain->role.empty());
}

TEST(Caller, HasAtMostThirtyTwoGroups) {
  EXPECT_TRUE(verified(",\"groups\":" + list_of(limits::groups_per_caller)));
  for (const auto& bad :
       {",\"groups\":" + list_of(limits::groups_per_caller + 1),
        std::string{R"(,"groups":"staff")"}, std::string{R"(,"groups":[1])"},
        std::string{R"(,"groups":[""])"},
        ",\"groups\":[\"" + std::string(limits::id_bytes + 1, 'g') + "\"]"}) {
    auto refused = verified(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().field, "groups");
  }
}

TEST(Caller, ShowsTheClaimsThatAreConfiguredAndNoOthers) {
  auto token = verified(
    R"(,"imageUrl":"https://i/a.png","username":"ada1","shoe":"42")");
  ASSERT_TRUE(token) << token.error().field;
  EXPECT_EQ(token->who.more,
            (std::map<std::string, std::string>{
              {"image_url", "https://i/a.png"}, {"username", "ada1"}}));
  auto some = verified(R"(,"username":"")");
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->who.more.empty());
  auto refused
    = verified(",\"imageUrl\":\""
               + std::string(limits::profile_more_bytes + 1, 'x') + '"');
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "imageUrl");
}

TEST(Caller, ComesBackFromAMintedToken) {
  token_claims claims;
  claims.user = user_id{"ada"};
  claims.issued_at = now;
  claims.expires_at = now + millis{600'000};
  claims.groups = {"staff"};
  claims.role = "tutor";
  claims.grants.allow("*", {capability::join, capability::observe_hidden});
  token_config config;
  config.keys = {make_key()};
  auto verifier = token_verifier::make(std::move(config));
  ASSERT_TRUE(verifier.ok());
  auto token = verifier->verify(mint_token(make_key(), claims), now);
  ASSERT_TRUE(token) << token.error().field;
  EXPECT_EQ(token->groups, claims.groups);
  EXPECT_EQ(token->role, "tutor");
  EXPECT_TRUE(
    token->grants_for(session_id{"s"}).has(capability::observe_hidden));
}

} // namespace rollcall::edge
