#pragma once

// Everything of a node before its router: the server, who takes its clients
// and requests, and the relays.

#include "actors/base/metrics.hpp"
#include "actors/interfaces.hpp"
#include "edge/auth/token.hpp"
#include "edge/config/config.hpp"
#include "edge/connection/client_gate.hpp"
#include "edge/net/server.hpp"
#include "edge/ops/readiness.hpp"
#include "edge/rest/rest_gate.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace rollcall::edge {

/// Stays where it is: the hooks of the server look into it for what can only
/// be built after the server. Filled by `build_front`, before the server
/// starts.
struct front {
  front() = default;
  front(const front&) = delete;
  front& operator=(const front&) = delete;

  std::shared_ptr<server> network;
  relay_hub_actor hub;
  std::shared_ptr<client_gate> gate;
  std::shared_ptr<rest_gate> rest;
  readiness ready;
};

/// Makes the server, its hooks, the relays and the gates. Nothing listens yet.
/// `self` is this node; `router` passes on what clients ask.
void build_front(caf::actor_system& system, const node_config& config,
                 token_verifier tokens, const router_actor& router,
                 const node_id& self, metrics::registry& figures, front& out);

} // namespace rollcall::edge
