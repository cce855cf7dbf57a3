// The presence half of session_state: joins, leaves, silence.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

// -- commands ----------------------------------------------------------------

std::variant<result<reply>, ticket>
session_state::handle(const command_ptr& asked, instant now) {
  const auto& body = asked->body;
  idle_since_ = now.steady;
  acting_ = {asked->caller.user, asked->request};
  if (const auto* x = std::get_if<settle_group_command>(&body))
    return settle(*asked, *x, now);
  note_vouched(asked->caller);
  if (!suits(body))
    return fail(errc::bad_request, "is not for this", "session");
  const auto* watch = std::get_if<observe_command>(&body);
  if (watch != nullptr && watch->hidden)
    return decide_durable(asked);
  // Whoever may not see it may still leave, or learn that the id is taken.
  if (record_ && !std::holds_alternative<leave_command>(body)
      && !std::holds_alternative<create_command>(body)
      && !std::holds_alternative<put_group_command>(body))
    if (auto refusal = refuses(asked->caller, now.wall))
      return *refusal;
  if (const auto* x = std::get_if<join_command>(&body)) {
    if (!record_ && x->create_kind)
      return decide_durable(asked);
    return join(*asked, *x, now);
  }
  if (const auto* x = std::get_if<leave_command>(&body))
    return leave(*asked, *x, now);
  if (const auto* x = std::get_if<renew_command>(&body))
    return renew(*asked, *x, now);
  if (const auto* x = std::get_if<set_live_command>(&body))
    return set_live(*asked, *x, now);
  if (const auto* x = std::get_if<get_roster_command>(&body))
    return get_roster(*asked, *x);
  if (watch != nullptr)
    return observe(*asked);
  if (const auto* x = std::get_if<get_round_command>(&body))
    return get_round(*asked, *x);
  if (const auto* x = std::get_if<set_ready_command>(&body))
    return set_ready(*asked, x->ready, now);
  if (std::holds_alternative<get_group_command>(body)) {
    if (!record_)
      return unknown();
    return group_answer(*asked, ack_level::accepted, false);
  }
  if (const auto* x = std::get_if<get_course_command>(&body))
    return get_course(*asked, *x);
  if (const auto* x = std::get_if<get_members_command>(&body))
    return get_members(*asked, *x, now);
  if (const auto* x = std::get_if<get_bans_command>(&body))
    return get_bans(*asked, *x, now);
  return decide_durable(asked);
}

std::optional<failure>
session_state::refuses_entry(const participant* here, const join_command& body,
                             const identity& caller) const {
  if (record_->ended_at)
    return fail(errc::session_ended, "the session has ended", "session");
  if (!admitted(caller).enters && !caller.grants.has(capability::admin))
    return fail(errc::not_invited, "you are not invited", "session");
  if (!rights_of(caller).has(capability::join))
    return fail(errc::forbidden, "the token does not allow to join");
  for (const auto& [key, value] : body.live)
    if (turns_on(value) && !may_turn_on(caller.user, caller.grants, key))
      return fail(errc::forbidden, "you may not turn this on", "live." + key);
  if (body.lease && *body.lease != millis{0}
      && (*body.lease < limits::lease_least
          || *body.lease > limits::lease_most))
    return fail(errc::bad_request, "must be 0, or between 1 s and 24 h",
                "lease_ms");
  if (here != nullptr)
    return std::nullopt;
  if (!body.admitted && settings_.locked
      && !rights_of(caller).has(capability::moderate))
    return fail(errc::session_locked, "the session is locked", "session");
  // Whoever was let in before is let in again, but more than that many cannot
  // be kept.
  auto room = settings_.capacity == 0 || body.admitted
                ? limits::participants_per_session
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
  if (auto refusal = refuses(caller, now.wall))
    return *refusal;
  if (auto refusal = refuses_entry(here, body, caller))
    return *refusal;
  if (auto good = check_live(settings_.kind, body.live); !good)
    return good.error();
  if (auto* owner = roster_.find(asked.connection)) {
    if (owner != here)
      return fail(errc::conflict, "the connection joined as another user");
    if (!is_earlier_stay(*here, asked.connection, body))
      return join_known(asked, body, *here, now);
  }
  // Whoever was removed may come again by itself, on the same connection.
  if (!body.admitted)
    std::erase_if(dismissed_, [&](const auto& one) {
      return one.first == asked.connection;
    });
  if (here != nullptr && is_earlier_stay(*here, asked.connection, body)) {
    remove_participant(*here, leave_reason::network, now);
    here = nullptr;
  }
  bool resumes
    = here != nullptr && body.resumes && roster_.find(*body.resumes) == here;
  live_update live{body.live.begin(), body.live.end()};
  if (here != nullptr)
    if (auto refusal = over_live_keys(*here, live, millis{0}, now))
      return *refusal;
  if (resumes) {
    resume(asked, body, *here, now);
    update_live(*here, live, millis{0}, now);
  } else if (here != nullptr) {
    if (settings_.duplicates == duplicate_policy::reject_new
        && !here->shown_suspected)
      return fail(errc::conflict, "you are here already");
    if (settings_.duplicates != duplicate_policy::kick_old
        && here->connections.size() >= limits::connections_per_participant)
      return fail(errc::too_large, "too many connections of one user");
    add_connection(*here, asked, body, now);
    update_live(*here, live, millis{0}, now);
  } else {
    enter(asked, body, now);
    here = roster_.find(caller.user);
    set_initial_live(*here, body.live, now);
  }
  return join_answer(*here, asked);
}

