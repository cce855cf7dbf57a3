// Journals that are lost under nodes that have copies of them.

#include "sim/sim_crowd.hpp"

#include <gtest/gtest.h>

#include <memory>

using namespace rollcall;
using namespace rollcall::sim;

namespace {

constexpr int sessions = 12;

class JournalLoss : public ::testing::Test {
protected:
  JournalLoss() : world(3), crowd(world) {
    for (const char* name : {"a", "b", "c"})
      nodes.push_back(std::make_unique<sim_node>(
        world, name, [this](const node_message& told) { hear(told); }));
    world.advance(millis{4'000});
  }

  void hear(const node_message& told) {
    if (const auto* next = std::get_if<batch_ptr>(&told))
      for (const auto& one : (*next)->changes)
        leaves += std::holds_alternative<left_change>(one.body) ? 1 : 0;
  }

  void join(const std::string& user, sim_node& at) {
    for (int s = 0; s < sessions; ++s)
      crowd.join(crowd.add(user, "s" + std::to_string(s)), at);
    world.advance(millis{3'000});
  }

  std::int64_t owned() {
    std::int64_t out = 0;
    for (auto& node : nodes)
      if (node->running())
        out += node->figure("owned");
    return out;
  }

  /// How many partitions have anything, and that all who run agree on what.
  int used() {
    int out = 0;
    sim_node* first = nullptr;
    for (auto& node : nodes)
      if (node->running() && first == nullptr)
        first = node.get();
    for (partition_id p = 0; p < sim_partitions; ++p) {
      out += first->content(p).empty() ? 0 : 1;
      for (auto& node : nodes)
        if (node->running()) {
          EXPECT_EQ(node->content(p), first->content(p))
            << p << " at " << node->self().name;
        }
    }
    return out;
  }

  void lose_all() {
    for (partition_id p = 0; p < sim_partitions; ++p)
      world.log->lose(p);
  }

  sim_world world;
  std::vector<std::unique_ptr<sim_node>> nodes;
  int leaves = 0;
  /// Ends before the nodes that its clients are at.
  sim_crowd crowd;
};

TEST_F(JournalLoss, StandbysHaveWhatOwnersHave) {
  join("u", *nodes[0]);
  EXPECT_GE(used(), sessions / 2);
}

TEST_F(JournalLoss, AllIsMadeAnewFromTheFurthestCopies) {
  join("u", *nodes[0]);
  auto before = used();
  lose_all();
  world.advance(millis{20'000});
  EXPECT_EQ(owned(), sim_partitions);
  for (partition_id p = 0; p < sim_partitions; ++p) {
    ASSERT_NE(world.log->find(p), nullptr) << p;
    EXPECT_EQ(world.log->find(p)->marker.generation, 2U) << p;
  }
  EXPECT_EQ(leaves, 0);
  crowd.retry();
  join("v", *nodes[1]);
  EXPECT_GE(used(), before);
  // What was made anew is enough for the last one left.
  nodes[0]->crash();
  crowd.lose(*nodes[0]);
  nodes[1]->crash();
  crowd.lose(*nodes[1]);
  world.advance(millis{6'000});
  EXPECT_EQ(owned(), sim_partitions);
}

TEST_F(JournalLoss, JournalsThatCameBackShorterAreNotBelieved) {
  join("u", *nodes[0]);
  for (partition_id p = 0; p < sim_partitions; ++p)
    world.log->cut(p, 1);
  auto before = used();
  world.advance(millis{20'000});
  EXPECT_EQ(owned(), sim_partitions);
  EXPECT_GE(used(), before);
  EXPECT_EQ(leaves, 0);
}

TEST_F(JournalLoss, AStaleCopyWaitsUntilItIsToldNotTo) {
  nodes[2]->crash();
  join("u", *nodes[0]);
  nodes[0]->crash();
  crowd.lose(*nodes[0]);
  nodes[1]->crash();
  lose_all();
  nodes[2]->start();
  world.advance(millis{30'000});
  EXPECT_EQ(owned(), 0);
  EXPECT_EQ(world.log->find(0), nullptr);
  nodes[2]->crash();
  nodes[2]->accept_loss = true;
  nodes[2]->start();
  world.advance(millis{30'000});
  EXPECT_EQ(owned(), sim_partitions);
  EXPECT_EQ(world.log->find(0)->marker.generation, 2U);
  // Who has more comes back, and mixes nothing in.
  nodes[0]->start();
  world.advance(millis{10'000});
  EXPECT_EQ(world.log->find(0)->marker.generation, 2U);
}

// It has heard nothing of the end that the journals lost, and those who have
// are not there to tell.
TEST_F(JournalLoss, WhoKnowsNothingOfALossDoesNotGoOn) {
  nodes[2]->crash();
  join("u", *nodes[0]);
  auto before = used();
  for (partition_id p = 0; p < sim_partitions; ++p)
    world.log->cut(p, world.log->find(p)->last - 1);
  world.advance(millis{5'000});
  for (auto& node : {nodes[0].get(), nodes[1].get()}) {
    node->crash();
    crowd.lose(*node);
  }
  nodes[2]->start();
  world.advance(millis{15'000});
  EXPECT_EQ(owned(), 0);
  nodes[0]->start();
  nodes[1]->start();
  world.advance(millis{30'000});
  EXPECT_EQ(owned(), sim_partitions);
  EXPECT_GE(used(), before);
  for (partition_id p = 0; p < sim_partitions; ++p)
    EXPECT_EQ(world.log->find(p)->marker.generation, 2U) << p;
}

TEST_F(JournalLoss, TheFurthestIsWaitedForIfItComesBack) {
  join("u", *nodes[1]);
  nodes[2]->crash();
  join("v", *nodes[1]);
  auto before = used();
  for (auto& node : {nodes[0].get(), nodes[1].get()}) {
    node->crash();
    crowd.lose(*node);
  }
  lose_all();
  nodes[2]->start();
  nodes[0]->start();
  world.advance(millis{15'000});
  EXPECT_EQ(owned(), 0);
  nodes[1]->start();
  world.advance(millis{30'000});
  EXPECT_EQ(owned(), sim_partitions);
  EXPECT_GE(used(), before);
}

} // namespace
