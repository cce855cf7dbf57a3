#pragma once

// What the sources of the partition actor share; for them alone.

#include "actors/base/timer_wheel.hpp"
#include "cluster/partition_actor.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

namespace rollcall::cluster {

struct waiting_command {
  command_ptr asked;
  caf::typed_response_promise<reply_ptr> answer;
};

/// What waits for a session: in the order it came.
using waiting_item = std::variant<waiting_command, note_ptr>;

/// One session of the partition.
struct session_slot {
  enum class phase : std::uint8_t { loading, active, stopping };

  phase at = phase::loading;
  session_actor session;
  std::deque<waiting_item> queue;
  /// Due, or occupied: should it not be read now, then later, asked or not.
  bool wanted = false;
};

/// A session whose actor failed in the last `failures_count_for`.
struct failed_session {
  std::uint32_t times = 0;
  /// Steady time of the last one, and until when nobody tries again.
  millis last{0};
  millis rests_until{0};
};

/// How long a failure of a session counts.
inline constexpr millis failures_count_for{10 * 60'000};

struct partition_shell {
  static inline const char* name = "partition";

  partition_env env;
  bool open = false;
  bool ready_told = false;
  bool shutting_down = false;
  epoch_t epoch = 0;
  std::unordered_map<session_key, session_slot> slots;
  std::size_t loading = 0;
  std::deque<session_key> to_activate;
  std::deque<waiting_item> before_open;
  /// When to wake those that are here, by the steady clock, and when to bring
  /// back those that sleep, by the wall clock.
  timer_wheel<session_key> wheel{millis{100}};
  timer_wheel<session_key> asleep{millis{100}};
  std::optional<millis> armed;
  /// How far the wall clock was ahead of the steady one when we last looked.
  std::optional<millis> wall_ahead;
  std::optional<millis> retry_open;
  /// At most limits::activations_in_flight.
  std::unordered_map<session_key, failed_session> failed;
  /// Who is given the sessions, and how many are still to be given.
  std::optional<node_id> heir;
  std::size_t to_give = 0;
  std::uint32_t given = 0;
  /// Where the sweep goes on, and what all sweeps have removed.
  std::string sweep_from;
  std::uint64_t swept = 0;
};

using partition_ptr = partition_actor::stateful_pointer<partition_shell>;

/// Answers a waiting command with a refusal; a note has nobody to answer.
void refuse(waiting_item& item, errc code, const char* message);

/// The same, so that the asker looks for another owner if there may be one.
void refuse_leaving(const partition_shell& s, waiting_item& item);

[[nodiscard]] reply_ptr refusal(errc code, const char* message);

/// To its session, which is activated if need be; while the partition is not
/// open it waits.
void route(partition_ptr self, waiting_item item);

/// Asks for the claim.
void open(partition_ptr self);

/// Tells the node, where there is one, what became of the claim.
void tell_node(const partition_shell& s, partition_word::kind what,
               bool journal_away = false);

// -- what is about all sessions (partition_past.cpp) -------------------------

/// Whether a command is for the partition as a whole.
[[nodiscard]] bool is_about_partition(const command& asked);

/// Answers such a command, once the claim is in force.
[[nodiscard]] caf::result<reply_ptr> answer_itself(partition_ptr self,
                                                   const command_ptr& asked);
void dispatch_itself(partition_ptr self, const command_ptr& asked,
                     caf::typed_response_promise<reply_ptr> answer);

/// What is to be done with what the store found.
using use_findings = std::function<void(const result<store_findings>&)>;

void ask_history(partition_ptr self, store_question question, use_findings use);

[[nodiscard]] reply_ptr answer_with(const partition_shell& s, reply_body body,
                                    ack_level level);
[[nodiscard]] reply_ptr refuse_with(failure why);

/// What a group says to its sessions in this partition (partition_groups.cpp).
void settle_group(partition_ptr self, const command_ptr& asked,
                  caf::typed_response_promise<reply_ptr> answer);

/// Sweeps now and then from here on, and does one step of it.
void start_sweeping(partition_ptr self);
void sweep(partition_ptr self);

/// Loads as many of those that are to be activated as may be loaded at once.
void activate_more(partition_ptr self);

// -- time (partition_timers.cpp) ---------------------------------------------

/// Has us woken when the next deadline comes, of which this is the last word.
void arm(partition_ptr self);

/// Wakes, or brings back, every session whose time has come.
void turn_wheel(partition_ptr self);

/// It has gone, and is to be back at the steady time `when`, or `never`.
void fall_asleep(partition_ptr self, const session_key& key, millis when);

// -- sessions that failed (partition_failures.cpp) ---------------------------

/// Ends every session and claims the partition once more: under the new claim
/// all begin with what is kept, whatever they had shown or still had under way.
void claim_anew(partition_ptr self);

/// Counts a failure of that session: from the second in a row on it rests.
void note_failure(partition_ptr self, const session_key& key);

/// Whether it has failed so often that it is left alone for now.
[[nodiscard]] bool rests(partition_ptr self, const session_key& key);

// -- the ways to end (partition_leaving.cpp) ---------------------------------

/// In order, with nobody to take over: every session writes what it may.
void shut_down(partition_ptr self);

/// Another owner has restored what the sessions hold.
void yield(partition_ptr self);

/// Gives every session to `heir`.
void give_up(partition_ptr self, const node_id& heir);

void quit_when_empty(partition_ptr self);

/// At once.
void end_sessions(partition_ptr self);

} // namespace rollcall::cluster
