#include "cluster/nats_bus.hpp"

#include "actors/base/limits.hpp"
#include "cluster/wire.hpp"
#include "support/nats_server.hpp"
#include "unit/cluster/message_fields.hpp"
#include "unit/cluster/sample_messages.hpp"

#include <gtest/gtest.h>
#include <nats/nats.h>

#include <condition_variable>
#include <functional>
#include <mutex>

namespace rollcall::cluster {

namespace {

constexpr std::chrono::seconds patience{20};

const node_id ann{"ann", 1};
const node_id bob{"bob", 1};

node_message numbered(std::uint64_t number) {
  auto out = std::make_shared<heartbeat>();
  out->number = number;
  return heartbeat_ptr{out};
}

node_message crowd(std::size_t size) {
  auto out = std::make_shared<snapshot>(*samples::a_snapshot());
  auto one = samples::bob();
  out->participants.assign(size, one);
  return snapshot_ptr{out};
}

/// A node's bus and what came in.
class node {
public:
  node(const test::nats_server& server, node_id self,
       std::string cluster = "test")
    : self_(std::move(self)) {
    nats_options options;
    options.urls = {server.url()};
    options.cluster = std::move(cluster);
    auto made = nats_bus::connect(options, {}, figures_);
    if (!made)
      throw std::runtime_error(made.error().message);
    bus_ = std::move(*made);
    bus_->open(self_, [this](const node_id&, node_message message) {
      std::lock_guard guard{mutex_};
      got_.push_back(std::move(message));
      changed_.notify_all();
    });
  }

  ~node() {
    bus_->close();
  }

  nats_bus& bus() {
    return *bus_;
  }

  bool wait(const std::function<bool(const std::vector<node_message>&)>& good) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [&] { return good(got_); });
  }

  bool wait_for(std::uint64_t number) {
    return wait([&](const auto& got) { return has(got, number); });
  }

  /// Broadcasts `number` until it comes back.
  bool echoes(std::uint64_t number) {
    std::unique_lock guard{mutex_};
    auto until = std::chrono::steady_clock::now() + patience;
    while (!has(got_, number) && std::chrono::steady_clock::now() < until) {
      bus_->broadcast(numbered(number));
      changed_.wait_for(guard, std::chrono::milliseconds{20},
                        [&] { return has(got_, number); });
    }
    return has(got_, number);
  }

  std::vector<node_message> got() {
    std::lock_guard guard{mutex_};
    return got_;
  }

  double figure(const std::string& outcome) {
    for (const auto& metric : figures_.read())
      for (const auto& series : metric.series)
        if (!series.labels.empty() && series.labels[0].second == outcome)
          return series.value;
    return -1;
  }

  static bool has(const std::vector<node_message>& got, std::uint64_t number) {
    for (const auto& message : got)
      if (const auto* x = std::get_if<heartbeat_ptr>(&message))
        if ((*x)->number == number)
          return true;
    return false;
  }

private:
  metrics::registry figures_;
  node_id self_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<node_message> got_;
  std::shared_ptr<nats_bus> bus_;
};

bool eventually(const std::function<bool()>& good) {
  std::mutex mutex;
  std::condition_variable nothing;
  std::unique_lock guard{mutex};
  auto until = std::chrono::steady_clock::now() + patience;
  while (!good() && std::chrono::steady_clock::now() < until)
    nothing.wait_for(guard, std::chrono::milliseconds{5});
  return good();
}

test::nats_server& shared_server() {
  static test::nats_server server;
  return server;
}

} // namespace

