#pragma once

// What a session is given and what it hands out, beside the values of
// records.hpp, changes.hpp and commands.hpp.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/commands.hpp"
#include "actors/kind.hpp"
#include "actors/pending_queue.hpp"
#include "actors/records.hpp"
#include "actors/replies.hpp"
#include "actors/rounds.hpp"
#include "actors/session_timers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// What every session of a node shares. Immutable while the node runs.
struct session_rules {
  /// Every kind by name; a session record names one of them.
  std::vector<kind_settings> kinds;
  /// The key of participant ids.
  std::string id_secret;
  /// How long restored connections wait for their edge's word.
  millis confirm_window{5'000};
  /// Without participants, observers and timers for this long: passivate.
  millis idle_after{60'000};
  /// Ended sessions are erased after this.
  millis ended_retention{30LL * 86'400'000};
  /// Entries of the event log are erased after this.
  millis event_retention{7LL * 86'400'000};

  [[nodiscard]] const kind_settings* find_kind(std::string_view name) const;
};

/// What observers are to be told of a participant.
struct shown_presence {
  bool suspected = false;
  std::optional<millis> expires;
  std::uint32_t connections = 0;
};

/// How far a group has told its sessions of a change.
struct group_telling {
  /// What is being told, since when, and how often it was told in vain.
  group_state change{};
  millis from{0};
  std::uint32_t times = 0;
  bool is_due = false;
  bool under_way = false;
  /// Removals that were heard everywhere.
  std::vector<group_removal> told{};
};

/// A decided durable operation.
struct durable_op {
  enum class purpose : std::uint8_t {
    /// What its command says.
    command,
    /// The creation that a join waits for.
    then_join,
    /// Makes a user who joined a member.
    admission,
    /// Forgets a session whose retention is over; has no command.
    erasure,
    /// Forgets a host who was named and has not come back in time; likewise.
    host_lapse,
    /// What is due by `timer`; likewise.
    timer,
    /// Forgets changes of a group that were heard everywhere; likewise.
    told,
    /// Takes out of a group's session whom the group has taken out, as its
    /// command says.
    put_out,
  };

  purpose why = purpose::command;
  ticket answer_to = 0;
  command_ptr asked;
  /// The user it touches; nothing: the whole session.
  std::optional<user_id> touches;
  /// Set when started: what must be durable before it takes effect.
  std::vector<record> records{};
  std::optional<timer_name> timer{};
  /// Set when started: the earliest deadline that its records bring.
  std::optional<millis> due{};
  /// Set when started: what its records add to what a session may hold.
  std::size_t new_members = 0;
  rounds::growth new_answers{};
};

/// Operations that become durable together.
struct durable_batch {
  std::uint64_t number = 0;
  std::vector<record> records;
};

/// An answer that had to wait.
struct late_answer {
  ticket to = 0;
  result<reply> answer;
};

} // namespace rollcall
