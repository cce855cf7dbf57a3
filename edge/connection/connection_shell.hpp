#pragma once

// What the files of the connection actor share. Internal to edge/connection.

#include "edge/connection/connection_actor.hpp"
#include "edge/protocol/close_codes.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace rollcall::edge {

/// Joins of a session that are not answered yet, the client's own and those
/// that the edge repeats.
struct open_joins {
  std::uint32_t count = 0;
  /// The client has asked to leave since.
  bool taken_back = false;
};

struct connection_shell {
  static inline const char* name = "connection";

  std::shared_ptr<const connection_env> env;
  client_ref client;
  dialect language = dialect::json;
  std::unique_ptr<connection_state> state;
  /// Sessions for which the hub names us to owners.
  std::set<session_id> named;
  /// At most as many as there are unanswered requests.
  std::map<session_id, open_joins> joining;
  /// Those of `named` of which a join was sent that nobody answered.
  std::set<session_id> in_doubt;
  /// How the socket ended. The actor stays until every join is answered: whom
  /// an owner admits now would be there for good.
  std::optional<client_gone> gone;
  std::uint64_t requests = 0;
  /// Questions to the whole namespace that are not answered yet.
  std::size_t gathers = 0;
  bool closing = false;
};

using connection_ptr = connection_actor::stateful_pointer<connection_shell>;

/// Sends a payload to the client.
void deliver(connection_ptr self, const std::string& payload);

/// Says why, and closes; once.
void close(connection_ptr self, close_code code);

/// A command of this client. `as` is the connection it is about, where that is
/// not this one; `code` the session's, as the client gave it.
[[nodiscard]] std::shared_ptr<command>
make_command(connection_ptr self, const session_id& session, command_body body,
             op_id op = {}, std::optional<connection_id> as = {},
             std::string code = {});

void order_attach(connection_ptr self, const session_id& session,
                  const viewer& who, std::optional<version> since,
                  version at_least, bool rights_changed = false);
void order_detach(connection_ptr self, const session_id& session);

/// Whether the hub names us to the session's owner from now on.
void tell_presence(connection_ptr self, const session_id& session, bool joined);

/// With what our stay began, to be named with us: the owner has answered.
void tell_stay(connection_ptr self, const session_id& session, version stay);

/// A join is about to be sent: ahead of it, as an announcement that is made
/// meanwhile has to name us.
void begin_join(connection_ptr self, const session_id& session);

/// A join was answered. True if the client is not to be in the session after
/// all, as it has asked to leave since or is gone; an admission is then undone
/// with `undo_join`.
[[nodiscard]] bool end_join(connection_ptr self, const session_id& session);

/// The owner admitted whom nobody stands for.
void undo_join(connection_ptr self, const session_id& session,
               millis suspect_after);

/// A join was refused. `in_doubt`: it may happen all the same.
void drop_join(connection_ptr self, const session_id& session, bool in_doubt);

/// Whether the owner may do what it has refused.
[[nodiscard]] bool may_still_happen(const failure& why) noexcept;

/// The end of the actor, once the socket is gone and no join is open.
void quit_if_done(connection_ptr self);

/// Takes no part in the session any more.
void forget_session(connection_ptr self, const session_id& session);

/// Leaves without waiting for an answer.
void leave_again(connection_ptr self, const session_id& session);

/// Asks again what the client may see of a session, as its rights may be
/// others now.
void recheck(connection_ptr self, const session_id& session);

} // namespace rollcall::edge
