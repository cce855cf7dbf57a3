#pragma once

// Where HTTP requests meet the actors: each is decoded on its io loop, stamped
// with who asks, and carried to the owner by an actor of its own that lives
// until the answer.

#include "actors/base/limits.hpp"
#include "actors/interfaces.hpp"
#include "actors/session_actor.hpp"
#include "edge/connection/connection_state.hpp"
#include "edge/net/connection_handler.hpp"
#include "edge/rest/exchange.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace rollcall::edge {

/// What the gate works with.
struct rest_env {
  std::shared_ptr<const connection_rules> rules;
  router_actor router;
  gather_actor gather;
  node_id self;
  frame_rules frame;
  clock_fn clock = system_now;
  /// How long an owner may take to answer. Below the server's response_timeout.
  millis request_timeout = limits::request_patience;
  /// How long all partitions together may take; below it, too.
  millis gather_timeout{25'000};
};

/// Takes the HTTP requests of a server. Thread-safe; shared by all loops.
class rest_gate {
public:
  rest_gate(caf::actor_system& system, rest_env env);

  /// The `http_handler` of server_hooks: false for paths that are none of
  /// ours. Otherwise `respond` is called exactly once, at the latest after
  /// `request_timeout` or when the actors end.
  [[nodiscard]] bool take(const std::shared_ptr<const http_request>& request,
                          http_responder respond);

private:
  caf::actor_system& system_;
  std::shared_ptr<const rest_env> env_;
  /// Names requests that bring no name.
  std::uint64_t run_;
  std::atomic<std::uint64_t> last_request_{0};
};

} // namespace rollcall::edge
