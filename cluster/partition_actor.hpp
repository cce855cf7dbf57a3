#pragma once

// The owner of one slice of all sessions: claims it, brings back the sessions
// that were occupied, activates others on demand, wakes them at their
// deadlines, and lets them go when nobody wants them.

#include "actors/base/ids.hpp"
#include "actors/interfaces.hpp"
#include "actors/session_actor.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <map>

namespace rollcall::cluster {

struct partition_env {
  session_env sessions;
  partition_id partition = 0;
  /// This node, as the claim names it.
  node_id self;
  /// The granularity of deadlines: `left` follows its bound by no more.
  millis wheel_tick{100};
  /// How long the store may take for a claim or a load.
  millis store_timeout{10'000};
  /// How long history is kept, how often what is older is removed, and how soon
  /// for the first time. Zero: never.
  history_retention retention;
  millis sweep_every{0};
  millis sweep_first{60'000};
  /// Called once, when the claim is in force and the occupied sessions are
  /// back, or with the reason why not.
  std::function<void(const result<epoch_t>&)> ready;
  /// Called after each further claim, which follows on the failure of a
  /// session, on this actor's thread: edges are to announce who is there and
  /// to observe again. May be empty; among others `tell` says the same.
  std::function<void(epoch_t)> claimed_anew;
  /// Set where other nodes may own the partition: told what becomes of the
  /// claim. A claim that fails is then not repeated here; the actor quits.
  std::function<void(const partition_word&)> tell;
  /// What the owner before gave us: these sessions are activated first.
  std::map<session_key, session_transfer_ptr> given;
  /// Where the journal ended for that owner. If anything stands between it and
  /// our claim, what was given is old, and what the journal has counts.
  position_t given_at = 0;
};

/// Starts the owner of `env.partition`. Commands that come before the claim
/// is in force wait, bounded by limits::activation_queue.
[[nodiscard]] partition_actor spawn_partition(caf::actor_system& system,
                                              partition_env env);

} // namespace rollcall::cluster
