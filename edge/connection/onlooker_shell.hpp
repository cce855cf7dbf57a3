#pragma once

// What onlooker_actor and board_client share: the shell of a plain WebSocket's
// client. Internal to edge/connection.

#include "edge/connection/connection_state.hpp"
#include "edge/connection/onlooker_actor.hpp"
#include "edge/protocol/close_codes.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace rollcall::edge {

struct onlooker_shell {
  static inline const char* name = "onlooker";

  std::shared_ptr<const connection_env> env;
  onlooker_seed seed;
  std::unique_ptr<connection_state> state;
  bool attached = false;
  /// What is shown, once attached.
  viewer shown{};
  /// Of a board: it holds a lease, which lasts this long.
  bool joined = false;
  millis lasts{120'000};
  /// Of a board: joins that are not answered yet.
  std::size_t joining = 0;
  /// Of a board: when its beat was last passed on as activity, in steady time.
  std::optional<millis> active_told;
  /// Of a board: commands so far, see command::number.
  std::uint64_t requests = 0;
  bool closing = false;
};

using onlooker_ptr = connection_actor::stateful_pointer<onlooker_shell>;

/// Says why; once.
void close(onlooker_ptr self, close_code code);

[[nodiscard]] std::shared_ptr<command> make_command(onlooker_shell& s,
                                                    command_body body);

/// Shows the session as `who` sees it, from its state on.
void show(onlooker_ptr self, const viewer& who, version at_least);

/// Asks what the client may see and shows it; `again`, as the client asked and
/// took a place for among its requests, even if it is shown.
void ask_to_see(onlooker_ptr self, bool again);

} // namespace rollcall::edge
