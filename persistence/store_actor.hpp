#pragma once

// The store's actor: the only one that waits for the disk. A thin shell
// around commit_pipeline; `store_actor` itself is in actors/interfaces.hpp.

#include "actors/base/instant.hpp"
#include "actors/base/metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace rollcall {

struct store_config {
  /// A thread of its own: always, except under a test's scheduler.
  bool detached = true;
  /// How long the first commit after a rest waits for company. Zero still
  /// groups whatever arrives while the disk is busy.
  millis window{0};
  /// Where the actor's figures go; outlives it.
  metrics::registry* metrics = &metrics::default_registry();
  /// Told where a partition stands after each write, before whoever waits for
  /// that write is answered. Called on the actor's thread; may be empty.
  std::function<void(partition_id, const checkpoint&)> moved;
};

/// Spawns the actor that owns `disk` and `order`: from here on nobody else
/// touches either, except that `order` may answer on threads of its own.
/// Every request is answered exactly once, also when the actor ends.
///
/// A claim waits for the append of its partition that is under way, brings
/// the store up to the journal's end, and is on disk before it is answered.
/// `unavailable` from `commit` says that nothing of it is durable and that a
/// retry may work; `conflict`, that the partition has a later owner.
[[nodiscard]] store_actor spawn_store(caf::actor_system& system,
                                      std::shared_ptr<store> disk,
                                      std::shared_ptr<journal> order,
                                      const store_config& config = {});

} // namespace rollcall
