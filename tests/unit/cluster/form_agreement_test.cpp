#include "cluster/form_agreement.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr std::uint32_t ours = 3;
constexpr millis second{1'000};

heartbeat from(std::uint32_t reads, bool core = true) {
  heartbeat out;
  out.reads = reads;
  out.core = core;
  return out;
}

struct FormAgreement : ::testing::Test {
  void later_by(millis span) {
    now += span;
  }

  [[nodiscard]] std::uint32_t form() const {
    return forms.in_force(now);
  }

  millis now{50'000};
  form_agreement forms{ours, now};
};

TEST_F(FormAgreement, WhoHasJustStartedWritesTheFirst) {
  EXPECT_EQ(form(), record_form_first);
  later_by(limits::form_settles - second);
  forms.heard(from(ours), now);
  EXPECT_EQ(form(), record_form_first);
  later_by(second);
  EXPECT_EQ(form(), ours);
}

TEST_F(FormAgreement, OneThatReadsLessIsEnough) {
  later_by(limits::form_settles);
  ASSERT_EQ(form(), ours);
  forms.heard(from(2), now);
  EXPECT_EQ(form(), 2U) << "and at once";
  forms.heard(from(ours), now);
  EXPECT_EQ(form(), 2U);
}

TEST_F(FormAgreement, TheEarliestOfAllCounts) {
  later_by(limits::form_settles);
  forms.heard(from(1), now);
  later_by(second);
  forms.heard(from(2), now);
  EXPECT_EQ(form(), 1U);
  later_by(limits::form_settles);
  EXPECT_EQ(form(), ours) << "nobody has said less for so long";
  forms.heard(from(2), now);
  EXPECT_EQ(form(), 2U) << "what was before is over";
}

TEST_F(FormAgreement, WhoWasHereMayComeBack) {
  later_by(limits::form_settles);
  for (int i = 0; i < 5; ++i) {
    forms.heard(from(2), now);
    later_by(limits::form_settles - second);
    EXPECT_EQ(form(), 2U);
  }
  later_by(second);
  EXPECT_EQ(form(), ours);
}

TEST_F(FormAgreement, OnlyThoseWhoReadRecordsCount) {
  later_by(limits::form_settles);
  forms.heard(from(1, false), now);
  EXPECT_EQ(form(), ours);
  forms.heard(from(ours + 1), now);
  EXPECT_EQ(form(), ours) << "more than we can write";
  forms.heard(from(0), now);
  EXPECT_EQ(form(), record_form_first) << "there is none before";
}

} // namespace
