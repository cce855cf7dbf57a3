#pragma once

// Nodes with planners over a world of heartbeats, and a journal in which each
// claim succeeds at once and fences all earlier ones.

#include "cluster/placement.hpp"
#include "unit/cluster/heartbeat_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace rollcall::cluster::test {

class planner_world {
public:
  heartbeat_world nodes;
  /// The answer of a claim, and the end of a partition, take this long.
  millis slowness{100};
  /// Of 100 claims so many fail.
  int claims_fail = 0;
  /// Claims of this node always fail.
  std::size_t unable = SIZE_MAX;

  struct move {
    millis at{0};
    std::size_t node = 0;
    partition_id partition = 0;
    bool is_claim = false;
  };

  std::vector<move> moved;

  explicit planner_world(std::uint64_t seed, std::uint32_t partitions = 64)
    : nodes(seed), partitions_(partitions), epochs_(partitions, 0) {
    nodes.advanced = [this](std::size_t i, const auto&) { tick(i); };
    nodes.heard = [this](std::size_t i, const heartbeat& word) {
      auto& s = sides_[i];
      for (auto p : s.planner->heard(word)) {
        s.holds.erase(p);
        later_on(i, [this, i, p] { sides_[i].planner->lost(p); });
      }
    };
    nodes.held = [this](std::size_t i) {
      std::vector<held_partition> out;
      for (const auto& [p, epoch] : sides_[i].holds)
        out.push_back({p, epoch, 0, 0});
      return out;
    };
  }

  std::size_t add(std::uint32_t weight = 100) {
    membership::config cfg;
    cfg.partitions = partitions_;
    cfg.weight = weight;
    const auto i = nodes.add(cfg);
    sides_.resize(nodes.size());
    renew(i);
    return i;
  }

  void restart(std::size_t i) {
    nodes.start(i);
    renew(i);
  }

  void stop(std::size_t i) {
    nodes.stop(i);
    renew(i);
  }

  void run(millis d) {
    for (const auto end = nodes.now + d; nodes.now < end;) {
      nodes.step();
      for (std::size_t i = 0; i < sides_.size(); ++i)
        answer(i);
      for (partition_id p = 0; p < partitions_; ++p)
        if (is_served(p))
          unserved_since_[p] = nodes.now;
        else
          longest_gap = later(longest_gap, nodes.now - unserved_since_[p]);
    }
  }

  /// The longest time that a partition had no owner that could write, since
  /// it was set to zero.
  millis longest_gap{0};

  void watch_gaps() {
    longest_gap = millis{0};
    for (partition_id p = 0; p < partitions_; ++p)
      unserved_since_[p] = nodes.now;
  }

  /// Whether the node of the last claim still holds the partition.
  [[nodiscard]] bool is_served(partition_id p) const {
    return std::ranges::any_of(sides_, [&](const side& s) {
      const auto at = s.holds.find(p);
      return at != s.holds.end() && at->second == epochs_[p];
    });
  }

  [[nodiscard]] std::vector<std::size_t> holders(partition_id p) const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < sides_.size(); ++i)
      if (sides_[i].holds.contains(p))
        out.push_back(i);
    return out;
  }

  [[nodiscard]] std::map<partition_id, std::size_t> owners() const {
    std::map<partition_id, std::size_t> out;
    for (partition_id p = 0; p < partitions_; ++p)
      for (auto i : holders(p))
        out[p] = i;
    return out;
  }

  [[nodiscard]] std::size_t held_by(std::size_t i) const {
    return sides_[i].holds.size();
  }

  [[nodiscard]] const claim_planner& planner(std::size_t i) const {
    return *sides_[i].planner;
  }

  [[nodiscard]] std::uint32_t partitions() const {
    return partitions_;
  }

  /// Every partition has one owner, the one it should have, and all know it.
  void expect_all_is_well() {
    for (partition_id p = 0; p < partitions_; ++p) {
      const auto own = holders(p);
      ASSERT_EQ(own.size(), 1U) << "partition " << p;
      ASSERT_TRUE(is_served(p)) << "partition " << p;
      const owner expected{nodes.who(own[0]).self(), epochs_[p]};
      for (std::size_t i = 0; i < sides_.size(); ++i) {
        if (!nodes.is_up(i))
          continue;
        EXPECT_EQ(planner(i).owner_of(p), expected) << "partition " << p;
        EXPECT_EQ(planner(i).wish(p), expected.node) << "partition " << p;
        EXPECT_EQ(rank(p, nodes.who(i).view()).at(0), expected.node);
      }
    }
  }

