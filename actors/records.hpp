#pragma once

// What is kept. The session decides these; persistence/ gives them bytes
// (persistence/record_format.hpp) and keys. One durable change is one record.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// How a connection came to be; says who vouches for it.
enum class connection_source : std::uint8_t { socket, leased, external };

/// Why a participant is gone. The values are stored and on the wire.
enum class leave_reason : std::uint8_t {
  left = 0,
  timeout = 1,
  network = 2,
  kicked = 3,
  replaced = 4,
  session_ended = 5,
  edge_lost = 6,
};

[[nodiscard]] std::string_view to_string(leave_reason reason) noexcept;

/// An operation already done, so that its repetition has no second effect.
struct done_op {
  op_id op;
  version at;
  /// What was asked, as command::about had it.
  std::uint64_t about = 0;

  friend bool operator==(const done_op&, const done_op&) = default;
};

/// The last `limits::op_ids_per_record` operations, oldest first.
using op_memory = std::vector<done_op>;

/// A session's durable facts.
struct session_record {
  session_key key;
  std::string kind;
  settings_patch overrides;
  user_id created_by;
  millis created_at{0};
  /// Set when the session has ended; it admits nobody any more.
  std::optional<millis> ended_at;
  /// The member named by `transfer_host`, under `host_policy::appointed`.
  std::optional<user_id> appointed_host;
  version at;
  op_memory ops;

  friend bool operator==(const session_record&, const session_record&)
    = default;
};

/// The durable fact that a user belongs to a session.
struct member_record {
  session_key session;
  user_id user;
  profile who;
  std::string role;
  std::vector<std::string> permissions;
  /// The order of admission. Never wall time.
  version admitted;
  millis admitted_at{0};
  version at;
  op_memory ops;

  friend bool operator==(const member_record&, const member_record&) = default;
};

/// Removes a member's record.
struct member_erased {
  session_key session;
  user_id user;

  friend bool operator==(const member_erased&, const member_erased&) = default;
};

/// A connection as the roster keeps it: enough to know it again.
struct stored_connection {
  connection_id id;
  node_id edge;
  connection_source source = connection_source::socket;
  /// Of a leased one: how long it lasts from each renewal.
  millis lease{0};

  friend bool operator==(const stored_connection&, const stored_connection&)
    = default;
};

/// A present participant as the roster keeps it.
struct roster_entry {
  user_id user;
  profile who;
  /// The order of joining.
  version joined;
  millis since{0};
  std::uint32_t reconnections = 0;
  capability_set grants;
  std::vector<stored_connection> connections;

  friend bool operator==(const roster_entry&, const roster_entry&) = default;
};

/// A slice of the volatile roster, rewritten whole. Without entries the page
/// is removed from the store.
struct roster_page {
  session_key session;
  std::uint32_t number = 0;
  version at;
  std::vector<roster_entry> entries;

  friend bool operator==(const roster_page&, const roster_page&) = default;
};

/// Whether the session has anybody in it: the partition's `occupied` index.
struct occupied_mark {
  session_key session;
  bool occupied = false;

  friend bool operator==(const occupied_mark&, const occupied_mark&) = default;
};

/// When a session wants to be activated without demand: the partition's `due`
/// index. No `at` removes the entry.
struct due_mark {
  session_key session;
  std::optional<millis> at;

  friend bool operator==(const due_mark&, const due_mark&) = default;
};

/// One closed stay of a participant. Idempotent by (session, user, joined).
struct interval_record {
  session_key session;
  user_id user;
  version joined;
  millis from{0};
  millis until{0};
  leave_reason reason = leave_reason::left;

  friend bool operator==(const interval_record&, const interval_record&)
    = default;
};

/// One privileged action or change of presence, for the audit log.
struct audit_record {
  session_key session;
  version at;
  millis when{0};
  user_id actor;
  /// The operation's name on the wire.
  std::string action;
  user_id target;
  std::string request;

  friend bool operator==(const audit_record&, const audit_record&) = default;
};

/// Removes everything of a session.
struct session_erased {
  session_key session;

  friend bool operator==(const session_erased&, const session_erased&)
    = default;
};

using record = std::variant<session_record, member_record, roster_page,
                            occupied_mark, due_mark, interval_record,
                            audit_record, session_erased, member_erased>;

/// Everything of one session that activation needs.
struct stored_session {
  std::optional<session_record> session;
  std::vector<member_record> members;
  std::vector<roster_page> pages;
  /// Stays of users who are gone: how often each was here before. The newest
  /// `limits::departed_per_session` users.
  std::vector<std::pair<user_id, std::uint32_t>> departed;
};

/// What a partition's new owner finds.
struct opened_partition {
  epoch_t epoch = 0;
  position_t position = 0;
  std::vector<session_key> occupied;
  std::vector<std::pair<session_key, millis>> due;
};

} // namespace rollcall
