#pragma once

// What a session can be asked, and what it answers. Values only.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/changes.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

// -- presence: applied at once, answered `accepted` --------------------------

/// Where and since when a participant stands in the roster.
struct admission {
  /// The order of joining.
  version joined;
  /// Wall time.
  millis since{0};
  std::uint32_t reconnections = 0;

  friend bool operator==(const admission&, const admission&) = default;
};

/// The connection enters; the user becomes present. Set semantics: a repeat
/// by the same connection changes nothing.
struct join_command {
  /// The connection this one continues, if any.
  std::optional<connection_id> resumes{};
  live_map live{};
  /// Create the session with this kind if it is not there; needs `create`.
  std::optional<std::string> create_kind{};
  /// From the edge alone: an earlier owner accepted the join and was lost
  /// before it kept it. The participant takes its old place again; a lock or
  /// a full house do not count.
  std::optional<admission> admitted{};
  /// The connection is leased: no socket stands for it, it counts for this
  /// long and again with each `renew`. Zero: the session's `timeout`. A repeat
  /// by the same connection renews it.
  std::optional<millis> lease{};
};

/// The connection leaves on purpose; or, of the caller's leased connections,
/// the one named, or every one.
struct leave_command {
  std::optional<connection_id> lease{};
  bool every_lease = false;
};

struct set_live_command {
  live_update live;
  /// The client's own age of the value; shifts it into the past by at most
  /// limits::live_backdate.
  millis age{0};
};

// -- questions ---------------------------------------------------------------

/// One page of the roster in order of joining, after `after`.
struct get_roster_command {
  std::optional<version> after;
  std::uint32_t limit = 100;
  /// One participant alone: a participant_id, or a user id where the caller
  /// is shown those.
  std::optional<std::string> only{};
};

/// May this caller watch, and with which rights? Asked before attaching.
struct observe_command {};

// -- durable: journal first, answered `committed` ----------------------------

struct create_command {
  std::string kind;
  settings_patch settings;
};

struct configure_command {
  settings_patch settings;
};

struct end_command {};

/// Makes the user a member, or changes one.
struct set_member_command {
  user_id user;
  participant_id participant;
  std::optional<std::string> role{};
  std::optional<std::vector<std::string>> permissions{};
};

/// Ends the user's presence and membership.
struct kick_command {
  user_id user;
  participant_id participant;
};

struct transfer_host_command {
  user_id user;
  participant_id participant;
};

// -- presence, later ---------------------------------------------------------

/// A leased connection of the caller's is alive: the one named, or all of them.
struct renew_command {
  std::optional<connection_id> lease{};
};

using command_body
  = std::variant<join_command, leave_command, set_live_command,
                 get_roster_command, observe_command, create_command,
                 configure_command, end_command, set_member_command,
                 kick_command, transfer_host_command, renew_command>;

/// One request to one session.
struct command {
  session_key session;
  /// The node and connection that asks; the connection is what joins.
  node_id edge;
  connection_id connection;
  identity caller;
  op_id op;
  /// The edge's request id, for logs and audit.
  std::string request;
  command_body body;
  /// A digest of what is asked, where the edge has one; zero otherwise. An op
  /// id that comes again with another digest is refused.
  std::uint64_t about = 0;
  /// Its place among the commands of its connection, in the order in which
  /// they were asked, which is not always that in which they arrive; zero: not
  /// known. A join that its edge repeats has the number it had.
  std::uint64_t number = 0;
  /// What the caller has seen of the session, where it says so. It does not
  /// travel: whoever is sure to own the session knows no less.
  std::optional<version> seen{};
};

/// How far the effect of a command has got when it is answered.
enum class ack_level : std::uint8_t { accepted, committed };

struct join_reply {
  participant_id participant;
  kind_settings settings;
  admission admitted;
  /// What this caller may do here.
  capability_set rights;
  /// How long the leased connection lasts from here; of a socket nothing.
  std::optional<millis> lease{};
};

struct roster_reply {
  std::vector<participant_view> participants;
  /// Where to go on; nothing when the page is the last.
  std::optional<version> next;
};

struct observe_reply {
  kind_settings settings;
  capability_set rights;
  bool ended = false;
  /// Only for those who may see the roster.
  std::optional<participant_id> host{};
  /// Wall time.
  millis created{0};
  /// Whether the caller belongs to the session, and is in it now.
  bool member = false;
  bool here = false;
};

struct renew_reply {
  /// How long the caller's leased connections last from here.
  millis lease{0};
};

/// To a leave of leased connections.
struct leave_reply {
  participant_id participant;
  /// How often the user has left the session so far, as far as is known.
  std::uint32_t leaves = 0;
};

using reply_body = std::variant<done, join_reply, roster_reply, observe_reply,
                                renew_reply, leave_reply>;

/// The answer to a command that was not refused.
struct reply {
  ack_level level = ack_level::accepted;
  /// Reads at or after this version see the effect.
  version at;
  std::uint32_t present = 0;
  std::uint32_t total = 0;
  reply_body body;
};

using command_ptr = std::shared_ptr<const command>;
using reply_ptr = std::shared_ptr<const result<reply>>;

// -- notes: told, not asked --------------------------------------------------

/// What an edge noticed about a connection.
enum class sign : std::uint8_t {
  /// Nothing heard for `suspect_after`.
  silent,
  /// Heard again.
  back,
  /// The socket closed without goodbye.
  closed,
};

/// `age` is how long ago: since the last sign of life for `silent`, since
/// the event for the others.
struct evidence_item {
  connection_id connection;
  sign what = sign::silent;
  millis age{0};
};

struct evidence {
  std::vector<evidence_item> items;
};

/// A node wants the session's batches; answered with a snapshot over the bus.
struct observe_note {
  /// Batches after this version suffice, where the ring still has them.
  std::optional<version> have;
};

struct unobserve_note {};

/// The sockets an edge really has in this session: confirms restored ones.
/// With `complete` those of this edge that are not named are gone.
struct announce_note {
  std::vector<connection_id> connections;
  bool complete = false;
};

/// The edge's lease ran out: nobody vouches for its connections.
struct edge_lost_note {};

using note_body = std::variant<evidence, observe_note, unobserve_note,
                               announce_note, edge_lost_note>;

/// From an edge node to a session's owner. At most once, in order per edge.
struct note {
  session_key session;
  node_id edge;
  note_body body;
};

using note_ptr = std::shared_ptr<const note>;

// -- to one connection -------------------------------------------------------

/// Tells one connection that it is no longer in the session.
struct removed_direct {
  leave_reason reason = leave_reason::kicked;
};

/// The owner does not know the connection: its join was lost with the owner
/// before. To be joined again.
struct unknown_direct {};

struct direct {
  session_key session;
  connection_id connection;
  /// The node that has the connection.
  node_id edge;
  std::variant<removed_direct, unknown_direct> body;
};

using direct_ptr = std::shared_ptr<const direct>;

} // namespace rollcall
