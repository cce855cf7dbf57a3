#include "edge/relay/succession.hpp"

#include <unordered_map>
#include <utility>
#include <variant>

namespace rollcall::edge {

bool succession::hold(const relay_state& here, const snapshot& whole,
                      millis now, millis patience) {
  if (!here.ready() || whole.at.epoch <= here.at().epoch
      || (next_ && whole.at <= next_->at()))
    return open();
  std::unordered_map<participant_id, version> known;
  for (const auto& who : whole.participants)
    known.emplace(who.participant, who.joined);
  missing_.clear();
  // An owner that kept only an earlier stay of somebody lacks this one.
  for (const auto& who : here.make_snapshot().participants)
    if (auto at = known.find(who.participant);
        who.state == presence_state::online
        && (at == known.end() || at->second < who.joined))
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
