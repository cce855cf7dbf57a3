// The durable fact of belonging to a session: roles, permissions, invitations.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

/// What must be an owner's doing: roles and rights over others.
bool is_above(std::string_view role) {
  return role == owner_role || role == moderator_role;
}

failure only_an_owner(const char* field) {
  return fail(errc::forbidden, "only an owner may change owners and moderators",
              field);
}

void give_and_take(std::vector<std::string>& names,
                   const set_member_command& body) {
  for (const auto& name : body.take)
    std::erase(names, name);
  for (const auto& name : body.give)
    if (!has_name(names, name))
      names.push_back(name);
}

} // namespace

std::string_view to_string(member_status status) noexcept {
  static constexpr std::array<std::string_view, 4> names
    = {"invited", "joined", "left", "removed"};
  return names.at(static_cast<std::size_t>(status));
}

// -- deciding ----------------------------------------------------------------

member_record session_state::new_member(const user_id& user,
                                        instant now) const {
  member_record out;
  out.session = key_;
  out.user = user;
  out.role = settings_.default_role;
  out.admitted = out.at = at();
  out.admitted_at = now.wall;
  if (const auto* here = roster_.find(user))
    out.who = here->who;
  return out;
}

std::optional<failure>
session_state::prepare_member(durable_op& op, const set_member_command& body,
                              instant now) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::moderate))
    return fail(errc::forbidden, "you may not change members");
  if (auto why = refuses_group_member(body))
    return why;
  const auto* known = member(*op.touches);
  auto kept = known != nullptr ? *known : new_member(*op.touches, now);
  if (body.role)
    kept.role = *body.role;
  if (body.permissions)
    kept.permissions = *body.permissions;
  give_and_take(kept.permissions, body);
  if (!rights.has(capability::configure)) {
    if (known != nullptr && known->role == owner_role)
      return only_an_owner("role");
    bool stays = known != nullptr && known->role == kept.role;
    bool moderated = known != nullptr && is_above(known->role);
    if (body.role && !stays && (is_above(*body.role) || moderated))
      return only_an_owner("role");
    bool could = known != nullptr && has_name(known->permissions, can_moderate);
    if (has_name(kept.permissions, can_moderate) != could)
      return only_an_owner("permissions");
  }
  if (known == nullptr && members_full())
    return fail(errc::too_large, "the session has too many members");
  if (kept.permissions.size() > limits::permissions_per_member)
    return fail(errc::too_large, "has more than 16 items", "permissions");
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_invite(durable_op& op,
                                                     const invite_command& body,
                                                     instant now) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::moderate))
    return fail(errc::forbidden, "you may not invite others");
  if (body.role && is_above(*body.role) && !rights.has(capability::configure))
    return only_an_owner("role");
  if (const auto* known = member(body.user)) {
    if (body.role && *body.role != known->role)
      return fail(errc::conflict, "is a member in another role", "role");
    return std::nullopt;
  }
  if (members_full())
    return fail(errc::too_large, "the session has too many members");
  auto kept = new_member(body.user, now);
  if (body.role)
    kept.role = *body.role;
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_uninvite(durable_op& op, const uninvite_command& body) {
  const auto& caller = op.asked->caller;
  if (!rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not remove others");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  if (member(*target) == nullptr)
    return fail(errc::not_found, "there is no such member", "user");
  if (auto why = refuses_removal(caller, *target))
    return why;
  op.records.emplace_back(without(*target, op));
  op.records.emplace_back(member_erased{key_, *target});
  return std::nullopt;
}

std::optional<failure> session_state::prepare_withdraw(durable_op& op) {
  const auto& self = op.asked->caller.user;
  if (self.empty())
    return fail(errc::unauthenticated, "this needs a token", "token");
  if (member(self) == nullptr && roster_.find(self) == nullptr)
    return std::nullopt;
  op.records.emplace_back(without(self, op));
  op.records.emplace_back(member_erased{key_, self});
  return std::nullopt;
}

std::optional<failure> session_state::prepare_name(durable_op& op,
                                                   const set_name_command& body,
                                                   instant now) {
  const auto& caller = op.asked->caller;
  if (caller.user.empty() || !rights_of(caller).has(capability::join))
    return fail(errc::forbidden, "the token does not allow to join");
  const auto* known = member(caller.user);
  if (known == nullptr && roster_.find(caller.user) == nullptr)
    return fail(errc::conflict, "join the session first", "session");
  bool may = settings_.own_names
             || (known != nullptr && has_name(known->permissions, own_name));
  // Whoever has one may always give it up.
  if (body.name && !may)
    return fail(errc::forbidden, "you may not choose your name here", "name");
  if (!body.name && (known == nullptr || !known->own_name))
    return std::nullopt;
  if (body.name
      && (body.name->empty()
          || body.name->size() > limits::profile_field_bytes))
    return fail(errc::bad_request, "must be 1 to 128 bytes", "name");
  if (body.name)
    if (const auto* why = refuses_shown(*body.name))
      return fail(errc::bad_request, why, "name");
  if (known == nullptr && members_full())
    return fail(errc::too_large, "the session has too many members");
  auto kept = known != nullptr ? *known : new_member(caller.user, now);
  if (known == nullptr)
    kept.admitted = roster_.find(caller.user)->joined;
  kept.own_name = body.name.has_value();
  kept.who.name = body.name.value_or(caller.who.name);
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// Joining a session with durable membership makes one a member, however short
// the stay. It follows the join: presence never waits for the disk.
std::optional<failure> session_state::prepare_admission(durable_op& op,
                                                        instant now) {
  if (!record_ || record_->ended_at || member(*op.touches) != nullptr
      || members_full())
    return std::nullopt;
  auto kept = new_member(*op.touches, now);
  const auto* here = roster_.find(*op.touches);
  if (here == nullptr)
    kept.who = op.asked->caller.who;
  const auto& join = std::get<join_command>(op.asked->body);
  kept.admitted = here != nullptr ? here->joined : join.admitted->joined;
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// -- effect ------------------------------------------------------------------

void session_state::apply_member(const member_record& kept) {
  auto known = members_.find(kept.user);
  auto* here = roster_.find(kept.user);
  bool fresh = known == members_.end();
  std::uint8_t changed = 0;
  auto note = [&](member_key key, bool differs) {
    if (differs)
      changed |= static_cast<std::uint8_t>(key);
  };
  note(member_key::role,
       fresh ? !kept.role.empty() : known->second.role != kept.role);
  note(member_key::permissions,
       fresh ? !kept.permissions.empty()
             : known->second.permissions != kept.permissions);
  // What the token says is shown by joining; what the user says, by this.
  bool own = kept.own_name || (!fresh && known->second.own_name);
  const auto& called = here != nullptr ? here->who.name
                       : fresh         ? kept.who.name
                                       : known->second.who.name;
  note(member_key::name, own && called != kept.who.name);
  // Admission without a role shows nothing of someone who is seen already.
  bool shown = changed != 0 || (fresh && here == nullptr);
  note(member_key::membership, fresh);
  auto role = role_of(kept.user);
  if (fresh) {
    members_.emplace(kept.user, kept);
    admitted_.emplace(kept.admitted, kept.user);
    if (here != nullptr) {
      --present_strangers_;
      track_host_candidate(*here, true);
    }
  } else {
    known->second = kept;
  }
  if (here != nullptr && role != kept.role) {
    rounds_.leave(here->public_id, role);
    rounds_.enter(here->public_id, kept.role);
  }
  arm_reminder(kept);
  member_change news{public_id(kept.user), kept.user, kept.role,
                     kept.permissions,     changed,   true};
  if (news.has(member_key::name)) {
    news.name = kept.who.name;
    if (here != nullptr) {
      here->who.name = kept.who.name;
      roster_.mark_dirty(*here);
    }
  }
  if (shown)
    push_change(std::move(news));
  refresh_host();
  if (here != nullptr && shown)
    enforce_gates(*here);
}

void session_state::apply_member_erased(const user_id& user,
                                        const durable_op& op, instant now) {
  const auto& body = op.asked->body;
  auto reason = std::holds_alternative<withdraw_command>(body)
                  ? leave_reason::left
                  : leave_reason::kicked;
  drop_admission(user);
  if (auto* here = roster_.find(user)) {
    for (const auto& item : here->connections)
      dismiss(item, reason, std::holds_alternative<ban_command>(body));
    remove_participant(*here, reason, now);
  }
  timers_.set({timer_kind::reminder, user}, std::nullopt);
  reminded_.erase(user);
  if (auto known = members_.find(user); known != members_.end()) {
    admitted_.erase({known->second.admitted, user});
    members_.erase(known);
    push_change(member_change{public_id(user),
                              user,
                              {},
                              {},
                              static_cast<std::uint8_t>(member_key::membership),
                              false});
  }
  if (!record_->appointed_host || *record_->appointed_host == user)
    reclaim_until_.reset();
  refresh_host();
}

// -- what it is good for -----------------------------------------------------

profile session_state::profile_of(const user_id& user, profile given) const {
  const auto* known = member(user);
  if (known != nullptr && known->own_name)
    given.name = known->who.name;
  return given;
}

capability_set session_state::standing_rights(const user_id& user) const {
  capability_set out;
  const auto* known = member(user);
  if (known != nullptr
      && (known->role == moderator_role
          || has_name(known->permissions, can_moderate)))
    out.add(capability::moderate);
  if ((record_ && record_->created_by == user)
      || (known != nullptr && known->role == owner_role))
    out = out | default_grants;
  if (host_ == user)
    out = out | capability_set{capability::moderate, capability::host};
  return out;
}

bool session_state::may_turn_on(const user_id& user, capability_set grants,
                                std::string_view live_key) const {
  auto needed = gate_of(live_key);
  if (!settings_.gated_media || needed.empty() || grants.has(capability::admin))
    return true;
  const auto* known = member(user);
  if (known != nullptr && has_name(known->permissions, needed))
    return true;
  return (grants & standing_rights(user)).has(capability::moderate);
}

void session_state::enforce_gates(participant& who) {
  live_update off;
  for (auto& [key, entry] : who.live) {
    if (!entry.value || !turns_on(*entry.value)
        || may_turn_on(who.user, who.grants, key))
      continue;
    entry.value = false;
    entry.stamp += millis{1};
    off.emplace(key, live_value{false});
  }
  if (!off.empty())
    publish_live(who, off);
}

// -- questions ---------------------------------------------------------------

member_view session_state::view_of_member(const member_record& known) const {
  const auto* here = roster_.find(known.user);
  member_view out;
  out.participant = public_id(known.user);
  out.user = known.user;
  out.who = here != nullptr ? here->who : known.who;
  out.role = known.role;
  out.permissions = known.permissions;
  out.status = here != nullptr                  ? member_status::joined
               : departed_.contains(known.user) ? member_status::left
                                                : member_status::invited;
  out.admitted_at = known.admitted_at;
  out.changed = known.at;
  return out;
}

member_view session_state::view_of_removed(const user_id& user) const {
  member_view out;
  out.participant = public_id(user);
  out.user = user;
  out.status = member_status::removed;
  return out;
}

// Two lists in one order: moderators see those who were removed, too, as long
// as anything is known of them, which is as long as they are banned.
result<reply> session_state::get_members(const command& asked,
                                         const get_members_command& body,
                                         instant now) const {
  if (hidden_from(asked.caller))
    return unknown();
  auto rights = rights_of(asked.caller);
  bool moderates = rights.has(capability::moderate);
  const auto& self = asked.caller.user;
  auto view_of = [&, this](const member_record& known) {
    auto view = view_of_member(known);
    if (known.user == self)
      view.remind = reminder_view{known.remind.enabled, known.remind.lead};
    return view;
  };
  // What oneself is, is nobody's secret.
  bool own = body.only && !self.empty() && *body.only == self;
  if (!moderates && !own
      && (!rights.has(capability::observe_roster)
          || settings_.identity != identity_mode::named))
    return fail(errc::forbidden, "the members are not shown to you");
  if (body.only) {
    const auto* one = member(*body.only);
    // As in the list.
    bool gone = one == nullptr && moderates
                && bans_.find(*body.only, now.wall) != nullptr;
    if (one == nullptr && !gone)
      return fail(errc::not_found, "there is no such member", "user");
    auto out = answer(ack_level::accepted);
    out.body
      = members_reply{{gone ? view_of_removed(*body.only) : view_of(*one)}};
    return out;
  }
  auto limit = std::min<std::size_t>(body.limit, limits::roster_page_items);
  auto known = members_.upper_bound(body.after);
  auto removed = moderates ? bans_.page(body.after, now.wall, limit + 1)
                           : std::vector<const ban_record*>{};
  auto gone = removed.begin();
  members_reply page;
  while (known != members_.end() || gone != removed.end()) {
    if (page.members.size() == limit) {
      page.next = page.members.back().user;
      break;
    }
    bool is_member
      = gone == removed.end()
        || (known != members_.end() && known->first <= (*gone)->user);
    if (is_member) {
      // Invited again while banned: the invitation counts, in time.
      if (gone != removed.end() && (*gone)->user == known->first)
        ++gone;
      page.members.push_back(view_of((known++)->second));
      continue;
    }
    page.members.push_back(view_of_removed((*gone++)->user));
  }
  auto out = answer(ack_level::accepted);
  out.body = std::move(page);
  return out;
}

} // namespace rollcall
