#pragma once

// Where the network side meets the actors: lets clients in, one connection
// actor each, and passes on what they say.

#include "edge/connection/connection_actor.hpp"
#include "edge/net/connection_handler.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace rollcall::edge {

/// Makes the handlers of accepted clients. Thread-safe; shared by all loops.
class client_gate {
public:
  client_gate(caf::actor_system& system,
              std::shared_ptr<const connection_env> env);

  /// The factory to give to the server. A token presented at the upgrade is
  /// verified here, so that a bad one is answered with 401 and no socket.
  [[nodiscard]] result<std::shared_ptr<connection_handler>>
  accept(const accepted_client& client);

private:
  caf::actor_system& system_;
  std::shared_ptr<const connection_env> env_;
  std::atomic<std::uint64_t> last_connection_{0};
};

} // namespace rollcall::edge