private:
  struct side {
    std::unique_ptr<claim_planner> planner;
    std::map<partition_id, epoch_t> holds;
    std::vector<std::pair<millis, std::function<void()>>> answers;
    /// What this incarnation did last.
    std::map<partition_id, millis> last_claim;
    std::deque<millis> recent;
  };

  void renew(std::size_t i) {
    sides_[i] = {};
    sides_[i].planner = std::make_unique<claim_planner>(
      nodes.who(i).self(), partitions_, nodes.who(i).self().incarnation);
  }

  void later_on(std::size_t i, std::function<void()> what) {
    const auto d = millis{nodes.pick(static_cast<int>(slowness.count()) + 1)};
    sides_[i].answers.emplace_back(nodes.now + d, std::move(what));
  }

  void answer(std::size_t i) {
    if (!nodes.is_up(i))
      return;
    auto waiting = std::exchange(sides_[i].answers, {});
    for (auto& [at, what] : waiting)
      if (at <= nodes.now)
        what();
      else
        sides_[i].answers.emplace_back(at, std::move(what));
  }

  void tick(std::size_t i) {
    prove(i);
    const auto todo = sides_[i].planner->plan(nodes.who(i), nodes.now);
    for (auto p : todo.claims) {
      note(i, p, true);
      claim(i, p);
    }
    for (const auto& r : todo.releases) {
      note(i, r.partition, false);
      later_on(i, [this, i, p = r.partition] {
        sides_[i].holds.erase(p);
        sides_[i].planner->lost(p);
        nodes.who(i).hurry();
      });
    }
  }

  void claim(std::size_t i, partition_id p) {
    // What fails may have been written all the same.
    const auto fails = i == unable || nodes.chance(claims_fail);
    const auto epoch
      = i == unable || (fails && nodes.chance(50)) ? 0 : ++epochs_[p];
    later_on(i, [this, i, p, epoch, fails] {
      auto& s = sides_[i];
      if (fails) {
        s.planner->lost(p);
      } else if (s.planner->claimed(p, epoch)) {
        s.holds[p] = epoch;
        nodes.who(i).hurry();
      } else {
        later_on(i, [this, i, p] { sides_[i].planner->lost(p); });
      }
    });
  }

  /// An owner writes at least once a second, and is told when it was fenced.
  void prove(std::size_t i) {
    auto& s = sides_[i];
    if (nodes.bus_down || nodes.at(i).cut || nodes.now < proof_due_[i])
      return;
    proof_due_[i] = nodes.now + millis{1'000};
    std::erase_if(s.holds, [&](const auto& h) {
      const auto is_fenced = h.second < epochs_[h.first];
      if (is_fenced)
        s.planner->lost(h.first);
      return is_fenced;
    });
  }

  void note(std::size_t i, partition_id p, bool is_claim) {
    auto& s = sides_[i];
    moved.push_back({nodes.now, i, p, is_claim});
    if (is_claim) {
      const auto last = s.last_claim.find(p);
      if (last != s.last_claim.end()) {
        EXPECT_GE(nodes.now - last->second, limits::claim_every);
      }
      s.last_claim[p] = nodes.now;
    }
    s.recent.push_back(nodes.now);
    while (nodes.now - s.recent.front() >= millis{1'000})
      s.recent.pop_front();
    EXPECT_LE(s.recent.size(), limits::moves_per_second);
    EXPECT_TRUE(nodes.who(i).settled());
    EXPECT_FALSE(nodes.who(i).is_detached(nodes.now));
  }

  std::uint32_t partitions_;
  /// The journal: of each partition, the claim in force.
  std::vector<epoch_t> epochs_;
  std::vector<side> sides_;
  std::map<std::size_t, millis> proof_due_;
  std::map<partition_id, millis> unserved_since_;
};

} // namespace rollcall::cluster::test
