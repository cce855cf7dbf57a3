#include "cluster/stream_standing.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr epoch_t unit = epoch_generation_unit;

stream_facts first_stream() {
  stream_facts out;
  out.exists = true;
  out.generation = 1;
  out.label = journal_label{{1, 7}, 64};
  out.last = 100;
  out.claim = 90;
  return out;
}

stream_facts second_stream() {
  auto out = first_stream();
  out.generation = 2;
  out.label = journal_label{{2, 8}, 64};
  out.base = checkpoint{1, 100, unit + 90, 7};
  out.base_end = 3;
  return out;
}

standing_query store_at(const checkpoint& at) {
  standing_query out;
  out.stream = "RC_c_000_1";
  out.stored = at;
  out.partitions = 64;
  return out;
}

std::string fault(const stream_facts& facts, const standing_query& about) {
  auto judged = judge(facts, about);
  return judged ? "" : judged.error().field;
}

} // namespace

TEST(StreamStanding, AStoreFollowsTheJournalItWasWrittenFrom) {
  for (position_t at : {0, 1, 89, 90, 100}) {
    auto judged
      = judge(first_stream(), store_at({1, at, unit + (at < 90 ? 5 : 90), 7}));
    ASSERT_TRUE(judged) << judged.error().message;
    EXPECT_EQ(judged->way, restore_way::tail);
    EXPECT_EQ(judged->start.position, at);
  }
  EXPECT_TRUE(judge(first_stream(), store_at({})));
  // Made a moment ago, and nobody's yet.
  auto facts = first_stream();
  facts.last = facts.claim = 0;
  EXPECT_EQ(fault(facts, store_at({1, 0, 0, 7})), "");
}

TEST(StreamStanding, NoStreamIsABeginningForTheIgnorantAlone) {
  EXPECT_TRUE(judge({}, store_at({})));
  EXPECT_EQ(fault({}, store_at({1, 1, unit + 1, 7})), journal_fault::gone);
  auto informed = store_at({});
  informed.heard = {{1, 1, unit + 1, 7}};
  EXPECT_EQ(fault({}, informed), journal_fault::gone);
}

TEST(StreamStanding, AShorterStreamIsCut) {
  EXPECT_EQ(fault(first_stream(), store_at({1, 101, unit + 90, 7})),
            journal_fault::cut);
  auto about = store_at({1, 50, unit + 5, 7});
  about.heard = {{1, 100, unit + 90, 7}};
  EXPECT_EQ(fault(first_stream(), about), "");
  about.heard.push_back({1, 101, unit + 90, 7});
  EXPECT_EQ(fault(first_stream(), about), journal_fault::cut);
  // Copies of other journals say nothing about the length of this one.
  about.heard = {{1, 500, unit + 90, 9}};
  EXPECT_EQ(fault(first_stream(), about), "");
}

TEST(StreamStanding, ALostClaimIsACut) {
  EXPECT_EQ(fault(first_stream(), store_at({1, 100, unit + 91, 7})),
            journal_fault::cut);
  auto facts = first_stream();
  facts.claim = 0;
  EXPECT_EQ(fault(facts, store_at({1, 10, unit + 5, 7})), journal_fault::cut);
}

// It was cut at 80, say, and somebody who had no more went on.
TEST(StreamStanding, AClaimUnderTheStoresFeetIsACut) {
  EXPECT_EQ(fault(first_stream(), store_at({1, 95, unit + 5, 7})),
            journal_fault::cut);
  EXPECT_EQ(fault(first_stream(), store_at({1, 95, unit + 90, 7})), "");
}

TEST(StreamStanding, AnotherIncarnationIsAnother) {
  EXPECT_EQ(fault(first_stream(), store_at({1, 10, unit + 5, 8})),
            journal_fault::other);
  EXPECT_EQ(fault(first_stream(), store_at({2, 10, 2 * unit + 5, 7})),
            journal_fault::other);
  auto about = store_at({1, 10, unit + 5, 7});
  about.heard = {{2, 1, 2 * unit, 9}};
  EXPECT_EQ(fault(first_stream(), about), journal_fault::other);
}

TEST(StreamStanding, AJournalMadeAnewTakesOverEqualAndEarlierCopies) {
  auto equal = judge(second_stream(), store_at({1, 100, unit + 90, 7}));
  ASSERT_TRUE(equal);
  EXPECT_EQ(equal->way, restore_way::adopt);
  EXPECT_EQ(equal->start, (checkpoint{2, 3, 2 * unit, 8}));
  auto earlier = judge(second_stream(), store_at({1, 99, unit + 90, 7}));
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->way, restore_way::whole);
  EXPECT_EQ(earlier->start, (checkpoint{2, 0, 2 * unit, 8}));
  auto nothing = judge(second_stream(), store_at({}));
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->way, restore_way::tail);
}

TEST(StreamStanding, AJournalMadeAnewFromLessTakesNothing) {
  EXPECT_EQ(fault(second_stream(), store_at({1, 101, unit + 90, 7})),
            journal_fault::behind);
  // A stranger's copy may have anything.
  EXPECT_EQ(fault(second_stream(), store_at({1, 5, unit + 2, 9})),
            journal_fault::behind);
}

TEST(StreamStanding, WhatIsNotFinishedOrGivenUpIsNotFollowed) {
  auto half = second_stream();
  half.base.reset();
  EXPECT_EQ(fault(half, store_at({})), journal_fault::incomplete);
  EXPECT_EQ(fault(half, store_at({1, 100, unit + 90, 7})),
            journal_fault::incomplete);
  auto sealed = first_stream();
  sealed.sealed = true;
  EXPECT_EQ(fault(sealed, store_at({1, 100, unit + 90, 7})),
            journal_fault::sealed);
}

TEST(StreamStanding, SomebodyElsesStreamIsLeftAlone) {
  auto facts = first_stream();
  facts.label.reset();
  EXPECT_EQ(fault(facts, store_at({})), journal_fault::foreign);
  facts = first_stream();
  facts.label->partitions = 32;
  EXPECT_EQ(fault(facts, store_at({})), journal_fault::foreign);
  facts.label->partitions = 0;
  EXPECT_EQ(fault(facts, store_at({})), "");
  facts.label->marker.generation = 2;
  EXPECT_EQ(fault(facts, store_at({})), journal_fault::foreign);
  EXPECT_FALSE(can_be_made_anew(judge(facts, store_at({})).error()));
}

TEST(StreamStanding, OnlyAStreamThatEndsBeforeACopyHasLostItsEnd) {
  auto facts = first_stream();
  EXPECT_FALSE(has_lost_its_end(facts, store_at({1, 100, unit + 90, 7})));
  EXPECT_TRUE(has_lost_its_end(facts, store_at({1, 101, unit + 90, 7})));
  auto known = store_at({1, 50, unit + 5, 7});
  known.heard = {{1, 101, 0, 8}, {2, 101, 0, 7}};
  EXPECT_FALSE(has_lost_its_end(facts, known)) << "copies of other journals";
  known.heard.push_back({1, 101, 0, 7});
  EXPECT_TRUE(has_lost_its_end(facts, known));
  facts.sealed = true;
  EXPECT_FALSE(has_lost_its_end(facts, known));
  EXPECT_FALSE(has_lost_its_end({}, known)) << "there is none to give up";
}
