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
  awaited_.clear();
  missing_.clear();
  // An owner that kept only an earlier stay of somebody lacks this one.
  auto look_for = [&](const relay_state& before) {
    for (const auto& who : before.make_snapshot().participants)
      if (auto at = known.find(who.participant);
          at == known.end() || at->second < who.joined) {
        awaited_[who.participant] = who.joined;
        missing_.insert(who.participant);
      }
  };
  look_for(here);
  // Nor may it lack who came to the owner between the two.
  if (next_)
    look_for(*next_);
  // An end is said by the owner, not forgotten by it.
  if (whole.ended)
    missing_.clear();
  if (!next_ && missing_.empty())
    return false;
  // Whom the one before did not get back may still come back to this one.
  if (!next_ || whole.at.epoch > next_->at().epoch)
    until_ = now + patience;
  if (!next_)
    next_.emplace();
  return next_->take(whole);
}

batch_fate succession::take(const batch_ptr& next) {
  auto fate = next_->take(next);
  if (fate != batch_fate::applied)
    return fate;
  for (const auto& one : next->changes)
    if (const auto* joined = std::get_if<joined_change>(&one.body)) {
      if (auto at = awaited_.find(joined->participant.participant);
          at != awaited_.end() && at->second <= joined->participant.joined)
        missing_.erase(at->first);
    } else if (const auto* left = std::get_if<left_change>(&one.body)) {
      // A join that was repeated late, and taken back.
      if (awaited_.contains(left->participant))
        missing_.insert(left->participant);
    }
  return fate;
}

snapshot succession::release() {
  auto out = next_->make_snapshot();
  next_.reset();
  awaited_.clear();
  missing_.clear();
  return out;
}

} // namespace rollcall::edge
