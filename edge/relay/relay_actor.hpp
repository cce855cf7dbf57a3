#pragma once

// The relays of an edge: one per session that a client here observes, and the
// hub that finds them.

#include "actors/base/limits.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "actors/session_actor.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace rollcall::edge {

/// What the relays of one edge share.
struct relay_env {
  router_actor router;
  std::shared_ptr<client_sink> sink;
  /// This node, as owners address it.
  node_id self;
  clock_fn clock = system_now;
  /// All nodes agree on it.
  std::uint32_t partitions = limits::partitions_default;
  /// This node is cut off from the others.
  bool stale = false;
  /// How long a new owner that lacks somebody is not shown to clients.
  millis succession{2'500};
  /// How long to wait for the owner before asking again.
  millis ask_again{2'000};
  /// How long a relay without clients keeps its replica for those who return.
  millis linger{10'000};
  /// How often, and how far apart, a new owner is told who is here: an
  /// announcement may be lost like any note.
  std::uint32_t announcements = 5;
  millis announce_again{500};
  /// How often every owner is told who is here, and asked what was missed,
  /// without a reason; zero: never. Heals what the bus has lost.
  millis announce_every{0};
  /// How often it is told that nobody is left in a session.
  std::uint32_t farewells = 24;
};

/// Starts a relay. `number` is its part of a channel's number; it tells `hub`
/// with `session_word::idle` when it has nobody left, and quits on `stop`.
[[nodiscard]] relay_actor spawn_relay(caf::actor_system& system,
                                      const relay_env& env,
                                      const session_key& session,
                                      std::uint64_t number,
                                      const relay_hub_actor& hub);

/// Starts the hub of an edge.
[[nodiscard]] relay_hub_actor spawn_relay_hub(caf::actor_system& system,
                                              relay_env env);

} // namespace rollcall::edge
