#include "cluster/nats_greeting.hpp"

#include "support/nats_server.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

TEST(NatsGreeting, VersionsThatLoseWhatTheyAcknowledgedAreRefused) {
  for (const std::string good :
       {"2.9.0", "2.9.10", "2.10.19", "2.10.23", "2.11.1", "2.12.6", "2.12.10",
        "2.14.2", "2.15.0-beta.1", "3.0.0"})
    EXPECT_TRUE(check_greeting({good, true})) << good;
  for (const std::string bad :
       {"2.8.4", "1.4.1", "2.10.20", "2.10.22", "2.12.7", "2.12.9", "2.14.0",
        "2.14.1", "", "2", "2.9", "x.y.z"})
    EXPECT_FALSE(check_greeting({bad, true})) << bad;
}

TEST(NatsGreeting, AServerWithoutJetStreamIsRefused) {
  auto refused = check_greeting({"2.9.10", false});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("--jetstream"), std::string::npos);
}

TEST(NatsGreeting, OnlyAGreetingIsOne) {
  auto good = parse_greeting(
    R"(INFO {"server_id":"x","version":"2.9.10","jetstream":true})");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->version, "2.9.10");
  EXPECT_TRUE(good->jetstream);
  EXPECT_FALSE(parse_greeting(R"(INFO {"jetstream":1})")->jetstream);
  for (const char* bad : {"", "HTTP/1.1 400", "INFO ", "INFO []", "INFO {"})
    EXPECT_FALSE(parse_greeting(bad)) << bad;
}

TEST(NatsGreeting, ARealServerTells) {
  test::nats_server server;
  auto told = ask_greeting(server.url(), millis{5'000});
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_TRUE(check_greeting(*told)) << told->version;
  server.kill();
  EXPECT_EQ(ask_greeting(server.url(), millis{1'000}).error().code,
            errc::unavailable);
}
