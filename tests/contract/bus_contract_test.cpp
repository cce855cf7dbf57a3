// What every message_bus promises (actors/ports.hpp).

#include "cluster/local_bus.hpp"
#include "cluster/nats_bus.hpp"
#include "support/nats_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rollcall {

namespace {

constexpr std::chrono::seconds patience{10};

/// What came into one inbox.
class inbox {
public:
  struct item {
    node_id from;
    node_message message;
  };

  message_bus::receiver receiver() {
    return [this](const node_id& from, node_message message) {
      std::lock_guard guard{mutex_};
      items_.push_back({from, std::move(message)});
      changed_.notify_all();
    };
  }

  /// Everything, once there are `count`.
  std::vector<item> wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    EXPECT_TRUE(changed_.wait_for(guard, patience,
                                  [&] { return items_.size() >= count; }))
      << items_.size() << " of " << count;
    return items_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<item> items_;
};

class bus_rig {
public:
  virtual ~bus_rig() = default;

  /// A bus for one more node; all of a rig reach each other.
  virtual std::shared_ptr<message_bus> make() = 0;
};

class local_rig final : public bus_rig {
public:
  std::shared_ptr<message_bus> make() override {
    return std::make_shared<cluster::local_bus>(exchange_);
  }

private:
  std::shared_ptr<cluster::local_exchange> exchange_
    = std::make_shared<cluster::local_exchange>();
};

/// A cluster of its own on the suite's server.
class nats_rig final : public bus_rig {
public:
  std::shared_ptr<message_bus> make() override {
    auto bus = cluster::nats_bus::connect(options_);
    if (!bus)
      throw std::runtime_error(bus.error().message);
    return std::move(*bus);
  }

private:
  static cluster::nats_options make_options() {
    static test::nats_server server;
    static int count = 0;
    cluster::nats_options out;
    out.urls = {server.url()};
    out.cluster = "contract-" + std::to_string(++count);
    return out;
  }

  cluster::nats_options options_ = make_options();
};

node_message numbered(std::uint64_t rev) {
  auto told = std::make_shared<batch>();
  told->session = session_key{namespace_id{"default"}, session_id{"s"}};
  told->to = version{1, rev};
  return batch_ptr{told};
}

std::uint64_t number_of(const node_message& message) {
  return std::get<batch_ptr>(message)->to.rev;
}

const node_id ann{"ann", 1};
const node_id bob{"bob", 1};

class BusContract
  : public ::testing::TestWithParam<std::unique_ptr<bus_rig> (*)()> {
protected:
  std::unique_ptr<bus_rig> rig_ = GetParam()();
};

TEST_P(BusContract, ANodeReachesItselfAndOthers) {
  inbox in_a;
  inbox in_b;
  auto a = rig_->make();
  auto b = rig_->make();
  a->open(ann, in_a.receiver());
  b->open(bob, in_b.receiver());
  a->send(ann, numbered(1));
  a->send(bob, numbered(2));
  auto own = in_a.wait_for(1);
  auto other = in_b.wait_for(1);
  EXPECT_EQ(own.at(0).from, ann);
  EXPECT_EQ(number_of(own[0].message), 1U);
  EXPECT_EQ(other.at(0).from, ann);
  EXPECT_EQ(number_of(other[0].message), 2U);
  a->close();
  b->close();
}

TEST_P(BusContract, ABroadcastReachesAll) {
  inbox in_a;
  inbox in_b;
  auto a = rig_->make();
  auto b = rig_->make();
  a->open(ann, in_a.receiver());
  b->open(bob, in_b.receiver());
  auto told = std::make_shared<heartbeat>();
  told->node = ann;
  told->held = {{3, 1, 1, 9}};
  a->broadcast(heartbeat_ptr{told});
  for (auto* in : {&in_a, &in_b}) {
    auto got = in->wait_for(1);
    EXPECT_EQ(got.at(0).from, ann);
    EXPECT_EQ(*std::get<heartbeat_ptr>(got[0].message), *told);
  }
  a->close();
  b->close();
}

TEST_P(BusContract, KeepsTheOrderOfASender) {
  inbox in;
  auto a = rig_->make();
  auto b = rig_->make();
  a->open(ann, [](const node_id&, node_message) {});
  b->open(bob, in.receiver());
  constexpr std::uint64_t count = 1'000;
  for (std::uint64_t n = 1; n <= count; ++n)
    a->send(bob, numbered(n));
  auto got = in.wait_for(count);
  ASSERT_EQ(got.size(), count);
  for (std::uint64_t n = 1; n <= count; ++n)
    ASSERT_EQ(number_of(got[n - 1].message), n);
  a->close();
  b->close();
}

TEST_P(BusContract, AnUnknownNodeSwallows) {
  inbox in;
  auto a = rig_->make();
  a->open(ann, in.receiver());
  a->send({"nobody", 1}, numbered(1));
  a->send({"ann", 2}, numbered(2)); // an earlier or later run of ours
  a->send(ann, numbered(3));
  auto got = in.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(number_of(got[0].message), 3U);
  a->close();
}

TEST_P(BusContract, NothingComesAfterClose) {
  auto a = rig_->make();
  auto b = rig_->make();
  a->open(ann, [](const node_id&, node_message) {});
  std::atomic<bool> closed{false};
  std::atomic<bool> late{false};
  b->open(bob, [&](const node_id&, node_message) { late = late || closed; });
  std::thread sender{[&] {
    for (std::uint64_t n = 1; n <= 2'000; ++n)
      a->send(bob, numbered(n));
  }};
  b->close();
  closed = true;
  sender.join();
  EXPECT_FALSE(late);
  a->close();
}

TEST_P(BusContract, AReceiverMaySend) {
  inbox in;
  auto a = rig_->make();
  auto b = rig_->make();
  a->open(ann, in.receiver());
  b->open(bob, [&b](const node_id& from, node_message message) {
    b->send(from, std::move(message));
  });
  a->send(bob, numbered(7));
  auto got = in.wait_for(1);
  EXPECT_EQ(got.at(0).from, bob);
  EXPECT_EQ(number_of(got[0].message), 7U);
  a->close();
  b->close();
}

INSTANTIATE_TEST_SUITE_P(Local, BusContract,
                         ::testing::Values(+[]() -> std::unique_ptr<bus_rig> {
                           return std::make_unique<local_rig>();
                         }));

INSTANTIATE_TEST_SUITE_P(Nats, BusContract,
                         ::testing::Values(+[]() -> std::unique_ptr<bus_rig> {
                           return std::make_unique<nats_rig>();
                         }));

} // namespace

} // namespace rollcall
