#include "edge/relay/succession.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;
using rollcall::edge::batch_fate;
using rollcall::edge::relay_state;
using rollcall::edge::succession;

namespace {

constexpr millis patience{2'500};
constexpr millis start{1'000};

/// A replica of a session with ada and bob, and a second owner that kept
/// neither.
class Succession : public ::testing::Test {
protected:
  Succession() {
    EXPECT_TRUE(owner.create("board").ok());
    EXPECT_TRUE(owner.join("ada", 1).ok());
    EXPECT_TRUE(owner.join("bob", 2).ok());
    (void)owner.state->take_batch();
    EXPECT_TRUE(here.take(owner.state->make_snapshot()));
  }

  snapshot from_next_owner() {
    owner.activate();
    return owner.state->make_snapshot();
  }

  /// As a connection does that is not known to its owner.
  result<reply> join_again(const std::string& user, std::uint64_t connection) {
    join_command body;
    for (const auto& who : here.make_snapshot().participants)
      if (who.user.str() == user)
        body.admitted = admission{who.joined, who.since, who.reconnections};
    return owner.run(user, connection, body);
  }

  session_harness owner;
  relay_state here;
  succession next;
};

TEST_F(Succession, WaitsForAStayTheNewOwnerLacks) {
  owner.keep_pages();
  ASSERT_TRUE(owner.run("ada", 1, leave_command{}).ok());
  ASSERT_TRUE(owner.join("ada", 3).ok());
  (void)owner.state->take_batch();
  ASSERT_TRUE(here.take(owner.state->make_snapshot()));
  auto whole = from_next_owner();
  ASSERT_EQ(whole.participants.size(), 2U);
  ASSERT_TRUE(next.hold(here, whole, start, patience));
  ASSERT_TRUE(join_again("ada", 3).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  ASSERT_TRUE(next.all_back());
  auto leads = here.bridge(next.release());
  ASSERT_TRUE(leads);
  EXPECT_EQ(count_changes<left_change>(leads->changes), 0U);
  EXPECT_EQ(count_changes<joined_change>(leads->changes), 0U);
}

TEST_F(Succession, WaitsForAStayOnTheSameConnection) {
  owner.keep_pages();
  ASSERT_TRUE(owner.run("ada", 1, leave_command{}).ok());
  ASSERT_TRUE(owner.join("ada", 1).ok());
  (void)owner.state->take_batch();
  ASSERT_TRUE(here.take(owner.state->make_snapshot()));
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  ASSERT_TRUE(join_again("ada", 1).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  ASSERT_TRUE(next.all_back());
  auto leads = here.bridge(next.release());
  ASSERT_TRUE(leads);
  EXPECT_EQ(count_changes<left_change>(leads->changes), 0U);
  EXPECT_EQ(count_changes<joined_change>(leads->changes), 0U);
}

TEST_F(Succession, WaitsForThoseTheNewOwnerLacks) {
  auto whole = from_next_owner();
  ASSERT_TRUE(whole.participants.empty());
  ASSERT_TRUE(next.hold(here, whole, start, patience));
  EXPECT_FALSE(next.all_back());
  ASSERT_TRUE(join_again("ada", 1).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_FALSE(next.all_back()) << "bob is still missed";
  ASSERT_TRUE(join_again("bob", 2).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  ASSERT_TRUE(next.all_back());
  auto leads = here.bridge(next.release());
  ASSERT_TRUE(leads);
  EXPECT_TRUE(leads->changes.empty()) << "nobody saw the change of owner";
  EXPECT_EQ(leads->to.epoch, owner.epoch);
  EXPECT_FALSE(next.open());
}

// Nobody saw cyd yet: she joined at an owner that was lost at once.
TEST_F(Succession, WaitsForThoseOfTheOwnerBetween) {
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  auto third = owner.join("cyd", 3);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  owner.activate();
  ASSERT_TRUE(join_again("ada", 1).ok());
  ASSERT_TRUE(join_again("bob", 2).ok());
  (void)owner.state->take_batch();
  ASSERT_TRUE(next.hold(here, owner.state->make_snapshot(), start, patience));
  EXPECT_FALSE(next.all_back());
  join_command body;
  body.admitted = std::get<join_reply>(third.value().body).admitted;
  ASSERT_TRUE(owner.run("cyd", 3, body).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_TRUE(next.all_back());
}

// A join that its edge had taken back long ago was repeated late.
TEST_F(Succession, AJoinThatIsTakenBackIsNotTheOneAwaited) {
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  ASSERT_TRUE(join_again("bob", 2).ok());
  ASSERT_TRUE(owner.join("ada", 9).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_TRUE(next.all_back());
  ASSERT_TRUE(owner.run("ada", 9, leave_command{}).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_FALSE(next.all_back());
  ASSERT_TRUE(join_again("ada", 1).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_TRUE(next.all_back());
}

// They may come back until their grace is over.
TEST_F(Succession, WaitsForThoseWhoAreSuspected) {
  owner.notice(1, sign::closed);
  (void)owner.state->take_batch();
  ASSERT_TRUE(here.take(owner.state->make_snapshot()));
  ASSERT_TRUE(join_again("bob", 2).ok());
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  ASSERT_TRUE(join_again("bob", 2).ok());
  EXPECT_EQ(next.take(owner.state->take_batch()), batch_fate::applied);
  EXPECT_FALSE(next.all_back());
}

TEST_F(Succession, EndsWhenTimeIsUp) {
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  EXPECT_FALSE(next.all_back());
  EXPECT_EQ(next.until(), start + patience);
  auto leads = here.bridge(next.release());
  ASSERT_TRUE(leads);
  EXPECT_EQ(leads->changes.size(), 2U) << "both are gone";
  for (const auto& one : leads->changes)
    EXPECT_GE(one.total, one.present);
  EXPECT_EQ(leads->present, 0U);
}

TEST_F(Succession, ANewerSnapshotDoesNotProlongTheWait) {
  ASSERT_TRUE(next.hold(here, from_next_owner(), start, patience));
  ASSERT_TRUE(join_again("ada", 1).ok());
  (void)owner.state->take_batch();
  ASSERT_TRUE(next.hold(here, owner.state->make_snapshot(),
                        start + millis{2'000}, patience));
  EXPECT_EQ(next.until(), start + patience);
  EXPECT_EQ(next.at(), owner.state->at());
}

TEST_F(Succession, HoldsNothingOfTheOwnerInForce) {
  ASSERT_TRUE(owner.run("ada", 1, leave_command{}).ok());
  (void)owner.state->take_batch();
  EXPECT_FALSE(next.hold(here, owner.state->make_snapshot(), start, patience));
}

TEST_F(Succession, HoldsNothingIfNobodyIsMissed) {
  owner.keep_pages();
  EXPECT_FALSE(next.hold(here, from_next_owner(), start, patience));
}

TEST_F(Succession, AnEndIsTakenAtOnce) {
  auto whole = from_next_owner();
  whole.ended = true;
  EXPECT_FALSE(next.hold(here, whole, start, patience));
}

} // namespace

// As after a crash: the replica is led to what the new owner shows.
TEST_F(Succession, ANewNameIsAmongTheDifferences) {
  auto whole = owner.state->make_snapshot();
  whole.at.rev += 5;
  whole.participants[0].who.name = "Countess";
  whole.participants[1].role = "guest";
  auto leads = here.bridge(whole);
  ASSERT_NE(leads, nullptr);
  ASSERT_EQ(leads->changes.size(), 2U);
  const auto& named = std::get<member_change>(leads->changes[0].body);
  EXPECT_EQ(named.name, "Countess");
  EXPECT_TRUE(named.is_of_name_alone());
  EXPECT_FALSE(
    std::get<member_change>(leads->changes[1].body).has(member_key::name));
  EXPECT_EQ(here.make_snapshot().participants, whole.participants);
}
