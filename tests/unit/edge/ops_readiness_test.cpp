#include "edge/ops/metrics_text.hpp"
#include "edge/ops/readiness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::edge;

TEST(Readiness, NamesWhatIsMissing) {
  readiness subject;
  EXPECT_EQ(subject.why_not(), "");
  subject.owners_known(false);
  EXPECT_NE(subject.why_not(), "");
  subject.clock("the clock", millis{-3'600'000});
  EXPECT_EQ(subject.why_not(), "the clock");
  subject.owners_known(true);
  EXPECT_EQ(subject.why_not(), "the clock");
  subject.clock("", millis{20});
  EXPECT_EQ(subject.why_not(), "");
}

TEST(Readiness, TellsHowFarTheFurthestClockIs) {
  metrics::registry figures;
  readiness subject;
  auto handle = subject.register_figures(figures);
  subject.clock("", millis{-1'500});
  EXPECT_THAT(metrics_text(figures.read()),
              testing::HasSubstr("rollcall_clock_difference_seconds -1.5\n"));
}
