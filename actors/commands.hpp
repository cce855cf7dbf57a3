#pragma once

// What a session can be asked. Values only. What it answers: replies.hpp.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/changes.hpp"
#include "actors/history.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  /// Of the connection that joins.
  connection_facts facts{};
};

/// The connection leaves on purpose; or, of the caller's leased connections,
/// the one named, or every one.
struct leave_command {
  std::optional<connection_id> lease{};
  bool every_lease = false;
};

struct set_live_command {
  live_update live;
  /// The client's own age of the value; shifts it into the past by at most the
  /// session's `timeout`.
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
/// Hidden: whatever the session's access is, by the right `observe_hidden`;
/// answered when the audit log has it.
struct observe_command {
  bool hidden = false;
};

// -- durable: journal first, answered `committed` ----------------------------

struct create_command {
  std::string kind;
  settings_patch settings;
  /// Wall time of the start, if it has one.
  std::optional<millis> starts_at{};
};

struct configure_command {
  settings_patch settings;
  /// The new start, or (inside) none; absent: stays.
  std::optional<std::optional<millis>> starts_at{};
};

struct end_command {};

/// Makes the user a member, or changes one.
struct set_member_command {
  user_id user;
  participant_id participant;
  std::optional<std::string> role{};
  std::optional<std::vector<std::string>> permissions{};
  /// Permissions given and taken one by one; excludes `permissions`.
  std::vector<std::string> give{};
  std::vector<std::string> take{};
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

/// What is absent stays. A phase ends the timer of the one before.
struct set_phase_command {
  std::optional<std::string> phase{};
  std::optional<std::string> status{};
  /// So long, then `next` follows.
  std::optional<millis> duration{};
  std::string next{};
};

struct open_round_command {
  std::string round;
  round_rules rules;
};

struct close_round_command {
  std::string round;
};

/// The caller's answer. The caller is present.
struct submit_command {
  std::string round;
  datum answer;
};

/// A question: a round, and those of its answers that the caller may see.
struct get_round_command {
  std::string round;
  std::optional<participant_id> after{};
  std::uint32_t limit = 100;
};

/// Everyone here is to say when they are ready; replaces an earlier barrier.
struct start_barrier_command {
  std::string barrier;
  std::optional<millis> timeout{};
};

/// Presence: applied at once, held in memory.
struct set_ready_command {
  bool ready = true;
};

/// The caller's own reminder. Makes the caller a member.
struct set_reminder_command {
  bool enabled = true;
  millis lead{0};
};

// -- presence, later ---------------------------------------------------------

/// A leased connection of the caller's is alive: the one named, or all of them.
struct renew_command {
  std::optional<connection_id> lease{};
};

/// Ends the session and erases all that belongs to it.
struct delete_command {};

/// Removes a user from one session: presence, membership and what the session
/// says of it. From the partition that erases the user, never from a client.
struct forget_user_command {
  user_id user;
};

// -- durable, later ----------------------------------------------------------

/// Makes the user a member who may come. One who is a member already stays as
/// is; `conflict` on `role` where that is another one.
struct invite_command {
  user_id user;
  std::optional<std::string> role{};
};

/// Takes membership back. Who is here by it alone is removed.
struct uninvite_command {
  user_id user;
  participant_id participant;
};

/// The caller leaves for good: presence and membership end.
struct withdraw_command {};

/// What the caller wants to be called here; nothing: as the token says. Makes
/// the caller a member.
struct set_name_command {
  std::optional<std::string> name{};
};

/// Ends the user's presence and membership, and keeps them out.
struct ban_command {
  user_id user;
  participant_id participant;
  /// From now; nothing: for good.
  std::optional<millis> lasts{};
  std::string reason{};
};

struct unban_command {
  user_id user;
  participant_id participant;
};

// -- questions, later --------------------------------------------------------

/// Where the session stands: phase, barrier and rounds. Who may see the roster
/// may ask.
struct get_course_command {
  /// With those who are here and their users: for those who moderate.
  bool people = false;
};

/// One page of the members, here or not, in order of their ids, after `after`.
struct get_members_command {
  user_id after{};
  std::uint32_t limit = 100;
  /// One member alone.
  std::optional<user_id> only{};
};

/// One page of the bans in force, likewise. For moderators.
struct get_bans_command {
  user_id after{};
  std::uint32_t limit = 100;
};

// -- groups ------------------------------------------------------------------

/// Makes a group, or calls it something else.
struct put_group_command {
  std::string name;
};

/// What a group is, and what the caller is in it.
struct get_group_command {};

/// Sessions of a deleted group are to go; or these users, who were taken out of
/// it, are to go from its sessions. From the group to every partition and from
/// there to sessions, again and again until nothing is left to do; never from a
/// client.
struct settle_group_command {
  partition_id partition = 0;
  std::string group;
  bool deleted = false;
  /// At most limits::group_removals.
  std::vector<user_id> removed{};
  /// `next` of the step before.
  session_id after{};
};

using command_body = std::variant<
  join_command, leave_command, set_live_command, get_roster_command,
  observe_command, create_command, configure_command, end_command,
  set_member_command, kick_command, transfer_host_command, get_history_command,
  get_audit_command, list_sessions_command, delete_command, erase_user_command,
  forget_user_command, set_phase_command, open_round_command,
  close_round_command, submit_command, get_round_command, start_barrier_command,
  set_ready_command, set_reminder_command, renew_command, invite_command,
  uninvite_command, withdraw_command, ban_command, unban_command,
  get_members_command, get_bans_command, get_course_command, set_name_command,
  put_group_command, get_group_command, settle_group_command>;

/// What must be true of what a durable command changes, where it is carried
/// out; `precondition_failed` otherwise.
struct precondition {
  /// It is about the member whom the command names, not about the session.
  bool of_member = false;
  /// When that changed last: `session_record::changed` or `member_record::at`.
  /// Nothing: it is there.
  std::optional<version> tag{};

  friend bool operator==(const precondition&, const precondition&) = default;
};

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
  /// A digest of what is asked and of who asks, where the edge has one; zero
  /// otherwise. An op id that comes again with another digest is refused.
  std::uint64_t about = 0;
  /// Its place among the commands of its connection, in the order in which
  /// they were asked, which is not always that in which they arrive; zero: not
  /// known. A join that its edge repeats has the number it had.
  std::uint64_t number = 0;
  /// What the caller has seen of the session, where it says so. It does not
  /// travel: whoever is sure to own the session knows no less.
  std::optional<version> seen{};
  std::optional<precondition> expected{};
};

using command_ptr = std::shared_ptr<const command>;

} // namespace rollcall
