#include "cluster/placement.hpp"

#include "unit/cluster/planner_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace rollcall::cluster {
namespace {

using test::planner_world;

std::vector<core_node> nodes_of(std::size_t count, std::uint32_t weight = 100) {
  std::vector<core_node> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({{"node" + std::to_string(i), 1}, weight});
  return out;
}

// -- rank --------------------------------------------------------------------

TEST(Rank, IsPinnedForAllVersions) {
  std::vector<core_node> nodes{
    {{"amber", 1}, 100}, {{"birch", 2}, 200}, {{"cedar", 3}, 100}};
  std::string first;
  for (partition_id p = 0; p < 32; ++p)
    first += rank(p, nodes).at(0).name[0];
  // Found with other means: floating point, in another language.
  EXPECT_EQ(first, "bbbbcbbccbcababbcbbbbaacbcccbcab");
}

TEST(Rank, NamesEveryNodeOnceInAnyOrderOfAsking) {
  auto nodes = nodes_of(9);
  std::mt19937_64 random{7};
  for (partition_id p = 0; p < 64; ++p) {
    const auto order = rank(p, nodes);
    EXPECT_EQ(std::set<node_id>(order.begin(), order.end()).size(), 9U);
    auto shuffled = nodes;
    std::ranges::shuffle(shuffled, random);
    EXPECT_EQ(rank(p, shuffled), order);
  }
  EXPECT_TRUE(rank(0, std::span<const core_node>{}).empty());
}

TEST(Rank, ForgetsTheIncarnation) {
  auto nodes = nodes_of(3);
  for (partition_id p = 0; p < 64; ++p) {
    const auto before = rank(p, nodes).at(0).name;
    nodes[p % 3].node.incarnation += 1;
    EXPECT_EQ(rank(p, nodes).at(0).name, before);
  }
}

TEST(Rank, KeepsTheOrderOfTheOthersWhenANodeGoes) {
  const auto nodes = nodes_of(7);
  for (partition_id p = 0; p < 256; ++p) {
    for (std::size_t gone = 0; gone < nodes.size(); ++gone) {
      auto fewer = nodes;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(gone));
      auto expected = rank(p, nodes);
      std::erase(expected, nodes[gone].node);
      EXPECT_EQ(rank(p, fewer), expected);
    }
  }
}

TEST(Rank, SharesInProportionToWeights) {
  std::vector<core_node> nodes{
    {{"a", 1}, 50}, {{"b", 1}, 100}, {{"c", 1}, 150}, {{"d", 1}, 700}};
  constexpr partition_id draws = 100'000;
  std::map<std::string, double> won;
  for (partition_id p = 0; p < draws; ++p)
    won[rank(p, nodes).at(0).name] += 1;
  for (const auto& n : nodes) {
    const auto share = n.weight / 1'000.0;
    // Five standard deviations.
    const auto slack = 5 * std::sqrt(draws * share * (1 - share));
    EXPECT_NEAR(won[n.node.name], draws * share, slack) << n.node.name;
  }
}

TEST(Rank, MovesNothingBetweenOthersWhenAWeightChanges) {
  const auto nodes = nodes_of(5);
  auto heavier = nodes;
  heavier[2].weight = 250;
  std::size_t moved = 0;
  for (partition_id p = 0; p < 1'000; ++p) {
    const auto before = rank(p, nodes).at(0);
    const auto after = rank(p, heavier).at(0);
    if (before != after) {
      EXPECT_EQ(after, heavier[2].node);
      ++moved;
    }
  }
  EXPECT_GT(moved, 0U);
}

TEST(Rank, PutsNodesWithoutWeightLast) {
  auto nodes = nodes_of(4);
  nodes[1].weight = 0;
  for (partition_id p = 0; p < 64; ++p)
    EXPECT_EQ(rank(p, nodes).back(), nodes[1].node);
  EXPECT_EQ(rank(3, std::span{nodes}.subspan(1, 1)).size(), 1U);
}

// -- one planner -------------------------------------------------------------

/// A planner whose other nodes are spoken for by the test.
class ClaimPlanner : public ::testing::Test {
protected:
  ClaimPlanner() : nodes{us, config()}, planner{us, partitions, 1} {
    // nop
  }

  static constexpr std::uint32_t partitions = 8;

  static membership::config config() {
    membership::config out;
    out.partitions = partitions;
    return out;
  }

