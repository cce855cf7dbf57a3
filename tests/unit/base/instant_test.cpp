#include "actors/base/instant.hpp"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Instant, MovesBothClocks) {
  const instant at{millis{5}, millis{1'000}};
  EXPECT_EQ(at + millis{10}, (instant{millis{15}, millis{1'010}}));
}

TEST(Instant, PicksTheLaterOfTwo) {
  EXPECT_EQ(later(millis{1}, millis{2}), millis{2});
  EXPECT_EQ(later(millis{2}, millis{1}), millis{2});
  EXPECT_EQ(later(never, millis{1}), never);
}

TEST(Instant, ReadsASteadyClockAndUnixTime) {
  const auto first = system_now();
  const auto second = system_now();
  EXPECT_LE(first.steady, second.steady);
  // 2024-01-01 in milliseconds: a wall clock in other units would be off by
  // powers of a thousand.
  EXPECT_GT(first.wall, millis{1'704'067'200'000});
  EXPECT_LT(first.wall, millis{17'040'672'000'000});
}

} // namespace
} // namespace rollcall
