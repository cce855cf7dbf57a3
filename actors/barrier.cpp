#include "actors/barrier.hpp"

namespace rollcall {

void barrier::see(const participant_id& who, bool counts) {
  if (!active_)
    return;
  if (counts && !ready_.contains(who))
    awaited_.insert(who);
  else
    awaited_.erase(who);
}

void barrier::forget(const participant_id& who) {
  awaited_.erase(who);
  ready_.erase(who);
}

bool barrier::set_ready(const participant_id& who, bool ready, bool counts) {
  if (!active_)
    return false;
  bool changed = ready ? ready_.insert(who).second : ready_.erase(who) != 0;
  see(who, counts);
  return changed;
}

} // namespace rollcall
