// Live state: what participants say of themselves, and when they last did.

#include "actors/base/limits.hpp"
#include "actors/live_rules.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace rollcall {

namespace {

// Design section 4: the owner's stamp is max(wall, last + 1); a client's own
// time only ever shifts it back.
millis stamp_of(const live_entry& before, millis age, instant now) {
  return age == millis{0} ? later(now.wall, before.stamp + millis{1})
                          : now.wall - age;
}

bool has_value(const std::pair<const std::string, live_entry>& one) {
  return one.second.value.has_value();
}

// A hand-over carries no more. Those with a value are no more by themselves.
void forget_removed(std::map<std::string, live_entry>& live) {
  while (live.size() > limits::live_keys)
    live.erase(std::min_element(
      live.begin(), live.end(), [](const auto& a, const auto& b) {
        return std::pair{has_value(a), a.second.stamp}
               < std::pair{has_value(b), b.second.stamp};
      }));
}

} // namespace

// Coalesced: observers hear of it at most once in limits::activity_every.
void session_state::note_activity(participant& who, millis wall) {
  if (wall < who.last_active + limits::activity_every)
    return;
  who.last_active = wall;
  push_change(activity_change{who.public_id, wall});
}

result<done> session_state::check_live(std::string_view kind,
                                       const live_map& live) {
  if (live.size() > limits::live_keys)
    return fail(errc::too_large, "more than 16 live keys", "live");
  live_update update{live.begin(), live.end()};
  return check(live_rules_of(kind), update);
}

void session_state::set_initial_live(participant& who, const live_map& live,
                                     instant now) {
  if (live.empty())
    return;
  live_update update;
  for (const auto& [key, value] : live) {
    who.live[key] = {value, now.wall};
    update.emplace(key, value);
  }
  publish_live(who, update);
}

result<reply> session_state::set_live(const command& asked,
                                      const set_live_command& body,
                                      instant now) {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto* who = roster_.find(asked.connection);
  if (who == nullptr || who->user != asked.caller.user)
    return fail(errc::conflict, "join the session first", "session");
  if (!rights_of(asked.caller).has(capability::publish))
    return fail(errc::forbidden, "the token does not allow to publish");
  if (roster_.at(*who, asked.connection).joined_after(asked.number))
    return answer(ack_level::accepted);
  if (auto good = check(live_rules_of(settings_.kind), body.live); !good)
    return good.error();
  for (const auto& [key, value] : body.live)
    if (value && turns_on(*value)
        && !may_turn_on(who->user, asked.caller.grants, key))
      return fail(errc::forbidden, "you may not turn this on", "live." + key);
  // Whoever was silent for longer is not here.
  auto age = std::clamp(body.age, millis{0}, settings_.timeout);
  if (auto refusal = over_live_keys(*who, body.live, age, now))
    return *refusal;
  if (auto refusal = over_live_rate(*who, now))
    return *refusal;
  update_live(*who, body.live, age, now);
  note_activity(*who, now.wall);
  return answer(ack_level::accepted);
}

std::optional<failure> session_state::over_live_keys(const participant& who,
                                                     const live_update& live,
                                                     millis age, instant now) {
  auto keys = std::count_if(who.live.begin(), who.live.end(),
                            [](const auto& one) { return has_value(one); });
  for (const auto& [key, value] : live) {
    auto at = who.live.find(key);
    if (at == who.live.end())
      keys += value ? 1 : 0;
    else if (at->second.stamp < stamp_of(at->second, age, now))
      keys += (value ? 1 : 0) - (has_value(*at) ? 1 : 0);
  }
  if (keys > static_cast<std::ptrdiff_t>(limits::live_keys))
    return fail(errc::too_large, "more than 16 live keys", "live");
  return std::nullopt;
}

void session_state::update_live(participant& who, const live_update& live,
                                millis age, instant now) {
  live_update applied;
  for (const auto& [key, value] : live) {
    if (!value && !who.live.contains(key))
      continue;
    auto& entry = who.live[key];
    auto stamp = stamp_of(entry, age, now);
    if (stamp <= entry.stamp)
      continue;
    entry.stamp = stamp;
    if (entry.value == value)
      continue;
    entry.value = value;
    applied.emplace(key, value);
  }
  forget_removed(who.live);
  if (!applied.empty())
    publish_live(who, applied);
}

// Whatever way it comes in by: every update of the participant ends up here.
std::optional<failure> session_state::over_live_rate(participant& who,
                                                     instant now) const {
  const rate_rule rule{static_cast<double>(settings_.live_rate),
                       static_cast<double>(settings_.live_burst)};
  if (settings_.live_rate == 0 || who.live_budget.take(rule, 1, now.steady))
    return std::nullopt;
  auto why = fail(errc::rate_limited, "too many live updates", "live");
  why.retry_after = later(who.live_budget.wait(rule, 1), millis{1});
  return why;
}

void session_state::publish_live(const participant& who,
                                 const live_update& live) {
  if (auto at = live_at_.find(&who); at != live_at_.end()) {
    auto& earlier = std::get<live_change>(changes_[at->second].body);
    auto both = earlier.live;
    for (const auto& [key, value] : live)
      both[key] = value;
    // A change carries no more; those that were removed are among them.
    if (both.size() <= limits::live_keys) {
      earlier.live = std::move(both);
      return;
    }
  }
  push_change(live_change{who.public_id, live});
  live_at_[&who] = changes_.size() - 1;
}

} // namespace rollcall
