#pragma once

// What nodes tell each other about themselves, and what they ask on behalf of
// their clients.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/commands.hpp"
#include "actors/handover.hpp"
#include "actors/replies.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace rollcall {

/// A partition as its owner or standby speaks of it.
struct held_partition {
  partition_id partition = 0;
  /// The claim under which it is owned; zero for a standby.
  epoch_t epoch = 0;
  /// How far the store has applied the journal.
  std::uint64_t generation = 0;
  position_t position = 0;
  /// Which journal of that generation it is a copy of.
  std::uint64_t incarnation = 0;

  friend bool operator==(const held_partition&, const held_partition&)
    = default;
};

/// "I am here": from every node to every node, each limits::heartbeat_every.
struct heartbeat {
  node_id node;
  /// Counts up from 1 for each incarnation.
  std::uint64_t number = 0;
  /// May own partitions.
  bool core = true;
  /// Has clients.
  bool edge = true;
  /// Is on its way out: takes no new partitions.
  bool leaving = false;
  /// Share of the partitions, relative to others.
  std::uint32_t weight = 100;
  /// All must agree on it; a node of another count is not of this cluster.
  std::uint32_t partitions = 0;
  std::vector<held_partition> held;
  /// The sender's Unix time as it sends. The one exception from the rule that
  /// nodes tell each other durations and not times: it serves to notice a
  /// clock that is wrong and for nothing else (cluster/wall_clocks.hpp). Zero
  /// from nodes that do not say.
  millis wall{0};
  /// How long the sender has been up. Zero from nodes that do not say.
  millis up{0};
  /// Its clock is wrong, it says: it takes no partitions and gives its own away
  /// until that is mended.
  bool aside = false;
  /// The latest form of records it can read.
  std::uint32_t reads = record_form_first;

  friend bool operator==(const heartbeat&, const heartbeat&) = default;
};

/// A command for a session whose partition another node owns.
struct routed_command {
  /// Chosen by the asker; comes back with the answer.
  std::uint64_t ticket = 0;
  command_ptr asked;
};

/// In the `field` of an `unavailable`: this node does not own the session.
inline constexpr const char* not_owner_field = "owner";

/// The field of a refusal by which a node that is cut off says that the caller
/// has seen more of the session than it knows itself.
inline constexpr const char* behind_field = "since";

struct routed_reply {
  std::uint64_t ticket = 0;
  reply_ptr answer;
};

using heartbeat_ptr = std::shared_ptr<const heartbeat>;
using routed_command_ptr = std::shared_ptr<const routed_command>;
using routed_reply_ptr = std::shared_ptr<const routed_reply>;

} // namespace rollcall