// Its edge passes the join on, so it stands: a first join that came too late to
// be announced is no longer doubted, nor one that follows a goodbye whose
// effect was waited with.
result<reply> session_state::join_known(const command& asked,
                                        const join_command& body,
                                        participant& who, instant now) {
  auto& target = roster_.at(who, asked.connection);
  if (target.has_edge() == body.lease.has_value())
    return fail(errc::conflict, "the connection joined in another way");
  // A repetition by a router may come after live values that followed it.
  live_update live;
  if (asked.number == 0 || asked.number > target.joined_by)
    live.insert(body.live.begin(), body.live.end());
  if (auto refusal = over_live_keys(who, live, millis{0}, now))
    return *refusal;
  if (!live.empty())
    if (auto refusal = over_live_rate(who, now))
      return *refusal;
  target.joined_by = std::max(target.joined_by, asked.number);
  if (body.lease) {
    target.lease = lease_of(body);
    renew(target, now);
    show_presence(who);
  } else {
    target.unconfirmed |= target.reason == leave_reason::left;
    confirm(who, target);
  }
  update_live(who, live, millis{0}, now);
  note_activity(who, now.wall);
  return join_answer(who, asked);
}

bool session_state::is_before(const participant& who, version stay) const {
  return who.joined < stay && stay.epoch < epoch_;
}

// The owner that was lost had accepted another stay and kept only the one
// before, for which nobody else speaks any more.
bool session_state::is_earlier_stay(const participant& who,
                                    const connection_id& joins,
                                    const join_command& body) const {
  return body.admitted && is_before(who, body.admitted->joined)
         && std::all_of(who.connections.begin(), who.connections.end(),
                        [&](const auto& item) {
                          return item.unconfirmed || item.id == joins;
                        });
}

reply session_state::join_answer(const participant& who,
                                 const command& asked) const {
  auto out = answer(ack_level::accepted);
  join_reply body{who.public_id,
                  settings_,
                  {who.joined, who.since, who.reconnections},
                  rights_of(asked.caller)};
  for (const auto& item : who.connections)
    if (item.id == asked.connection && !item.has_edge())
      body.lease = item.lease;
  out.body = std::move(body);
  return out;
}

connection session_state::new_connection(const command& asked,
                                         const join_command& body,
                                         instant now) const {
  connection out;
  out.id = asked.connection;
  out.edge = asked.edge;
  out.entered = now.steady;
  out.facts = body.facts;
  // Whoever let more in: it goes no further.
  if (out.facts.place.size() > limits::place_bytes)
    out.facts.place.resize(limits::place_bytes);
  out.joined_by = asked.number;
  out.by_group = settings_.access == access_mode::group
                 && !claims_group(settings_, asked.caller)
                 && !asked.caller.grants.has(capability::admin);
  out.proven = out.by_group;
  if (body.lease) {
    out.source = connection_source::leased;
    out.lease = lease_of(body);
    begin_lease(out, settings_, now);
  }
  return out;
}

void session_state::enter(const command& asked, const join_command& body,
                          instant now) {
  participant who;
  who.user = asked.caller.user;
  who.public_id = asked.caller.participant.empty() ? public_id(who.user)
                                                   : asked.caller.participant;
  who.who = profile_of(who.user, asked.caller.who);
  who.grants = asked.caller.grants;
  who.joined = {epoch_, rev_ + 1};
  who.since = now.wall;
  who.last_active = now.wall;
  if (auto before = departed_.find(who.user); before != departed_.end())
    who.reconnections = before->second;
  if (const auto& old = body.admitted;
      old && old->joined.epoch < epoch_
      && !roster_.in_order().contains(old->joined)) {
    who.joined = old->joined;
    who.since = old->since;
    who.reconnections = old->reconnections;
  }
  who.shown_connections = 1;
  who.connections.push_back(new_connection(asked, body, now));
  who.shown_facts = facts_of(who);
  auto& added = roster_.add(std::move(who));
  roster_.mark_dirty(added);
  const auto* known = member(added.user);
  if (known == nullptr)
    ++present_strangers_;
  note_join(added, now);
  track_host_candidate(added, true);
  if (record_->appointed_host == added.user)
    reclaim_until_.reset();
  push_change(joined_change{view_of(added, known), added.reconnections > 0});
  rounds_.enter(added.public_id, role_of(added.user));
  publish_rounds();
  see_at_barrier(added);
  if (settings_.membership == membership_mode::durable && known == nullptr)
    queue_admission(asked);
  refresh_host();
}

void session_state::add_connection(participant& who, const command& asked,
                                   const join_command& body, instant now) {
  auto before = who.connections;
  roster_.add_connection(who, new_connection(asked, body, now));
  if (settings_.duplicates == duplicate_policy::kick_old)
    for (const auto& old : before) {
      dismiss(old, leave_reason::replaced);
      end_connection(who, old.id, leave_reason::replaced, now);
    }
  show_presence(who);
}

