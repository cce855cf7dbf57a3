#pragma once

// The history actor: answers what may take a while to read, beside the store's
// actor and never in its way. `history_actor` is in actors/interfaces.hpp.

#include "actors/base/metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <vector>

namespace rollcall {

struct history_config {
  /// A thread of its own: always, except under a test's scheduler.
  bool detached = true;
  /// Who may see sessions of which kind.
  std::vector<kind_settings> kinds;
  /// Where the actor's figures go; outlives it.
  metrics::registry* metrics = &metrics::default_registry();
};

/// Spawns the actor that reads `disk`, which others write meanwhile. Answers
/// in the order of the questions; what was committed before a question was
/// sent is seen.
[[nodiscard]] history_actor spawn_history(caf::actor_system& system,
                                          std::shared_ptr<store> disk,
                                          const history_config& config = {});

} // namespace rollcall
