// What operations take of a session's bounds while they are on their way to
// the journal: those that start meanwhile find it taken.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

namespace rollcall {

bool session_state::members_full() const noexcept {
  return members_.size() + members_coming_ >= limits::members_per_session;
}

void session_state::take_room(durable_op& op) {
  for (const auto& one : op.records) {
    if (const auto* known = std::get_if<member_record>(&one)) {
      op.new_members += member(known->user) == nullptr ? 1 : 0;
    } else if (const auto* answer = std::get_if<submission_record>(&one)) {
      const auto* here = roster_.find(answer->user);
      const auto* old = rounds_.answer_of(
        answer->round,
        here != nullptr ? here->public_id : public_id(answer->user));
      op.new_answers += rounds::growth_of(size_of(answer->answer), old);
    } else if (const auto* entry = std::get_if<event_record>(&one)) {
      events_.add(entry->at, entry->when);
    } else if (const auto* gone = std::get_if<event_erased>(&one)) {
      events_.erasing(gone->at);
    }
  }
  members_coming_ += op.new_members;
  answers_coming_ += op.new_answers;
}

void session_state::give_room_back(const durable_op& op, bool kept) {
  members_coming_ -= op.new_members;
  answers_coming_ -= op.new_answers;
  if (kept)
    return;
  for (const auto& one : op.records) {
    if (const auto* entry = std::get_if<event_record>(&one))
      events_.lost(entry->at);
    else if (const auto* gone = std::get_if<event_erased>(&one))
      events_.stays(gone->at);
  }
}

} // namespace rollcall
