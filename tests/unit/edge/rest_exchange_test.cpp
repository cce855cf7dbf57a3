#include "edge/rest/answers.hpp"
#include "edge/rest/exchange.hpp"
#include "edge/rest/plain_paths.hpp"
#include "edge/rest/session_code.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rollcall::edge {
namespace {

http_request request(std::string method, std::string target,
                     http_headers headers = {}, std::string body = {}) {
  http_request out;
  out.method = std::move(method);
  out.target = std::move(target);
  out.headers = std::move(headers);
  out.headers.emplace_back("Host", "rollcall.example");
  if (!body.empty())
    out.headers.emplace_back("Content-Type", "application/json");
  out.body = std::move(body);
  return out;
}

struct judged {
  unsigned status = 0;
  std::string token;
};

judged judge(const http_request& asked, const frame_rules& rules = {}) {
  auto open = open_exchange(rules, asked, "drawn");
  auto verdict = admit(rules, open, asked);
  if (auto* response = std::get_if<http_response>(&verdict))
    return {response->status, {}};
  return {0, std::get<admitted_call>(verdict).token};
}

const http_headers bearer{{"Authorization", "Bearer t"}};

TEST(RestExchange, AdmitsWhatIsRight) {
  EXPECT_EQ(judge(request("GET", "/v1/sessions/s")).status, 0U);
  EXPECT_EQ(judge(request("GET", "/v1/sessions/s", bearer)).token, "t");
  EXPECT_EQ(
    judge(request("POST", "/v1/sessions", bearer, R"({"kind":"stage"})"))
      .status,
    0U);
}

TEST(RestExchange, AsksForATokenWhereSomebodyHasToBeKnown) {
  EXPECT_EQ(judge(request("POST", "/v1/sessions", {}, "{}")).status, 401U);
  EXPECT_EQ(judge(request("GET", "/v1/sessions/s/participants")).status, 401U);
  EXPECT_EQ(
    judge(request("GET", "/v1/sessions/s", {{"Authorization", "Basic x"}}))
      .status,
    401U);
  EXPECT_EQ(judge(request("GET", "/v1/sessions/s",
                          {{"Authorization", "Bearer a"},
                           {"Authorization", "Bearer b"}}))
              .status,
            400U);
}

TEST(RestExchange, TakesACookieOnlyWhereOneIsConfigured) {
  frame_rules with_cookie;
  with_cookie.cookie = "token";
  http_headers cookie{{"Cookie", "a=b; token=t; token=u"}};
  auto get = request("GET", "/v1/sessions/s", cookie);
  EXPECT_EQ(judge(get).token, "");
  EXPECT_EQ(judge(get, with_cookie).token, "t");
  auto end = request("POST", "/v1/sessions/s/end", cookie);
  EXPECT_EQ(judge(end, with_cookie).status, 403U);
  end.headers.emplace_back("Origin", "http://rollcall.example");
  EXPECT_EQ(judge(end, with_cookie).token, "t");
  end.headers.back().second = "http://evil.example";
  EXPECT_EQ(judge(end, with_cookie).status, 403U);
}

TEST(RestExchange, SaysWhatMethodsThereAre) {
  auto asked = request("PUT", "/v1/sessions/s");
  auto open = open_exchange({}, asked, "drawn");
  auto verdict = admit({}, open, asked);
  const auto& refused = std::get<http_response>(verdict);
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(refused.headers.front().second,
            "GET, HEAD, PATCH, DELETE, OPTIONS");
}

TEST(RestExchange, KeepsFitRequestIdsOnly) {
  auto named = [](const std::string& name) {
    auto asked = request("GET", "/v1/x", {{"X-Request-Id", name}});
    return open_exchange({}, asked, "drawn").request;
  };
  EXPECT_EQ(named("a-b_c.9"), "a-b_c.9");
  for (const auto& bad : {std::string{}, std::string{"a b"},
                          std::string{"a\nb"}, std::string(65, 'x')})
    EXPECT_EQ(named(bad), "drawn");
}

TEST(RestExchange, AnswersWhatIsKnownWithoutABody) {
  exchange open;
  open.if_none_match = "\"y\", W/\"1-2-3\"";
  http_response tagged;
  tagged.body = "x";
  tagged.headers.emplace_back("ETag", "W/\"1-2-3\"");
  EXPECT_EQ(finish(open, tagged).status, 304U);
  tagged.headers.back().second = "W/\"1-3-3\"";
  EXPECT_EQ(finish(open, tagged).status, 200U);
  tagged.status = 404;
  open.if_none_match = "*";
  EXPECT_EQ(finish(open, tagged).status, 404U);
}

TEST(RestExchange, ComparesTagsWeakly) {
  // RFC 9110, section 13.1.2.
  for (const auto* tag : {"\"5-6.7\"", "W/\"5-6.7\""})
    for (const auto* known : {"\"5-6.7\"", "W/\"5-6.7\"", "\"x\", W/\"5-6.7\"",
                              "W/\"x\",\"5-6.7\""}) {
      exchange open;
      open.if_none_match = known;
      http_response tagged;
      tagged.headers.emplace_back("ETag", tag);
      EXPECT_EQ(finish(open, tagged).status, 304U) << tag << ' ' << known;
    }
  for (const auto* other : {"w/\"5-6.7\"", "\"5-6\"", "5-6.7", "W/", ""}) {
    exchange open;
    open.if_none_match = other;
    http_response tagged;
    tagged.headers.emplace_back("ETag", "\"5-6.7\"");
    EXPECT_EQ(finish(open, tagged).status, 200U) << other;
  }
}

TEST(RestExchange, ShowsPagesTheHeadersThatMatter) {
  exchange open;
  open.origin = "https://app.example";
  const auto out = finish(open, {});
  for (const auto& [name, content] : out.headers) {
    if (name != "Access-Control-Expose-Headers")
      continue;
    // An export goes on where its Link says.
    for (const auto* wanted : {"ETag", "Link", "Location", "Retry-After"})
      EXPECT_NE(content.find(wanted), std::string::npos) << wanted;
    return;
  }
  FAIL() << "nothing is exposed";
}

TEST(RestAnswers, ReadTheirOwnCursorsOnly) {
  version at{(std::uint64_t{3} << 40) + 7, 41};
  EXPECT_EQ(read_cursor(write_cursor(at)), at);
  for (auto bad : {"", "-", "1-", "-1", "1-2-3", "01-2", "1-02", "+1-2", "1 -2",
                   "9007199254740992-1", "1-99999999999999999999"})
    EXPECT_FALSE(read_cursor(bad)) << bad;
}

TEST(RestAnswers, ReadTheirOwnTagsOnly) {
  auto tag = record_tag({5, 6}, {7, 8}, {capability::join});
  EXPECT_EQ(tag, "\"5-6.7-8-4\"");
  for (const auto& good : {tag, std::string{"\"5-6\""}})
    EXPECT_EQ(read_condition(good), (precondition{false, version{5, 6}}))
      << good;
  EXPECT_EQ(read_condition("*"), precondition{});
  for (const auto* bad :
       {"", "\"", "\"\"", "5-6", "W/\"5-6\"", "\"5\"", "\"5-6", "\"05-6\"",
        "\"5-6.x\"", "\"5-6\", \"7-8\"", "\"-\"", "**", "\".5-6\""})
    EXPECT_EQ(read_condition(bad), std::nullopt) << bad;
}

TEST(RestCodes, AreEightCharactersAndFollowTheirOperation) {
  std::set<std::string> drawn;
  for (int i = 0; i < 200; ++i)
    drawn.insert(draw_session_code());
  EXPECT_EQ(drawn.size(), 200U);
  EXPECT_EQ(drawn.begin()->size(), 8U);
  auto code = [](const char* user, const char* op, std::uint32_t draw) {
    return session_code_for("secret", namespace_id{"n"}, user_id{user},
                            op_id{op}, draw);
  };
  EXPECT_EQ(code("u", "o", 1), code("u", "o", 1));
  EXPECT_NE(code("u", "o", 1), code("u", "o", 2));
  EXPECT_NE(code("u", "o", 1), code("v", "o", 1));
  EXPECT_NE(code("u", "o", 1), code("u", "p", 1));
}

TEST(PlainSocket, IsFoundByItsPath) {
  auto at = [](std::string target, std::string_view offers = {}) {
    http_request asked;
    asked.target = std::move(target);
    if (!offers.empty())
      asked.headers.emplace_back("Sec-WebSocket-Protocol", offers);
    return find_plain_socket(asked);
  };
  EXPECT_FALSE(at("/v1/connect"));
  EXPECT_FALSE(at("/streams/a/participants"));
  EXPECT_FALSE(at("/streams/a/b/participants/ws"));
  auto found = at("/streams/a%20b/participants/ws");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(found->value().session.str(), "a b");
  EXPECT_EQ(found->value().words, vocabulary::stream);
  auto board = at("/boards/b/participants/ws");
  ASSERT_TRUE(board && *board);
  EXPECT_EQ(board->value().words, vocabulary::board);
  auto bad = at("/streams/a%00/participants/ws");
  ASSERT_TRUE(bad);
  EXPECT_FALSE(*bad);

  constexpr std::string_view words = "rollcall.board.json";
  board = at("/v1/connect?session=a%20b", "bearer.x, rollcall.board.json");
  ASSERT_TRUE(board && *board);
  EXPECT_EQ(board->value().session.str(), "a b");
  EXPECT_EQ(board->value().words, vocabulary::board);
  EXPECT_FALSE(at("/v1/connect?session=a", "rollcall.v1.json"));
  EXPECT_FALSE(at("/v1/connect", "rollcall.v1.msgpack, rollcall.board.json"))
    << "what the client likes best";
  for (const auto* target :
       {"/v1/connect", "/v1/connect?session=", "/v1/connect?session=%01",
        "/v1/connect?session=a&session=b", "/v1/connect?session=a&x=1"}) {
    bad = at(target, words);
    ASSERT_TRUE(bad) << target;
    EXPECT_FALSE(*bad) << target;
  }
}

} // namespace
} // namespace rollcall::edge
