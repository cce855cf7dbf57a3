// HTTP as its clients see it, over loopback.

#include "edge/net/server.hpp"
#include "unit/edge/net_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rollcall::edge::test {
namespace {

std::string get(std::string_view target, std::string_view extra = {}) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n"
         + std::string{extra} + "\r\n";
}

TEST(NetHttp, AnswersHealthAndReadiness) {
  server_hooks hooks;
  auto ready = std::make_shared<std::atomic<bool>>(false);
  hooks.not_ready
    = [ready] { return std::string{ready->load() ? "" : "it thinks"}; };
  hooks.metrics = [] { return std::string{"rollcall_up 1\n"}; };
  net_harness net{{}, hooks};
  auto client = net.connect();
  client.send(get("/healthz"));
  EXPECT_EQ(client.read_http().status, 200U);
  // The connection is kept.
  client.send(get("/readyz"));
  const auto not_yet = client.read_http();
  EXPECT_EQ(not_yet.status, 503U);
  EXPECT_EQ(not_yet.body, "not ready: it thinks\n");
  *ready = true;
  client.send(get("/readyz") + get("/metrics"));
  EXPECT_EQ(client.read_http().status, 200U);
  const auto metrics = client.read_http();
  EXPECT_EQ(metrics.body, "rollcall_up 1\n");
  EXPECT_EQ(metrics.header("X-Content-Type-Options"), "nosniff");
  client.send("POST /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto refused = client.read_http();
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(refused.header("Allow"), "GET, HEAD");
  client.send(get("/nothing"));
  EXPECT_EQ(client.read_http().status, 404U);
  client.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_http().header("Content-Length").empty(), false);
  EXPECT_TRUE(client.ended());
}

TEST(NetHttp, ClosesAfterBadRequests) {
  net_harness net;
  for (const auto& [bad, status] :
       std::vector<std::pair<std::string, unsigned>>{
         {"hello\r\n\r\n", 400},
         {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
         {"GET / HTTP/1.1\r\na: " + std::string(65'536, 'x'), 431},
         {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n",
          413}}) {
    auto client = net.connect();
    client.send(bad);
    const auto refused = client.read_http();
    EXPECT_EQ(refused.status, status);
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(
    net.stats().refused[static_cast<std::size_t>(refusal_reason::bad_request)],
    4U);
}

TEST(NetHttp, WaitsForTheHandlersAnswer) {
  server_hooks hooks;
  hooks.http
    = [](std::shared_ptr<const http_request> request, http_responder respond) {
        if (request->path() != "/v1/echo")
          return false;
        std::thread{[request, respond] {
          respond({200, "text/plain", {}, request->body});
          respond({200, "text/plain", {}, "twice"});
        }}.detach();
        return true;
      };
  net_harness net{{}, hooks};
  auto client = net.connect();
  for (int i = 0; i < 3; ++i) {
    const auto body = "body " + std::to_string(i);
    client.send("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
                + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(client.read_http().body, body);
  }
  client.send(get("/v1/other"));
  EXPECT_EQ(client.read_http().status, 404U);
}

TEST(NetHttp, EndsSlowRequests) { // hs-slowloris
  server_config config;
  config.handshake_timeout = millis{60};
  config.close_timeout = millis{60};
  net_harness net{config};
  auto silent = net.connect();
  auto slow = net.connect();
  slow.send("GET / HT");
  EXPECT_EQ(slow.read_http().status, 408U);
  EXPECT_TRUE(slow.ended());
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));
}

TEST(NetHttp, LimitsConnectionsOfAnAddress) {
  server_config config;
  config.connections_per_address = 2;
  net_harness net{config};
  auto one = net.join();
  auto two = net.join();
  auto three = net.connect();
  three.send(get("/healthz"));
  EXPECT_EQ(three.read_http().status, 429U);
  EXPECT_TRUE(three.ended());
  three.close();
  one.close();
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 1; }));
  auto four = net.join();
}

/// A server whose clients have little room, and what its page weighs.
server_config narrow() {
  server_config config;
  config.queue = {32 << 10, 128 << 10};
  config.send_buffer = 4'096;
  config.frames = {1e6, 1e6};
  return config;
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += text;
  return out;
}

const std::string style = "GET /style.css HTTP/1.1\r\nHost:a\r\n\r\n";

