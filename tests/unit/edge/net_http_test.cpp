// Requests, responses and the upgrade, without a socket.

#include "edge/net/handshake.hpp"
#include "edge/net/http_message.hpp"
#include "edge/net/http_parser.hpp"

#include <gtest/gtest.h>

namespace rollcall::edge::test {
namespace {

using status = http_parser::status;

/// The status a request is refused with; 0 when it is complete, 1 when more
/// is wanted.
unsigned refusal(std::string_view text) {
  http_parser parser{http_limits{}};
  switch (parser.feed(text)) {
  case status::complete:
    return 0;
  case status::failed:
    return parser.refusal().status;
  default:
    return 1;
  }
}

std::string get(std::string_view target, std::string_view headers = {},
                std::string_view method = "GET") {
  return std::string{method} + ' ' + std::string{target}
         + " HTTP/1.1\r\nHost: a\r\n" + std::string{headers} + "\r\n";
}

// -- parser ------------------------------------------------------------------

TEST(HttpParser, ReadsARequestByteByByte) {
  const auto text
    = get("/x?a=b", "X-Test: 1\r\nContent-Length: 2\r\n", "POST") + "hi";
  http_parser parser{http_limits{}};
  std::string kept;
  auto last = status::need_more;
  for (const auto c : text) {
    kept += c;
    std::string_view input{kept};
    last = parser.feed(input);
    kept.erase(0, kept.size() - input.size());
  }
  ASSERT_EQ(last, status::complete);
  const auto request = parser.take();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path(), "/x");
  EXPECT_EQ(request.query(), "a=b");
  EXPECT_EQ(request.header("x-test"), "1");
  EXPECT_EQ(request.body, "hi");
  EXPECT_TRUE(request.keep_alive);
}

TEST(HttpParser, LeavesWhatFollowsTheRequest) {
  const auto text = get("/") + "next";
  http_parser parser{http_limits{}};
  std::string_view input{text};
  ASSERT_EQ(parser.feed(input), status::complete);
  EXPECT_EQ(input, "next");
}

TEST(HttpParser, ReadsChunkedBodies) {
  const auto text = get("/", "Transfer-Encoding: chunked\r\n", "POST")
                    + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  http_parser parser{http_limits{}};
  std::string_view input{text};
  ASSERT_EQ(parser.feed(input), status::complete);
  EXPECT_EQ(parser.take().body, "abcde");
}

TEST(HttpParser, BoundsTheHeader) {
  std::string lines;
  for (int i = 0; i < 2'000; ++i)
    lines += "a: b\r\n";
  EXPECT_EQ(refusal(get("/", lines)), 431U); // hs-2000-headers
  EXPECT_EQ(refusal(get("/", lines.substr(0, 63 * 6))), 0U);
  EXPECT_EQ(refusal(get("/", lines.substr(0, 64 * 6))), 431U);
  // hs-header-64k, also while it has no end yet.
  EXPECT_EQ(refusal(get("/", "a: " + std::string(65'536, 'x') + "\r\n")), 431U);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\na: " + std::string(65'536, 'x')), 431U);
  EXPECT_EQ(refusal("GET /" + std::string(65'536, 'x')), 431U);
}

TEST(HttpParser, BoundsTheBody) {
  EXPECT_EQ(refusal(get("/", "Content-Length: 65537\r\n", "POST")), 413U);
  EXPECT_EQ(
    refusal(get("/", "Content-Length: 99999999999999999999\r\n", "POST")),
    400U);
  std::string chunks;
  for (int i = 0; i < 20; ++i)
    chunks += "1000\r\n" + std::string(4'096, 'x') + "\r\n";
  EXPECT_EQ(
    refusal(get("/", "Transfer-Encoding: chunked\r\n", "POST") + chunks), 413U);
}

TEST(HttpParser, BoundsWhatFollowsTheHeader) {
  const auto head = get("/", "Transfer-Encoding: chunked\r\n", "POST");
  const std::string much(65'536, 'a');
  // No end in sight, and one that comes too late.
  for (const auto& rest :
       {"1;" + much, "0\r\na: " + much, "1;a=" + much + "\r\nx\r\n0\r\n\r\n",
        "0\r\na: " + much + "\r\n\r\n", "1\r\nx\r\n1\r\ny\r\n1;a=" + much})
    EXPECT_EQ(refusal(head + rest), 431U) << rest.substr(0, 12);
  const auto fit = much.substr(0, 8'000);
  EXPECT_EQ(refusal(head + "1;a=" + fit + "\r\nx\r\n0\r\n\r\n"), 0U);
  EXPECT_EQ(refusal(head + "0\r\na: " + fit + "\r\n\r\n"), 0U);
  EXPECT_EQ(refusal(head + "1;a=" + fit), 1U);
  // Piece by piece nothing more is kept.
  http_parser parser{http_limits{}};
  std::string kept = head + "1;";
  auto last = status::need_more;
  while (last == status::need_more && kept.size() < 65'536) {
    kept += "aaaaaaaaaa";
    std::string_view input{kept};
    last = parser.feed(input);
    kept.erase(0, kept.size() - input.size());
  }
  EXPECT_EQ(last, status::failed);
  EXPECT_LE(kept.size(), http_limits{}.header_bytes + 10);
}

TEST(HttpParser, TrailersAreNoHeaders) {
  const auto head
    = get("/", "Transfer-Encoding: chunked\r\nX-Own: 1\r\n", "POST");
  std::string rest = "2\r\nhi\r\n0\r\nAuthorization: Bearer t\r\n"
                     "Origin: http://a\r\nHost: evil\r\n"
                     "Connection: close\r\nX-Own: 2\r\n";
  for (int i = 0; i < 100; ++i)
    rest += "a: b\r\n";
  rest += "\r\n";
  // In one piece, in two, and byte by byte.
  for (const auto pieces : {std::size_t{1}, std::size_t{2}, rest.size()}) {
    http_parser parser{http_limits{}};
    std::string kept = head;
    auto last = status::need_more;
    const auto step = (rest.size() + pieces - 1) / pieces;
    if (pieces > 1) {
      std::string_view input{kept};
      EXPECT_EQ(parser.feed(input), status::need_more);
      kept.clear();
    }
    for (std::size_t at = 0; at < rest.size(); at += step) {
      kept += rest.substr(at, step);
      std::string_view input{kept};
      last = parser.feed(input);
      kept.erase(0, kept.size() - input.size());
    }
    ASSERT_EQ(last, status::complete) << pieces;
    const auto request = parser.take();
    EXPECT_EQ(request.body, "hi");
    EXPECT_EQ(request.header_count("Host"), 1U);
    EXPECT_EQ(request.header("Host"), "a");
    EXPECT_EQ(request.header_count("X-Own"), 1U);
    EXPECT_FALSE(request.header("Authorization"));
    EXPECT_FALSE(request.header("Origin"));
    EXPECT_EQ(request.headers.size(), 3U);
    EXPECT_TRUE(request.keep_alive);
  }
}

TEST(HttpParser, RefusesWhatCouldSmuggle) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
            400U); // hs-dup-host
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400U);
  // hs-cl-te-smuggle
  EXPECT_EQ(refusal(get("/",
                        "Content-Length: 5\r\n"
                        "Transfer-Encoding: chunked\r\n",
                        "POST")
                    + "0\r\n\r\n"),
            400U);
  EXPECT_EQ(refusal(get("/",
                        "Transfer-Encoding: chunked\r\n"
                        "Content-Length: 5\r\n",
                        "POST")
                    + "0\r\n\r\n"),
            400U);
  EXPECT_EQ(
    refusal(get("/", "Content-Length: 1\r\nContent-Length: 1\r\n", "POST")
            + "x"),
    400U);
  EXPECT_NE(refusal(get("/", "Transfer-Encoding: gzip\r\n", "POST")), 0U);
  EXPECT_EQ(
    refusal(get("/", "Transfer-Encoding: chunked\r\n", "POST") + "zz\r\n"),
    400U); // rest-chunked-bad-size
}

TEST(HttpParser, RefusesWhatIsNotARequest) {
  EXPECT_EQ(refusal("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
            400U);
  EXPECT_EQ(refusal("hello\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\n"), 505U);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400U);
  EXPECT_EQ(refusal("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 400U);
  EXPECT_EQ(refusal(""), 1U);
}

TEST(HttpParser, SaysOnceThatTheBodyMayCome) {
  auto text = get("/", "Content-Length: 2\r\nExpect: 100-continue\r\n", "POST");
  http_parser parser{http_limits{}};
  std::string_view input{text};
  EXPECT_EQ(parser.feed(input), status::wants_continue);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(parser.feed(input), status::need_more);
  input = "hi";
  EXPECT_EQ(parser.feed(input), status::complete);
  EXPECT_EQ(refusal(get("/", "Content-Length: 2\r\nExpect: more\r\n", "POST")),
            417U);
}

// -- responses ---------------------------------------------------------------

TEST(HttpMessage, WritesWhatBrowsersMustKnow) {
  const auto text = encode_response({200, "text/plain", {}, "hi"}, {});
  for (const auto* line :
       {"HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n",
        "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer",
        "Content-Security-Policy: default-src 'self'",
        "Cache-Control: no-store\r\n", "Connection: close\r\n\r\nhi"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  EXPECT_EQ(text.find("Strict-Transport"), std::string::npos);
  const auto secure = encode_response({}, {false, true, true});
  EXPECT_NE(secure.find("Strict-Transport-Security: "), std::string::npos);
  EXPECT_NE(secure.find("Connection: keep-alive"), std::string::npos);
}

TEST(HttpMessage, LeavesOutTheBodyForHead) {
  const auto text = encode_response({200, "text/plain", {}, "body"}, {true});
  EXPECT_NE(text.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_EQ(text.find("body"), std::string::npos);
}

TEST(HttpMessage, LetsNoValueStartAHeader) {
  const auto text
    = encode_response({200, "text/plain", {{"X-A", "a\r\nX-B: b"}}, ""}, {});
  EXPECT_EQ(text.find("\r\nX-B"), std::string::npos);
}

TEST(HttpMessage, EscapesProblems) {
  const auto response = problem(400, "bad_request", "a \"b\"\n\\");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(R"("detail":"a \"b\"\u000a\\")"),
            std::string::npos)
    << response.body;
}

TEST(HttpMessage, MapsFailuresToStatus) {
  EXPECT_EQ(problem(fail(errc::unauthenticated, "x")).status, 401U);
  EXPECT_EQ(problem(fail(errc::token_expired, "x")).status, 401U);
  EXPECT_EQ(problem(fail(errc::forbidden, "x")).status, 403U);
  auto busy = fail(errc::unavailable, "x");
  busy.retry_after = millis{1'500};
  const auto response = problem(busy);
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(response.headers.at(0),
            (std::pair<std::string, std::string>{"Retry-After", "2"}));
}

// -- upgrade -----------------------------------------------------------------

http_request upgrade_request() {
  http_request request;
  request.method = "GET";
  request.target = "/v1/connect";
  request.headers = {{"Host", "live.example"},
                     {"Upgrade", "websocket"},
                     {"Connection", "keep-alive, Upgrade"},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"Sec-WebSocket-Protocol", "rollcall.v1.json"}};
  return request;
}

void set(http_request& request, std::string_view name, std::string value) {
  for (auto& [key, old] : request.headers)
    if (key == name)
      old = value;
}

void drop(http_request& request, std::string_view name) {
  std::erase_if(request.headers,
                [&](const auto& header) { return header.first == name; });
}

unsigned verdict(const http_request& request) {
  const auto decision = negotiate_upgrade(request, origin_policy{}, false);
  const auto* refusal = std::get_if<http_response>(&decision);
  return refusal == nullptr ? 101 : refusal->status;
}

TEST(Handshake, GrantsTheExampleOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto decision
    = negotiate_upgrade(upgrade_request(), origin_policy{}, false);
  const auto& granted = std::get<upgrade>(decision);
  EXPECT_EQ(granted.language, dialect::json);
  EXPECT_TRUE(granted.token.empty());
  EXPECT_NE(granted.response.find(
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_NE(
    granted.response.find("Sec-WebSocket-Protocol: rollcall.v1.json\r\n"),
    std::string::npos);
}

TEST(Handshake, RefusesIncompleteUpgrades) {
  auto request = upgrade_request();
  drop(request, "Sec-WebSocket-Key"); // hs-no-key
  EXPECT_EQ(verdict(request), 400U);
  request = upgrade_request();
  set(request, "Sec-WebSocket-Key", "short");
  EXPECT_EQ(verdict(request), 400U);
  request = upgrade_request();
  set(request, "Sec-WebSocket-Version", "8"); // hs-bad-version
  const auto decision = negotiate_upgrade(request, origin_policy{}, false);
  const auto& response = std::get<http_response>(decision);
  EXPECT_EQ(response.status, 426U);
  EXPECT_NE(encode_response(response, {}).find("Sec-WebSocket-Version: 13"),
            std::string::npos);
  request = upgrade_request();
  request.method = "POST"; // hs-post
  EXPECT_EQ(verdict(request), 405U);
  request = upgrade_request();
  request.http11 = false; // hs-http10
  EXPECT_EQ(verdict(request), 400U);
  request = upgrade_request();
  drop(request, "Upgrade");
  EXPECT_EQ(verdict(request), 426U);
  request = upgrade_request();
  request.body = "x";
  EXPECT_EQ(verdict(request), 400U);
}

TEST(Handshake, IgnoresExtensions) { // hs-ext-prototype
  auto request = upgrade_request();
  request.headers.emplace_back("Sec-WebSocket-Extensions", "constructor");
  const auto decision = negotiate_upgrade(request, origin_policy{}, false);
  EXPECT_EQ(std::get<upgrade>(decision).response.find("Extensions"),
            std::string::npos);
}

TEST(Handshake, ChoosesTheFirstSubprotocolItKnows) {
  const auto chosen = [](std::string offered) {
    auto request = upgrade_request();
    set(request, "Sec-WebSocket-Protocol", std::move(offered));
    const auto decision = negotiate_upgrade(request, origin_policy{}, false);
    const auto* granted = std::get_if<upgrade>(&decision);
    return granted == nullptr ? std::optional<dialect>{} : granted->language;
  };
  EXPECT_EQ(chosen("chat, rollcall.v1.msgpack ,rollcall.v1.json"),
            dialect::msgpack);
  EXPECT_EQ(chosen("rollcall.v1.json,rollcall.v1.msgpack"), dialect::json);
  EXPECT_EQ(chosen("chat"), std::nullopt);
  EXPECT_EQ(chosen("ROLLCALL.V1.JSON"), std::nullopt);
  EXPECT_EQ(chosen("bearer.x"), std::nullopt);
  EXPECT_EQ(chosen(std::string(50'000, ' ')), std::nullopt); // hs-proto-redos
  EXPECT_EQ(chosen(std::string(8'000, ',')), std::nullopt);
}

TEST(Handshake, FindsTheTokenAndNeverEchoesIt) {
  auto request = upgrade_request();
  set(request, "Sec-WebSocket-Protocol",
      "rollcall.v1.json, bearer.from-protocol");
  auto decision = negotiate_upgrade(request, origin_policy{}, false);
  EXPECT_EQ(std::get<upgrade>(decision).token, "from-protocol");
  EXPECT_EQ(std::get<upgrade>(decision).response.find("from-protocol"),
            std::string::npos);
  request.headers.emplace_back("Authorization", "bearer  from-header ");
  decision = negotiate_upgrade(request, origin_policy{}, false);
  EXPECT_EQ(std::get<upgrade>(decision).token, "from-header");
  request.headers.emplace_back("Authorization", "Bearer other");
  EXPECT_EQ(verdict(request), 400U);
}

TEST(Handshake, RefusesATokenInTheUrl) { // hs-token-in-query
  for (const auto* query : {"token=x", "a=b&access_token=x", "Token=x"}) {
    auto request = upgrade_request();
    request.target += std::string{"?"} + query;
    EXPECT_EQ(verdict(request), 400U) << query;
  }
  auto request = upgrade_request();
  request.target += "?tokens=1";
  EXPECT_EQ(verdict(request), 101U);
}

TEST(Handshake, RefusesForeignPages) {
  auto request = upgrade_request();
  request.headers.emplace_back("Origin", "https://evil.example");
  EXPECT_EQ(verdict(request), 403U);
  request = upgrade_request();
  request.headers.emplace_back("Origin", "null");
  EXPECT_EQ(verdict(request), 403U);
  request = upgrade_request();
  request.headers.emplace_back("Origin", "https://live.example");
  EXPECT_EQ(verdict(request), 101U);
  request.headers.emplace_back("Origin", "https://live.example");
  EXPECT_EQ(verdict(request), 403U);
}

} // namespace
} // namespace rollcall::edge::test
