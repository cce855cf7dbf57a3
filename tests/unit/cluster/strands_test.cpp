#include "cluster/strands.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr millis patience{20'000};
constexpr std::chrono::seconds far_too_long{10};

strands::spare nothing_to_spare() {
  return [](std::size_t, bool) { return false; };
}

/// Work that waits for an answer which comes when the test says so.
struct silence {
  std::promise<void> answer;
  std::shared_future<void> comes{answer.get_future()};

  strands::work work(std::atomic<int>& begun) {
    return {[&begun, waits = comes](auto) {
              ++begun;
              waits.wait();
            },
            [](const failure&) {}};
  }
};

strands::work telling(std::promise<bool>& ran) {
  return {[&ran](auto) { ran.set_value(true); },
          [&ran](const failure&) { ran.set_value(false); }};
}

bool ran_in_time(std::promise<bool>& ran) {
  auto got = ran.get_future();
  return got.wait_for(far_too_long) == std::future_status::ready && got.get();
}

} // namespace

TEST(Strands, OneThatIsAnsweredDoesNotWaitForThoseThatAreNot) {
  constexpr std::size_t many = 40;
  silence no_leader;
  std::atomic<int> begun{0};
  std::promise<bool> ran;
  strands of{{.threads = 2}, many + 1, nothing_to_spare()};
  for (std::size_t i = 0; i < many; ++i)
    of.submit(i, no_leader.work(begun), patience);
  of.submit(many, telling(ran), patience);
  EXPECT_TRUE(ran_in_time(ran));
  EXPECT_EQ(begun, static_cast<int>(many));
  // One for each, and one to notice.
  EXPECT_LE(of.threads(), many + 2);
  no_leader.answer.set_value();
}

TEST(Strands, ThreadsAreBounded) {
  silence no_leader;
  std::atomic<int> begun{0};
  std::promise<bool> ran;
  strands of{{.threads = 1, .threads_most = 3, .stuck_after = millis{1}},
             9,
             nothing_to_spare()};
  for (std::size_t i = 0; i < 8; ++i)
    of.submit(i, no_leader.work(begun), patience);
  of.submit(8, telling(ran), patience);
  auto got = ran.get_future();
  while (begun < 3)
    std::this_thread::yield();
  EXPECT_EQ(got.wait_for(millis{100}), std::future_status::timeout);
  EXPECT_EQ(begun, 3);
  EXPECT_EQ(of.threads(), 3u);
  no_leader.answer.set_value();
  EXPECT_TRUE(got.get());
}

TEST(Strands, AsManyWorkAtOnceAsAreToldTo) {
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  std::latch all{200};
  // Nothing counts as stuck however slow the machine is.
  strands of{
    {.threads = 2, .stuck_after = millis{60'000}}, 20, nothing_to_spare()};
  for (std::size_t i = 0; i < 200; ++i)
    of.submit(i % 20,
              {[&](auto) {
                 auto now = ++at_once;
                 for (auto seen = most.load();
                      seen < now && !most.compare_exchange_weak(seen, now);)
                   ;
                 std::this_thread::yield();
                 --at_once;
                 all.count_down();
               },
               [&](const failure&) { all.count_down(); }},
              patience);
  all.wait();
  EXPECT_LE(most, 2);
  EXPECT_LE(of.threads(), 3u);
}

TEST(Strands, WithinAStrandOneFollowsTheOther) {
  std::atomic<int> inside{0};
  std::vector<int> order;
  std::latch all{50};
  strands of{{.threads = 4, .stuck_after = millis{0}}, 2, nothing_to_spare()};
  for (int i = 0; i < 50; ++i)
    of.submit(1,
              {[&, i](auto) {
                 EXPECT_EQ(++inside, 1);
                 order.push_back(i);
                 --inside;
                 all.count_down();
               },
               [&](const failure&) { all.count_down(); }},
              patience);
  all.wait();
  ASSERT_EQ(order.size(), 50u);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Strands, WhatWaitsTooLongOrIsTooMuchIsRefused) {
  silence no_leader;
  std::atomic<int> begun{0};
  std::promise<bool> late;
  std::promise<bool> too_many;
  strands of{{.threads = 1, .queue = 1}, 1, nothing_to_spare()};
  of.submit(0, no_leader.work(begun), patience);
  while (begun == 0)
    std::this_thread::yield();
  of.submit(0, telling(late), millis{0});
  of.submit(0, telling(too_many), patience);
  EXPECT_FALSE(too_many.get_future().get());
  no_leader.answer.set_value();
  EXPECT_FALSE(late.get_future().get());
}

TEST(Strands, WhatIsOwedAtTheEndIsRefused) {
  silence no_leader;
  std::atomic<int> begun{0};
  std::promise<bool> waits;
  std::promise<bool> after;
  strands of{{.threads = 1}, 2, nothing_to_spare()};
  of.submit(0, no_leader.work(begun), patience);
  while (begun == 0)
    std::this_thread::yield();
  of.submit(0, telling(waits), patience);
  of.end([&] { no_leader.answer.set_value(); });
  of.submit(1, telling(after), patience);
  EXPECT_FALSE(waits.get_future().get());
  EXPECT_FALSE(after.get_future().get());
}

TEST(Strands, SpareTimeComesAfterTheWork) {
  std::atomic<int> left{3};
  std::atomic<bool> worked{false};
  std::promise<bool> before_spare;
  std::latch spent{3};
  strands of{{.threads = 2}, 1, [&](std::size_t strand, bool may_work) {
               EXPECT_EQ(strand, 0u);
               if (may_work) {
                 EXPECT_TRUE(worked);
                 --left;
                 spent.count_down();
               }
               return left > 0;
             }};
  of.submit(0, {[&](auto) { worked = true; }, [](const failure&) {}}, patience);
  spent.wait();
  EXPECT_EQ(left, 0);
}
