// Whole nodes on one thread under virtual time: ownership, failover, edges
// that go, and what clients see of it.

#include "edge/relay/relay_state.hpp"
#include "sim/sim_crowd.hpp"
#include "sim/sim_ops.hpp"

#include <gtest/gtest.h>

#include <memory>

using namespace rollcall;
using namespace rollcall::sim;

namespace {

/// Three nodes, everything their edges hear, folded.
class Cluster : public ::testing::Test {
protected:
  explicit Cluster(std::uint64_t seed = 1) : world(seed), crowd(world) {
    replicas.resize(3);
    for (const char* name : {"a", "b", "c"}) {
      auto index = nodes.size();
      nodes.push_back(std::make_unique<sim_node>(
        world, name,
        [this, index](const node_message& told) { hear(index, told); }));
    }
    world.advance(millis{4'000});
  }

  void hear(std::size_t index, const node_message& told) {
    if (const auto* next = std::get_if<batch_ptr>(&told)) {
      // What comes twice is known already.
      if (replicas[index][(*next)->session].take(*next)
          != edge::batch_fate::applied)
        return;
      changes += (*next)->changes.size();
      for (const auto& one : (*next)->changes)
        if (const auto* left = std::get_if<left_change>(&one.body))
          leaves.emplace_back((*next)->session.id.str(), left->participant,
                              left->reason);
    } else if (const auto* whole = std::get_if<snapshot_ptr>(&told)) {
      ++snapshots;
      (void)replicas[index][(*whole)->session].take(**whole);
    }
  }

  std::set<std::string> seen(std::size_t index, const std::string& session) {
    std::set<std::string> out;
    auto whole = replicas[index][{namespace_id{"default"}, session_id{session}}]
                   .make_snapshot();
    for (const auto& who : whole.participants)
      out.insert(who.user.str());
    return out;
  }

  std::string told() const {
    std::string out;
    for (const auto& [session, who, why] : leaves)
      out
        += session + ' ' + who.str() + ' ' + std::string{to_string(why)} + '\n';
    return out;
  }

  std::int64_t owned() {
    std::int64_t out = 0;
    for (auto& node : nodes)
      if (node->running())
        out += node->figure("owned");
    return out;
  }

  sim_world world;
  std::size_t changes = 0;
  std::size_t snapshots = 0;
  std::vector<std::map<session_key, edge::relay_state>> replicas;
  std::vector<std::tuple<std::string, participant_id, leave_reason>> leaves;
  std::vector<std::unique_ptr<sim_node>> nodes;
  /// Ends before the nodes that its clients are at.
  sim_crowd crowd;
};

TEST_F(Cluster, EveryPartitionHasOneOwner) {
  EXPECT_EQ(owned(), sim_partitions);
  for (auto& node : nodes)
    EXPECT_GT(node->figure("owned"), 0) << node->self().name;
}

TEST_F(Cluster, SessionsAreSeenFromEveryEdge) {
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      auto who = crowd.add("u" + std::to_string(n), "s" + std::to_string(s));
      crowd.join(who, *nodes[n]);
    }
  world.advance(millis{500});
  std::set<std::string> all{"u0", "u1", "u2"};
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 0; n < nodes.size(); ++n)
      EXPECT_EQ(seen(n, "s" + std::to_string(s)), all) << s << " at " << n;
  EXPECT_TRUE(leaves.empty());
}

// Stays and entries are part of the journal: whoever owns the session next has
// them, right after the owner before was killed.
TEST_F(Cluster, ThePastOutlivesItsOwner) {
  for (int s = 0; s < 6; ++s) {
    auto name = "s" + std::to_string(s);
    crowd.join(crowd.add("stays", name), *nodes[1]);
    world.advance(millis{200});
    auto who = crowd.add("leaves", name);
    crowd.join(who, *nodes[2]);
    world.advance(millis{200});
    crowd.leave(who);
  }
  world.advance(millis{1'000});
  nodes[0]->crash();
  crowd.lose(*nodes[0]);
  world.advance(millis{4'000});
  ASSERT_EQ(owned(), sim_partitions);
  for (int s = 0; s < 6; ++s) {
    auto asked = std::make_shared<command>();
    asked->session
      = {namespace_id{"default"}, session_id{"s" + std::to_string(s)}};
    asked->edge = nodes[1]->self();
    asked->caller.user = user_id{"root"};
    asked->caller.grants = {capability::admin};
    asked->body = get_history_command{};
    auto got = std::make_shared<std::optional<result<reply>>>();
    nodes[1]->ask(asked, [got](const result<reply>& answer) { *got = answer; });
    world.advance(millis{200});
    ASSERT_TRUE(*got) << s;
    ASSERT_TRUE(**got) << (*got)->error().message;
    const auto& past = std::get<history_reply>((**got)->body);
    ASSERT_EQ(past.stays.size(), 2U) << s;
    EXPECT_EQ(past.stays[0].user.str(), "stays");
    EXPECT_FALSE(past.stays[0].until) << s;
    EXPECT_EQ(past.stays[1].user.str(), "leaves");
    EXPECT_EQ(past.stays[1].reason, leave_reason::left);
  }
}

// The node that owns most of what is used; any would do.
TEST_F(Cluster, TheLossOfAnOwnerShowsOnlyWhoWasThere) {
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 0; n < nodes.size(); ++n)
      crowd.join(crowd.add("u" + std::to_string(n), "s" + std::to_string(s)),
                 *nodes[n]);
  world.advance(millis{1'000});
  nodes[0]->crash();
  crowd.lose(*nodes[0]);
  // Suspected after 1.5 s, settled after 0.5 s more, then the rank's delay.
  world.advance(millis{4'000});
  EXPECT_EQ(owned(), sim_partitions);
  crowd.retry();
  world.advance(millis{1'000});
  for (int s = 0; s < 6; ++s) {
    auto name = "s" + std::to_string(s);
    crowd.join(crowd.add("late", name), *nodes[1]);
  }
  world.advance(millis{1'000});
  for (int s = 0; s < 6; ++s)
    EXPECT_TRUE(seen(2, "s" + std::to_string(s)).contains("late")) << s;
  // The edge's lease runs out after 6 s; then `stage` waits for those who may
  // come back.
  world.advance(millis{40'000});
  for (int s = 0; s < 6; ++s) {
    auto name = "s" + std::to_string(s);
    EXPECT_EQ(seen(1, name), crowd.expected(name)) << name;
    EXPECT_EQ(seen(2, name), crowd.expected(name)) << name;
  }
  // Each edge hears of u0 once per session, and of nobody else.
  EXPECT_EQ(leaves.size(), 12U) << told();
  for (const auto& [session, who, why] : leaves)
    EXPECT_TRUE(why == leave_reason::edge_lost || why == leave_reason::network)
      << session << ' ' << who.str() << ' ' << to_string(why);
}

TEST_F(Cluster, ANodeThatLeavesInOrderTakesNobodyWithIt) {
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 1; n < nodes.size(); ++n)
      crowd.join(crowd.add("u" + std::to_string(n), "s" + std::to_string(s)),
                 *nodes[n]);
  world.advance(millis{1'000});
  (void)nodes[0]->stop_and_wait();
  world.advance(millis{30'000});
  EXPECT_EQ(owned(), sim_partitions);
  EXPECT_TRUE(leaves.empty());
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 1; n < nodes.size(); ++n) {
      auto name = "s" + std::to_string(s);
      EXPECT_EQ(seen(n, name), crowd.expected(name)) << name;
    }
}

TEST_F(Cluster, APlannedHandOverShowsNothing) {
  std::vector<std::size_t> people;
  for (int s = 0; s < 12; ++s) {
    people.push_back(crowd.add("u", "s" + std::to_string(s)));
    crowd.join(people.back(), *nodes[1]);
  }
  world.advance(millis{1'000});
  for (auto who : people)
    crowd.publish(who, 7);
  world.advance(millis{1'000});
  changes = snapshots = 0;
  auto took = nodes[0]->stop_and_wait();
  EXPECT_LE(took, millis{4'000});
  EXPECT_EQ(owned(), sim_partitions) << "nobody waited for its absence";
  world.advance(millis{10'000});
  EXPECT_EQ(changes, 0U);
  EXPECT_EQ(snapshots, 0U);
  // The next owner has what was in memory alone.
  for (int s = 0; s < 12; ++s)
    crowd.join(crowd.add("late", "s" + std::to_string(s)), *nodes[2]);
  world.advance(millis{1'000});
  for (int s = 0; s < 12; ++s) {
    auto whole = replicas[2][{namespace_id{"default"},
                              session_id{"s" + std::to_string(s)}}]
                   .make_snapshot();
    ASSERT_EQ(whole.participants.size(), 2U) << s;
    EXPECT_EQ(whole.participants[0].live.count("n"), 1U) << s;
  }
}

// The journal took the change, and its owner believes that it did not: what it
// hands over is old.
TEST_F(Cluster, AHandOverHidesNoChangeTheOwnerNeverHeardOf) {
  for (int s = 0; s < 12; ++s)
    crowd.join(crowd.add("u", "s" + std::to_string(s)), *nodes[1]);
  world.advance(millis{2'000});
  sim_ops ops{world, 1};
  world.log->lost_acks = 1;
  for (int s = 0; s < 12; ++s)
    ops.start("s" + std::to_string(s), "u");
  world.advance(millis{200});
  world.log->lost_acks = 0;
  (void)nodes[0]->stop_and_wait();
  for (int n = 0; n < 8; ++n) {
    ops.retry();
    world.advance(millis{2'500});
  }
  ops.check();
  EXPECT_TRUE(ops.complaints.empty()) << ops.complaints.front();
  EXPECT_GT(ops.unknown, 0U);
  for (int s = 0; s < 12; ++s) {
    auto name = "s" + std::to_string(s);
    auto role = ops.expected(name, "u");
    for (std::size_t n = 1; n < nodes.size() && role; ++n)
      for (const auto& who :
           replicas[n][{namespace_id{"default"}, session_id{name}}]
             .make_snapshot()
             .participants)
        EXPECT_EQ(who.role, *role) << name << " at node " << n;
  }
}

TEST_F(Cluster, ANodeThatComesTakesItsShareUnseen) {
  (void)nodes[0]->stop_and_wait();
  world.advance(millis{4'000});
  std::vector<std::size_t> people;
  for (int s = 0; s < 12; ++s) {
    people.push_back(crowd.add("u", "s" + std::to_string(s)));
    crowd.join(people.back(), *nodes[1]);
  }
  world.advance(millis{1'000});
  for (auto who : people)
    crowd.publish(who, 7);
  world.advance(millis{1'000});
  changes = snapshots = 0;
  nodes[0]->start();
  world.advance(millis{10'000});
  EXPECT_GE(nodes[0]->figure("owned"), sim_partitions / 6);
  EXPECT_GE(nodes[0]->figure("taken"), sim_partitions / 6);
  EXPECT_EQ(changes, 0U);
  EXPECT_EQ(snapshots, 0U);
}

TEST_F(Cluster, ANodeThatWasCutOffComesBackWithoutHarm) {
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 0; n < nodes.size(); ++n)
      crowd.join(crowd.add("u" + std::to_string(n), "s" + std::to_string(s)),
                 *nodes[n]);
  world.advance(millis{1'000});
  // Shorter than the lease of an edge: nobody is to be missed.
  nodes[0]->cut(true);
  world.advance(millis{5'000});
  nodes[0]->cut(false);
  world.advance(millis{20'000});
  crowd.retry();
  world.advance(millis{20'000});
  EXPECT_EQ(owned(), sim_partitions);
  for (int s = 0; s < 6; ++s)
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      auto name = "s" + std::to_string(s);
      EXPECT_EQ(seen(n, name), crowd.expected(name)) << name << " at " << n;
    }
  EXPECT_TRUE(leaves.empty());
}

} // namespace
