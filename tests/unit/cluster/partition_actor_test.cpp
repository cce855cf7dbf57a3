#include "cluster/partition_actor.hpp"

#include "actors/base/limits.hpp"
#include "cluster/router_actor.hpp"
#include "unit/cluster/partition_world.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class PartitionActor : public partition_world {};

TEST_F(PartitionActor, ClaimsBeforeItServes) {
  ASSERT_TRUE(ready.has_value());
  ASSERT_TRUE(ready->ok());
  auto first = ready->value();
  crash();
  ASSERT_TRUE(ready->ok());
  EXPECT_GT(ready->value(), first) << "each claim has a later epoch";
}

TEST_F(PartitionActor, FirstChangeGoesAtOnceLaterOnesGather) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  tell(observe_note{});
  ASSERT_EQ(snapshots.size(), 1U);
  fixture.advance(millis{100});
  auto before = fixture.now().steady;
  for (std::uint64_t i = 1; i <= 20; ++i)
    caf::anon_send(router,
                   maker.make("u" + std::to_string(i), i, join_command{}));
  fixture.drain();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].first, before);
  EXPECT_EQ(batches[0].second->changes.size(), 1U);
  fixture.advance(millis{5}, millis{1});
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[1].second->changes.size(), 19U);
  EXPECT_EQ(batches[1].second->from, batches[0].second->to);
}

TEST_F(PartitionActor, CommandsWaitForActivationInOrder) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  crash();
  caf::scoped_actor self{fixture.system()};
  auto join = self->request(router, std::chrono::minutes{60},
                            maker.make("ada", 1, join_command{}));
  auto live = self->request(
    router, std::chrono::minutes{60},
    maker.make("ada", 1, set_live_command{{{"a", live_value{true}}}, {}}));
  fixture.advance(millis{20});
  join.receive([](const reply_ptr& r) { EXPECT_TRUE(r->ok()); },
               [](const caf::error&) { FAIL(); });
  live.receive([](const reply_ptr& r) { EXPECT_TRUE(r->ok()); },
               [](const caf::error&) { FAIL(); });
}

