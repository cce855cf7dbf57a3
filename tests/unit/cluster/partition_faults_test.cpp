// A partition whose disk, journal or sessions fail.

#include "actors/base/limits.hpp"
#include "unit/cluster/distant_journal.hpp"
#include "unit/cluster/partition_world.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class PartitionFaults : public partition_world {
protected:
  PartitionFaults() {
    distant = far;
  }

  stored_session kept() {
    auto found = fixture.ask<loaded_ptr>(
      store, load_session_ptr{std::make_shared<const load_session>(
               load_session{0, maker.key()})});
    return found && (*found)->ok() ? ***found : stored_session{};
  }

  snapshot_ptr shown() {
    snapshots.clear();
    tell(observe_note{});
    fixture.advance(millis{100});
    auto out = snapshots.empty() ? nullptr : snapshots.back();
    tell(unobserve_note{});
    return out;
  }

  /// Nobody is in the session, which has been kept, and is about to go.
  void make_idle() {
    ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
    ASSERT_TRUE(run("ada", 1, join_command{}).ok());
    ASSERT_TRUE(run("ada", 1, leave_command{}).ok());
    fixture.advance(millis{5'000}, millis{100});
    ASSERT_EQ(figure("sessions"), 1);
  }

  std::shared_ptr<distant_journal> far = std::make_shared<distant_journal>();
};

// -- the disk cannot be read -------------------------------------------------

TEST_F(PartitionFaults, APhaseEndsThoughTheSessionCouldNotBeReadAtFirst) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  set_phase_command body{"voting", {}, millis{600'000}, "results"};
  ASSERT_TRUE(run("owner", 9, body).ok());
  fixture.advance(millis{590'000}, millis{500});
  ASSERT_EQ(figure("sessions"), 0) << "passivated";
  disk->fail_reads(1);
  fixture.advance(millis{20'000}, millis{100});
  EXPECT_EQ(kept().session->phase.name, "results");
}

TEST_F(PartitionFaults, WhatAClientAskedForInVainIsNotReadAgain) {
  disk->fail_reads(1'000'000);
  auto refused = run("ada", 1, join_command{});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_EQ(figure("timers"), 0);
  disk->fail_reads(0);
}

// -- the journal is silent when a session is to go ---------------------------

TEST_F(PartitionFaults, WhoJoinsDoesNotWaitForAFarewell) {
  make_idle();
  far->silent = true;
  fixture.advance(millis{56'000}, millis{100});
  ASSERT_EQ(far->waiting(), 1U) << "the farewell";
  // Another one: the partition has begun to wait.
  caf::scoped_actor self{fixture.system()};
  auto id = self->request(router, std::chrono::minutes{60},
                          maker.make("bob", 2, join_command{}));
  fixture.advance(millis{2'000}, millis{50});
  ASSERT_TRUE(self->has_next_message());
  id.receive([](const reply_ptr& answer) { EXPECT_TRUE(answer->ok()); },
             [](const caf::error&) { ADD_FAILURE() << "an error"; });
  // The farewell comes to be after all, and does no harm.
  far->speak();
  fixture.advance(millis{5'000}, millis{100});
  EXPECT_EQ(figure("sessions"), 1);
  crash();
  auto seen = run("owner", 9, observe_command{});
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->present, 1U);
}

TEST_F(PartitionFaults, ASessionSaysOneFarewellAtATime) {
  make_idle();
  far->silent = true;
  fixture.advance(millis{120'000}, millis{100});
  EXPECT_EQ(far->waiting(), 1U);
  EXPECT_EQ(figure("sessions"), 1);
  far->speak();
  fixture.advance(millis{3'000}, millis{100});
  EXPECT_EQ(figure("sessions"), 0);
}

TEST_F(PartitionFaults, AFarewellThatIsRefusedIsSaidAgain) {
  make_idle();
  far->refuses = true;
  fixture.advance(millis{60'000}, millis{100});
  EXPECT_EQ(figure("sessions"), 1);
  far->refuses = false;
  fixture.advance(millis{3'000}, millis{100});
  EXPECT_EQ(figure("sessions"), 0);
}

// -- the disk fails for longer than a commit is waited for -------------------

// The journal has it: it comes to be, whatever its owner believes.
TEST_F(PartitionFaults, WhatWasGivenUpAndCameToBeIsKnownToTheOwner) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  fixture.advance(millis{1'000}, millis{50});
  disk->fail_writes(1'000'000'000);
  caf::scoped_actor self{fixture.system()};
  auto id = self->request(
    router, std::chrono::minutes{60},
    maker.make("owner", 9, configure_command{settings_patch{.capacity = 3}}));
  fixture.advance(millis{700'000}, millis{500});
  ASSERT_TRUE(self->has_next_message());
  id.receive(
    [](const reply_ptr& answer) {
      ASSERT_FALSE(answer->ok());
      EXPECT_EQ(answer->error().code, errc::unavailable);
    },
    [](const caf::error&) { ADD_FAILURE() << "an error"; });
  disk->fail_writes(0);
  fixture.advance(millis{20'000}, millis{500});
  ASSERT_TRUE(kept().session);
  EXPECT_EQ(kept().session->overrides.capacity, 3U);
  ASSERT_NE(shown(), nullptr);
  EXPECT_EQ(snapshots.back()->settings.capacity, 3U);
  EXPECT_EQ(claims.size(), 1U);
}

// -- a session fails ---------------------------------------------------------

TEST_F(PartitionFaults, ASessionThatFailedGoesOnWithLaterVersions) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  tell(observe_note{});
  for (std::uint64_t i = 2; i < 12; ++i) {
    ASSERT_TRUE(run("bob", i, join_command{}).ok());
    ASSERT_TRUE(run("bob", i, leave_command{}).ok());
  }
  fixture.advance(millis{1'000}, millis{50});
  ASSERT_FALSE(batches.empty());
  auto seen = batches.back().second->to;
  auto before = figure("epoch");
  breaks = 1;
  (void)run("cyd", 20, join_command{});
  fixture.advance(millis{1'000}, millis{50});
  ASSERT_EQ(claims.size(), 1U) << "edges are told";
  EXPECT_GT(figure("epoch"), before);
  tell(observe_note{seen});
  tell(announce_note{{{7, 1}, {7, 20}}, true});
  fixture.advance(millis{100});
  ASSERT_FALSE(snapshots.empty());
  EXPECT_GT(snapshots.back()->at, seen);
  fixture.advance(millis{60'000}, millis{100});
  auto roster = run("ada", 1, get_roster_command{});
  ASSERT_TRUE(roster.ok());
  EXPECT_GE(roster->present, 1U) << "ada was announced";
}

// Others of its partition would pay for each time.
TEST_F(PartitionFaults, ASessionThatFailsAgainAndAgainRests) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  breaks = 1'000'000;
  for (int i = 0; i < 600; ++i) {
    tell(observe_note{});
    fixture.advance(millis{100}, millis{50});
  }
  EXPECT_GE(claims.size(), 2U);
  EXPECT_LE(claims.size(), 5U) << "in a minute";
  breaks = 0;
  EXPECT_EQ(run("ada", 1, get_roster_command{}).error().code,
            errc::unavailable);
  fixture.advance(millis{600'000}, millis{500});
  auto roster = run("owner", 9, get_roster_command{});
  EXPECT_TRUE(roster.ok()) << roster.error().message;
}

// -- somebody sets the wall clock --------------------------------------------

TEST_F(PartitionFaults, APhaseEndsByAWallClockThatWasSetForward) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  set_phase_command body{"voting", {}, millis{3'600'000}, "results"};
  ASSERT_TRUE(run("owner", 9, body).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  fixture.advance(millis{10'000}, millis{100});
  ASSERT_EQ(figure("sessions"), 1);
  wall_step += millis{3'600'000};
  fixture.advance(millis{3'000}, millis{100});
  EXPECT_EQ(kept().session->phase.name, "results") << "while it is awake";
}

TEST_F(PartitionFaults, ASleepingPhaseEndsByAWallClockThatWasSet) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  set_phase_command body{"voting", {}, millis{3'600'000}, "results"};
  ASSERT_TRUE(run("owner", 9, body).ok());
  fixture.advance(millis{70'000}, millis{500});
  ASSERT_EQ(figure("sessions"), 0) << "passivated";
  wall_step -= millis{1'800'000};
  fixture.advance(millis{3'600'000}, millis{500});
  EXPECT_EQ(kept().session->phase.name, "voting");
  wall_step += millis{1'800'000};
  fixture.advance(millis{3'000}, millis{100});
  EXPECT_EQ(kept().session->phase.name, "results");
}

} // namespace
