// The hand-over of a session to its next owner: nothing of it is visible.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <set>

namespace rollcall {

bool session_state::quiet() const noexcept {
  return pending_.empty() && in_flight_.empty() && !has_changes()
         && !writing_pages_;
}

session_transfer session_state::transfer() const {
  session_transfer out;
  out.session = key_;
  out.epoch = epoch_;
  out.at = published_;
  out.reclaim_until = reclaim_until_;
  out.observers.assign(observers_.begin(), observers_.end());
  out.participants.reserve(roster_.size());
  for (const auto& [joined, who] : roster_.in_order())
    out.participants.push_back({who->user, who->who, who->grants, who->joined,
                                who->since, who->reconnections,
                                who->connections, who->live, who->last_active});
  out.ready.assign(barrier_.ready().begin(), barrier_.ready().end());
  return out;
}

void session_state::adopt(const session_transfer& from, instant now) {
  published_ = from.at;
  // Nothing was lost on the way.
  confirmed_by_ = millis{0};
  rev_ = std::max(rev_, from.at.rev);
  opening_ = true;
  for (const auto& node : from.observers)
    if (observers_.size() < limits::observers_per_session
        && observers_.insert(node).second)
      doubt_observer(node, now);
  std::set<user_id> here;
  for (const auto& who : from.participants)
    here.insert(who.user);
  std::vector<user_id> gone;
  for (const auto& [joined, who] : roster_.in_order())
    if (!here.contains(who->user))
      gone.push_back(who->user);
  // Their page was on its way to the journal when the owner fell silent.
  for (const auto& user : gone)
    forget(*roster_.find(user));
  for (const auto& who : from.participants)
    adopt(who, now);
  reclaim_until_ = from.reclaim_until;
  host_ = find_host();
  recount_rounds();
  restart_barrier();
  for (const auto& id : from.ready)
    if (const auto* who = roster_.find(id))
      (void)barrier_.set_ready(id, true, !who->shown_suspected);
  open_barrier_if_ready();
}

void session_state::adopt(const transferred_participant& from, instant now) {
  auto* here = roster_.find(from.user);
  if (here != nullptr && !is_same(*here, from)) {
    forget(*here);
    here = nullptr;
  }
  if (here == nullptr) {
    participant who;
    who.user = from.user;
    who.public_id = public_id(from.user);
    who.who = from.who;
    who.grants = from.grants;
    who.joined = from.joined;
    who.since = from.since;
    who.reconnections = from.reconnections;
    who.connections = from.connections;
    here = &roster_.add(std::move(who));
    roster_.mark_dirty(*here);
    if (member(from.user) == nullptr)
      ++present_strangers_;
    track_host_candidate(*here, true);
  }
  for (const auto& item : from.connections) {
    auto& target = roster_.at(*here, item.id);
    target.suspected = item.suspected;
    target.unconfirmed = item.unconfirmed;
    target.lease = item.lease;
    target.lease_tail = item.lease_tail;
    target.joined_by = item.joined_by;
    target.by_group = item.by_group;
    roster_.set_deadline(target, item.deadline, item.reason);
    // That its edge was lost may have been said while nobody listened.
    if (!item.deadline) {
      target.unconfirmed = true;
      roster_.set_deadline(target, now.steady + rules_->confirm_window,
                           leave_reason::edge_lost);
    }
  }
  here->live = from.live;
  here->last_active = later(from.last_active, from.since);
  auto shown = shown_of(*here);
  here->shown_suspected = shown.suspected;
  here->shown_expires = shown.expires;
  here->shown_connections = shown.connections;
  here->shown_facts = facts_of(*here);
}

bool session_state::is_same(const participant& here,
                            const transferred_participant& from) {
  return here.joined == from.joined && here.reconnections == from.reconnections
         && std::equal(here.connections.begin(), here.connections.end(),
                       from.connections.begin(), from.connections.end(),
                       [](const auto& a, const auto& b) {
                         return a.id == b.id && a.edge == b.edge;
                       });
}

void session_state::forget(participant& who) {
  track_host_candidate(who, false);
  if (member(who.user) == nullptr)
    --present_strangers_;
  roster_.remove(who);
}

} // namespace rollcall
