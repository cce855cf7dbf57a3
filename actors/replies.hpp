#pragma once

// What a session answers to commands. Values only.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/changes.hpp"
#include "actors/commands.hpp"
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
  /// See session_record.
  version changed{};
  /// Wall time.
  std::optional<millis> starts_at{};
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

/// Whether and how long before the start a member is reminded of it.
struct reminder_view {
  bool enabled = false;
  millis lead{0};

  friend bool operator==(const reminder_view&, const reminder_view&) = default;
};

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
  /// See member_record.
  version changed{};
  /// For the member alone.
  std::optional<reminder_view> remind{};
};

struct course_reply {
  /// Wall time.
  std::optional<millis> starts_at;
  phase_state phase;
  std::optional<barrier_view> barrier;
  /// With people: of each round those present who have answered, whatever its
  /// progress says.
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

using reply_ptr = std::shared_ptr<const result<reply>>;

} // namespace rollcall
