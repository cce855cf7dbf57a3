#pragma once

// Keeps this node's copies of partitions that others own close to their
// journals, notices when a journal is lost, and makes it anew if ours is the
// copy to do that from. One per node.

#include "actors/base/instant.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "actors/session_actor.hpp"
#include "cluster/copy_book.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace rollcall::cluster {

struct standby_env {
  std::uint32_t partitions = 0;
  store_actor store;
  /// Told when a partition that this node owns goes on in a new journal.
  node_actor node;
  std::shared_ptr<journal> order;
  std::shared_ptr<copy_book> book;
  /// Where the store stands, and what it holds. Called on this actor's
  /// thread.
  std::function<result<checkpoint>(partition_id)> where;
  std::function<journal::content(partition_id)> content;
  clock_fn clock;
  /// How often it looks what there is to do.
  millis tick{500};
  /// A thread of its own: it waits for the journal.
  bool detached = true;
};

/// Starts it. Ends at `stop`.
[[nodiscard]] standby_actor spawn_standby(caf::actor_system& system,
                                          standby_env env);

} // namespace rollcall::cluster
