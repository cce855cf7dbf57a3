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

} // namespace
