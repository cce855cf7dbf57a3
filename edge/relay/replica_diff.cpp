#include "edge/relay/replica_diff.hpp"

#include <algorithm>
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
    if (before_.settings != after_.settings || before_.ended != after_.ended)
      add(session_change{after_.settings, after_.ended});
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
    if (old.role != now.role || old.permissions != now.permissions)
      add(member_change{now.participant, now.user, now.role, now.permissions});
    if (old.connections != now.connections)
      add(connection_change{now.participant, now.connections});
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
