#include "actors/gather.hpp"

#include <algorithm>

namespace rollcall {

void listing_merge::add(list_reply part) {
  as_of_ = std::min(as_of_.value_or(part.as_of), part.as_of);
  if (part.reached && (!reached_ || listed_before(*part.reached, *reached_)))
    reached_ = std::move(part.reached);
  std::move(part.sessions.begin(), part.sessions.end(),
            std::back_inserter(sessions_));
}

listing listing_merge::finish() {
  // Behind that point some partition may have more that belongs between.
  if (reached_)
    std::erase_if(sessions_, [&](const auto& one) {
      return listed_before(*reached_, one.id);
    });
  std::sort(
    sessions_.begin(), sessions_.end(),
    [](const auto& a, const auto& b) { return listed_before(a.id, b.id); });
  listing out;
  out.as_of = as_of_.value_or(millis{0});
  out.complete = complete_;
  out.next = reached_;
  if (sessions_.size() > limit_) {
    sessions_.resize(limit_);
    out.next = sessions_.back().id;
  }
  out.sessions = std::move(sessions_);
  return out;
}

} // namespace rollcall
