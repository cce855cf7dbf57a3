#include "edge/relay/replica_diff.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

namespace rollcall::edge {

namespace {

class difference {
public:
  difference(const snapshot& before, const snapshot& after)
    : before_(before), after_(after) {
    out_.session = after.session;
    out_.from = before.at;
    out_.to = after.at;
    out_.present = before.present;
  }

  batch run() {
    std::unordered_map<participant_id, const participant_view*> old;
    std::unordered_map<participant_id, const participant_view*> now;
    for (const auto& who : before_.participants)
      old.emplace(who.participant, &who);
    for (const auto& who : after_.participants)
      now.emplace(who.participant, &who);
    for (const auto& who : before_.participants) {
      auto at = now.find(who.participant);
      if (at == now.end() || at->second->joined != who.joined) {
        --out_.present;
        add(left_change{who.participant, leave_reason::network});
      }
    }
    for (const auto& who : after_.participants) {
      auto at = old.find(who.participant);
      if (at == old.end() || at->second->joined != who.joined) {
        ++out_.present;
        add(joined_change{who, who.reconnections > 0});
      } else {
        compare(*at->second, who);
      }
    }
    if (before_.host != after_.host)
      add(host_change{after_.host});
    if (before_.settings != after_.settings || before_.ended != after_.ended
        || before_.starts_at != after_.starts_at)
      add(session_change{after_.settings, after_.ended, after_.starts_at});
    if (before_.phase != after_.phase)
      add(phase_change{after_.phase});
    compare_barriers();
    compare_rounds();
    out_.present = after_.present;
    out_.total = after_.total;
    return std::move(out_);
  }

private:
  // On the way nobody who is present is missing from the total.
  void add(change_body body) {
    out_.changes.push_back({after_.at.rev, audience::everyone, out_.present,
                            std::max(after_.total, out_.present),
                            std::move(body)});
  }

  void compare(const participant_view& old, const participant_view& now) {
    compare_members(old, now);
    if (old.last_active != now.last_active)
      add(activity_change{now.participant, now.last_active});
    if (old.connections != now.connections || old.facts != now.facts)
      add(connection_change{now.participant, now.connections, now.facts});
    compare_state(old, now);
    live_update live;
    for (const auto& [key, value] : now.live)
      if (auto at = old.live.find(key);
          at == old.live.end() || at->second != value)
        live.emplace(key, value);
    for (const auto& [key, value] : old.live)
      if (!now.live.contains(key))
        live.emplace(key, std::nullopt);
    if (!live.empty())
      add(live_change{now.participant, std::move(live)});
  }

  void compare_members(const participant_view& old,
                       const participant_view& now) {
    member_change news{now.participant, now.user, now.role, now.permissions};
    auto note = [&](member_key key, bool differs) {
      if (differs)
        news.changed |= static_cast<std::uint8_t>(key);
    };
    note(member_key::role, old.role != now.role);
    note(member_key::permissions, old.permissions != now.permissions);
    note(member_key::name, old.who.name != now.who.name);
    if (news.has(member_key::name))
      news.name = now.who.name;
    if (news.changed != 0)
      add(std::move(news));
  }

  // Those who are gone are no longer ready: their `left` says so.
  void compare_barriers() {
    if (!after_.barrier)
      return;
    const auto& now = *after_.barrier;
    std::set<participant_id> old;
    if (before_.barrier && before_.barrier->state == now.state)
      old.insert(before_.barrier->ready.begin(), before_.barrier->ready.end());
    else
      add(barrier_change{now.state});
    std::set<participant_id> ready{now.ready.begin(), now.ready.end()};
    for (const auto& who : ready)
      if (!old.contains(who))
        add(barrier_change{now.state, who, true});
    for (const auto& who : old)
      if (!ready.contains(who))
        add(barrier_change{now.state, who, false});
  }

  // Rounds are never taken away, nor answers.
  void compare_rounds() {
    for (const auto& now : after_.rounds) {
      auto old = std::find_if(
        before_.rounds.begin(), before_.rounds.end(),
        [&](const round_view& one) { return one.name == now.name; });
      if (old != before_.rounds.end() && *old == now)
        continue;
      auto news = now;
      if (old != before_.rounds.end()) {
        news.participants.clear();
        std::set_difference(now.participants.begin(), now.participants.end(),
                            old->participants.begin(), old->participants.end(),
                            std::back_inserter(news.participants));
      }
      add(submission_change{std::move(news)});
    }
  }

  void compare_state(const participant_view& old, const participant_view& now) {
    if (now.state == presence_state::online) {
      if (old.state != presence_state::online)
        add(resumed_change{now.participant});
      return;
    }
    auto expires = now.expires.value_or(millis{0});
    auto expired = old.expires.value_or(millis{0});
    auto apart = expires > expired ? expires - expired : expired - expires;
    if (old.state == presence_state::online || apart > same_expiry)
      add(suspected_change{now.participant, expires});
  }

  const snapshot& before_;
  const snapshot& after_;
  batch out_;
};

} // namespace

batch make_difference(const snapshot& before, const snapshot& after) {
  return difference{before, after}.run();
}

} // namespace rollcall::edge
