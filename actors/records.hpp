#pragma once

// What is kept. The session decides these; persistence/ gives them bytes
// (persistence/record_format.hpp) and keys. One durable change is one record.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/datum.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"
#include "actors/schema.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// The form of stored records that this build writes once every node can read
/// it, and the form of those builds that say nothing of forms. A build reads
/// all forms up to its own.
inline constexpr std::uint32_t record_form = 2;
inline constexpr std::uint32_t record_form_first = 1;

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

/// The time at which a session ended that is to be erased at once.
inline constexpr millis deleted{0};

/// Adds an operation, if it has an id; the oldest goes.
void remember(op_memory& ops, const op_id& op, version at);

/// Takes over what another record remembers that goes; the oldest of both go.
void take_over(op_memory& ops, const op_memory& from);

/// Says at which version an operation took effect.
void set_version(op_memory& ops, const op_id& op, version at);

/// Where a session stands in its own course.
struct phase_state {
  /// Names; empty when nobody has said one.
  std::string name{};
  std::string status{};
  /// Wall time at which `next` follows.
  std::optional<millis> until{};
  std::string next{};

  friend bool operator==(const phase_state&, const phase_state&) = default;
};

/// The last barrier of a session: what everyone here gets ready for.
struct barrier_state {
  std::string name;
  /// Wall time at which it opens although somebody is not ready.
  std::optional<millis> until{};
  /// Wall time at which it opened.
  std::optional<millis> opened_at{};
  /// It did not open because everyone was ready.
  bool timed_out = false;

  friend bool operator==(const barrier_state&, const barrier_state&) = default;
};

/// A member's wish to be reminded of the start.
struct reminder {
  bool enabled = false;
  /// So long before it.
  millis lead{0};
  /// The start of which the member has been reminded, or was too late for.
  std::optional<millis> given_for{};

  friend bool operator==(const reminder&, const reminder&) = default;
};

/// A user who was taken out of a group, of which its sessions may not know yet.
struct group_removal {
  user_id user;
  /// Wall time.
  millis when{0};

  friend bool operator==(const group_removal&, const group_removal&) = default;
};

/// What a group is beside a session with members.
struct group_state {
  /// What people call it.
  std::string name{};
  /// Wall time of its deletion: sessions that are its own are still to go.
  std::optional<millis> deleted_at{};
  /// Oldest first; at most limits::group_removals.
  std::vector<group_removal> removed{};

  /// Wall time since which somebody is still to be told of a change.
  [[nodiscard]] std::optional<millis> untold_since() const {
    if (deleted_at || removed.empty())
      return deleted_at;
    return removed.front().when;
  }

  friend bool operator==(const group_state&, const group_state&) = default;
};

/// A session's durable facts.
struct session_record {
  session_key key;
  std::string kind;
  settings_patch overrides;
  user_id created_by;
  millis created_at{0};
  /// Set when the session has ended; it admits nobody any more. `deleted`:
  /// what it has is being erased, and nobody finds it any more.
  std::optional<millis> ended_at;
  /// The member named by `transfer_host`, under `host_policy::appointed`.
  std::optional<user_id> appointed_host;
  version at;
  op_memory ops;
  /// Wall time.
  std::optional<millis> starts_at{};
  phase_state phase{};
  std::optional<barrier_state> barrier{};
  /// Set by whatever changes what this says: no two contents have the same.
  /// Since form 2; read from form 1 it is `at`, which is later or the same.
  version changed{};
  /// Of a group alone.
  std::optional<group_state> group{};

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
  /// Set by whatever changes role, permissions, profile or reminder: no two
  /// have the same.
  version at;
  op_memory ops;
  reminder remind{};
  /// The user's own word, not the token's: `who.name`.
  bool own_name = false;

  friend bool operator==(const member_record&, const member_record&) = default;
};

/// Removes a member's record.
struct member_erased {
  session_key session;
  user_id user;

  friend bool operator==(const member_erased&, const member_erased&) = default;
};

/// What somebody connects with. The values are stored and on the wire.
enum class device_class : std::uint8_t {
  unknown,
  desktop,
  mobile,
  tablet,
  tv,
  server,
};

[[nodiscard]] std::string_view to_string(device_class device) noexcept;
[[nodiscard]] std::optional<device_class>
parse_device(std::string_view name) noexcept;

/// What a connection says of itself.
struct connection_facts {
  device_class device = device_class::unknown;
  /// The first limits::place_bytes of a geohash; empty when unknown.
  std::string place{};

  friend bool operator==(const connection_facts&, const connection_facts&)
    = default;
};

/// The first part of a geohash, or why it is none.
[[nodiscard]] result<std::string> coarse_place(std::string_view geohash,
                                               std::string_view field);

