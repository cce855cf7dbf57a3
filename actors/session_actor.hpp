#pragma once

// The shell of session_state: wires messages to its methods, sends what they
// return, and keeps the tick.

#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/hearing.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "actors/session_state.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace rollcall {

/// Reads both clocks. Production passes `system_now`, tests virtual time.
using clock_fn = std::function<instant()>;

/// What every session actor of a node is given.
struct session_env {
  std::shared_ptr<const session_rules> rules;
  store_actor store;
  /// Answers questions about the past; without it they are `unavailable`.
  history_actor past;
  std::shared_ptr<message_bus> bus;
  /// Finds groups, and every partition. Without it no group is asked or tells
  /// anybody.
  router_actor router;
  std::uint32_t partitions = 0;
  clock_fn clock = system_now;
  /// The fan-out tick: the first change after idle goes out at once, later
  /// ones gather this long; twice as long in a session with more than
  /// `large_session` present, where each fan-out costs that many sends.
  millis tick{5};
  std::uint32_t large_session = 256;
  /// The shortest time between two writes of roster pages.
  millis page_interval{20};
  /// A wake-up this late means that the process did not run: nobody is blamed
  /// for the time in between.
  millis stall_after{1'000};
  /// How long a commit may take before it counts as failed: longer than any
  /// journal leaves it in doubt, as it would take effect without us.
  millis commit_timeout = limits::append_doubt_patience + millis{60'000};
  /// How long an answer about the past may take.
  millis past_timeout{10'000};
  /// Whether the node hears the others. Nothing on a node that is alone.
  std::shared_ptr<const hearing> heard{};
  /// Questions about the past that all sessions of the node have under way; at
  /// most limits::history_questions.
  std::shared_ptr<std::atomic<std::size_t>> asking
    = std::make_shared<std::atomic<std::size_t>>(0);
};

/// Which session, under which ownership, restored from what.
struct session_seed {
  session_key key;
  partition_id partition = 0;
  epoch_t epoch = 0;
  stored_session stored;
  /// What the owner before gave us, if it did.
  session_transfer_ptr given;
};

/// Starts a session. It reports to `owner` with `session_word`s and quits
/// after `stop` once it has said `gone`.
[[nodiscard]] session_actor spawn_session(caf::actor_system& system,
                                          const session_env& env,
                                          session_seed seed,
                                          const partition_actor& owner);

} // namespace rollcall
