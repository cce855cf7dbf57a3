#pragma once

// What the sources of the session actor share; for them alone.

#include "actors/session_actor.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace rollcall {

/// A command and where its answer goes.
struct open_command {
  command_ptr asked;
  caf::typed_response_promise<reply_ptr> answer;
};

/// A question to the session's group that is under way.
struct group_wait {
  user_id user;
  /// The group has said since that the user was taken out.
  bool overtaken = false;
};

struct session_shell {
  static inline const char* name = "session";

  session_env env;
  partition_id partition = 0;
  epoch_t epoch = 0;
  session_key key;
  partition_actor owner;
  std::unique_ptr<session_state> state;
  std::unordered_map<ticket, open_command> waiting;
  /// At most limits::group_questions.
  std::map<std::uint64_t, group_wait> at_group;
  std::uint64_t last_question = 0;
  std::optional<millis> last_flush;
  std::optional<millis> last_pages;
  bool flush_due = false;
  std::optional<millis> asked_wake;
  /// The hand-over that was asked for, and whether it is done.
  std::optional<caf::typed_response_promise<session_transfer_ptr>> leaving;
  bool pages_tried = false;
  /// Told to stop: the farewell is under way, and the partition waits for a
  /// word until then.
  bool parting = false;
  std::optional<millis> patient_until;
  /// Idle as it may be, it does not ask to be stopped before.
  std::optional<millis> stays_until;
  bool gone = false;
  std::int64_t commands = 0;
  std::int64_t batches = 0;
};

using session_ptr = session_actor::stateful_pointer<session_shell>;

[[nodiscard]] reply_ptr share(result<reply> value);

/// Does a command and whatever follows from it.
void carry_out(session_ptr self, open_command what);

/// Everything that follows from a change of state.
void settle(session_ptr self);

// -- groups (session_group_shell.cpp) ----------------------------------------

/// Answers, unless the session's group may say otherwise: then it is asked
/// first, and the command is done again for one of its members.
void answer_or_ask(session_ptr self, open_command what, result<reply> outcome);

/// Questions about those users were asked too early.
void overtake_questions(session_shell& s, const settle_group_command& told);

/// Tells every partition what this group has to say, if anything.
void tell_partitions(session_ptr self);

} // namespace rollcall
