#include "edge/relay/succession.hpp"

#include <unordered_set>
#include <utility>
#include <variant>

namespace rollcall::edge {

bool succession::hold(const relay_state& here, const snapshot& whole,
                      millis now, millis patience) {
  if (!here.ready() || whole.at.epoch <= here.at().epoch
      || (next_ && whole.at <= next_->at()))
    return open();
  std::unordered_set<participant_id> known;
  for (const auto& who : whole.participants)
    known.insert(who.participant);
  missing_.clear();
  for (const auto& who : here.make_snapshot().participants)
    if (who.state == presence_state::online && !known.contains(who.participant))
      missing_.insert(who.participant);
  // An end is said by the owner, not forgotten by it.
  if (whole.ended)
    missing_.clear();
  if (!next_) {
    if (missing_.empty())
      return false;
    until_ = now + patience;
    next_.emplace();
  }
  return next_->take(whole);
}

batch_fate succession::take(const batch_ptr& next) {
  auto fate = next_->take(next);
  if (fate != batch_fate::applied)
    return fate;
  for (const auto& one : next->changes)
    if (const auto* joined = std::get_if<joined_change>(&one.body))
      missing_.erase(joined->participant.participant);
  return fate;
}

snapshot succession::release() {
  auto out = next_->make_snapshot();
  next_.reset();
  missing_.clear();
  return out;
}

} // namespace rollcall::edge
