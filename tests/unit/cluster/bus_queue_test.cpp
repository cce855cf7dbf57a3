#include "cluster/bus_queue.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace rollcall::cluster {

namespace {

const node_id bob{"bob", 1};

node_message numbered(std::uint64_t number) {
  auto out = std::make_shared<heartbeat>();
  out->number = number;
  return heartbeat_ptr{out};
}

node_message large() {
  auto out = std::make_shared<snapshot>();
  out->participants.resize(limits::participants_per_session);
  return snapshot_ptr{out};
}

std::uint64_t number_of(const std::optional<queued_message>& got) {
  return got ? std::get<heartbeat_ptr>(got->message)->number : 0;
}

} // namespace

TEST(BusQueue, KeepsOrderAndLetsBroadcastsOvertake) {
  bus_queue subject;
  EXPECT_TRUE(subject.push(bob, numbered(1)));
  EXPECT_TRUE(subject.push(bob, numbered(2)));
  EXPECT_TRUE(subject.push({}, numbered(3)));
  EXPECT_TRUE(subject.push({}, numbered(4)));
  for (std::uint64_t expected : {3U, 4U, 1U})
    EXPECT_EQ(number_of(subject.pop()), expected);
  EXPECT_FALSE(subject.pop_broadcast());
  EXPECT_TRUE(subject.push({}, numbered(5)));
  EXPECT_EQ(number_of(subject.pop_broadcast()), 5U);
  auto last = subject.pop();
  EXPECT_EQ(number_of(last), 2U);
  EXPECT_EQ(last->to, bob);
}

TEST(BusQueue, IsBoundedInNumber) {
  bus_queue subject;
  for (std::size_t i = 0; i < limits::bus_queue; ++i)
    ASSERT_TRUE(subject.push(bob, numbered(i)));
  EXPECT_FALSE(subject.push(bob, numbered(0)));
  EXPECT_FALSE(subject.push({}, numbered(0)));
  EXPECT_TRUE(subject.pop());
  EXPECT_TRUE(subject.push({}, numbered(0)));
}

TEST(BusQueue, IsBoundedInBytes) {
  bus_queue subject;
  auto message = large();
  auto room = limits::bus_queue_bytes / estimated_bytes(message);
  ASSERT_GE(room, 2U);
  for (std::size_t i = 0; i < room; ++i)
    ASSERT_TRUE(subject.push(bob, message));
  EXPECT_FALSE(subject.push(bob, message));
  // Small ones still fit, and what comes out makes room.
  EXPECT_TRUE(subject.push(bob, numbered(1)));
  EXPECT_TRUE(subject.pop());
  EXPECT_TRUE(subject.push(bob, numbered(2)));
}

TEST(BusQueue, ANewConnectionStartsEmpty) {
  bus_queue subject;
  EXPECT_TRUE(subject.push(bob, numbered(1)));
  EXPECT_TRUE(subject.push({}, numbered(2)));
  auto taken = subject.pop();
  EXPECT_TRUE(subject.is_current(taken->generation));
  EXPECT_EQ(subject.next_generation(), 1U);
  EXPECT_FALSE(subject.is_current(taken->generation));
  EXPECT_TRUE(subject.push(bob, numbered(3)));
  auto next = subject.pop();
  EXPECT_EQ(number_of(next), 3U);
  EXPECT_TRUE(subject.is_current(next->generation));
}

TEST(BusQueue, EndsWhenClosedAndEmpty) {
  bus_queue subject;
  EXPECT_TRUE(subject.push(bob, numbered(1)));
  subject.close();
  EXPECT_FALSE(subject.push(bob, numbered(2)));
  EXPECT_EQ(number_of(subject.pop()), 1U);
  EXPECT_FALSE(subject.pop());
  bus_queue waiting;
  std::thread reader{[&] { EXPECT_FALSE(waiting.pop()); }};
  waiting.close();
  reader.join();
}

} // namespace rollcall::cluster
