#include "actors/session_timers.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

namespace {

const timer_name phase_end{timer_kind::phase};
const timer_name erasure{timer_kind::erasure};

timer_name reminder_of(const char* user) {
  return {timer_kind::reminder, user_id{user}};
}

TEST(SessionTimers, TheEarliestIsNext) {
  session_timers timers;
  EXPECT_EQ(timers.next(), std::nullopt);
  timers.set(erasure, millis{300});
  timers.set(phase_end, millis{100});
  timers.set(reminder_of("ada"), millis{200});
  EXPECT_EQ(timers.next(), millis{100});
  timers.set(phase_end, std::nullopt);
  EXPECT_EQ(timers.next(), millis{200});
  EXPECT_EQ(timers.size(), 2U);
}

TEST(SessionTimers, ADeadlineIsReplacedNotAdded) {
  session_timers timers;
  timers.set(phase_end, millis{100});
  timers.set(phase_end, millis{400});
  EXPECT_EQ(timers.take_due(millis{399}), std::nullopt);
  EXPECT_EQ(timers.take_due(millis{400}), phase_end);
  EXPECT_EQ(timers.take_due(millis{1'000}), std::nullopt);
  EXPECT_EQ(timers.size(), 0U);
}

TEST(SessionTimers, WhatIsDueComesInOrderAndOnce) {
  session_timers timers;
  timers.set(reminder_of("bob"), millis{20});
  timers.set(reminder_of("ada"), millis{10});
  timers.set(erasure, millis{30});
  EXPECT_EQ(timers.take_due(millis{25}), reminder_of("ada"));
  EXPECT_EQ(timers.take_due(millis{25}), reminder_of("bob"));
  EXPECT_EQ(timers.take_due(millis{25}), std::nullopt);
  EXPECT_EQ(timers.next(), millis{30});
}

} // namespace
