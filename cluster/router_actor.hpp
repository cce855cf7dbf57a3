#pragma once

// Finds the owner of a session: the partition is a hash of its id, the owner
// of a partition is whoever holds the claim. Commands for an owner elsewhere
// travel over the bus; while nobody owns a partition they wait, with a bound.

#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "actors/session_actor.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <vector>

namespace rollcall::cluster {

/// What the router of a node among others needs.
struct router_env {
  std::uint32_t partitions = 0;
  node_id self;
  std::shared_ptr<message_bus> bus;
  clock_fn clock = system_now;
};

/// Starts the router of a node that owns every partition: `local[p]` is the
/// owner of partition `p`.
[[nodiscard]] router_actor spawn_router(caf::actor_system& system,
                                        std::vector<partition_actor> local);

/// Starts the router of a node that knows no owner yet; the node actor tells
/// it of each. On a node alone (no bus) whoever starts the partitions does.
[[nodiscard]] router_actor spawn_router(caf::actor_system& system,
                                        router_env env);

} // namespace rollcall::cluster
