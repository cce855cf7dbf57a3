// The presence half of session_state: joins, leaves, silence, live state.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

// -- commands ----------------------------------------------------------------

std::variant<result<reply>, ticket>
session_state::handle(const command_ptr& asked, instant now) {
  const auto& body = asked->body;
  idle_since_ = now.steady;
  if (const auto* x = std::get_if<join_command>(&body)) {
    if (!record_ && x->create_kind)
      return decide_durable(asked);
    return join(*asked, *x, now);
  }
  if (std::holds_alternative<leave_command>(body))
    return leave(*asked, now);
  if (const auto* x = std::get_if<set_live_command>(&body))
    return set_live(*asked, *x, now);
  if (const auto* x = std::get_if<get_roster_command>(&body))
    return get_roster(*asked, *x);
  if (std::holds_alternative<observe_command>(body))
    return observe(*asked);
  return decide_durable(asked);
}

std::optional<failure>
session_state::refuses_entry(const participant* here,
                             const identity& caller) const {
  if (hidden_from(caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (record_->ended_at)
    return fail(errc::session_ended, "the session has ended", "session");
  if (!rights_of(caller).has(capability::join))
    return fail(errc::forbidden, "the token does not allow to join");
  if (here != nullptr)
    return std::nullopt;
  if (settings_.locked && !rights_of(caller).has(capability::moderate))
    return fail(errc::session_locked, "the session is locked", "session");
  auto room = settings_.capacity == 0 ? limits::participants_per_session
                                      : settings_.capacity;
  if (roster_.size() >= room)
    return fail(errc::session_full, "the session is full", "session");
  return std::nullopt;
}

result<reply> session_state::join(const command& asked,
                                  const join_command& body, instant now) {
  const auto& caller = asked.caller;
  if (caller.user.empty())
    return fail(errc::unauthenticated, "joining needs a token", "token");
  auto* here = roster_.find(caller.user);
  if (auto refusal = refuses_entry(here, caller))
    return *refusal;
  if (auto* owner = roster_.find(asked.connection)) {
    if (owner != here)
      return fail(errc::conflict, "the connection joined as another user");
    return join_answer(*here, caller);
  }
  if (here != nullptr && body.resumes && roster_.find(*body.resumes) == here)
    return resume(asked, *here, *body.resumes, now);
  if (here != nullptr) {
    if (settings_.duplicates == duplicate_policy::reject_new
        && !here->shown_suspected)
      return fail(errc::conflict, "you are here already");
    if (settings_.duplicates != duplicate_policy::kick_old
        && here->connections.size() >= limits::connections_per_participant)
      return fail(errc::too_large, "too many connections of one user");
    add_socket(*here, asked, now);
  } else {
    enter(asked, now);
    here = roster_.find(caller.user);
    set_initial_live(*here, body.live, now);
  }
  return join_answer(*here, caller);
}

reply session_state::join_answer(const participant& who,
                                 const identity& caller) const {
  auto out = answer(ack_level::accepted);
  out.body = join_reply{who.public_id, settings_, who.reconnections > 0,
                        rights_of(caller)};
  return out;
}

void session_state::enter(const command& asked, instant now) {
  participant who;
  who.user = asked.caller.user;
  who.public_id = asked.caller.participant.empty() ? public_id(who.user)
                                                   : asked.caller.participant;
  who.who = asked.caller.who;
  who.grants = asked.caller.grants;
  who.joined = {epoch_, rev_ + 1};
  who.since = now.wall;
  if (auto before = departed_.find(who.user); before != departed_.end())
    who.reconnections = before->second;
  who.shown_connections = 1;
  who.connections.push_back({asked.connection, asked.edge,
                             connection_source::socket, false, false,
                             std::nullopt, leave_reason::timeout});
  auto& added = roster_.add(std::move(who));
  roster_.mark_dirty(added);
  const auto* known = member(added.user);
  if (known == nullptr)
    ++present_strangers_;
  track_host_candidate(added, true);
  if (record_->appointed_host == added.user)
    reclaim_until_.reset();
  push_change(joined_change{view_of(added, known), added.reconnections > 0});
  if (settings_.membership == membership_mode::durable && known == nullptr)
    queue_admission(asked);
  refresh_host();
}

void session_state::add_socket(participant& who, const command& asked,
                               instant now) {
  auto before = who.connections;
  roster_.add_connection(who, {asked.connection, asked.edge,
                               connection_source::socket, false, false,
                               std::nullopt, leave_reason::timeout});
  if (settings_.duplicates == duplicate_policy::kick_old)
    for (const auto& old : before) {
      directs_.push_back(
        {key_, old.id, old.edge, removed_direct{leave_reason::replaced}});
      end_connection(who, old.id, leave_reason::replaced, now);
    }
  show_presence(who);
}

result<reply> session_state::resume(const command& asked, participant& who,
                                    connection_id old, instant now) {
  roster_.add_connection(who, {asked.connection, asked.edge,
                               connection_source::socket, false, false,
                               std::nullopt, leave_reason::timeout});
  directs_.push_back({key_, old, roster_.at(who, old).edge,
                      removed_direct{leave_reason::replaced}});
  end_connection(who, old, leave_reason::replaced, now);
  show_presence(who);
  return join_answer(who, asked.caller);
}

result<reply> session_state::leave(const command& asked, instant now) {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto* who = roster_.find(asked.connection);
  if (who != nullptr && who->user == asked.caller.user)
    end_connection(*who, asked.connection, leave_reason::left, now);
  return answer(ack_level::accepted);
}

result<reply> session_state::get_roster(const command& asked,
                                        const get_roster_command& body) const {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto rights = rights_of(asked.caller);
  if (!rights.has(capability::observe_roster)
      || (settings_.identity == identity_mode::count_only
          && !rights.has(capability::moderate)))
    return fail(errc::forbidden, "the roster is not shown to you");
  roster_reply page;
  auto from = body.after ? roster_.in_order().upper_bound(*body.after)
                         : roster_.in_order().begin();
  auto limit = std::min<std::size_t>(body.limit, limits::roster_page_items);
  for (; from != roster_.in_order().end(); ++from) {
    if (page.participants.size() == limit) {
      page.next = page.participants.back().joined;
      break;
    }
    const auto& who = *from->second;
    auto seen = view_of(who, member(who.user));
    if (settings_.identity == identity_mode::pseudonymous
        && !rights.has(capability::moderate)) {
      seen.user = {};
      seen.who = {};
    }
    page.participants.push_back(std::move(seen));
  }
  auto out = answer(ack_level::accepted);
  out.body = std::move(page);
  return out;
}

result<reply> session_state::observe(const command& asked) const {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto rights = rights_of(asked.caller);
  if (!rights.has(capability::observe_count)
      && !rights.has(capability::observe_roster))
    return fail(errc::forbidden, "the token does not allow to observe");
  auto out = answer(ack_level::accepted);
  out.body = observe_reply{settings_, rights};
  return out;
}

// -- live state --------------------------------------------------------------

void session_state::set_initial_live(participant& who, const live_map& live,
                                     instant now) {
  if (live.empty())
    return;
  live_update update;
  for (const auto& [key, value] : live) {
    if (who.live.size() >= limits::live_keys)
      break;
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
  std::size_t fresh = 0;
  for (const auto& [key, value] : body.live)
    fresh += who->live.contains(key) ? 0 : 1;
  if (who->live.size() + fresh > limits::live_keys)
    return fail(errc::too_large, "more than 16 live keys", "live");
  auto age = std::clamp(body.age, millis{0}, limits::live_backdate);
  live_update applied;
  for (const auto& [key, value] : body.live) {
    auto& entry = who->live[key];
    // Design section 4: the owner's stamp is max(wall, last + 1); a client's
    // own time only ever shifts it back.
    auto stamp = age == millis{0} ? later(now.wall, entry.stamp + millis{1})
                                  : now.wall - age;
    if (stamp <= entry.stamp)
      continue;
    entry.stamp = stamp;
    if (entry.value == value)
      continue;
    entry.value = value;
    applied.emplace(key, value);
  }
  if (!applied.empty())
    publish_live(*who, applied);
  return answer(ack_level::accepted);
}

void session_state::publish_live(const participant& who,
                                 const live_update& live) {
  if (auto at = live_at_.find(&who); at != live_at_.end()) {
    auto& earlier = std::get<live_change>(changes_[at->second].body);
    for (const auto& [key, value] : live)
      earlier.live[key] = value;
    return;
  }
  push_change(live_change{who.public_id, live});
  live_at_.emplace(&who, changes_.size() - 1);
}

// -- what edges notice -------------------------------------------------------

void session_state::handle(const note& told, instant now) {
  if (const auto* signs = std::get_if<evidence>(&told.body)) {
    take_evidence(*signs, now);
  } else if (std::holds_alternative<observe_note>(told.body)) {
    if (observers_.size() < limits::observers_per_session)
      observers_.insert(told.edge);
  } else if (std::holds_alternative<unobserve_note>(told.body)) {
    observers_.erase(told.edge);
  } else if (const auto* sockets = std::get_if<announce_note>(&told.body)) {
    take_announcement(told.edge, *sockets, now);
  } else if (std::holds_alternative<edge_lost_note>(told.body)) {
    lose_edge(told.edge, now);
  }
  idle_since_ = now.steady;
}

void session_state::take_evidence(const evidence& told, instant now) {
  for (const auto& item : told.items) {
    auto* who = roster_.find(item.connection);
    // Evidence names a connection: what it says of an old one cannot touch
    // the newer connection of the same user.
    if (who == nullptr)
      continue;
    auto& target = roster_.at(*who, item.connection);
    auto age = later(item.age, millis{0});
    target.unconfirmed = false;
    switch (item.what) {
    case sign::silent:
      target.suspected = true;
      roster_.set_deadline(target, now.steady - age + settings_.timeout,
                           leave_reason::timeout);
      break;
    case sign::back:
      target.suspected = false;
      roster_.set_deadline(target, std::nullopt, leave_reason::timeout);
      break;
    case sign::closed:
      if (settings_.drop_grace == millis{0}) {
        end_connection(*who, item.connection, leave_reason::network, now);
        continue;
      }
      target.suspected = true;
      roster_.set_deadline(target, now.steady - age + settings_.drop_grace,
                           leave_reason::network);
      break;
    }
    show_presence(*who);
  }
}

void session_state::take_announcement(const node_id& edge,
                                      const announce_note& told, instant now) {
  (void)now;
  for (const auto& id : told.connections) {
    auto* who = roster_.find(id);
    if (who == nullptr)
      continue;
    auto& target = roster_.at(*who, id);
    if (target.edge != edge || !target.unconfirmed)
      continue;
    target.unconfirmed = false;
    target.suspected = false;
    roster_.set_deadline(target, std::nullopt, leave_reason::timeout);
    show_presence(*who);
  }
}

void session_state::lose_edge(const node_id& edge, instant now) {
  for (const auto& [joined, who] : roster_.in_order()) {
    bool touched = false;
    for (auto& item : who->connections) {
      if (item.edge != edge || item.deadline)
        continue;
      item.suspected = true;
      roster_.set_deadline(item, now.steady + settings_.drop_grace,
                           leave_reason::edge_lost);
      touched = true;
    }
    if (touched)
      show_presence(*who);
  }
}

void session_state::expire(instant now) {
  while (auto id = roster_.due(now.steady)) {
    auto& who = *roster_.find(*id);
    auto& item = roster_.at(who, *id);
    if (item.unconfirmed && !item.suspected) {
      // Nobody announced it in the confirm window: doubt it, do not end it.
      item.suspected = true;
      roster_.set_deadline(item, *item.deadline + settings_.drop_grace,
                           leave_reason::edge_lost);
      show_presence(who);
      continue;
    }
    // Its socket may stand after all: without a word the client would
    // believe to be present.
    directs_.push_back({key_, *id, item.edge, removed_direct{item.reason}});
    end_connection(who, *id, item.reason, now);
  }
  if (reclaim_until_ && *reclaim_until_ <= now.steady) {
    reclaim_until_.reset();
    refresh_host();
  }
  if (record_ && record_->ended_at
      && now.wall >= *record_->ended_at + rules_->ended_retention)
    queue_erasure();
}

// -- the end of a connection -------------------------------------------------

void session_state::end_connection(participant& who, const connection_id& id,
                                   leave_reason reason, instant now) {
  if (who.connections.size() == 1) {
    remove_participant(who, reason, now);
    return;
  }
  roster_.remove_connection(who, id);
  show_presence(who);
}

void session_state::remove_participant(participant& who, leave_reason reason,
                                       instant now) {
  closed_.push_back({key_, who.user, who.joined, who.since, now.wall, reason});
  if (departed_.contains(who.user)
      || departed_.size() < limits::departed_per_session)
    ++departed_[who.user];
  live_at_.erase(&who);
  track_host_candidate(who, false);
  if (member(who.user) == nullptr)
    --present_strangers_;
  if (record_ && record_->appointed_host == who.user
      && settings_.host == host_policy::appointed
      && settings_.host_reclaim > millis{0})
    reclaim_until_ = now.steady + settings_.host_reclaim;
  auto public_id = who.public_id;
  roster_.remove(who);
  push_change(left_change{public_id, reason});
  refresh_host();
  if (roster_.empty())
    idle_since_ = now.steady;
}

void session_state::show_presence(participant& who) {
  bool suspected = std::all_of(who.connections.begin(), who.connections.end(),
                               [](const auto& c) { return c.suspected; });
  std::optional<millis> expires;
  if (suspected) {
    expires = millis{0};
    for (const auto& item : who.connections)
      expires = later(*expires, item.deadline.value_or(millis{0}));
  }
  auto count = static_cast<std::uint32_t>(who.connections.size());
  if (count != who.shown_connections) {
    who.shown_connections = count;
    push_change(connection_change{who.public_id, count});
  }
  if (suspected && (!who.shown_suspected || expires != who.shown_expires)) {
    who.shown_suspected = true;
    who.shown_expires = expires;
    push_change(suspected_change{who.public_id, *expires});
  } else if (!suspected && who.shown_suspected) {
    who.shown_suspected = false;
    who.shown_expires.reset();
    push_change(resumed_change{who.public_id});
  }
}

} // namespace rollcall