/// A connection as the roster keeps it: enough to know it again.
struct stored_connection {
  connection_id id;
  node_id edge;
  connection_source source = connection_source::socket;
  /// Of a leased one: how long it lasts from each renewal.
  millis lease{0};
  connection_facts facts{};
  /// It is here as a member of the session's group, not by its token.
  bool by_group = false;

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
  /// How many stays of the user there were before; nothing where a version
  /// that did not keep it wrote this one.
  std::optional<std::uint32_t> reconnections{};

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
  /// What it changed, as `name=value` words; limits::audit_text_bytes each.
  std::string before{};
  std::string after{};

  friend bool operator==(const audit_record&, const audit_record&) = default;
};

/// Who may see the answers of a round. The values are stored and on the wire.
enum class results_policy : std::uint8_t { live, after_close, moderators };

/// What everyone is told of who has answered.
enum class progress_policy : std::uint8_t { named, counts };

[[nodiscard]] std::string_view to_string(results_policy policy) noexcept;
[[nodiscard]] std::string_view to_string(progress_policy policy) noexcept;
[[nodiscard]] std::optional<results_policy>
parse_results(std::string_view name) noexcept;
[[nodiscard]] std::optional<progress_policy>
parse_progress(std::string_view name) noexcept;

/// The rules of a round, fixed when it opens.
struct round_rules {
  answer_schema schema;
  /// Only members with one of these roles; empty: everyone present.
  std::vector<std::string> roles{};
  /// An answer may be replaced while the round is open.
  bool revise = false;
  results_policy results = results_policy::after_close;
  progress_policy progress = progress_policy::named;

  friend bool operator==(const round_rules&, const round_rules&) = default;
};

/// A question to those present, which each may answer.
struct round_record {
  session_key session;
  std::string name;
  round_rules rules;
  millis opened_at{0};
  std::optional<millis> closed_at{};
  version at;

  friend bool operator==(const round_record&, const round_record&) = default;
};

/// What one user answered in one round.
struct submission_record {
  session_key session;
  std::string round;
  user_id user;
  /// As the round's schema has it; participants by public id.
  datum answer;
  /// Wall time of the last revision, and how many there were.
  millis when{0};
  std::uint32_t revisions = 0;
  version at;
  op_memory ops;

  friend bool operator==(const submission_record&, const submission_record&)
    = default;
};

/// Something that happened of itself, for whoever follows the session later.
struct event_record {
  session_key session;
  /// Its place in the log.
  version at;
  /// Wall time.
  millis when{0};
  /// What: `reminder`.
  std::string type;
  /// Whom it is about.
  user_id user;
  /// When it should have happened.
  millis due{0};

  friend bool operator==(const event_record&, const event_record&) = default;
};

/// Removes an entry of the event log.
struct event_erased {
  session_key session;
  version at;

  friend bool operator==(const event_erased&, const event_erased&) = default;
};

/// Removes everything of a session.
struct session_erased {
  session_key session;

  friend bool operator==(const session_erased&, const session_erased&)
    = default;
};

/// Removes these keys of a session: the store named them, for a sweep or an
/// erasure. At most limits::sweep_step.
struct keys_erased {
  session_key session;
  std::vector<std::string> keys;

  friend bool operator==(const keys_erased&, const keys_erased&) = default;
};

/// Somebody who may not be in a session, until a wall time or for good.
struct ban_record {
  session_key session;
  user_id user;
  /// Wall time of its end; nothing: it has none.
  std::optional<millis> until;
  /// Who said so, when and why.
  user_id by;
  millis when{0};
  std::string reason;
  version at;

  friend bool operator==(const ban_record&, const ban_record&) = default;
};

struct ban_erased {
  session_key session;
  user_id user;

  friend bool operator==(const ban_erased&, const ban_erased&) = default;
};

using record
  = std::variant<session_record, member_record, roster_page, occupied_mark,
                 due_mark, interval_record, audit_record, session_erased,
                 member_erased, keys_erased, round_record, submission_record,
                 event_record, event_erased, ban_record, ban_erased>;

/// Everything of one session that activation needs.
struct stored_session {
  std::optional<session_record> session;
  std::vector<member_record> members;
  std::vector<roster_page> pages;
  std::vector<ban_record> bans{};
  /// Stays of users who are gone: how often each was here before. The newest
  /// `limits::departed_per_session` users.
  std::vector<std::pair<user_id, std::uint32_t>> departed;
  std::vector<round_record> rounds{};
  std::vector<submission_record> submissions{};
  /// The entries of the event log, and when they happened; in order.
  std::vector<std::pair<version, millis>> events{};
  /// What the `due` index says.
  std::optional<millis> due{};
};

/// What a partition's new owner finds.
struct opened_partition {
  epoch_t epoch = 0;
  position_t position = 0;
  std::vector<session_key> occupied;
  std::vector<std::pair<session_key, millis>> due;
};

} // namespace rollcall
