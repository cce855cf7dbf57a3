#pragma once

// What a session can be asked, and what it answers. Values only.

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
/// is.
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
  get_members_command, get_bans_command, get_course_command, put_group_command,
  get_group_command, settle_group_command>;

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

struct answer_view {
  participant_id participant;
  /// Empty where the caller may not know.
  user_id user;
  datum answer;
  /// Wall time of the last revision, and how many there were.
  millis when{0};
  std::uint32_t revisions = 0;
};

struct round_reply {
  round_view round;
  answer_schema schema;
  /// Whether the caller may see the answers; one's own are shown always.
  bool visible = false;
  std::vector<answer_view> answers;
  /// Where to go on; nothing when the page is the last.
  std::optional<participant_id> next;
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
/// How somebody stands to a session; derived, never stored.
enum class member_status : std::uint8_t { invited, joined, left, removed };

[[nodiscard]] std::string_view to_string(member_status status) noexcept;

/// A member as others see one, here or not.
struct member_view {
  participant_id participant;
  user_id user;
  profile who;
  std::string role;
  std::vector<std::string> permissions;
  member_status status = member_status::invited;
  /// Wall time of admission.
  millis admitted_at{0};
};

struct course_reply {
  /// Wall time.
  std::optional<millis> starts_at;
  phase_state phase;
  std::optional<barrier_view> barrier;
  std::vector<round_view> rounds;
  /// In order of joining; empty unless they were asked for.
  std::vector<participant_view> participants;
};

struct members_reply {
  std::vector<member_view> members;
  /// Where to go on; empty when the page is the last.
  user_id next{};
};

struct ban_view {
  participant_id participant;
  user_id user;
  std::optional<millis> until;
  user_id by;
  millis when{0};
  std::string reason;
};

struct bans_reply {
  std::vector<ban_view> bans;
  user_id next{};
};

struct group_reply {
  std::string name;
  /// Empty where that user was erased.
  user_id created_by;
  /// Wall time.
  millis created_at{0};
  /// Whether the caller is a member, and as what.
  bool member = false;
  std::string role;
  /// The command made it.
  bool created = false;
};

struct settled_reply {
  /// Nothing was left to do, and nothing of it is still to be kept.
  bool settled = false;
  /// Where to go on; empty after the last step.
  session_id next{};
};

using reply_body
  = std::variant<done, join_reply, roster_reply, observe_reply, round_reply,
                 renew_reply, leave_reply, history_reply, audit_reply,
                 list_reply, erase_reply, members_reply, bans_reply,
                 course_reply, group_reply, settled_reply>;

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
  /// Not to come back for now: `kicked` is meant so.
  bool banned = false;
};

/// The owner does not know the connection: its join was lost with the owner
/// before. To be joined again.
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
