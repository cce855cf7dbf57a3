#pragma once

// Which node has which copy of which partition, as far as heartbeats tell, and
// what follows from that when a journal is lost: whose copy it is made anew
// from (docs/decisions/0009-journals-made-anew.md). No clock, no network.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "actors/nodes.hpp"
#include "actors/ports.hpp"
#include "cluster/membership.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rollcall::cluster {

/// One per node; the node actor, the standby actor and the journal share it.
/// Thread-safe, and never waits for more than its own few lines.
class copy_book {
public:
  struct config {
    std::string self;
    std::uint32_t partitions = 0;
    /// The operator says that what missing nodes may have is given up.
    bool accept_loss = false;
    /// The core nodes that were ever part of the cluster.
    std::vector<std::string> known;
  };

  explicit copy_book(config cfg);

  // -- what is there ---------------------------------------------------------

  /// A heartbeat of another node. True when it is a core node that was not
  /// known before: `known` has changed.
  bool heard(const heartbeat& word, millis now);

  /// Core nodes that were ever heard, ourselves excluded; sorted. At most
  /// limits::nodes, the earliest names of the alphabet.
  [[nodiscard]] std::vector<std::string> known() const;

  /// Where our own store stands: told at the start, and by every write before
  /// that is answered. So no heartbeat is behind what was committed.
  void keep(partition_id partition, const checkpoint& at);

  /// What this node is doing: the partitions that it owns or is about to, who
  /// shares them, and whether it hears the others.
  void set_duty(std::span<const partition_id> held,
                std::span<const core_node> cores, bool hears);

  // -- what follows ----------------------------------------------------------

  /// Adds our copies to what a heartbeat says we hold: the place of those that
  /// are there, and those that we stand by for.
  void complete(std::vector<held_partition>& held) const;

  /// The copies that other nodes speak of, or last spoke of.
  [[nodiscard]] std::vector<checkpoint> copies(partition_id partition) const;

  [[nodiscard]] bool is_held(partition_id partition) const;

  /// Whether we are to have a copy: all core nodes of a small cluster, the
  /// first limits::copies in rank of a larger one.
  [[nodiscard]] bool stands_by(partition_id partition) const;

  /// Whether somebody has more than we have.
  [[nodiscard]] bool is_behind(partition_id partition) const;

  /// The journal cannot be followed by our store, or can again.
  void broken(partition_id partition, millis now);
  void mended(partition_id partition);

  /// Whether it has been broken for limits::copies_settle.
  [[nodiscard]] bool stays_broken(partition_id partition, millis now) const;

  /// Whether our copy at `mine` is the one to make the journal anew from:
  /// since it broke every known node was heard for limits::copies_settle
  /// without a gap, none has more, none has a copy of another journal, and of
  /// equals we are the first by name. The failure says what it waits for.
  [[nodiscard]] result<done> may_make_anew(partition_id partition,
                                           const checkpoint& mine,
                                           millis now) const;

private:
  struct other {
    std::optional<millis> heard;
    /// Since when without a gap, and under this incarnation.
    millis since{0};
    std::uint64_t incarnation = 0;
    std::map<partition_id, checkpoint> copies;
  };

  [[nodiscard]] result<done> has_settled(const std::string& name,
                                         const other& what, millis broke,
                                         millis now) const;
  [[nodiscard]] result<done> compare(const std::string& name,
                                     const checkpoint& theirs,
                                     const checkpoint& mine) const;

  const config config_;
  mutable std::mutex mutex_;
  std::map<std::string, other> others_;
  std::map<partition_id, checkpoint> own_;
  std::map<partition_id, millis> broken_;
  std::vector<bool> held_;
  std::vector<core_node> cores_;
  bool hears_ = false;
};

} // namespace rollcall::cluster
