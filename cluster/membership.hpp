#pragma once

// Who is there: what one node makes of the heartbeats it hears. Pure, without
// threads and clocks; `now` is always a steady time. Owned by the node actor
// and called on its thread only.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/nodes.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::cluster {

// -- what is known -----------------------------------------------------------

/// By how long a node was silent, in this order; limits.hpp has the
/// thresholds.
enum class peer_state : std::uint8_t { alive, suspect, edge_lost, forgotten };

[[nodiscard]] std::string_view to_string(peer_state state) noexcept;

/// Another node, as it last spoke of itself.
struct peer {
  node_id node;
  peer_state state = peer_state::alive;
  bool core = true;
  bool edge = true;
  bool leaving = false;
  /// Its clock is wrong, it says: as if it were leaving, until it is right.
  bool aside = false;
  std::uint32_t weight = 0;
  /// The number of its last heartbeat.
  std::uint64_t number = 0;
  /// How long it was silent, as far as this node could have heard it.
  millis silent{0};
  /// How long it had been up at its last heartbeat; zero if it does not say.
  millis up{0};

  friend bool operator==(const peer&, const peer&) = default;
};

/// A node that may own partitions.
struct core_node {
  node_id node;
  std::uint32_t weight = 100;

  friend bool operator==(const core_node&, const core_node&) = default;
};

/// Those who share the partitions: core nodes that are alive, not leaving and
/// not aside, in order of their names. Nodes that hear the same have the same
/// `members`; `number` counts this node's views from 1 and means nothing
/// elsewhere.
struct core_view {
  std::uint64_t number = 0;
  std::vector<core_node> members;

  friend bool operator==(const core_view&, const core_view&) = default;
};

// -- what happened -----------------------------------------------------------

/// A node, or a new incarnation of one, was heard for the first time.
struct node_up {
  node_id node;
  friend bool operator==(const node_up&, const node_up&) = default;
};

/// Silent for limits::suspect_after, the bus being well: others may claim what
/// it owns.
struct node_suspect {
  node_id node;
  friend bool operator==(const node_suspect&, const node_suspect&) = default;
};

/// A suspected node, or one whose edge was lost, was heard again.
struct node_back {
  node_id node;
  friend bool operator==(const node_back&, const node_back&) = default;
};

/// Silent for limits::edge_lease, or replaced by a new incarnation: its
/// clients' sockets count as gone. Only of nodes that had clients.
struct edge_lost {
  node_id node;
  friend bool operator==(const edge_lost&, const edge_lost&) = default;
};

/// Silent for limits::forget_after, or replaced. The last word on this node,
/// unless it comes up again.
struct node_forgotten {
  node_id node;
  friend bool operator==(const node_forgotten&, const node_forgotten&)
    = default;
};

/// There is a new view; see `membership::view`.
struct view_changed {
  std::uint64_t number = 0;
  friend bool operator==(const view_changed&, const view_changed&) = default;
};

/// This node does not hear itself any more: others may own what it owns.
struct went_detached {
  friend bool operator==(const went_detached&, const went_detached&) = default;
};

/// This node hears itself, for the first time or again.
struct went_attached {
  friend bool operator==(const went_attached&, const went_attached&) = default;
};

using membership_event
  = std::variant<node_up, node_suspect, node_back, edge_lost, node_forgotten,
                 view_changed, went_detached, went_attached>;

/// What `membership::take` made of a heartbeat.
enum class intake : std::uint8_t {
  /// News of another node: what it says it holds is worth reading.
  fresh,
  /// One of ours came back.
  echo,
  /// Late, repeated, or of an earlier incarnation: nothing was changed.
  ignored,
};

// -- the detector ------------------------------------------------------------

/// One node's picture of all others.
///
/// Silence is counted only while this node can hear: neither the time it slept
/// (a stopped process, a starved host) nor the time its own echo was missing
/// (a bus that is down) is held against anybody, and nobody is suspected before
/// limits::suspect_echoes of our own came back meanwhile (a bus that flaps).
class membership {
public:
  struct config {
    /// All nodes must agree.
    std::uint32_t partitions = limits::partitions_default;
    bool core = true;
    bool edge = true;
    /// At most limits::node_weight; 0 takes no partitions while others can.
    std::uint32_t weight = 100;
    /// How often `advance` will be called.
    millis tick{100};
  };

  membership(node_id self, config cfg);

  /// Takes in a heartbeat from the bus, our own included. What it changes
  /// shows in the events of the next `advance`. Failures change nothing and
  /// come again with each such heartbeat:
  /// - `bad_request`: it breaks a bound of its fields;
  /// - `conflict`: its sender is not of this cluster (another count of
  ///   partitions), or two living nodes have one name, ours if it says so;
  /// - `too_large`: there are limits::nodes already;
  /// - `unavailable`: limits::membership_events wait for an `advance`.
  [[nodiscard]] result<intake> take(const heartbeat& word, millis now);

  /// Judges the silence of all and returns what happened since the last call,
  /// in order. To be called every `config::tick`; more often does no harm.
  [[nodiscard]] std::vector<membership_event> advance(millis now);