void session_state::resume(const command& asked, const join_command& body,
                           participant& who, instant now) {
  roster_.add_connection(who, new_connection(asked, body, now));
  dismiss(roster_.at(who, *body.resumes), leave_reason::replaced);
  end_connection(who, *body.resumes, leave_reason::replaced, now);
  show_presence(who);
}

result<reply> session_state::leave(const command& asked,
                                   const leave_command& body, instant now) {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (body.lease || body.every_lease) {
    if (auto* here = roster_.find(asked.caller.user))
      leave_leases(*here, body, now);
    auto out = answer(ack_level::accepted);
    out.body
      = leave_reply{public_id(asked.caller.user), leaves_of(asked.caller.user)};
    return out;
  }
  auto* who = roster_.find(asked.connection);
  if (who != nullptr && who->user == asked.caller.user
      && !roster_.at(*who, asked.connection).joined_after(asked.number))
    close_connection(*who, asked.connection, leave_reason::left, now.steady,
                     now);
  return answer(ack_level::accepted);
}

std::uint32_t session_state::leaves_of(const user_id& user) const {
  if (const auto* here = roster_.find(user))
    return here->reconnections;
  auto before = departed_.find(user);
  return before == departed_.end() ? 0 : before->second;
}

participant_view session_state::shown(const participant& who,
                                      bool with_user) const {
  auto out = view_of(who, member(who.user));
  if (!with_user) {
    out.user = {};
    out.who = {};
  }
  return out;
}

const participant* session_state::find_shown(const std::string& name,
                                             bool with_users) const {
  const auto* found = roster_.find(participant_id{name});
  return found == nullptr && with_users ? roster_.find(user_id{name}) : found;
}

bool session_state::shows_roster(const command& asked) const {
  auto rights = rights_of(asked.caller);
  return rights.has(capability::observe_roster)
         && (settings_.identity != identity_mode::count_only
             || rights.has(capability::moderate));
}

bool session_state::shows_users(const command& asked) const {
  return settings_.identity == identity_mode::named
         || rights_of(asked.caller).has(capability::moderate);
}

result<reply> session_state::get_course(const command& asked,
                                        const get_course_command& body) const {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (!shows_roster(asked))
    return fail(errc::forbidden, "the roster is not shown to you");
  if (body.people && !rights_of(asked.caller).has(capability::moderate))
    return fail(errc::forbidden, "only those who moderate see who is who");
  if (body.people && roster_.size() > limits::roster_page_items)
    return fail(errc::too_large, "too many people for one answer", "session");
  course_reply found;
  found.starts_at = record_->starts_at;
  found.phase = record_->phase;
  found.barrier = barrier_shown();
  found.rounds = rounds_.views();
  if (body.people) {
    for (const auto& [joined, who] : roster_.in_order())
      found.participants.push_back(shown(*who, true));
    for (auto& round : found.rounds)
      round.participants = answered_here(round.name);
  }
  auto out = answer(ack_level::accepted);
  out.body = std::move(found);
  return out;
}

result<reply> session_state::get_roster(const command& asked,
                                        const get_roster_command& body) const {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (!shows_roster(asked))
    return fail(errc::forbidden, "the roster is not shown to you");
  bool with_users = shows_users(asked);
  roster_reply page;
  if (body.only) {
    const auto* who = find_shown(*body.only, with_users);
    if (who == nullptr)
      return fail(errc::not_found, "there is no such participant",
                  "participant_id");
    page.participants.push_back(shown(*who, with_users));
    auto out = answer(ack_level::accepted);
    out.body = std::move(page);
    return out;
  }
  auto from = body.after ? roster_.in_order().upper_bound(*body.after)
                         : roster_.in_order().begin();
  auto limit = std::min<std::size_t>(body.limit, limits::roster_page_items);
  for (; from != roster_.in_order().end(); ++from) {
    if (page.participants.size() == limit) {
      page.next = page.participants.back().joined;
      break;
    }
    page.participants.push_back(shown(*from->second, with_users));
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
  return observe_answer(asked, ack_level::accepted);
}

reply session_state::observe_answer(const command& asked,
                                    ack_level level) const {
  auto rights = rights_of(asked.caller);
  if (std::get<observe_command>(asked.body).hidden)
    rights
      = (asked.caller.grants & capability_set{capability::moderate})
        | capability_set{capability::observe_count, capability::observe_roster};
  observe_reply found{settings_, rights};
  found.ended = record_->ended_at.has_value();
  if (rights.has(capability::observe_roster)
      && (settings_.identity != identity_mode::count_only
          || rights.has(capability::moderate)))
    found.host = host();
  found.created = record_->created_at;
  found.changed = record_->changed;
  found.starts_at = record_->starts_at;
  found.member = member(asked.caller.user) != nullptr;
  found.here = roster_.find(asked.caller.user) != nullptr;
  auto out = answer(level);
  out.body = std::move(found);
  return out;
}

} // namespace rollcall
