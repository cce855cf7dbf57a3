#include "cluster/copy_book.hpp"

#include "actors/base/limits.hpp"
#include "cluster/standby_plan.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr partition_id p = 3;

checkpoint copy_at(position_t position, std::uint64_t generation = 1,
                   std::uint64_t incarnation = 7) {
  return {generation, position, generation * epoch_generation_unit + 1,
          incarnation};
}

heartbeat beat(const std::string& who, const std::vector<checkpoint>& copies,
               std::uint64_t incarnation = 1) {
  heartbeat out;
  out.node = {who, incarnation};
  out.partitions = 8;
  for (const auto& one : copies)
    out.held.push_back({p, 0, one.generation, one.position, one.incarnation});
  return out;
}

struct CopyBook : testing::Test {
  copy_book subject = make(false, {"a", "c"});
  millis now{10'000};

  static copy_book make(bool accept_loss, std::vector<std::string> known) {
    return copy_book{{"b", 8, accept_loss, std::move(known)}};
  }

  /// The journal is broken from now on, and both others are heard for as long
  /// as it takes.
  void hear(copy_book& to, const std::vector<checkpoint>& a,
            const std::vector<checkpoint>& c) {
    to.set_duty({}, {}, true);
    to.broken(p, now);
    settle([&] {
      to.heard(beat("a", a), now);
      to.heard(beat("c", c), now);
    });
  }

  /// Time passes in which all is said that `say` says.
  template <class Say>
  void settle(Say say) {
    auto until = now + limits::copies_settle;
    for (say(); now < until; say())
      now += limits::heartbeat_every;
  }

  std::string waits_for(copy_book& of, const checkpoint& mine) {
    auto got = of.may_make_anew(p, mine, now);
    return got ? "" : got.error().message;
  }
};

} // namespace

TEST_F(CopyBook, TheFurthestOfAllMakesAnew) {
  hear(subject, {copy_at(99)}, {});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "");
}

TEST_F(CopyBook, WhoHasLessWaits) {
  hear(subject, {copy_at(99)}, {copy_at(101)});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node c has more");
  hear(subject, {copy_at(1, 2)}, {});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node a has more");
  EXPECT_EQ(waits_for(subject, {}), "this node has no copy");
}

TEST_F(CopyBook, OfEqualsTheFirstByName) {
  hear(subject, {}, {copy_at(100)});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "");
  hear(subject, {copy_at(100)}, {});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node a has as much");
}

TEST_F(CopyBook, WhoIsMissingMayHaveMore) {
  subject.set_duty({}, {}, true);
  subject.broken(p, now);
  now += limits::copies_settle;
  EXPECT_NE(waits_for(subject, copy_at(100)).find("node a is missing"),
            std::string::npos);
  settle([&] { subject.heard(beat("a", {copy_at(99)}), now); });
  EXPECT_NE(waits_for(subject, copy_at(100)).find("node c is missing"),
            std::string::npos);
  hear(subject, {copy_at(99)}, {});
  EXPECT_EQ(waits_for(subject, copy_at(100)), "");
  // It was there, and is not any more.
  now += limits::suspect_after + millis{1};
  EXPECT_NE(waits_for(subject, copy_at(100)).find("missing"),
            std::string::npos);
}

// What it did last may not be on its disk yet, or not in its first words.
TEST_F(CopyBook, TheFirstWordOfWhoComesBackIsNotTheLast) {
  hear(subject, {}, {copy_at(99)});
  now += limits::suspect_after + millis{1};
  subject.heard(beat("a", {}), now);
  subject.heard(beat("c", {copy_at(99)}), now);
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node a has only just come");
  settle([&] {
    subject.heard(beat("a", {}), now);
    subject.heard(beat("c", {copy_at(99)}), now);
  });
  EXPECT_EQ(waits_for(subject, copy_at(100)), "");
  // It was started anew, and so fast that nobody missed it.
  subject.heard(beat("c", {}, 2), now);
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node c has only just come");
  settle([&] {
    subject.heard(beat("a", {}), now);
    subject.heard(beat("c", {copy_at(101)}, 2), now);
  });
  EXPECT_EQ(waits_for(subject, copy_at(100)), "node c has more");
}

