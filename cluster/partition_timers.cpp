// When sessions are woken and brought back.

#include "cluster/partition_shell.hpp"

#include <algorithm>
#include <vector>

namespace rollcall::cluster {

void arm(partition_ptr self) {
  auto& s = self->state;
  auto next = s.wheel.next();
  if (s.retry_open)
    next = std::min(next.value_or(never), *s.retry_open);
  if (!next || (s.armed && *s.armed <= *next))
    return;
  s.armed = next;
  auto now = s.env.sessions.clock();
  self->delayed_send(self, later(*next - now.steady, millis{0}),
                     atoms::wake::value);
}

void turn_wheel(partition_ptr self) {
  auto& s = self->state;
  auto now = s.env.sessions.clock();
  // Of several that are under way, the one that counts is still to come.
  if (s.armed && *s.armed > now.steady + s.env.wheel_tick)
    return;
  s.armed.reset();
  if (s.shutting_down)
    return;
  if (s.retry_open && *s.retry_open <= now.steady) {
    s.retry_open.reset();
    open(self);
  }
  std::vector<session_key> due;
  s.wheel.expire(now.steady, due);
  for (const auto& key : due) {
    auto at = s.slots.find(key);
    if (at == s.slots.end()) {
      s.to_activate.push_back(key);
      continue;
    }
    at->second.wanted = true;
    if (at->second.at == session_slot::phase::active)
      self->send(at->second.session, atoms::wake::value);
  }
  activate_more(self);
  arm(self);
}

} // namespace rollcall::cluster
