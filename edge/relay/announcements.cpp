#include "edge/relay/announcements.hpp"

#include <algorithm>

namespace rollcall::edge {

void announcements::owner_changed(partition_id partition, millis now) {
  waiting_[partition] = {times_, now};
}

void announcements::call(partition_id partition, millis now) {
  waiting_.try_emplace(partition, turns{1, now});
}

void announcements::joined(partition_id partition, millis now) {
  auto at = last_.find(partition);
  if (at != last_.end() && now < at->second + again_)
    waiting_.try_emplace(partition, turns{1, at->second + again_});
}

std::set<partition_id> announcements::take_due(millis now) {
  std::set<partition_id> due;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& [partition, turn] = *at;
    if (turn.due > now) {
      ++at;
      continue;
    }
    due.insert(partition);
    last_[partition] = now;
    turn.due = now + again_;
    at = --turn.left == 0 ? waiting_.erase(at) : std::next(at);
  }
  return due;
}

std::optional<millis> announcements::next() const {
  std::optional<millis> first;
  for (const auto& [partition, turn] : waiting_)
    first = std::min(first.value_or(turn.due), turn.due);
  return first;
}

} // namespace rollcall::edge
