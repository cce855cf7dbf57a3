#pragma once

// What observers see. A session publishes one batch per tick, from version to
// version; snapshot + batches = a later snapshot.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"
#include "actors/records.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// One value of a participant's live state.
using live_value = std::variant<bool, std::int64_t, double, std::string>;
/// Live keys; in an update, an absent value removes the key.
using live_map = std::map<std::string, live_value>;
using live_update = std::map<std::string, std::optional<live_value>>;

/// Who may see a change.
enum class audience : std::uint8_t { everyone, member, moderator };

enum class presence_state : std::uint8_t { online, suspected };

/// A participant as observers see it.
struct participant_view {
  participant_id participant;
  user_id user;
  profile who;
  std::string role;
  std::vector<std::string> permissions;
  presence_state state = presence_state::online;
  /// Steady time of the owner at which `left` follows; only while suspected.
  /// Travels between nodes as a duration.
  std::optional<millis> expires;
  /// Wall time of joining.
  millis since{0};
  version joined;
  std::uint32_t connections = 0;
  std::uint32_t reconnections = 0;
  live_map live;
  /// Wall time of the last request, coalesced; that of joining at first.
  millis last_active{0};
  /// One for each connection; empty if nothing is known of any.
  std::vector<connection_facts> facts{};

  friend bool operator==(const participant_view&, const participant_view&)
    = default;
};

// -- the changes, in the words of docs/protocol.md ---------------------------

struct joined_change {
  participant_view participant;
  bool is_reconnection = false;
};

struct suspected_change {
  participant_id participant;
  /// Steady time at which `left` follows.
  millis expires{0};
};

struct resumed_change {
  participant_id participant;
};

struct left_change {
  participant_id participant;
  leave_reason reason = leave_reason::left;
};

struct live_change {
  participant_id participant;
  live_update live;
};

struct connection_change {
  participant_id participant;
  std::uint32_t connections = 0;
  /// As in `participant_view`.
  std::vector<connection_facts> facts{};
};

/// What a member change changed; bits.
enum class member_key : std::uint8_t {
  role = 1 << 0,
  permissions = 1 << 1,
  /// Became a member, or is one no more; `is_member` says which.
  membership = 1 << 2,
  /// Was banned, or is no more; moderators alone are told.
  ban = 1 << 3,
  /// Is called otherwise; shown to those alone who are shown names.
  name = 1 << 4,
};

/// A member's durable facts; also of members who are not present.
struct member_change {
  participant_id participant;
  user_id user;
  std::string role;
  std::vector<std::string> permissions;
  /// Of `member_key`.
  std::uint8_t changed = 0;
  bool is_member = true;
  bool is_banned = false;
  /// With `member_key::name`.
  std::string name{};

  [[nodiscard]] bool has(member_key key) const noexcept {
    return (changed & static_cast<std::uint8_t>(key)) != 0;
  }

  /// Whether it says nothing to those who are not shown names: becoming a
  /// member by it is none of their business either.
  [[nodiscard]] bool is_of_name_alone() const noexcept {
    return has(member_key::name) && !has(member_key::role)
           && !has(member_key::permissions) && !has(member_key::ban);
  }
};

struct host_change {
  std::optional<participant_id> host;
};

struct session_change {
  kind_settings settings;
  bool ended = false;
  /// Wall time.
  std::optional<millis> starts_at{};
};

struct phase_change {
  phase_state phase;
};

/// A round as observers see it.
struct round_view {
  std::string name;
  bool open = true;
  bool revise = false;
  results_policy results = results_policy::after_close;
  progress_policy progress = progress_policy::named;
  /// All who have answered, here or not.
  std::uint32_t answers = 0;
  /// Of those here: who may answer, and who has. Zero once it is closed.
  std::uint32_t eligible = 0;
  std::uint32_t submitted = 0;
  /// Who has answered, in order; nobody unless progress is `named`.
  std::vector<participant_id> participants{};

  friend bool operator==(const round_view&, const round_view&) = default;
};

/// A round opened, closed, or got on. `round.participants` are those who have
/// answered since the change before.
struct submission_change {
  round_view round;
};

/// A barrier as observers see it.
struct barrier_view {
  barrier_state state;
  /// Who is ready, in order; nobody once it has opened.
  std::vector<participant_id> ready{};

  friend bool operator==(const barrier_view&, const barrier_view&) = default;
};

/// With `participant`: whether that one is ready. Without: the barrier begins,
/// nobody being ready, or opens.
struct barrier_change {
  barrier_state state;
  std::optional<participant_id> participant{};
  bool ready = false;
};

struct activity_change {
  participant_id participant;
  /// Wall time.
  millis last_active{0};
};

using change_body
  = std::variant<joined_change, suspected_change, resumed_change, left_change,
                 live_change, connection_change, member_change, host_change,
                 session_change, phase_change, submission_change,
                 barrier_change, activity_change>;

/// One visible change. `present` and `total` are the counts right after it.
struct change {
  revision_t rev = 0;
  audience seen_by = audience::everyone;
  std::uint32_t present = 0;
  std::uint32_t total = 0;
  change_body body;
};

/// Everything that became visible at one tick.
struct batch {
  session_key session;
  version from;
  version to;
  std::uint32_t present = 0;
  std::uint32_t total = 0;
  std::vector<change> changes;
};

/// A session at one version.
struct snapshot {
  session_key session;
  version at;
  kind_settings settings;
  bool ended = false;
  std::uint32_t present = 0;
  std::uint32_t total = 0;
  std::optional<participant_id> host;
  /// In order of joining.
  std::vector<participant_view> participants;
  /// Wall time.
  std::optional<millis> starts_at{};
  phase_state phase{};
  std::optional<barrier_view> barrier{};
  /// In order of their names.
  std::vector<round_view> rounds{};

  friend bool operator==(const snapshot&, const snapshot&) = default;
};

using batch_ptr = std::shared_ptr<const batch>;
using snapshot_ptr = std::shared_ptr<const snapshot>;

} // namespace rollcall