TEST(NatsBus, WorksAgainAfterTheServerWasKilled) {
  test::nats_server server;
  node a{server, ann};
  node b{server, bob};
  a.bus().send(bob, numbered(1));
  ASSERT_TRUE(b.wait_for(1));
  server.kill();
  ASSERT_TRUE(eventually([&] { return !a.bus().connected(); }));
  for (std::uint64_t n = 1'000; n < 2'000; ++n) {
    a.bus().send(bob, numbered(n));
    a.bus().broadcast(numbered(n));
  }
  // This very node is reached all the same.
  a.bus().send(ann, numbered(2));
  EXPECT_TRUE(a.wait_for(2));
  server.start();
  EXPECT_TRUE(a.echoes(3));
  EXPECT_TRUE(b.echoes(4));
  a.bus().send(bob, numbered(5));
  EXPECT_TRUE(b.wait_for(5));
  // Order is kept: had anything of the time between come, it came before.
  for (auto* each : {&a, &b})
    for (const auto& message : each->got())
      EXPECT_LT(std::get<heartbeat_ptr>(message)->number, 1'000U);
  EXPECT_GT(a.figure("dropped"), 0);
}

TEST(NatsBus, WhatWaitedForADeadServerIsNeverSent) {
  test::nats_server server;
  node a{server, ann};
  node b{server, bob};
  ASSERT_TRUE(a.echoes(1));
  server.pause();
  // Fills the socket, so that the writer stands still before the rest.
  for (int i = 0; i < 16; ++i)
    a.bus().send(bob, crowd(10'000));
  for (std::uint64_t n = 1'000; n < 2'000; ++n)
    a.bus().send(bob, numbered(n));
  server.kill();
  server.start();
  EXPECT_TRUE(a.echoes(2));
  EXPECT_TRUE(b.echoes(3));
  a.bus().send(bob, numbered(4));
  EXPECT_TRUE(b.wait_for(4));
  for (const auto& message : b.got()) {
    ASSERT_TRUE(std::holds_alternative<heartbeat_ptr>(message));
    EXPECT_LT(std::get<heartbeat_ptr>(message)->number, 1'000U);
  }
}

TEST(NatsBus, SendingNeverWaitsForAServerThatStandsStill) {
  test::nats_server server;
  node a{server, ann};
  ASSERT_TRUE(a.echoes(1));
  server.pause();
  // More than the queue and all buffers on the way take.
  auto large = crowd(20'000);
  for (int i = 0; i < 200; ++i)
    a.bus().send(bob, large);
  EXPECT_GT(a.figure("dropped"), 0);
  server.resume();
  EXPECT_TRUE(a.echoes(2));
}

TEST(NatsBus, LargeSnapshotsGetThroughAndHeartbeatsPassThem) {
  node a{shared_server(), ann, "large"};
  node b{shared_server(), bob, "large"};
  auto snapshot = crowd(limits::participants_per_session);
  ASSERT_GT(encode(snapshot, ann, millis{0})->size(),
            8 * limits::node_chunk_bytes);
  a.bus().send(bob, numbered(1));
  a.bus().send(bob, snapshot);
  a.bus().send(bob, numbered(2));
  EXPECT_TRUE(a.echoes(3));
  ASSERT_TRUE(b.wait([](const auto& got) { return node::has(got, 2); }));
  std::vector<node_message> sent;
  for (const auto& message : b.got())
    if (const auto* x = std::get_if<heartbeat_ptr>(&message);
        x == nullptr || (*x)->number != 3)
      sent.push_back(message);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_TRUE(test::same(sent[0], numbered(1)));
  EXPECT_TRUE(test::same(sent[1], snapshot));
  EXPECT_TRUE(test::same(sent[2], numbered(2)));
}

TEST(NatsBus, FitsWhatASmallServerTakes) {
  test::nats_server server{"max_payload: 8192"};
  node a{server, ann};
  node b{server, bob};
  auto snapshot = crowd(1'000);
  a.bus().send(bob, snapshot);
  a.bus().broadcast(snapshot);
  auto both = [](const auto& got) { return got.size() == 2; };
  ASSERT_TRUE(b.wait(both));
  for (const auto& message : b.got())
    EXPECT_TRUE(test::same(message, snapshot));
}

TEST(NatsBus, GarbageChangesNothing) {
  nats_options options;
  options.urls = {shared_server().url()};
  auto stranger = nats_connection::open(options);
  ASSERT_TRUE(stranger);
  node a{shared_server(), ann, "garbage"};
  subjects names{"garbage"};
  constexpr std::uint64_t first_seed = 4'711;
  std::uint64_t sent = 0;
  auto publish = [&](const std::string& bytes) {
    for (const auto& to : {names.node_inbox(ann), names.everybody()}) {
      // Without a byte it is nothing, and not counted.
      sent += bytes.empty() ? 0 : 1;
      EXPECT_EQ(natsConnection_Publish((*stranger)->native(), to.c_str(),
                                       bytes.data(),
                                       static_cast<int>(bytes.size())),
                NATS_OK);
    }
  };
  for (auto seed = first_seed; seed < first_seed + 200; ++seed) {
    test::filler random{seed};
    auto bytes = *encode(random.message(), bob, millis{0});
    bytes.resize(random.below(bytes.size()));
    publish(bytes);
    std::string noise(1 + random.below(500), '\0');
    for (auto& c : noise)
      c = static_cast<char>(random.below(256));
    publish(noise);
    // Like a chunk, as far as it goes.
    publish("\x98\xCEROLC" + noise);
  }
  publish("");
  publish(std::string(limits::node_chunk_bytes, '\xC1'));
  EXPECT_TRUE(eventually(
    [&] { return a.figure("refused") >= static_cast<double>(sent); }));
  EXPECT_TRUE(a.got().empty());
  EXPECT_TRUE(a.echoes(1));
}

TEST(NatsBus, AnotherClusterHearsNothing) {
  node a{shared_server(), ann, "one"};
  node b{shared_server(), bob, "two"};
  a.bus().broadcast(numbered(1));
  a.bus().send(bob, numbered(2));
  ASSERT_TRUE(a.echoes(3));
  // Whatever the server had for it would have come by now.
  ASSERT_TRUE(b.echoes(4));
  for (const auto& message : b.got())
    EXPECT_EQ(std::get<heartbeat_ptr>(message)->number, 4U);
}

TEST(NatsBus, NeedsAServerToConnect) {
  nats_options options;
  options.urls = {"nats://127.0.0.1:1"};
  options.connect_timeout = millis{50};
  auto made = nats_bus::connect(options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::unavailable);
}

TEST(NatsBus, WhatWasSentBeforeClosingIsWritten) {
  node b{shared_server(), bob, "goodbye"};
  {
    node a{shared_server(), ann, "goodbye"};
    for (std::uint64_t n = 1; n <= 100; ++n)
      a.bus().send(bob, numbered(n));
    a.bus().broadcast(numbered(101));
  }
  EXPECT_TRUE(b.wait([](const auto& got) { return got.size() == 101; }));
}

} // namespace rollcall::cluster