TEST_F(CopyBook, WhatWasSaidBeforeItBrokeIsNotEnough) {
  subject.set_duty({}, {}, true);
  subject.heard(beat("a", {copy_at(90)}), now);
  subject.heard(beat("c", {copy_at(90)}), now);
  EXPECT_NE(waits_for(subject, copy_at(100)), "");
  subject.broken(p, now);
  EXPECT_EQ(waits_for(subject, copy_at(100)), "others are being heard");
  subject.broken(p, now + millis{2'000});
  settle([&] {
    subject.heard(beat("a", {copy_at(90)}), now);
    subject.heard(beat("c", {copy_at(90)}), now);
  });
  EXPECT_EQ(waits_for(subject, copy_at(100)), "");
  subject.mended(p);
  EXPECT_EQ(waits_for(subject, copy_at(100)), "others are being heard");
}

TEST_F(CopyBook, WhoDoesNotHearJudgesNobody) {
  hear(subject, {}, {});
  subject.set_duty({}, {}, false);
  EXPECT_EQ(waits_for(subject, copy_at(100)),
            "this node does not hear the others");
}

TEST_F(CopyBook, CopiesOfTwoJournalsNeedAWordOfAnOperator) {
  hear(subject, {copy_at(5, 1, 8)}, {});
  EXPECT_NE(waits_for(subject, copy_at(100)).find("another journal"),
            std::string::npos);
  auto told = make(true, {"a", "c"});
  hear(told, {copy_at(500, 1, 8)}, {});
  EXPECT_EQ(waits_for(told, copy_at(100)), "");
}

TEST_F(CopyBook, AnOperatorMayGiveUpWhatIsMissingButNotWhatIsThere) {
  auto told = make(true, {"a", "c"});
  told.set_duty({}, {}, true);
  told.broken(p, now);
  now += limits::copies_settle;
  EXPECT_EQ(waits_for(told, copy_at(100)), "");
  told.heard(beat("a", {}), now);
  EXPECT_EQ(waits_for(told, copy_at(100)), "node a has only just come");
  settle([&] { told.heard(beat("a", {copy_at(101)}), now); });
  EXPECT_EQ(waits_for(told, copy_at(100)), "node a has more");
}

TEST_F(CopyBook, RemembersWhoWasThere) {
  EXPECT_FALSE(subject.heard(beat("a", {}), now));
  EXPECT_TRUE(subject.heard(beat("d", {}), now));
  EXPECT_FALSE(subject.heard(beat("d", {}), now));
  EXPECT_FALSE(subject.heard(beat("b", {}), now));
  auto edge = beat("e", {});
  edge.core = false;
  EXPECT_FALSE(subject.heard(edge, now));
  EXPECT_EQ(subject.known(), (std::vector<std::string>{"a", "c", "d"}));
  for (int i = 0; i < 2 * static_cast<int>(limits::nodes); ++i)
    subject.heard(beat("n" + std::to_string(i), {}), now);
  EXPECT_EQ(subject.known().size(), limits::nodes);
}

TEST_F(CopyBook, AHeartbeatTellsOurCopies) {
  subject.keep(p, copy_at(100));
  subject.keep(5, copy_at(50));
  subject.keep(6, {});
  std::vector<held_partition> held{{p, 42, 1, 0, 0}};
  subject.complete(held);
  EXPECT_EQ(
    held, (std::vector<held_partition>{{p, 42, 1, 100, 7}, {5, 0, 1, 50, 7}}));
}

TEST_F(CopyBook, KnowsWhenItIsBehind) {
  EXPECT_FALSE(subject.is_behind(p));
  subject.heard(beat("a", {copy_at(100)}), now);
  EXPECT_TRUE(subject.is_behind(p));
  subject.keep(p, copy_at(99));
  EXPECT_TRUE(subject.is_behind(p));
  subject.keep(p, copy_at(100));
  EXPECT_FALSE(subject.is_behind(p));
  subject.heard(beat("c", {copy_at(1, 2)}), now);
  EXPECT_TRUE(subject.is_behind(p));
}

TEST_F(CopyBook, SmallClustersKeepAllLargeOnesThree) {
  std::vector<core_node> cores;
  for (char name : {'a', 'b', 'c', 'd', 'e'})
    cores.push_back({{std::string(1, name), 1}, 100});
  subject.set_duty({}, cores, true);
  for (partition_id i = 0; i < 8; ++i)
    EXPECT_TRUE(subject.stands_by(i));
  cores.push_back({{"f", 1}, 100});
  std::size_t all = 0;
  for (const auto& one : cores) {
    copy_book book{{one.node.name, 64, false, {}}};
    book.set_duty({}, cores, true);
    for (partition_id i = 0; i < 64; ++i)
      all += book.stands_by(i) ? 1 : 0;
  }
  EXPECT_EQ(all, 64 * limits::copies);
}

TEST(StandbyPlan, EveryPartitionComesRoundAndNewsComeFirst) {
  standby_plan subject{64};
  std::set<partition_id> seen;
  for (std::uint32_t i = 0; i < limits::standby_round; ++i)
    for (auto one : subject.pick([](partition_id) { return false; }))
      seen.insert(one);
  EXPECT_EQ(seen.size(), 64u);
  auto picked = subject.pick([](partition_id one) { return one == 40; });
  EXPECT_EQ(picked.front(), 40u);
  EXPECT_EQ(std::set<partition_id>(picked.begin(), picked.end()).size(),
            picked.size());
}

TEST(StandbyPlan, NobodyStarvesWhenAllIsUrgent) {
  standby_plan subject{64};
  std::set<partition_id> seen;
  for (int i = 0; i < 4; ++i) {
    auto picked = subject.pick([](partition_id) { return true; });
    EXPECT_LE(picked.size(), limits::standby_urgent + 7);
    seen.insert(picked.begin(),
                picked.begin() + std::ptrdiff_t{limits::standby_urgent});
  }
  EXPECT_EQ(seen.size(), 64u);
}
