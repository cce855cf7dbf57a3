#pragma once

// The past of a session, and of a namespace: what can be asked, what is
// answered, and the pure functions that make answers of stays. Times are wall
// times; a stay is the half-open interval [from, until).

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/records.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rollcall {

/// One stay of a participant, closed or not.
struct stay {
  user_id user;
  /// Filled in by the session's owner.
  participant_id participant{};
  version joined;
  millis from{0};
  /// Nothing while the user is here.
  std::optional<millis> until{};
  leave_reason reason = leave_reason::left;
  /// Stays of the user before this one, where that is known.
  std::optional<std::uint32_t> reconnections{};

  friend bool operator==(const stay&, const stay&) = default;
};

// -- questions about one session ---------------------------------------------

/// What is made of the stays.
enum class history_view : std::uint8_t {
  /// The stays themselves, paged.
  stays,
  /// One line for each user, paged.
  people,
  /// Figures and a timeline.
  summary,
  /// Who was here at `from`, or is now where that is zero; paged.
  here,
};

/// Asks for the stays that touch [from, until). Answered by the owner, from
/// the store and the roster as of one version.
struct get_history_command {
  history_view what = history_view::stays;
  millis from{0};
  /// Nothing: now.
  std::optional<millis> until{};
  /// Of one user alone.
  user_id user{};
  participant_id participant{};
  /// The width of the timeline's buckets; zero: no timeline.
  millis bucket{0};
  bool newest_first = false;
  /// `next` of the page before.
  std::string after{};
  /// At most limits::history_page_items.
  std::uint32_t limit = 100;
};

/// Asks for audit entries of [from, until), those of one user as actor or
/// target, or of one action.
struct get_audit_command {
  millis from{0};
  std::optional<millis> until{};
  user_id user{};
  std::string action{};
  bool newest_first = false;
  std::string after{};
  std::uint32_t limit = 100;
};

/// What a session knows of one user.
struct person_history {
  user_id user;
  participant_id participant{};
  millis first_seen{0};
  /// The end of the last stay, or now.
  millis last_seen{0};
  /// Time spent here, in the window asked for.
  millis dwell{0};
  std::uint32_t stays = 0;
  std::uint32_t reconnections = 0;
  bool here = false;

  friend bool operator==(const person_history&, const person_history&)
    = default;
};

/// One step of a timeline.
struct history_bucket {
  /// Where it begins.
  millis at{0};
  /// Present when it begins, and the most that were present in it.
  std::uint32_t present = 0;
  std::uint32_t peak = 0;
  std::uint32_t joins = 0;
  std::uint32_t leaves = 0;
  /// Users who were here in it.
  std::uint32_t unique = 0;

  friend bool operator==(const history_bucket&, const history_bucket&)
    = default;
};

inline constexpr std::size_t leave_reasons = 7;

/// The figures of a window.
struct history_summary {
  millis from{0};
  millis until{0};
  std::uint32_t stays = 0;
  std::uint32_t unique = 0;
  std::uint32_t peak = 0;
  /// When the peak was first reached; nothing if nobody was here.
  std::optional<millis> peak_at{};
  std::uint32_t joins = 0;
  std::uint32_t leaves = 0;
  /// Joins of users who had been here before.
  std::uint32_t reconnections = 0;
  /// Time spent in the window, of all together.
  millis dwell{0};
  std::optional<millis> first_seen{};
  std::optional<millis> last_seen{};
  /// Leaves by their reason.
  std::array<std::uint32_t, leave_reasons> reasons{};
  std::vector<history_bucket> timeline{};

  friend bool operator==(const history_summary&, const history_summary&)
    = default;
};

struct history_reply {
  history_view what = history_view::stays;
  /// Wall time of the answer.
  millis as_of{0};
  /// Not everything was looked at: only stays that began at `covers_from` or
  /// later.
  std::optional<millis> covers_from{};
  std::vector<stay> stays{};
  std::vector<person_history> people{};
  std::optional<history_summary> summary{};
  /// Where to go on; empty after the last page.
  std::string next{};
};

struct audit_reply {
  millis as_of{0};
  std::vector<audit_record> entries{};
  std::string next{};
};

// -- questions about a namespace ---------------------------------------------

/// Asks one partition for its sessions of a namespace, in order of
/// `listed_before`. The session of the command names the namespace alone.
struct list_sessions_command {
  partition_id partition = 0;
  std::optional<std::string> kind{};
  std::optional<bool> occupied{};
  std::optional<bool> ended{};
  /// Created by the caller, or with the caller as a member.
  bool mine = false;
  /// Only sessions behind this one; empty: from the first.
  session_id after{};
  /// At most limits::list_page_items.
  std::uint32_t limit = 100;
  /// Only what starts later than now.
  bool upcoming = false;
  /// Groups in place of sessions.
  bool groups = false;
  /// The groups that have the caller as a member, at most
  /// limits::list_groups; nothing where that is not known.
  std::optional<std::vector<std::string>> in_groups{};
};

struct session_summary {
  session_id id;
  std::string kind;
  user_id created_by;
  millis created_at{0};
  std::optional<millis> ended_at{};
  /// The name of its access mode.
  std::string access;
  bool locked = false;
  /// As the store knows: behind the roster by one write of its pages.
  std::uint32_t present = 0;
  /// At most limits::list_members.
  std::uint32_t members = 0;
  bool is_member = false;
  std::optional<millis> starts_at{};
  /// Of a group: what people call it.
  std::string name{};

  friend bool operator==(const session_summary&, const session_summary&)
    = default;
};

struct list_reply {
  millis as_of{0};
  std::vector<session_summary> sessions{};
  /// Everything up to here was looked at; nothing when that was all.
  std::optional<session_id> reached{};
};

/// The order of listings: that of the store's keys.
[[nodiscard]] bool listed_before(const session_id& a,
                                 const session_id& b) noexcept;

/// Asks one partition to erase a user in all its sessions of a namespace, one
/// step after the other: again from `next` until there is none.
struct erase_user_command {
  partition_id partition = 0;
  user_id user;
  std::string after{};
};

struct erase_reply {
  /// Sessions that named the user, and records removed beside.
  std::uint32_t sessions = 0;
  std::uint32_t records = 0;
  std::string next{};
};

// -- pure functions ----------------------------------------------------------

/// A span of wall time, half open.
struct time_window {
  millis from{0};
  millis until{0};
};

/// Whether a stay touches the window. One that began and ended at the same
/// moment does if that lies inside.
[[nodiscard]] bool touches(const stay& one, const time_window& window) noexcept;

/// The time of a stay inside the window; an open one lasts until `now`.
[[nodiscard]] millis dwell_in(const stay& one, const time_window& window,
                              millis now) noexcept;

/// The figures of all stays that touch the window, without a timeline.
[[nodiscard]] history_summary summarize(std::span<const stay> all,
                                        const time_window& window, millis now);

/// The window in buckets of this width, the last one possibly shorter in time.
/// `bad_request` for a width that is not positive or makes more than
/// limits::history_buckets.
[[nodiscard]] result<std::vector<history_bucket>>
timeline(std::span<const stay> all, const time_window& window, millis bucket);

/// One line for each user with a stay that touches the window, in order of
/// user ids.
[[nodiscard]] std::vector<person_history>
people_of(std::span<const stay> all, const time_window& window, millis now);

/// The stays that were under way at `when`.
[[nodiscard]] std::vector<stay> here_at(std::span<const stay> all, millis when);

/// How often each user was here: the count its newest stay knows, or, where
/// none does, those seen. In order of user ids; of more than `most` users the
/// latest.
[[nodiscard]] std::vector<std::pair<user_id, std::uint32_t>>
visits_of(std::span<const stay> all, std::size_t most);

} // namespace rollcall