TEST(NetHttp, AnswersNoMoreThanIsRead) {
  auto config = narrow();
  config.response_timeout = millis{300};
  net_harness net{config};
  auto curious = net.connect();
  curious.send(style);
  const auto one = curious.read_http();
  ASSERT_EQ(one.status, 200U);
  ASSERT_GT(one.body.size(), 4'096U);
  const auto response = one.head.size() + one.body.size() + 4;
  curious.close();
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));

  net_client greedy{net.sink->port(), false, true};
  greedy.send(repeat(style, 1'000));
  EXPECT_TRUE(eventually([&] { return net.stats().http_requests > 2; }));
  std::uint64_t most = 0;
  // Whoever reads nothing is cut, however much it asked for.
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, net.stats().queued_bytes);
    return net.stats().sockets == 0;
  }));
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, config.queue.soft + response + 2 * write_queue::frame_cost);
  EXPECT_EQ(net.stats().queued_bytes, 0U);
}

TEST(NetHttp, AnswersAllThatWasAskedAhead) {
  net_harness net{narrow()};
  net_client client{net.sink->port(), false, true};
  // The whole queue is full many times over, and the client's side closed.
  client.send(repeat(style, 40) + get("/nothing"));
  client.end_input();
  for (int i = 0; i < 40; ++i) {
    const auto answer = client.read_http();
    ASSERT_EQ(answer.status, 200U) << i;
    ASSERT_EQ(answer.header("Content-Length"),
              std::to_string(answer.body.size()));
  }
  EXPECT_EQ(client.read_http().status, 404U);
  EXPECT_TRUE(client.ended());
}

TEST(NetHttp, GivesEachAnswerTheTimeToBeRead) {
  auto config = narrow();
  // All of them fit.
  config.queue = {};
  config.response_timeout = millis{1'000};
  net_harness net{config};
  net_client steady{net.sink->port(), false, true};
  steady.send(repeat(style, 50));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(steady.read_http().status, 200U) << i;
    // Slower than all of them together may take, one by one quick enough.
    (void)eventually([&] {
      return std::chrono::steady_clock::now() - begin
             > std::chrono::milliseconds{30} * (i + 1);
    });
  }
}

TEST(NetHttp, NamesEveryAnswer) {
  server_config config;
  config.origins = {"https://app.example"};
  net_harness net{config};
  const auto ask = [&](std::string_view text) {
    auto client = net.connect();
    client.send(text);
    return client.read_http();
  };
  const std::string named = "X-Request-Id: mine-7\r\n";
  const std::string page = "Origin: https://app.example\r\n";
  const std::string stranger = "Origin: https://evil.example\r\n";
  const auto big = [](const std::string& lines) {
    return "POST /v1/sessions HTTP/1.1\r\nHost: a\r\n" + lines
           + "Content-Length: 99999\r\n\r\n";
  };
  for (const auto& [text, status] :
       std::vector<std::pair<std::string, unsigned>>{
         {get("/nothing", named + page), 404},
         {big(named + page), 413},
         {get("/", named + page + repeat("a: b\r\n", 64)), 431},
         {get("/v1/connect", named + page), 426},
         {"POST / HTTP/1.1\r\nHost: a\r\n" + named + page + "\r\n", 405}}) {
    const auto answer = ask(text);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.header("X-Request-Id"), "mine-7") << status;
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"),
              "https://app.example")
      << status;
    EXPECT_NE(
      answer.header("Access-Control-Expose-Headers").find("X-Request-Id"),
      std::string::npos)
      << status;
    EXPECT_NE(answer.header("Vary").find("Origin"), std::string::npos);
  }
  for (const auto& text : {get("/nothing", stranger), big(stranger)}) {
    const auto answer = ask(text);
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "");
    EXPECT_NE(answer.header("X-Request-Id"), "");
  }
  // A name that is none is not echoed, and each answer draws another.
  const auto one = ask(get("/nothing", "X-Request-Id: <a>\r\n"));
  const auto two = ask(get("/nothing"));
  const auto three = ask("hello\r\n\r\n");
  EXPECT_NE(one.header("X-Request-Id"), "<a>");
  EXPECT_NE(one.header("X-Request-Id"), "");
  EXPECT_NE(one.header("X-Request-Id"), two.header("X-Request-Id"));
  EXPECT_NE(three.header("X-Request-Id"), "");
  EXPECT_EQ(ask(get("/healthz", named)).header("X-Request-Id"), "mine-7");
  EXPECT_EQ(ask(get("/style.css", named)).header("X-Request-Id"), "mine-7");
}

TEST(NetHttp, LeavesTheNameThatTheHandlerGave) {
  server_hooks hooks;
  hooks.http = [](std::shared_ptr<const http_request>, http_responder respond) {
    respond({404, "text/plain", {{"X-Request-Id", "theirs"}}, "x"});
    return true;
  };
  net_harness net{{}, hooks};
  auto client = net.connect();
  client.send(get("/v1/x", "X-Request-Id: mine\r\n"));
  const auto answer = client.read_http();
  EXPECT_EQ(answer.header("X-Request-Id"), "theirs");
  EXPECT_EQ(answer.head.find("mine"), std::string::npos);
}

} // namespace
} // namespace rollcall::edge::test
