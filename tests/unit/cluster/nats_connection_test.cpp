#include "cluster/nats_connection.hpp"

#include "support/nats_server.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <map>
#include <mutex>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

/// Counts what a connection says of itself.
class events_seen {
public:
  nats_connection::listener listener() {
    return [this](nats_event event) {
      {
        std::lock_guard guard{mutex_};
        ++counts_[event];
      }
      changed_.notify_all();
    };
  }

  bool wait_for(nats_event event, int count) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, std::chrono::seconds{10},
                             [&] { return counts_[event] >= count; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<nats_event, int> counts_;
};

} // namespace

TEST(NatsConnection, ComesBackAfterTheServerWasKilled) {
  test::nats_server server;
  events_seen events;
  nats_options options;
  options.urls = {server.url()};
  auto subject = nats_connection::open(options, events.listener());
  ASSERT_TRUE(subject);
  EXPECT_TRUE(events.wait_for(nats_event::connected, 1));
  server.kill();
  EXPECT_TRUE(events.wait_for(nats_event::disconnected, 1));
  EXPECT_FALSE((*subject)->connected());
  server.start();
  EXPECT_TRUE(events.wait_for(nats_event::connected, 2));
  EXPECT_TRUE((*subject)->connected());
  // Its last callback needs the log.
  (*subject)->close();
  EXPECT_TRUE(events.wait_for(nats_event::disconnected, 2));
}

TEST(NatsConnection, NoticesAServerThatStandsStill) {
  test::nats_server server;
  events_seen events;
  nats_options options;
  options.urls = {server.url()};
  auto subject = nats_connection::open(options, events.listener());
  ASSERT_TRUE(subject);
  server.pause();
  EXPECT_TRUE(events.wait_for(nats_event::disconnected, 1));
  server.resume();
  EXPECT_TRUE(events.wait_for(nats_event::connected, 2));
  (*subject)->close();
  EXPECT_TRUE(events.wait_for(nats_event::disconnected, 2));
}

TEST(NatsConnection, WaitsForAServerNoLongerThanAllowed) {
  nats_options options;
  options.urls = {"nats://127.0.0.1:1"};
  options.connect_timeout = millis{200};
  auto begin = std::chrono::steady_clock::now();
  auto refused = nats_connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
}

TEST(NatsConnection, RefusesOptionsThatCannotBeRight) {
  nats_options options;
  auto refused = nats_connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "urls");
  options.urls = {"nats://127.0.0.1:1"};
  options.cluster = "a b";
  refused = nats_connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "cluster");
  options.cluster = "ab";
  options.ca = "/nonexistent/ca.pem";
  refused = nats_connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "ca");
}

TEST(NatsConnection, IsToldAtOnceThatItsUserIsRefused) {
  test::nats_server server{"authorization { user: ada, password: right }"};
  nats_options options;
  options.urls = {server.url()};
  auto begin = std::chrono::steady_clock::now();
  auto refused = nats_connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(refused.error().field, "credentials");
  EXPECT_LT(std::chrono::steady_clock::now() - begin,
            options.connect_timeout / 2);
  auto path = server.folder() / "credentials";
  std::ofstream{path} << "ada:right\n";
  options.credentials = path.string();
  EXPECT_TRUE(nats_connection::open(options));
}

TEST(NatsConnection, SaysThatItWasGivenUp) {
  test::nats_server server{"authorization { user: ada, password: right }"};
  auto path = server.folder() / "credentials";
  std::ofstream{path} << "ada:right\n";
  std::promise<failure> told;
  nats_options options;
  options.urls = {server.url()};
  options.credentials = path.string();
  options.gave_up = [&told](const failure& why) { told.set_value(why); };
  auto subject = nats_connection::open(options);
  ASSERT_TRUE(subject);
  server.kill();
  server.start("authorization { user: ada, password: other }");
  auto why = told.get_future();
  ASSERT_EQ(why.wait_for(std::chrono::seconds{10}), std::future_status::ready);
  EXPECT_EQ(why.get().field, "credentials");
}

TEST(NatsConnection, ClosingItIsNotGivingUp) {
  test::nats_server server;
  nats_options options;
  options.urls = {server.url()};
  options.gave_up = [](const failure&) { ADD_FAILURE() << "we closed it"; };
  events_seen events;
  auto subject = nats_connection::open(options, events.listener());
  ASSERT_TRUE(subject);
  (*subject)->close();
  EXPECT_TRUE(events.wait_for(nats_event::disconnected, 1));
}
