#pragma once

// What an edge passes between its io loops, connection actors and relays.
// Values only: the bytes of the protocols are edge/protocol's business.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/commands.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace rollcall {

/// A client socket: which io loop has it, and its slot there. Slots are never
/// reused within a process.
struct client_ref {
  std::uint32_t loop = 0;
  std::uint64_t slot = 0;

  friend auto operator<=>(const client_ref&, const client_ref&) = default;
};

/// The two encodings of the native protocol.
enum class dialect : std::uint8_t { json, msgpack };

/// In whose words a client is told what happens.
enum class vocabulary : std::uint8_t {
  /// docs/protocol.md.
  native,
  /// docs/rest.md, "Plain WebSocket": one message a join or leave.
  stream,
  /// docs/rest.md, "Boards": six messages, by name.
  board,
};

/// What a client wants to see of a session.
enum class view : std::uint8_t {
  /// Everyone and every change.
  roster,
  /// Joins and leaves, pseudonymous.
  events,
  /// Only how many.
  count,
};

/// A request's id, echoed in the answer: an integer or a short text.
using request_id = std::variant<std::monostate, std::int64_t, std::string>;

// -- requests of a client, decoded -------------------------------------------

struct hello_request {
  std::string token;
  std::string resume;
};

struct refresh_request {
  std::string token;
};

struct attach_request {
  session_id session;
  view wanted = view::roster;
  std::optional<version> since;
  /// The session's code, if it is one that has.
  std::string code{};
  /// Seen by nobody but the audit log.
  bool hidden = false;
};

struct detach_request {
  session_id session;
};

/// A sign of life that wants an answer; one without id never leaves the loop.
struct heartbeat_request {};

/// A command for a session. A join also attaches, unless `wanted` is empty.
struct session_request {
  session_id session;
  op_id op;
  command_body body;
  std::optional<view> wanted;
  std::optional<version> since;
  /// As in `attach_request`; of a join.
  std::string code{};
  /// A digest of what is asked, where there is an `op`; zero otherwise.
  std::uint64_t about = 0;
};

/// A question to the whole namespace, or the erasure of a user in it.
struct namespace_request {
  std::variant<list_sessions_command, erase_user_command> what;
};

using request_body
  = std::variant<hello_request, refresh_request, attach_request, detach_request,
                 heartbeat_request, session_request, namespace_request>;

struct client_request {
  request_id id;
  request_body body;
  /// Of a board's message: whom it says it is from. Never believed.
  std::string claims{};
  /// Likewise, when by the client's clock it was said.
  millis said{0};
};

using client_request_ptr = std::shared_ptr<const client_request>;

/// The client's socket is gone. `goodbye` says that it closed on purpose
/// (a WebSocket close frame with 1000 or 1001).
struct client_gone {
  bool goodbye = false;
};

// -- connection actor to relay -----------------------------------------------

/// Subscribe a client to a session. Its first frame is the changes after
/// `since` where the relay still has them, else a snapshot; never older than
/// `at_least` (read your writes).
struct attach_order {
  session_key session;
  client_ref client;
  dialect language = dialect::json;
  view wanted = view::roster;
  audience rank = audience::everyone;
  identity_mode shown = identity_mode::named;
  std::optional<version> since;
  version at_least;
  vocabulary words = vocabulary::native;
  /// Who that is: told when what it may see may have changed.
  connection_id connection{};
  participant_id participant{};
  /// What a snapshot gives as its `why`: it was asked for, or the rights are
  /// others now.
  bool rights_changed = false;
};

struct detach_order {
  session_key session;
  client_ref client;
};

/// A slow client lost its place in a channel and has drained its queue. A
/// channel's number is `relay << 8 | variant`.
struct resync_order {
  std::uint64_t channel = 0;
  client_ref client;
};

/// Wake the connection at this steady time; replaces an earlier wish. The hub
/// keeps these in one wheel: a timer of its own would outlive a connection.
struct wake_order {
  connection_id connection;
  millis when{0};
};

using attach_order_ptr = std::shared_ptr<const attach_order>;
using detach_order_ptr = std::shared_ptr<const detach_order>;

} // namespace rollcall