  /// Our next heartbeat, if its time has come; it is to be broadcast at once.
  /// `held` names what we own from the moment the claim is answered, and what
  /// we stand by for. To be called after each `advance`.
  [[nodiscard]] std::optional<heartbeat>
  due(millis now, std::span<const held_partition> held);

  /// Makes the next heartbeat due at once (limits::heartbeat_spacing): what
  /// we hold has changed.
  void hurry() noexcept;

  /// Since `hurry` nothing was said: how long until it may be, zero if now.
  /// Nothing if there is no hurry.
  [[nodiscard]] std::optional<millis> hurried(millis now) const noexcept;

  /// From now on we say that we are leaving; there is no way back.
  void leave() noexcept;

  /// Says that we are out of the view, or in it again: our clock is wrong.
  void stand_aside(bool aside) noexcept;

  /// Whether our youngest heartbeat that came back was sent more than
  /// limits::detached_after ago, or none came back yet. True between two
  /// calls of `advance` as well, when the event is still to come.
  [[nodiscard]] bool is_detached(millis now) const noexcept;

  /// Steady time until which nobody else can have claimed what we own: those
  /// who heard our youngest heartbeat that came back suspect us no sooner.
  /// Zero where that is not known.
  [[nodiscard]] millis lease(millis now) const noexcept;

  /// The last set of live core nodes that did not change for
  /// limits::view_settles_after. Number 0 and empty until there was one.
  [[nodiscard]] const core_view& view() const noexcept {
    return view_;
  }

  /// Whether, at the last `advance`, `view()` was what we saw, and we could
  /// hear: only then may partitions move.
  [[nodiscard]] bool settled() const noexcept {
    return settled_;
  }

  /// Whether this very incarnation is alive (ourselves: always).
  [[nodiscard]] bool is_alive(const node_id& node) const;

  /// Whether partitions may move to `node` without haste: not while it is
  /// still busy with its own start (limits::warm_after), unless all of the
  /// cluster is.
  [[nodiscard]] bool is_warm(const node_id& node, millis now) const;

  /// All who might think that they share the partitions: `view()` would be a
  /// part of it, suspects and those that lost their edge are the rest.
  [[nodiscard]] std::vector<core_node> known_cores() const;

  /// The others that are not forgotten, in order of their names.
  [[nodiscard]] std::vector<peer> peers() const;

  [[nodiscard]] const node_id& self() const noexcept {
    return self_;
  }

  [[nodiscard]] const config& settings() const noexcept {
    return config_;
  }

  /// Takes no partitions: on its way out, or aside.
  [[nodiscard]] bool leaving() const noexcept {
    return leaving_ || aside_;
  }

private:
  /// An incarnation that another one of the same name has replaced.
  struct predecessor {
    std::uint64_t incarnation = 0;
    std::uint64_t number = 0;
    millis replaced{0};
  };

  struct record {
    peer is;
    millis heard{0};
    /// `echoes_` when it was heard.
    std::uint64_t echoes = 0;
    std::deque<predecessor> earlier;
  };

  struct sent_heartbeat {
    std::uint64_t number = 0;
    millis at{0};
  };

  [[nodiscard]] std::optional<failure> refuse(const heartbeat& word) const;
  [[nodiscard]] result<intake> take_own_name(const heartbeat& word, millis now);
  [[nodiscard]] result<intake> take_other(record& known, const heartbeat& word,
                                          millis now);
  [[nodiscard]] record* make_room(const node_id& node);
  void replace(record& known, const heartbeat& word, millis now);
  void refresh(record& known, const heartbeat& word, millis now);
  void discount(millis now);
  void judge(record& known, millis now);
  void judge_self(millis now);
  void judge_view(millis now);
  [[nodiscard]] std::vector<core_node> cores(peer_state worst) const;

  node_id self_;
  config config_;
  bool leaving_ = false;
  bool aside_ = false;
  /// By name; those that are forgotten stay, so that an old heartbeat is still
  /// known as such, until their room is needed. At most limits::nodes.
  std::map<std::string, record> peers_;
  /// Others that had, or have, our name.
  std::deque<predecessor> namesakes_;
  std::vector<membership_event> events_;

  /// The first call of `advance`.
  std::optional<millis> began_;
  std::optional<millis> advanced_;
  bool deaf_ = true;

  std::uint64_t number_ = 0;
  millis last_heartbeat_{0};
  millis next_heartbeat_{0};
  bool hurry_ = false;
  std::deque<sent_heartbeat> sent_;
  /// When the youngest of ours that came back was sent.
  std::optional<millis> proof_;
  /// From when on `proof_` counts as a lease.
  millis lease_from_{0};
  /// How many came back, those in a hurry not counted, and the last of them.
  std::uint64_t echoes_ = 0;
  millis last_echo_{0};
  bool attached_ = false;

  core_view view_;
  std::vector<core_node> seen_;
  millis seen_since_{0};
  bool settled_ = false;
};

} // namespace rollcall::cluster
