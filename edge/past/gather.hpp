#pragma once

// Asks every partition of the cluster, wherever it is owned, and makes one
// answer of theirs. The shell around actors/gather.hpp.

#include "actors/interfaces.hpp"
#include "actors/session_actor.hpp"

#include <caf/fwd.hpp>

#include <cstdint>

namespace rollcall::edge {

struct gather_env {
  router_actor router;
  std::uint32_t partitions = 0;
  /// This node, as commands name their edge.
  node_id self;
  /// How long one partition may take; and how long those of a listing may take
  /// together, of which each has `least` in any case.
  millis patience{10'000};
  millis least{500};
  /// Partitions asked at the same time.
  std::size_t at_once = 32;
  /// How often a user is looked for again until nothing is found, and how long
  /// after each look: pages and history on their way are seen by the next.
  std::size_t looks_most = 8;
  millis look_again{200};
};

[[nodiscard]] gather_actor spawn_gather(caf::actor_system& system,
                                        gather_env env);

} // namespace rollcall::edge
