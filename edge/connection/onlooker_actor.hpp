#pragma once

// The client of a plain WebSocket: it is told of one session in the words of
// another system, and says nothing or likewise.

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
  vocabulary words = vocabulary::stream;
};

/// Starts it. In the words of `stream` it asks the owner what the client may
/// see and attaches it with the view `events`; a board's client has to say
/// something first, and has the view `roster`; where it may see nothing the
/// socket is closed.
[[nodiscard]] connection_actor
spawn_onlooker(caf::actor_system& system,
               std::shared_ptr<const connection_env> env, onlooker_seed seed);

} // namespace rollcall::edge
