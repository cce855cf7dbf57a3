#pragma once

// When an owner is told which connections this node has in its sessions: a
// few times after a change of owner, each partition by its own clock, and in
// rounds for everyone. Pure.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace rollcall::edge {

/// Owned by the hub of a node.
class announcements {
public:
  /// A new owner is told `times`, with `again` between.
  announcements(std::uint32_t times, millis again) noexcept
    : times_(times), again_(again) {
    // nop
  }

  /// The partition has a new owner: its turns begin anew, now.
  void owner_changed(partition_id partition, millis now);

  /// A turn in a round, unless one is due anyway.
  void call(partition_id partition, millis now);

  /// Somebody joined. An announcement of a moment ago may still be under way
  /// without them; the owner must not wait for the next round.
  void joined(partition_id partition, millis now);

  /// The partitions whose turn it is, which takes their turns.
  [[nodiscard]] std::set<partition_id> take_due(millis now);

  /// Steady time of the next turn.
  [[nodiscard]] std::optional<millis> next() const;

private:
  struct turns {
    std::uint32_t left = 0;
    millis due{0};
  };

  std::uint32_t times_;
  millis again_;
  /// Partitions with turns left; at most one entry for each there is.
  std::map<partition_id, turns> waiting_;
  /// When each was last announced; as many.
  std::map<partition_id, millis> last_;
};

} // namespace rollcall::edge
