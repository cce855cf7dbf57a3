#pragma once

// Finds the owner of a session: the partition is a hash of its id, the owner
// of a partition is whoever holds the claim.

#include "actors/interfaces.hpp"

#include <caf/fwd.hpp>

#include <vector>

namespace rollcall::cluster {

/// Starts the router of a node that owns every partition: `local[p]` is the
/// owner of partition `p`.
[[nodiscard]] router_actor spawn_router(caf::actor_system& system,
                                        std::vector<partition_actor> local);

} // namespace rollcall::cluster
