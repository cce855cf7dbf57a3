#pragma once

// One client's connection: verifies who it is, stamps that on its requests,
// passes them to the owners, and answers.

#include "actors/base/limits.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "actors/session_actor.hpp"
#include "edge/connection/board_seats.hpp"
#include "edge/connection/connection_state.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>

namespace rollcall::edge {

/// What all connection actors of an edge share.
struct connection_env {
  std::shared_ptr<const connection_rules> rules;
  router_actor router;
  relay_hub_actor hub;
  /// Asks whole namespaces.
  gather_actor gather;
  std::shared_ptr<client_sink> sink;
  std::shared_ptr<board_seats> seats = std::make_shared<board_seats>();
  node_id self;
  clock_fn clock = system_now;
  /// What `welcome` says.
  millis beat{15'000};
  std::size_t requests_per_second = 100;
  /// How long an owner may take to answer.
  millis request_timeout = limits::request_patience;
  /// How long the partitions of a namespace may take together.
  millis gather_timeout{60'000};
};

/// A client that was let in.
struct connection_seed {
  client_ref client;
  dialect language = dialect::json;
  connection_id id;
  /// Verified already at the upgrade; empty: `hello` must bring it.
  std::string token;
};

[[nodiscard]] connection_actor
spawn_connection(caf::actor_system& system,
                 std::shared_ptr<const connection_env> env,
                 connection_seed seed);

} // namespace rollcall::edge
