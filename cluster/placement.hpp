#pragma once

// Who should own what, and which steps bring that about. A wish only: what is
// owned, the claims in the journals decide. Pure, without threads and clocks.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/nodes.hpp"
#include "cluster/membership.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace rollcall::cluster {

// -- the wish ----------------------------------------------------------------

/// The nodes in the order in which they should own, and stand by for, a
/// partition. Weighted rendezvous hashing by name, in integers alone, so that
/// all nodes find the same order from the same `nodes`: when a node comes or
/// goes only partitions that it gains or loses move, and shares are in
/// proportion to weights. Nodes of weight 0 come last. The arithmetic is part
/// of what nodes of different versions agree on: it must not change.
[[nodiscard]] std::vector<node_id> rank(partition_id partition,
                                        std::span<const core_node> nodes);

/// `rank` over the members of a view.
[[nodiscard]] inline std::vector<node_id> rank(partition_id partition,
                                               const core_view& view) {
  return rank(partition, view.members);
}

// -- the steps ---------------------------------------------------------------

/// A partition that another node should have.
struct release {
  partition_id partition = 0;
  node_id to;

  friend bool operator==(const release&, const release&) = default;
};

/// What to do now.
struct moves {
  std::vector<partition_id> claims;
  std::vector<release> releases;

  friend bool operator==(const moves&, const moves&) = default;
};

/// Who owns a partition, as far as it was heard.
struct owner {
  node_id node;
  epoch_t epoch = 0;

  friend bool operator==(const owner&, const owner&) = default;
};

/// Decides for one node which partitions to claim and which to give up.
/// Owned by the node actor and called on its thread only.
///
/// A partition is claimed when the wish gives it to us and its owner is
/// unknown, not alive, or has given it up; after a delay by our rank among all
/// who might think the same. One that stays ownerless falls to the next in
/// rank after limits::claim_patience. Never more than one claim of a partition
/// within limits::claim_every, nor more than limits::moves_per_second in all.
/// While the view is unsettled or we are detached nothing moves.
class claim_planner {
public:
  /// `seed` drives the jitter of claims: another one for each node.
  claim_planner(node_id self, std::uint32_t partitions, std::uint64_t seed);

  /// What to do at the steady time `now`; to be asked after each
  /// `membership::advance`. Each claim is to be answered by `claimed` or
  /// `lost`, each release by `lost` once the partition is stopped; until then
  /// the partition is not spoken of again.
  [[nodiscard]] moves plan(const membership& nodes, millis now);

  /// Takes in who owns what, from a heartbeat that `membership::take` called
  /// fresh. Returns those of our partitions that another owns by a later
  /// claim: they are to be stopped, and answered by `lost`.
  [[nodiscard]] std::vector<partition_id> heard(const heartbeat& word);

  /// The claim is in force. False if a later one of another node is known
  /// already: then the partition is to be stopped, and answered by `lost`.
  [[nodiscard]] bool claimed(partition_id partition, epoch_t epoch);

  /// Its owner gives us a partition that it had by the claim `epoch`. Whether
  /// to claim it now; then it is to be answered like a claim of `plan`.
  [[nodiscard]] bool offered(const membership& nodes, partition_id partition,
                             epoch_t epoch, millis now);

  /// We do not own the partition: the claim failed, the journal refused us,
  /// or it was stopped. A new claim waits at least limits::claim_every.
  void lost(partition_id partition);

  /// The last known owner, ourselves included; it need not be alive.
  [[nodiscard]] std::optional<owner> owner_of(partition_id partition) const;

  /// Who should own the partition in the last settled view.
  [[nodiscard]] std::optional<node_id> wish(partition_id partition) const;

private:
  enum class stage : std::uint8_t { idle, claiming, owned, stopping };

  struct slot {
    stage at = stage::idle;
    /// Another node, by the claim `highest`.
    std::optional<node_id> owner;
    /// The latest claim that was heard of, or is ours.
    epoch_t highest = 0;
    /// To whom we gave it up, until somebody is heard to own it.
    std::optional<node_id> handed_to;
    /// Where the wish of the view leads, and our place in it.
    std::optional<node_id> wish;
    std::optional<std::uint32_t> our_rank;
    /// When a claim that is wanted now may be made.
    std::optional<millis> due;
    /// We just lost it, or failed to claim it.
    bool held_off = false;
    /// We are not the wish, and took it because nobody else did; for how
    /// long, and how long the next time.
    std::optional<millis> keep_until;
    millis keep_for = limits::fallback_keeps;
  };

  void adopt(const core_view& view);
  void plan_claims(const membership& nodes, millis now, moves& out);
  void plan_releases(const membership& nodes, millis now, moves& out);
  [[nodiscard]] millis delay(partition_id partition,
                             const std::vector<core_node>& known);
  [[nodiscard]] bool may_move(millis now);
  [[nodiscard]] slot* find(partition_id partition);

  node_id self_;
  std::uint64_t jitter_;
  /// By partition; at most limits::partitions_max.
  std::vector<slot> slots_;
  std::uint64_t view_ = 0;
  /// When the last moves were; at most limits::moves_per_second.
  std::deque<millis> moved_;
};

} // namespace rollcall::cluster
