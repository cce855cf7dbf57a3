// When sessions are woken and brought back. What they wait for is a matter of
// the wall clock, which may be set meanwhile; the timer is not.

#include "cluster/partition_shell.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace rollcall::cluster {

namespace {

/// How often we look whether the wall clock was set, and by how much it must
/// have been.
constexpr millis clock_look{1'000};
constexpr millis clock_step{1'000};

// Whoever is awake reckons with the clock as it was.
void look_at_clock(partition_ptr self, instant now) {
  auto& s = self->state;
  auto ahead = now.wall - now.steady;
  if (!s.wall_ahead)
    s.wall_ahead = ahead;
  if (std::chrono::abs(ahead - *s.wall_ahead) <= clock_step)
    return;
  s.wall_ahead = ahead;
  for (const auto& [key, to] : s.slots)
    if (to.at == session_slot::phase::active)
      self->send(to.session, atoms::wake::value);
}

} // namespace

void arm(partition_ptr self) {
  auto& s = self->state;
  auto now = s.env.sessions.clock();
  auto next = s.wheel.next();
  if (auto wall = s.asleep.next())
    next = std::min(next.value_or(never), now.steady + (*wall - now.wall));
  if (next)
    next = std::min(*next, now.steady + clock_look);
  if (s.retry_open)
    next = std::min(next.value_or(never), *s.retry_open);
  if (!next || (s.armed && *s.armed <= *next))
    return;
  s.armed = next;
  self->delayed_send(self, later(*next - now.steady, millis{0}),
                     atoms::wake::value);
}

void fall_asleep(partition_ptr self, const session_key& key, millis when) {
  auto& s = self->state;
  auto now = s.env.sessions.clock();
  s.wheel.cancel(key);
  s.asleep.schedule(key,
                    when == never ? never : now.wall + (when - now.steady));
  arm(self);
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
  look_at_clock(self, now);
  std::vector<session_key> due;
  s.wheel.expire(now.steady, due);
  s.asleep.expire(now.wall, due);
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
