#include "cluster/arrivals.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using rollcall::cluster::arrivals;

namespace {

session_transfer_ptr of(const char* session, epoch_t epoch) {
  auto out = std::make_shared<session_transfer>();
  out->session = {namespace_id{"default"}, session_id{session}};
  out->epoch = epoch;
  return out;
}

TEST(Arrivals, GivesBackWhatCameUnderTheSameClaim) {
  arrivals to;
  to.take(3, of("a", 7), millis{0});
  to.take(3, of("b", 7), millis{0});
  to.take(4, of("c", 9), millis{0});
  EXPECT_EQ(to.size(), 3U);
  EXPECT_EQ(to.release(3, 7).size(), 2U);
  EXPECT_EQ(to.size(), 1U);
  EXPECT_TRUE(to.release(3, 7).empty()) << "given once";
}

TEST(Arrivals, ALaterClaimReplacesAnEarlierOne) {
  arrivals to;
  to.take(3, of("a", 7), millis{0});
  to.take(3, of("b", 8), millis{0});
  to.take(3, of("c", 7), millis{0});
  EXPECT_EQ(to.size(), 1U);
  auto given = to.release(3, 8);
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(given.begin()->first.id.str(), "b");
}

TEST(Arrivals, WhatBelongsToAnotherClaimIsNotGiven) {
  arrivals to;
  to.take(3, of("a", 7), millis{0});
  EXPECT_TRUE(to.release(3, 9).empty());
  EXPECT_EQ(to.size(), 0U);
}

TEST(Arrivals, WhatWaitsTooLongIsForgotten) {
  arrivals to;
  to.take(3, of("a", 7), millis{0});
  to.expire(limits::arrivals_patience - millis{1});
  EXPECT_EQ(to.size(), 1U);
  to.expire(limits::arrivals_patience);
  EXPECT_EQ(to.size(), 0U);
}

TEST(Arrivals, AreBounded) {
  arrivals to;
  for (std::size_t n = 0; n < limits::arrivals + 10; ++n)
    to.take(3, of(std::to_string(n).c_str(), 7), millis{0});
  EXPECT_EQ(to.size(), limits::arrivals);
}

} // namespace
