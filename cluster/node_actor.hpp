#pragma once

// This process among the others: listens to heartbeats, claims the partitions
// that fall to it, gives up those that do not, and tells router and edge who
// owns what.

#include "actors/interfaces.hpp"
#include "actors/session_actor.hpp"
#include "cluster/copy_book.hpp"
#include "cluster/membership.hpp"
#include "cluster/wall_clocks.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace rollcall::cluster {

struct node_env {
  node_id self;
  membership::config cluster;
  /// What partitions of this node give their sessions.
  session_env sessions;
  /// How long they keep history, and how often what is older is removed.
  history_retention retention;
  millis sweep_every{0};
  router_actor router;
  /// Who has which copies; null where nobody stands by for anybody.
  std::shared_ptr<copy_book> book;
  /// Drives the jitter of claims: another one for each node.
  std::uint64_t seed = 0;
  /// Called, on the actor's thread, with every change of an owner and whenever
  /// this node hears itself again: whoever is here is then to be announced.
  std::function<void(const ownership_ptr&)> owner_changed;
  /// Called when this node is cut off from the others: what it knows is stale
  /// from now on; and when it is among them again.
  std::function<void(bool detached)> detached;
  /// Called, on the actor's thread, with every turn: how our wall clock stands
  /// to those of the others.
  std::function<void(const clock_verdict&)> clocks;
  /// Called once, when this node hears itself and has settled on who is there.
  std::function<void()> ready;
};

/// Starts the node. It broadcasts heartbeats over `env.sessions.bus`, whose
/// receiver hands it those of all nodes. After `stop` it is gone when its
/// partitions are.
[[nodiscard]] node_actor spawn_node(caf::actor_system& system, node_env env);

} // namespace rollcall::cluster