  /// All that was planned meanwhile.
  moves pass(millis d) {
    moves out;
    for (const auto end = now + d; now < end;) {
      now += millis{100};
      for (const auto& [who, held] : talking)
        say(who, held);
      for (const auto& e : nodes.advance(now))
        (void)e;
      if (auto word = nodes.due(now, {}); word && !deaf) {
        EXPECT_TRUE(nodes.take(*word, now).ok());
      }
      const auto todo = planner.plan(nodes, now);
      out.claims.insert(out.claims.end(), todo.claims.begin(),
                        todo.claims.end());
      out.releases.insert(out.releases.end(), todo.releases.begin(),
                          todo.releases.end());
    }
    return out;
  }

  std::vector<partition_id> say(const node_id& who,
                                const std::map<partition_id, epoch_t>& held) {
    heartbeat word;
    word.node = who;
    word.number = ++number;
    word.partitions = partitions;
    if (they_began)
      word.up = later(now - *they_began, millis{1});
    for (const auto& [p, epoch] : held)
      word.held.push_back({p, epoch, 0, 0});
    EXPECT_EQ(*nodes.take(word, now), intake::fresh);
    return planner.heard(word);
  }

  void own_all(epoch_t epoch) {
    const auto all = pass(millis{2'000});
    EXPECT_EQ(all.claims.size(), partitions);
    for (auto p : all.claims)
      EXPECT_TRUE(planner.claimed(p, epoch));
  }

  const node_id us{"us", 1};
  const node_id them{"them", 7};
  millis now{50'000};
  bool deaf = false;
  std::uint64_t number = 0;
  std::optional<millis> they_began;
  membership nodes;
  claim_planner planner;
  std::map<node_id, std::map<partition_id, epoch_t>> talking;
};

TEST_F(ClaimPlanner, TakesAllWhenAlone) {
  const auto early = pass(limits::view_settles_after);
  EXPECT_TRUE(early.claims.empty());
  own_all(1);
  EXPECT_EQ(pass(millis{10'000}), moves{});
  EXPECT_EQ(planner.owner_of(3), (owner{us, 1}));
}

TEST_F(ClaimPlanner, ClaimsNothingThatALivingNodeOwns) {
  for (partition_id p = 0; p < partitions; ++p)
    talking[them][p] = 4;
  EXPECT_EQ(pass(millis{30'000}), moves{});
  EXPECT_EQ(planner.owner_of(3), (owner{them, 4}));
}

TEST_F(ClaimPlanner, ClaimsWhatALivingNodeGaveUpIfTheWishIsOurs) {
  for (partition_id p = 0; p < partitions; ++p)
    talking[them][p] = 4;
  pass(millis{2'000});
  talking[them].clear();
  std::set<partition_id> expected;
  for (partition_id p = 0; p < partitions; ++p)
    if (rank(p, nodes.view()).at(0) == us)
      expected.insert(p);
  ASSERT_FALSE(expected.empty());
  ASSERT_LT(expected.size(), partitions);
  const auto claims = pass(millis{1'000}).claims;
  EXPECT_EQ(std::set<partition_id>(claims.begin(), claims.end()), expected);
}

TEST_F(ClaimPlanner, TakesOverFromASuspectAfterViewRankAndJitter) {
  for (partition_id p = 0; p < partitions; ++p)
    talking[them][p] = 4;
  pass(millis{2'000});
  talking.clear();
  // The suspicion, the view, and nobody's rank.
  EXPECT_EQ(
    pass(limits::suspect_after + limits::view_settles_after - millis{100}),
    moves{});
  EXPECT_EQ(pass(limits::claim_rank_delay + limits::claim_jitter + millis{100})
              .claims.size(),
            partitions);
}

TEST_F(ClaimPlanner, LetsTheBetterPlacedGoFirst) {
  for (partition_id p = 0; p < partitions; ++p)
    talking[them][p] = 4;
  pass(millis{2'000});
  talking.clear();
  std::map<partition_id, millis> claimed;
  std::optional<millis> settled;
  while (claimed.size() < partitions) {
    for (auto p : pass(millis{100}).claims)
      claimed[p] = now;
    if (!settled && nodes.settled() && nodes.view().members.size() == 1)
      settled = now;
  }
  // They may be slow, or we may be wrong about them.
  const auto all = nodes.known_cores();
  ASSERT_EQ(all.size(), 2U);
  for (const auto& [p, at] : claimed) {
    if (rank(p, all).at(0) == us) {
      EXPECT_LE(at - *settled, limits::claim_jitter);
    } else {
      EXPECT_GE(at - *settled, limits::claim_rank_delay);
    }
  }
}

TEST_F(ClaimPlanner, LosesPatienceAnewAfterItDidNotHear) {
  talking[them] = {};
  std::set<partition_id> ours;
  for (auto p : pass(millis{3'000}).claims)
    ours.insert(p);
  for (auto p : ours)
    EXPECT_TRUE(planner.claimed(p, 1));
  ASSERT_LT(ours.size(), partitions);
  EXPECT_EQ(pass(millis{5'000}), moves{});
  deaf = true;
  EXPECT_EQ(pass(millis{2'000}), moves{});
  deaf = false;
  EXPECT_EQ(pass(limits::claim_patience), moves{});
  EXPECT_EQ(pass(millis{1'500}).claims.size(), partitions - ours.size());
}

TEST_F(ClaimPlanner, ClaimsNothingOnceItLeavesOrAsLongAsItHeardNothing) {
  while (!nodes.settled())
    pass(millis{100});
  EXPECT_EQ(planner.plan(nodes, now + limits::detached_after + millis{1}),
            moves{});
  // Without an `advance` in between, too.
  (void)planner.plan(nodes, now);
  nodes.leave();
  EXPECT_EQ(planner.plan(nodes, now + millis{1'000}), moves{});
}

TEST_F(ClaimPlanner, ReleasesWhatTheWishGivesToAnother) {
  own_all(1);
  talking[them] = {};
  const auto todo = pass(millis{2'000});
  EXPECT_TRUE(todo.claims.empty());
  ASSERT_FALSE(todo.releases.empty());
  for (const auto& r : todo.releases) {
    EXPECT_EQ(r.to, them);
    EXPECT_EQ(planner.wish(r.partition), them);
    // Until it is stopped it is not spoken of again.
    planner.lost(r.partition);
  }
  EXPECT_EQ(pass(millis{3'000}), moves{});
}

TEST_F(ClaimPlanner, GivesNothingToANodeThatIsBusyWithItsStart) {
  own_all(1);
  EXPECT_EQ(pass(limits::warm_after), moves{});
  they_began = now;
  talking[them] = {};
  EXPECT_EQ(pass(limits::warm_after - millis{500}), moves{});
  EXPECT_FALSE(pass(millis{1'000}).releases.empty());
}

TEST_F(ClaimPlanner, GivesAtOnceWhereAllHaveJustStarted) {
  own_all(1);
  they_began = now;
  talking[them] = {};
  EXPECT_FALSE(pass(millis{2'000}).releases.empty());
}

TEST_F(ClaimPlanner, GivesAtOnceWhenItLeaves) {
  own_all(1);
  EXPECT_EQ(pass(limits::warm_after), moves{});
  they_began = now;
  talking[them] = {};
  nodes.leave();
  EXPECT_EQ(pass(millis{2'000}).releases.size(), partitions);
}

TEST_F(ClaimPlanner, GivesUpAllWhenLeavingAndTakesNothing) {
  own_all(1);
  talking[them] = {};
  nodes.leave();
  const auto todo = pass(millis{2'000});
  EXPECT_EQ(todo.releases.size(), partitions);
  EXPECT_TRUE(todo.claims.empty());
  for (const auto& r : todo.releases)
    planner.lost(r.partition);
  EXPECT_EQ(pass(millis{60'000}), moves{});
}

TEST_F(ClaimPlanner, MovesNothingWhileItDoesNotHearItself) {
  deaf = true;
  EXPECT_EQ(pass(millis{10'000}), moves{});
  deaf = false;
  own_all(1);
  deaf = true;
  EXPECT_EQ(pass(limits::deaf_after), moves{});
  talking[them] = {};
  EXPECT_EQ(pass(millis{10'000}), moves{});
  deaf = false;
  EXPECT_FALSE(pass(millis{2'000}).releases.empty());
}

TEST_F(ClaimPlanner, LosesToALaterClaimOnly) {
  own_all(5);
  EXPECT_TRUE(say(them, {{2, 4}}).empty());
  EXPECT_EQ(planner.owner_of(2), (owner{us, 5}));
  EXPECT_EQ(say(them, {{2, 6}}), std::vector<partition_id>{2});
  EXPECT_EQ(planner.owner_of(2), (owner{them, 6}));
  EXPECT_TRUE(say(them, {{2, 6}}).empty());
}

TEST_F(ClaimPlanner, IsToldWhenItsClaimIsOvertakenAlready) {
  const auto all = pass(millis{2'000});
  ASSERT_EQ(all.claims.size(), partitions);
  (void)say(them, {{2, 6}});
  EXPECT_FALSE(planner.claimed(2, 5));
  EXPECT_EQ(planner.owner_of(2), (owner{them, 6}));
  EXPECT_TRUE(planner.claimed(3, 5));
}

TEST_F(ClaimPlanner, BelievesNoOwnerWhoHasLost) {
  const node_id third{"third", 1};
  (void)say(third, {{2, 9}});
  (void)say(them, {{2, 4}});
  EXPECT_EQ(planner.owner_of(2), (owner{third, 9}));
  (void)say(third, {});
  (void)say(them, {{2, 4}});
  EXPECT_EQ(planner.owner_of(2), std::nullopt);
}

TEST_F(ClaimPlanner, WaitsASecondBeforeItClaimsAgain) {
  const auto all = pass(millis{2'000});
  ASSERT_EQ(all.claims.size(), partitions);
  planner.lost(2);
  EXPECT_EQ(pass(limits::claim_every - millis{100}), moves{});
  EXPECT_EQ(pass(millis{300}).claims, std::vector<partition_id>{2});
}

TEST_F(ClaimPlanner, DoesNotWaitForWhatItGaveUpLongAgo) {
  own_all(1);
  talking[them] = {};
  const auto given = pass(millis{2'000}).releases;
  ASSERT_FALSE(given.empty());
  for (const auto& r : given) {
    planner.lost(r.partition);
    talking[them][r.partition] = 2;
  }
  EXPECT_EQ(pass(millis{5'000}), moves{});
  talking.clear();
  EXPECT_EQ(pass(limits::suspect_after + limits::view_settles_after
                 + limits::claim_rank_delay + limits::claim_jitter)
              .claims.size(),
            given.size());
}

TEST_F(ClaimPlanner, IgnoresPartitionsThatAreNotThere) {
  planner.lost(partitions);
  EXPECT_FALSE(planner.claimed(partitions, 1));
  EXPECT_EQ(planner.owner_of(partitions), std::nullopt);
  EXPECT_EQ(planner.wish(partitions), std::nullopt);
}

// -- many --------------------------------------------------------------------

TEST(Placement, GivesEveryPartitionOneOwnerAtAColdStart) {
  planner_world world{1};
  for (int i = 0; i < 3; ++i)
    world.add();
  world.run(millis{5'000});
  world.expect_all_is_well();
  // Each claimed its own; nobody had to give anything up.
  EXPECT_EQ(world.moved.size(), world.partitions());
}

TEST(Placement, MovesOnlyThePartitionsOfANodeThatDied) {
  planner_world world{2};
  for (int i = 0; i < 4; ++i)
    world.add();
  world.run(millis{5'000});
  const auto before = world.owners();
  world.moved.clear();
  world.watch_gaps();
  world.stop(1);
  world.run(millis{10'000});
  world.expect_all_is_well();
  std::set<partition_id> lost;
  for (const auto& [p, owner] : before)
    if (owner == 1)
      lost.insert(p);
  ASSERT_FALSE(lost.empty());
  EXPECT_EQ(world.moved.size(), lost.size());
  for (const auto& m : world.moved)
    EXPECT_TRUE(m.is_claim && lost.contains(m.partition));
  EXPECT_LE(world.longest_gap, millis{3'000});
}

TEST(Placement, HandsOverToANewNodeWhatItGainsAndNothingElse) {
  planner_world world{3};
  for (int i = 0; i < 3; ++i)
    world.add();
  world.run(millis{5'000});
  world.moved.clear();
  world.watch_gaps();
  world.add();
  world.run(millis{15'000});
  world.expect_all_is_well();
  EXPECT_GT(world.held_by(3), 0U);
  EXPECT_EQ(world.moved.size(), 2 * world.held_by(3));
  for (const auto& m : world.moved)
    EXPECT_EQ(m.is_claim, m.node == 3);
  EXPECT_LE(world.longest_gap, millis{1'000});
}

TEST(Placement, DrainsANodeThatLeaves) {
  planner_world world{4, 256};
  for (int i = 0; i < 3; ++i)
    world.add();
  world.run(millis{15'000});
  world.expect_all_is_well();
  world.watch_gaps();
  world.nodes.who(0).leave();
  world.run(millis{15'000});
  EXPECT_EQ(world.held_by(0), 0U);
  EXPECT_LE(world.longest_gap, millis{1'000});
  world.stop(0);
  world.moved.clear();
  world.run(millis{15'000});
  world.expect_all_is_well();
  EXPECT_TRUE(world.moved.empty());
}

TEST(Placement, TakesOneNodesShareInProportionToItsWeight) {
  planner_world world{5, 256};
  world.add(100);
  world.add(300);
  world.run(millis{20'000});
  world.expect_all_is_well();
  EXPECT_NEAR(static_cast<double>(world.held_by(1)), 192.0, 35.0);
}

TEST(Placement, FallsToTheNextWhenTheBestCannotClaim) {
  planner_world world{6};
  for (int i = 0; i < 3; ++i)
    world.add();
  world.unable = 0;
  world.run(millis{20'000});
  for (partition_id p = 0; p < world.partitions(); ++p)
    EXPECT_TRUE(world.is_served(p)) << p;
  // Kept, and given back as soon as that helps.
  world.unable = SIZE_MAX;
  world.run(limits::fallback_keeps + millis{15'000});
  world.expect_all_is_well();
}

TEST(Placement, DrainsWhatFellToANodeToo) {
  planner_world world{8};
  for (int i = 0; i < 2; ++i)
    world.add();
  world.unable = 0;
  world.run(millis{15'000});
  EXPECT_EQ(world.held_by(1), world.partitions());
  world.unable = SIZE_MAX;
  world.nodes.who(1).leave();
  world.run(millis{10'000});
  EXPECT_EQ(world.held_by(1), 0U);
}

TEST(Placement, AsksANodeThatCannotClaimLessAndLess) {
  planner_world world{9, 8};
  for (int i = 0; i < 2; ++i)
    world.add();
  world.unable = 0;
  world.run(millis{20 * 60'000});
  std::map<partition_id, std::size_t> asked;
  for (const auto& m : world.moved)
    asked[m.partition] += m.is_claim ? 0U : 1U;
  for (const auto& [p, times] : asked)
    EXPECT_LE(times, 5U);
}

TEST(Placement, LosesFewPartitionsToANodeThatCannotClaim) {
  planner_world world{7};
  for (int i = 0; i < 2; ++i)
    world.add();
  world.run(millis{5'000});
  world.unable = world.add();
  for (int i = 0; i < 100; ++i) {
    world.run(millis{100});
    std::size_t unserved = 0;
    for (partition_id p = 0; p < world.partitions(); ++p)
      unserved += world.is_served(p) ? 0U : 1U;
    EXPECT_LE(unserved, 2 * limits::handovers_in_flight);
  }
}

std::uint64_t from_env(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class PlacementHistory : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(PlacementHistory, EndsWithOneOwnerOfEachPartition) {
  const auto seed = from_env("ROLLCALL_SEED", GetParam());
  std::cout << "seed " << seed << '\n';
  planner_world world{seed};
  auto& nodes = world.nodes;
  const auto count = static_cast<std::size_t>(2 + nodes.pick(4));
  for (std::size_t i = 0; i < count; ++i)
    world.add(static_cast<std::uint32_t>(50 + nodes.pick(200)));
  nodes.sky = {nodes.pick(25), nodes.pick(20), millis{nodes.pick(700)}};
  world.slowness = millis{nodes.pick(2'000)};
  world.claims_fail = nodes.pick(40);
  for (int i = 0; i < 30; ++i) {
    const auto at = static_cast<std::size_t>(nodes.pick(int(count)));
    switch (nodes.pick(7)) {
    case 0:
      nodes.pause(at, millis{nodes.pick(20'000)});
      break;
    case 1:
      world.stop(at);
      break;
    case 2:
    case 3:
      world.restart(at);
      break;
    case 4:
      nodes.at(at).cut = !nodes.at(at).cut;
      break;
    case 5:
      nodes.bus_down = nodes.chance(40);
      break;
    default:
      nodes.who(at).leave();
      break;
    }
    world.run(millis{nodes.pick(5'000)});
  }
  nodes.bus_down = false;
  nodes.sky = {};
  world.slowness = millis{100};
  world.claims_fail = 0;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.at(i).cut = false;
    nodes.at(i).paused_until = nodes.now;
    if (nodes.at(i).running && nodes.who(i).leaving())
      world.stop(i);
  }
  if (!nodes.is_up(0))
    world.restart(0);
  // Others are forgotten, patience ends, and what fell to others goes home.
  world.run(limits::forget_after + limits::claim_patience
            + 4 * limits::fallback_keeps);
  world.expect_all_is_well();
  world.moved.clear();
  world.run(millis{10'000});
  EXPECT_TRUE(world.moved.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlacementHistory,
                         ::testing::Range<std::uint64_t>(1, 31));

} // namespace
} // namespace rollcall::cluster