TEST_F(PartitionActor, SilentClientIsGoneWithinASecondOfItsBound) {
  ASSERT_TRUE(run("owner", 9, create_command{"stream", {}}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  tell(observe_note{});
  notice(1, sign::silent, millis{20'000});
  auto bound = fixture.now().steady + millis{25'000};
  fixture.advance(millis{26'000}, millis{50});
  ASSERT_FALSE(batches.empty());
  const auto& [when, last] = batches.back();
  ASSERT_NE(find_change<left_change>(last->changes), nullptr);
  EXPECT_GE(when, bound);
  EXPECT_LE(when, bound + millis{1'000});
}

TEST_F(PartitionActor, RosterComesBackWithoutDemandAndIsCleanedUp) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  ASSERT_TRUE(run("bob", 2, join_command{}).ok());
  fixture.advance(millis{100});
  crash();
  EXPECT_EQ(figure("sessions"), 1) << "occupied sessions are activated";
  auto back = run("ada", 11, join_command{connection_id{7, 1}, {}, {}});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(std::get<join_reply>(back->body).admitted.reconnections, 0U);
  EXPECT_EQ(back->present, 2U);
  fixture.advance(millis{16'000}, millis{50});
  auto roster = run("ada", 11, get_roster_command{});
  ASSERT_TRUE(roster.ok());
  EXPECT_EQ(roster->present, 1U) << "who did not come back is gone";
}

// As after a pause, or behind a split: another node may own it by now.
TEST_F(PartitionActor, NothingIsSaidForGoodWithoutALease) {
  auto other = cluster::spawn_router(
    fixture.system(), {1, edge, bus, [this] { return fixture.now(); }});
  caf::anon_send(
    other,
    ownership_ptr{std::make_shared<const ownership>(ownership{0, edge, 1})},
    partition);
  auto local = std::exchange(router, other);
  auto until = [&](millis lease, bool detached) {
    caf::anon_send(other, owner_lease{fixture.now().steady + lease, detached});
  };
  until(millis{100}, false);
  EXPECT_EQ(run("ada", 1, configure_command{{}}).error().code, errc::not_found);
  fixture.advance(millis{100});
  // Now it waits, until the owner is known or known to be cut off.
  auto asked = maker.make("ada", 1, configure_command{{}}, {});
  caf::scoped_actor self{fixture.system()};
  auto id = self->request(router, std::chrono::minutes{60}, asked);
  fixture.advance(millis{1'000}, millis{50});
  EXPECT_FALSE(self->has_next_message());
  until(millis{0}, true);
  fixture.advance(millis{300}, millis{50});
  ASSERT_TRUE(self->has_next_message());
  id.receive(
    [](const reply_ptr& answer) {
      EXPECT_EQ(answer->error().code, errc::unavailable);
    },
    [](const caf::error&) { ADD_FAILURE() << "an error"; });
  ASSERT_TRUE(run("ada", 1, join_command{{}, {}, "board"}).ok())
    << "its own clients are served";
  router = local;
  fixture.drop(other);
}

// Such an edge sent a join and ended before this node heard it: nobody else
// will say that it is gone.
TEST_F(PartitionActor, AJoinFromAnEdgeNobodyHeardIsDoubted) {
  auto other = cluster::spawn_router(
    fixture.system(), {1, edge, bus, [this] { return fixture.now(); }});
  caf::anon_send(
    other,
    ownership_ptr{std::make_shared<const ownership>(ownership{0, edge, 1})},
    partition);
  caf::anon_send(other, edge_here{edge});
  caf::anon_send(other, owner_lease{fixture.now().steady + millis{60'000}});
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  auto join_from = [&](const char* user, std::uint64_t connection,
                       const node_id& from) {
    auto asked = std::make_shared<command>(
      *maker.make(user, connection, join_command{}, {}));
    asked->edge = from;
    auto routed = std::make_shared<routed_command>();
    routed->asked = asked;
    caf::anon_send(
      other, std::make_shared<const routed_from>(routed_from{from, routed}));
    fixture.advance(millis{50});
  };
  join_from("ada", 1, edge);
  join_from("bob", 2, {"node2", 1});
  EXPECT_EQ(run("owner", 9, get_roster_command{})->present, 2U);
  fixture.advance(limits::edge_lease + millis{10'500}, millis{50});
  auto roster = run("owner", 9, get_roster_command{});
  EXPECT_EQ(roster->present, 1U);
  fixture.drop(other);
}

TEST_F(PartitionActor, NothingAnsweredCommittedIsLost) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  std::vector<std::string> committed;
  for (int i = 0; i < 20; ++i) {
    auto user = "m" + std::to_string(i);
    if (i % 3 == 0)
      disk->fail_writes(1);
    auto answer
      = run("owner", 9, set_member_command{user_id{user}, {}, "guest", {}});
    if (answer.ok()) {
      EXPECT_EQ(answer->level, ack_level::committed);
      committed.push_back(user);
    } else {
      EXPECT_EQ(answer.error().code, errc::unavailable);
    }
  }
  EXPECT_LT(committed.size(), 20U) << "the disk did fail";
  crash();
  auto answer = run("owner", 9, observe_command{});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->total, committed.size());
}

TEST_F(PartitionActor, PresenceGoesOnWhileTheDiskFails) {
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}}).ok());
  disk->fail_writes(1'000'000);
  auto joined = run("ada", 1, join_command{});
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(joined->level, ack_level::accepted);
  auto refused
    = run("owner", 9, configure_command{settings_patch{.capacity = 3}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::unavailable);
  disk->fail_writes(0);
  fixture.advance(millis{200});
  crash();
  auto seen = run("owner", 9, observe_command{});
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->present, 1U) << "the pages were written after all";
}

TEST_F(PartitionActor, IdleSessionsArePassivatedAndComeBack) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  auto before = run("ada", 1, join_command{});
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(run("ada", 1, leave_command{}).ok());
  EXPECT_EQ(figure("sessions"), 1);
  fixture.advance(millis{62'000}, millis{100});
  EXPECT_EQ(figure("sessions"), 0);
  auto again = run("ada", 2, join_command{});
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->at, before->at);
  EXPECT_EQ(std::get<join_reply>(again->body).admitted.reconnections, 1U);
}

TEST_F(PartitionActor, UnknownSessionsLeaveNothingBehind) {
  for (int i = 0; i < 50; ++i) {
    maker = session_harness{make_key("ghost" + std::to_string(i))};
    auto refused = run("ada", 1, observe_command{});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, errc::not_found);
  }
  fixture.advance(millis{3'000}, millis{50});
  EXPECT_EQ(figure("sessions"), 0);
}

TEST_F(PartitionActor, AGapIsRepairedFromTheRing) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  tell(observe_note{});
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  fixture.advance(millis{20});
  ASSERT_TRUE(run("bob", 2, join_command{}).ok());
  fixture.advance(millis{20});
  ASSERT_EQ(batches.size(), 2U);
  auto have = batches[0].second->to;
  auto missed = batches[1].second;
  batches.clear();
  tell(observe_note{have});
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].second, missed) << "the very same batch";
  tell(observe_note{version{1, 1}});
  EXPECT_EQ(snapshots.size(), 2U) << "out of reach: a snapshot";
}

TEST_F(PartitionActor, EndedSessionsAreErasedWhenDue) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  ASSERT_TRUE(run("owner", 9, end_command{}).ok());
  fixture.advance(millis{70'000}, millis{500});
  EXPECT_EQ(figure("sessions"), 0) << "passivated";
  fixture.advance(millis{31LL * 86'400'000}, millis{3'600'000});
  fixture.advance(millis{5'000}, millis{100});
  auto again = run("owner", 9, create_command{"board", {}});
  EXPECT_TRUE(again.ok()) << "the id is free again";
}

TEST_F(PartitionActor, PhasesEndWhileNobodyHasTheSession) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}).ok());
  set_phase_command body{"voting", {}, millis{600'000}, "results"};
  ASSERT_TRUE(run("owner", 9, body).ok());
  fixture.advance(millis{70'000}, millis{500});
  EXPECT_EQ(figure("sessions"), 0) << "passivated";
  auto phase = [this] {
    snapshots.clear();
    tell(observe_note{});
    fixture.advance(millis{100});
    auto seen = snapshots.empty() ? std::string{} : snapshots[0]->phase.name;
    tell(unobserve_note{});
    return seen;
  };
  EXPECT_EQ(phase(), "voting");
  fixture.advance(millis{70'000}, millis{500});
  EXPECT_EQ(figure("sessions"), 0) << "passivated again";
  // What is kept brings it back; nobody asks.
  crash();
  fixture.advance(millis{600'000}, millis{500});
  EXPECT_EQ(figure("sessions"), 0) << "done, and passivated";
  auto kept = fixture.ask<loaded_ptr>(
    store, load_session_ptr{std::make_shared<const load_session>(
             load_session{0, maker.key()})});
  ASSERT_TRUE(kept && (*kept)->ok());
  EXPECT_EQ((**kept)->session->phase.name, "results");
  EXPECT_EQ((**kept)->due, std::nullopt);
  EXPECT_EQ(phase(), "results");
}

TEST_F(PartitionActor, ARemindersPushReachesTheConnectionsEdge) {
  auto start = fixture.now().wall + millis{60'000};
  ASSERT_TRUE(run("owner", 9, create_command{"party", {}, start}).ok());
  ASSERT_TRUE(run("ada", 1, join_command{}).ok());
  ASSERT_TRUE(run("ada", 1, set_reminder_command{true, millis{50'000}}).ok());
  fixture.advance(millis{9'000}, millis{250});
  EXPECT_TRUE(directs.empty());
  fixture.advance(millis{2'000}, millis{250});
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(directs[0]->connection, (connection_id{7, 1}));
  EXPECT_EQ(std::get<reminder_direct>(directs[0]->body).starts_at, start);
}

} // namespace
