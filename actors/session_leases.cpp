// Connections that no socket stands for: a deadline vouches for them, and
// whoever holds the lease renews it.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <vector>

namespace rollcall {

millis session_state::lease_of(const join_command& body) const {
  return *body.lease == millis{0} ? settings_.timeout : *body.lease;
}

void session_state::renew(connection& target, instant now) {
  auto fresh = target;
  begin_lease(fresh, settings_, now);
  target.suspected = fresh.suspected;
  target.lease_tail = fresh.lease_tail;
  roster_.set_deadline(target, fresh.deadline, fresh.reason);
}

result<reply> session_state::renew(const command& asked,
                                   const renew_command& body, instant now) {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto* who = roster_.find(asked.caller.user);
  auto lasts = never;
  if (who != nullptr)
    for (auto& item : who->connections) {
      // Whoever has said goodbye is on the way out.
      if (item.has_edge() || item.reason == leave_reason::left
          || (body.lease && item.id != *body.lease))
        continue;
      renew(item, now);
      lasts = std::min(lasts, item.lease);
    }
  if (lasts == never)
    return fail(errc::not_found, "there is no such connection",
                "connection_id");
  show_presence(*who);
  auto out = answer(ack_level::accepted);
  out.body = renew_reply{lasts};
  return out;
}

void session_state::leave_leases(participant& who, const leave_command& body,
                                 instant now) {
  std::vector<connection_id> leaving;
  for (const auto& item : who.connections)
    if (!item.has_edge() && (body.every_lease || item.id == *body.lease))
      leaving.push_back(item.id);
  // The last of them may take the participant along.
  for (const auto& id : leaving)
    close_connection(*roster_.find(id), id, leave_reason::left, now.steady,
                     now);
}

bool session_state::outlasts(connection& target) {
  if (target.has_edge() || target.suspected || target.lease_tail == millis{0})
    return false;
  target.suspected = true;
  roster_.set_deadline(target, *target.deadline + target.lease_tail,
                       leave_reason::timeout);
  return true;
}

// No edge will speak for a lease, and nobody could renew it while there was no
// owner: it begins again, whole.
connection session_state::restored(const stored_connection& kept,
                                   instant now) const {
  connection out;
  out.id = kept.id;
  out.edge = kept.edge;
  out.source = kept.source;
  out.facts = kept.facts;
  out.by_group = kept.by_group;
  if (!out.has_edge()) {
    out.lease = kept.lease == millis{0} ? settings_.timeout : kept.lease;
    begin_lease(out, settings_, now);
    return out;
  }
  out.unconfirmed = true;
  out.deadline = now.steady + rules_->confirm_window;
  out.reason = leave_reason::edge_lost;
  return out;
}

} // namespace rollcall
