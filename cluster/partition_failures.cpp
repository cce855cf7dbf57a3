// What becomes of a partition one of whose sessions failed, or lost track of
// what is kept. Its version must not begin anew under the same claim: whoever
// had seen more would take no word of it.

#include "actors/base/limits.hpp"
#include "cluster/partition_shell.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::cluster {

namespace {

/// After the second failure in a row; each further one doubles it.
constexpr millis rest_least{10'000};
constexpr std::uint32_t rest_doublings = 6;

} // namespace

void claim_anew(partition_ptr self) {
  auto& s = self->state;
  if (s.shutting_down || !s.open)
    return;
  s.open = false;
  end_sessions(self);
  auto slots = std::exchange(s.slots, {});
  s.loading = 0;
  s.to_activate.clear();
  s.wheel = timer_wheel<session_key>{s.env.wheel_tick};
  s.asleep = timer_wheel<session_key>{s.env.wheel_tick};
  s.env.given.clear();
  for (auto& [key, from] : slots)
    for (auto& item : from.queue)
      route(self, std::move(item));
  open(self);
}

void note_failure(partition_ptr self, const session_key& key) {
  auto& s = self->state;
  auto now = s.env.sessions.clock().steady;
  std::erase_if(s.failed, [&](const auto& one) {
    return now >= one.second.last + failures_count_for
           && now >= one.second.rests_until;
  });
  if (!s.failed.contains(key)
      && s.failed.size() >= limits::activations_in_flight)
    s.failed.erase(s.failed.begin());
  auto& found = s.failed[key];
  if (++found.times > 1)
    found.rests_until
      = now + rest_least * (1 << std::min(found.times - 2, rest_doublings));
  found.last = now;
}

bool rests(partition_ptr self, const session_key& key) {
  auto& s = self->state;
  auto at = s.failed.find(key);
  return at != s.failed.end()
         && s.env.sessions.clock().steady < at->second.rests_until;
}

} // namespace rollcall::cluster
