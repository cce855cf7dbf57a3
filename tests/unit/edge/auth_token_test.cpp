// Cases 78–99 of the bad-input corpus, as far as HS256 has them, and what a
// good token says.

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/auth/token.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rollcall::edge {

namespace {

using namespace std::string_literals;

constexpr std::int64_t now_s = 1'700'000'000;
constexpr millis now{now_s * 1'000};
constexpr auto good_header = R"({"alg":"HS256","typ":"JWT"})";

signing_key make_key(std::string kid = {}, std::string ns = "default",
                     char fill = 'k') {
  return {std::move(kid), namespace_id{std::move(ns)}, algorithm::hs256,
          std::string(32, fill)};
}

token_verifier make_verifier(std::vector<signing_key> keys = {make_key()}) {
  token_config config;
  config.keys = std::move(keys);
  auto out = token_verifier::make(std::move(config));
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

/// Claims that are good, then `more` (JSON members, a comma in front).
std::string claims(std::string_view more = {}) {
  return R"({"sub":"ada","aud":"rollcall","exp":)" + std::to_string(now_s + 600)
         + std::string{more} + "}";
}

std::string claims_with_exp(std::string_view exp) {
  return R"({"sub":"ada","aud":"rollcall","exp":)" + std::string{exp} + "}";
}

std::string signed_with(std::string_view header, std::string_view payload) {
  return sign_jws(make_key(), header, payload);
}

/// The field of the refusal, with the code where it is not the usual one.
std::string refusal(std::string_view jwt,
                    const token_verifier& verifier = make_verifier()) {
  auto out = verifier.verify(jwt, now);
  if (out.ok())
    return "accepted";
  EXPECT_FALSE(out.error().message.empty());
  if (out.error().code == errc::unauthenticated)
    return out.error().field;
  return std::string{to_string(out.error().code)} + ' ' + out.error().field;
}

std::string refused_claims(std::string_view payload) {
  return refusal(signed_with(good_header, payload));
}

std::string refused_header(std::string_view header) {
  return refusal(signed_with(header, claims()));
}

verified_token accepted(std::string_view jwt,
                        const token_verifier& verifier = make_verifier()) {
  auto out = verifier.verify(jwt, now);
  if (!out.ok()) {
    ADD_FAILURE() << out.error().field << ' ' << out.error().message;
    return {};
  }
  return *out;
}

} // namespace

TEST(Token, SaysWhoItIs) {
  auto token = accepted(signed_with(
    good_header, claims(R"(,"name":"Ada","email":"a@example.org","jti":"j",)"
                        R"("ns":"default","iat":1699999999,"extra":[{}])")));
  EXPECT_EQ(token.ns, namespace_id{"default"});
  EXPECT_EQ(token.user, user_id{"ada"});
  EXPECT_EQ(token.who, (profile{"Ada", "a@example.org"}));
  EXPECT_EQ(token.jti, "j");
  EXPECT_EQ(token.expires_at, now + millis{600'000} + millis{30'000});
  EXPECT_EQ(token.grants_for(session_id{"s"}), default_grants);
}

TEST(Token, MatchesAForeignImplementation) {
  // Made with Python: HMAC-SHA256, secret of 32 times 'k'.
  auto jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
             "eyJzdWIiOiJhZGEiLCJhdWQiOiJyb2xsY2FsbCIsImV4cCI6MTcwMDAwMDYwMH0."
             "hMQSC8rfnAO_w5IbnEvEwTO7Gx7vELzycR15mf4TwBw";
  EXPECT_EQ(accepted(jwt).user, user_id{"ada"});
}

TEST(Token, MintedTokensVerify) {
  token_claims what;
  what.user = user_id{"ada \"x\" ö"};
  what.who = {"Ada", "a@example.org"};
  what.issued_at = now;
  what.not_before = now;
  what.expires_at = now + millis{60'000};
  what.jti = "id";
  what.grants.allow("room-*", {capability::join, capability::admin});
  auto keys = std::vector{make_key("one"), make_key("two", "other", 'o')};
  auto token = accepted(mint_token(keys[1], what), make_verifier(keys));
  EXPECT_EQ(token.ns, namespace_id{"other"});
  EXPECT_EQ(token.user, what.user);
  EXPECT_EQ(token.who, what.who);
  EXPECT_EQ(token.jti, "id");
  EXPECT_EQ(token.grants.entries(), what.grants.entries());
}

// -- algorithm and key -------------------------------------------------------

TEST(Token, RefusesEveryOtherAlgorithm) {
  for (const auto* alg : {"none", "None", "NONE", "nOnE", "", "hs256", "HS384",
                          "HS512", "RS256", "ES256", "HS256 "}) {
    auto header = R"({"alg":")"s + alg + "\"}";
    EXPECT_EQ(refused_header(header), "alg");
    auto body = base64url_encode(header) + '.' + base64url_encode(claims());
    EXPECT_EQ(refusal(body + '.'), "signature");
    EXPECT_EQ(refusal(body + ".AAAA"), "alg");
  }
  for (const auto* header :
       {"{}", R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":256})"})
    EXPECT_EQ(refused_header(header), "alg");
}

TEST(Token, RefusesSecretsThatAreTooShortAtConfiguration) {
  for (std::size_t size : {0U, 1U, 31U}) {
    auto key = make_key();
    key.secret.resize(size);
    token_config config;
    config.keys = {key};
    auto out = token_verifier::make(config);
    ASSERT_FALSE(out.ok());
    EXPECT_EQ(out.error().field, "secret");
  }
}

TEST(Token, RefusesConfigurationsThatConfuseKeys) {
  auto refused = [](std::vector<signing_key> keys) {
    token_config config;
    config.keys = std::move(keys);
    auto out = token_verifier::make(std::move(config));
    return out.ok() ? "accepted" : out.error().field;
  };
  EXPECT_EQ(refused({}), "keys");
  EXPECT_EQ(refused({make_key("a"), make_key("a", "other")}), "kid");
  EXPECT_EQ(refused({make_key("a"), make_key("", "other")}), "kid");
  EXPECT_EQ(refused({make_key("../x")}), "kid");
  EXPECT_EQ(refused({make_key("a", "")}), "namespace");
  EXPECT_EQ(refused({make_key("a"), make_key("b", "other")}), "accepted");
  token_config nobody;
  nobody.keys = {make_key()};
  nobody.audience.clear();
  EXPECT_FALSE(token_verifier::make(nobody).ok());
}

TEST(Token, PicksTheKeyByItsId) {
  auto keys = std::vector{make_key("one"), make_key("two", "other", 'o')};
  auto verifier = make_verifier(keys);
  auto with_kid = [](std::string_view kid) {
    return R"({"alg":"HS256","kid":)" + std::string{kid} + "}";
  };
  EXPECT_EQ(
    accepted(sign_jws(keys[0], with_kid("\"one\""), claims()), verifier).ns,
    namespace_id{"default"});
  EXPECT_EQ(
    accepted(sign_jws(keys[1], with_kid("\"two\""), claims()), verifier).ns,
    namespace_id{"other"});
  // The other tenant's id with one's own key.
  EXPECT_EQ(refusal(sign_jws(keys[0], with_kid("\"two\""), claims()), verifier),
            "signature");
  EXPECT_EQ(refusal(sign_jws(keys[0], good_header, claims()), verifier), "kid");
  for (const auto* kid : {"\"../../dev/null\"", "\"' OR 1=1 --\"", "\"three\"",
                          "\"\"", "null", "1", "[\"one\"]", "\"one\\u0000\""})
    EXPECT_EQ(refusal(sign_jws(keys[0], with_kid(kid), claims()), verifier),
              "kid")
      << kid;
  EXPECT_EQ(
    refusal(
      sign_jws(keys[0], with_kid('"' + std::string(65, 'a') + '"'), claims()),
      verifier),
    "kid");
  EXPECT_EQ(
    refusal(sign_jws(keys[0], with_kid('"' + std::string(8 << 20, 'a') + '"'),
                     claims()),
            verifier),
    "token");
}

TEST(Token, TakesAnyProperIdWhereTheOnlyKeyHasNone) {
  accepted(signed_with(R"({"alg":"HS256","kid":"whatever"})", claims()));
  EXPECT_EQ(refused_header(R"({"alg":"HS256","kid":"../../dev/null"})"), "kid");
}

TEST(Token, IgnoresKeysThatTheTokenBrings) {
  accepted(signed_with(
    R"({"alg":"HS256","jku":"http://169.254.169.254/","x5u":"file:///etc",)"
    R"("jwk":{"kty":"oct","k":"AAAA"},"x5c":["AAAA"]})",
    claims(R"(,"iss":"http://127.0.0.1/")")));
  // Signed with the key it brings instead of ours.
  signing_key own = make_key();
  own.secret = std::string(32, '\0');
  EXPECT_EQ(
    refusal(sign_jws(own, R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})",
                     claims())),
    "signature");
}

TEST(Token, RefusesCriticalExtensions) {
  EXPECT_EQ(refused_header(R"({"alg":"HS256","crit":["exp"]})"), "crit");
  EXPECT_EQ(refused_header(R"({"alg":"HS256","b64":false,"crit":["b64"]})"),
            "crit");
}

// -- shape and signature -----------------------------------------------------

TEST(Token, RefusesOtherShapes) {
  auto jwt = signed_with(good_header, claims());
  auto body = jwt.substr(0, jwt.rfind('.'));
  EXPECT_EQ(refusal(""), "token");
  EXPECT_EQ(refusal("x"), "token");
  EXPECT_EQ(refusal(body), "token");
  EXPECT_EQ(refusal(body + '.'), "signature");
  EXPECT_EQ(refusal(jwt + '.'), "token");
  EXPECT_EQ(refusal('.' + jwt), "token");
  EXPECT_EQ(refusal(jwt + ".x.y"), "token");
  EXPECT_EQ(refusal(".."), "token");
  EXPECT_EQ(refusal("..x"), "token");
  EXPECT_EQ(refusal(' ' + jwt), "header");
  EXPECT_EQ(refusal(jwt + ' '), "signature");
  EXPECT_EQ(refusal(std::string(64 << 10, 'a') + ".a.a"), "token");
}

TEST(Token, RefusesEverySpellingOfASignatureButOne) {
  auto jwt = signed_with(good_header, claims());
  EXPECT_EQ(refusal(jwt), "accepted");
  EXPECT_EQ(refusal(jwt + '='), "signature");
  // 32 bytes leave two spare bits in the last character.
  static constexpr std::string_view alphabet
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (char last : alphabet) {
    auto other = jwt;
    other.back() = last;
    EXPECT_EQ(refusal(other), last == jwt.back() ? "accepted" : "signature");
  }
  auto parts = jwt.substr(0, jwt.rfind('.') + 1);
  EXPECT_EQ(refusal(parts + base64url_encode(std::string(32, '\0'))),
            "signature");
  EXPECT_EQ(refusal(jwt.substr(0, jwt.size() - 4)), "signature");
}

TEST(Token, RefusesEveryChangedByte) {
  auto verifier = make_verifier();
  auto jwt = signed_with(good_header, claims());
  for (std::size_t i = 0; i < jwt.size(); ++i)
    for (char other : {'A', 'b', '.', '='}) {
      auto bad = jwt;
      bad[i] = other;
      EXPECT_EQ(verifier.verify(bad, now).ok(), bad == jwt) << i;
    }
}

TEST(Token, RefusesPartsThatAreNoJsonMaps) {
  EXPECT_EQ(refused_header("[]"), "header");
  EXPECT_EQ(refused_header("{"), "header");
  EXPECT_EQ(refused_claims("\"text\""), "payload");
  EXPECT_EQ(refused_claims("null"), "payload");
  EXPECT_EQ(refused_claims("\xEF\xBB\xBF" + claims()), "payload");
  // A token inside a token.
  EXPECT_EQ(refused_claims(signed_with(good_header, claims())), "payload");
}

TEST(Token, RefusesDuplicateMembers) {
  EXPECT_EQ(refused_claims(claims(R"(,"sub":"root")")), "sub");
  EXPECT_EQ(refused_claims(claims(R"(,"exp":1)")), "exp");
  EXPECT_EQ(refused_header(R"({"alg":"HS256","alg":"none"})"), "alg");
}

// -- claims ------------------------------------------------------------------

TEST(Token, RefusesBadExpiry) {
  EXPECT_EQ(refused_claims(R"({"sub":"ada","aud":"rollcall"})"), "exp");
  for (const auto* exp :
       {"-1", "1700000600.5", "1.7e9", "\"1700000600\"", "null", "[]", "true",
        "9e18", "9000000000000000000", "253402300800", "9007199254740991"})
    EXPECT_EQ(refused_claims(claims_with_exp(exp)), "exp") << exp;
  EXPECT_EQ(refused_claims(claims_with_exp("0")), "token_expired exp");
}

TEST(Token, ToleratesThirtySecondsOfSkew) {
  auto exp_in = [](std::int64_t seconds) {
    return claims_with_exp(std::to_string(now_s + seconds));
  };
  EXPECT_EQ(refused_claims(exp_in(-29)), "accepted");
  EXPECT_EQ(refused_claims(exp_in(-30)), "token_expired exp");
  EXPECT_EQ(refused_claims(exp_in(-60)), "token_expired exp");
  EXPECT_EQ(refused_claims(exp_in(86'400 + 30)), "accepted");
  EXPECT_EQ(refused_claims(exp_in(86'400 + 31)), "exp");
  for (const auto* name : {"nbf", "iat"}) {
    auto at = [&](std::int64_t seconds) {
      return claims(",\""s + name + "\":" + std::to_string(now_s + seconds));
    };
    EXPECT_EQ(refused_claims(at(30)), "accepted");
    EXPECT_EQ(refused_claims(at(31)), name);
    EXPECT_EQ(refused_claims(at(60)), name);
    EXPECT_EQ(refused_claims(at(-60)), "accepted");
    EXPECT_EQ(refused_claims(claims(",\""s + name + "\":\"0\"")), name);
  }
}

TEST(Token, CallsOnlyOtherwiseGoodTokensExpired) {
  auto old = std::to_string(now_s - 3'600);
  EXPECT_EQ(refused_claims(R"({"sub":"ada","aud":"other","exp":)" + old + "}"),
            "aud");
  EXPECT_EQ(refused_claims(R"({"aud":"rollcall","exp":)" + old + "}"), "sub");
}

TEST(Token, IsForTheConfiguredAudience) {
  auto with = [](std::string_view aud) {
    return R"({"sub":"ada","exp":)" + std::to_string(now_s + 60)
           + ",\"aud\":" + std::string{aud} + "}";
  };
  EXPECT_EQ(refused_claims(with("\"rollcall\"")), "accepted");
  EXPECT_EQ(refused_claims(with(R"(["other","rollcall"])")), "accepted");
  for (const auto* aud :
       {"\"other\"", "[]", "[\"other\"]", "\"ROLLCALL\"", "\"rollcall2\"",
        "\"\"", "null", "{}", "1", "{\"rollcall\":1}", "[\"rollcall\",1]"})
    EXPECT_EQ(refused_claims(with(aud)), "aud") << aud;
  EXPECT_EQ(refused_claims(R"({"sub":"ada","exp":1700000600})"), "aud");
}

TEST(Token, ChecksNamesAndIds) {
  for (const auto* sub : {"\"\"", "null", "1", "{}", "\"a\\u0000b\"",
                          "\"a\\nb\"", "\"\\u001b[31m\""})
    EXPECT_EQ(refused_claims(R"({"aud":"rollcall","exp":1700000600,"sub":)"s
                             + sub + "}"),
              "sub")
      << sub;
  EXPECT_EQ(refused_claims(R"({"aud":"rollcall","exp":1700000600})"), "sub");
  EXPECT_EQ(refused_claims(R"({"aud":"rollcall","exp":1700000600,"sub":")"
                           + std::string(129, 'x') + "\"}"),
            "sub");
  for (const auto* name : {"name", "email", "jti"}) {
    EXPECT_EQ(refused_claims(claims(",\""s + name + "\":1")), name);
    EXPECT_EQ(refused_claims(claims(",\""s + name + "\":\"a\\nb\"")), name);
    EXPECT_EQ(refused_claims(claims(",\""s + name + "\":\"\"")), "accepted");
  }
}

TEST(Token, StaysInTheKeysNamespace) {
  EXPECT_EQ(refused_claims(claims(R"(,"ns":"default")")), "accepted");
  for (const auto* ns : {"\"other\"", "\"\"", "null", "[\"default\"]",
                         "\"DEFAULT\"", "\"default \""})
    EXPECT_EQ(refused_claims(claims(",\"ns\":"s + ns)), "ns") << ns;
}

TEST(Token, GrantsRightsToAllSessionsOrByPattern) {
  auto all = accepted(
    signed_with(good_header, claims(R"(,"grants":["join","create"])")));
  EXPECT_EQ(all.grants_for(session_id{"any"}),
            (capability_set{capability::join, capability::create}));

  auto some = accepted(signed_with(
    good_header,
    claims(R"(,"grants":{"*":["observe_count"],"room-*":["join"],)"
           R"("room-7":["moderate"],"room-7*":["host"],"none":[]})")));
  auto of = [&](std::string id) {
    return some.grants_for(session_id{std::move(id)});
  };
  EXPECT_EQ(of("x"), capability_set{capability::observe_count});
  EXPECT_EQ(of("room-"), capability_set{capability::join});
  EXPECT_EQ(of("room-1"), capability_set{capability::join});
  EXPECT_EQ(of("room-7"), capability_set{capability::moderate});
  EXPECT_EQ(of("room-71"), capability_set{capability::host});
  EXPECT_EQ(of("none"), capability_set{});

  auto nothing = accepted(signed_with(good_header, claims(",\"grants\":{}")));
  EXPECT_EQ(nothing.grants_for(session_id{"x"}), capability_set{});
}

TEST(Token, RefusesGrantsItDoesNotUnderstand) {
  for (const auto* grants :
       {"null", "\"join\"", "1", "true", "[\"fly\"]", "[1]", "[[\"join\"]]",
        "[\"join\",null]", "[\"JOIN\"]"})
    EXPECT_EQ(refused_claims(claims(",\"grants\":"s + grants)), "grants")
      << grants;
  EXPECT_EQ(refused_claims(claims(R"(,"grants":{"a":"join"})")), "grants.a");
  EXPECT_EQ(refused_claims(claims(R"(,"grants":{"a":["fly"]})")), "grants.a");
  EXPECT_EQ(refused_claims(claims(R"(,"grants":{"":["join"]})")), "grants");
}

TEST(Token, SurvivesDamageAndRandomBytes) {
  std::mt19937_64 draw{20'240'604};
  auto verifier = make_verifier();
  auto jwt = signed_with(good_header, claims());
  for (int round = 0; round < 5'000; ++round) {
    auto bad = jwt;
    if (round % 2 == 0) {
      for (auto& c : bad)
        c = static_cast<char>(draw());
    } else {
      auto at = draw() % bad.size();
      bad[at] = static_cast<char>(bad[at] ^ (1 << draw() % 8));
    }
    EXPECT_FALSE(verifier.verify(bad, now).ok());
  }
}

TEST(Token, SignedNonsenseIsRefusedOrRead) {
  std::mt19937_64 draw{20'240'605};
  auto verifier = make_verifier();
  auto payload = claims(R"(,"grants":{"a*":["join"]},"name":"N")");
  for (int round = 0; round < 5'000; ++round) {
    auto bad = payload;
    auto at = draw() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 << draw() % 8));
    auto out = verifier.verify(sign_jws(make_key(), good_header, bad), now);
    if (out.ok()) {
      EXPECT_FALSE(out->user.empty());
      EXPECT_GT(out->expires_at, now);
    }
  }
}

} // namespace rollcall::edge
