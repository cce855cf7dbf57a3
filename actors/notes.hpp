#pragma once

// What sessions are told without an answer, and what they tell one connection.
// Values only.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/records.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace rollcall {

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
  /// Of each connection, in the same order, the version that its stay began
  /// with as far as its edge knows, or zero. Empty: an edge of an earlier
  /// version.
  std::vector<version> stays{};
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
  /// Not to come back for now: `kicked` is meant so.
  bool banned = false;
  /// The number of the join that the removal ends (see command::number): on
  /// its way it may be overtaken by the answer to a later one, which stands.
  /// Zero: not known.
  std::uint64_t joined_by = 0;
};

/// The owner does not know the connection, or knows an earlier stay of it: its
/// join was lost with the owner before. To be joined again.
struct unknown_direct {};

/// Reminds of the start of the session.
struct reminder_direct {
  /// Wall time.
  millis starts_at{0};
  bool late = false;
};

/// What the connection may see may have changed: to be asked again. Told on
/// its own node only.
struct recheck_direct {};

struct direct {
  session_key session;
  connection_id connection;
  /// The node that has the connection.
  node_id edge;
  std::variant<removed_direct, unknown_direct, reminder_direct, recheck_direct>
    body;
};

using direct_ptr = std::shared_ptr<const direct>;

} // namespace rollcall
