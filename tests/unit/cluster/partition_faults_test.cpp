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

} // namespace
