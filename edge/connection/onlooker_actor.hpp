#pragma once

// The client of a plain WebSocket: it is told of one session and says nothing.

#include "actors/interfaces.hpp"
#include "edge/connection/connection_actor.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <string>

namespace rollcall::edge {

/// A client that was let in to look on.
struct onlooker_seed {
  client_ref client;
  connection_id id;
  /// Verified already at the upgrade; empty: somebody unknown.
  std::string token;
  session_id session;
};

/// Starts it. It asks the owner what the client may see and attaches it with
/// the view `events`; where it may see nothing the socket is closed.
[[nodiscard]] connection_actor
spawn_onlooker(caf::actor_system& system,
               std::shared_ptr<const connection_env> env, onlooker_seed seed);

} // namespace rollcall::edge
