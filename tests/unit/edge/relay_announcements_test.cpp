#include "edge/relay/announcements.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::edge;

namespace {

using due = std::set<partition_id>;

class RelayAnnouncements : public ::testing::Test {
protected:
  due at(int ms) {
    return plan.take_due(millis{ms});
  }

  announcements plan{3, millis{1'000}};
};

TEST_F(RelayAnnouncements, ANewOwnerIsToldThreeTimes) {
  plan.owner_changed(5, millis{100});
  EXPECT_EQ(at(100), due{5});
  EXPECT_EQ(at(1'099), due{});
  EXPECT_EQ(plan.next(), millis{1'100});
  EXPECT_EQ(at(1'100), due{5});
  EXPECT_EQ(at(2'100), due{5});
  EXPECT_EQ(plan.next(), std::nullopt);
  EXPECT_EQ(at(9'000), due{});
}

TEST_F(RelayAnnouncements, PartitionsDoNotUseUpTheTurnsOfOthers) {
  for (partition_id partition = 0; partition < 16; ++partition) {
    plan.owner_changed(partition, millis{partition});
    EXPECT_EQ(at(partition), due{partition});
  }
  EXPECT_EQ(at(1'015).size(), 16U);
  EXPECT_EQ(at(2'015).size(), 16U);
}

TEST_F(RelayAnnouncements, AnotherOwnerBeginsAnew) {
  plan.owner_changed(5, millis{0});
  EXPECT_EQ(at(0), due{5});
  EXPECT_EQ(at(1'000), due{5});
  plan.owner_changed(5, millis{1'500});
  for (auto ms : {1'500, 2'500, 3'500})
    EXPECT_EQ(at(ms), due{5});
  EXPECT_EQ(plan.next(), std::nullopt);
}

TEST_F(RelayAnnouncements, ARoundIsOneTurnAndCutsNoneShort) {
  plan.call(4, millis{0});
  plan.owner_changed(5, millis{0});
  plan.call(5, millis{0});
  EXPECT_EQ(at(0), (due{4, 5}));
  EXPECT_EQ(at(1'000), due{5});
}

TEST_F(RelayAnnouncements, WhoJoinsBesideAnAnnouncementIsNamedSoon) {
  plan.call(5, millis{0});
  EXPECT_EQ(at(0), due{5});
  plan.joined(5, millis{10});
  plan.joined(5, millis{20});
  EXPECT_EQ(plan.next(), millis{1'000});
  EXPECT_EQ(at(1'000), due{5});
  // Long after it, the next round is soon enough.
  plan.joined(5, millis{3'000});
  EXPECT_EQ(plan.next(), std::nullopt);
}

} // namespace
