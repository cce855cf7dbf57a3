// Groups: sessions that nobody can be in, whose members may enter other
// sessions. And what a session does as one that belongs to a group.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <array>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 3> group_roles
  = {owner_role, moderator_role, "member"};

bool is_group_role(std::string_view role) {
  return std::find(group_roles.begin(), group_roles.end(), role)
         != group_roles.end();
}

template <class... Bodies>
bool is_one_of(const command_body& body) {
  return (std::holds_alternative<Bodies>(body) || ...);
}

} // namespace

// -- a group -----------------------------------------------------------------

bool session_state::suits(const command_body& body) const {
  bool of_groups = is_one_of<put_group_command, get_group_command>(body);
  if (!is_group(key_.id))
    return !of_groups;
  return of_groups
         || is_one_of<set_member_command, kick_command, get_members_command,
                      get_audit_command, delete_command, forget_user_command>(
           body);
}

failure session_state::unknown() const {
  return is_group(key_.id)
           ? fail(errc::not_found, "there is no such group", "group")
           : fail(errc::not_found, "there is no such session", "session");
}

reply session_state::group_answer(const command& asked, ack_level level,
                                  bool created) const {
  group_reply found;
  found.name = record_->group ? record_->group->name : std::string{};
  found.created_by = record_->created_by;
  found.created_at = record_->created_at;
  if (const auto* known = member(asked.caller.user)) {
    found.member = true;
    found.role = known->role;
  }
  found.created = created;
  auto out = answer(level);
  out.body = std::move(found);
  return out;
}

// To those who may make groups the id is taken; to others it does not exist.
std::optional<failure>
session_state::prepare_group(durable_op& op, const put_group_command& body,
                             instant now) {
  const auto& caller = op.asked->caller;
  if (caller.user.empty())
    return fail(errc::unauthenticated, "a group needs a token", "token");
  if (record_ && record_->ended_at == deleted)
    return fail(errc::unavailable, "the group is still being deleted");
  bool may_create = caller.grants.has(capability::create);
  if (!record_ || hidden_from(caller)) {
    if (!may_create)
      return unknown();
    if (record_)
      return fail(errc::conflict, "the group id is taken", "group");
  } else if (!rights_of(caller).has(capability::configure)) {
    return fail(errc::forbidden, "you may not change this group");
  }
  if (record_ && record_->group->name == body.name)
    return std::nullopt;
  if (const auto* why = refuses_shown(body.name))
    return fail(errc::bad_request, why, "name");
  auto kept = record_.value_or(session_record{});
  if (!record_) {
    kept.key = key_;
    kept.kind = group_kind().kind;
    kept.created_by = caller.user;
    kept.created_at = now.wall;
    kept.group.emplace();
  }
  kept.group->name = body.name;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  if (!record_) {
    auto self = new_member(caller.user, now);
    self.who = caller.who;
    self.role = owner_role;
    op.records.emplace_back(std::move(self));
  }
  return std::nullopt;
}

std::optional<failure>
session_state::refuses_group_member(const set_member_command& body) const {
  if (!record_->group)
    return std::nullopt;
  if (body.role && !is_group_role(*body.role))
    return fail(errc::bad_request, "must be owner, moderator or member",
                "role");
  if (body.permissions || !body.give.empty() || !body.take.empty())
    return fail(errc::bad_request, "is nothing that groups have",
                "permissions");
  return std::nullopt;
}

// Who is taken out is out of the group's sessions, too: the record says so
// until all of them have heard of it.
std::optional<failure>
session_state::prepare_group_removal(durable_op& op, const kick_command& body,
                                     instant now) {
  const auto& caller = op.asked->caller;
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  bool itself = *target == caller.user && member(caller.user) != nullptr;
  if (!itself && !rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not change members");
  if (member(*target) == nullptr)
    return fail(errc::not_found, "there is no such member", "user");
  if (!itself)
    if (auto why = refuses_removal(caller, *target))
      return why;
  auto kept = without(*target, op);
  auto& untold = kept.group->removed;
  std::erase_if(untold, [&](const auto& one) { return one.user == *target; });
  if (untold.size() >= limits::group_removals) {
    auto why = fail(errc::unavailable, "too many removals are under way");
    why.retry_after = millis{1'000};
    return why;
  }
  untold.push_back({*target, now.wall});
  op.records.emplace_back(std::move(kept));
  op.records.emplace_back(member_erased{key_, *target});
  return std::nullopt;
}

// -- telling its sessions ----------------------------------------------------

std::optional<millis> session_state::untold_since() const {
  return record_ && record_->group ? record_->group->untold_since()
                                   : std::nullopt;
}

// The next round is set before this one begins: whatever becomes of it, the
// store says that the group is to be woken.
void session_state::begin_telling(instant now) {
  if (!untold_since())
    return;
  millis pause{limits::group_again * (1LL << std::min(telling_.times, 5U))};
  timers_.set({timer_kind::group},
              now.wall + std::min(pause, limits::group_again_most));
  telling_.is_due = true;
}

std::optional<settle_group_command> session_state::take_telling(instant now) {
  if (!telling_.is_due || telling_.under_way || !untold_since())
    return std::nullopt;
  telling_.is_due = false;
  telling_.under_way = true;
  ++telling_.times;
  telling_.change = *record_->group;
  telling_.from = now.wall;
  settle_group_command out;
  out.group = group_at(key_.id);
  out.deleted = telling_.change.deleted_at.has_value();
  // Whoever is a member again stays.
  if (!out.deleted)
    for (const auto& one : telling_.change.removed)
      if (member(one.user) == nullptr)
        out.removed.push_back(one.user);
  return out;
}

void session_state::told_everywhere(bool settled, instant now) {
  telling_.under_way = false;
  idle_since_ = now.steady;
  if (!settled || !untold_since() || pending_.full())
    return;
  if (record_->group->deleted_at) {
    if (telling_.change.deleted_at
        && telling_.from >= *telling_.change.deleted_at + limits::group_settles)
      queue_erasure();
    return;
  }
  telling_.told = telling_.change.removed;
  durable_op op;
  op.why = durable_op::purpose::told;
  pending_.push(std::move(op));
}

void session_state::prepare_told(durable_op& op) {
  if (!record_ || !record_->group)
    return;
  auto kept = *record_;
  auto gone = std::erase_if(kept.group->removed, [&](const auto& one) {
    return std::find(telling_.told.begin(), telling_.told.end(), one)
           != telling_.told.end();
  });
  if (gone == 0)
    return;
  kept.at = at();
  op.records.emplace_back(std::move(kept));
}

// -- a session of a group ----------------------------------------------------

bool session_state::is_by_group(const identity& caller) const {
  if (settings_.access != access_mode::group)
    return false;
  if (!caller.vouched.empty() && caller.vouched == settings_.group)
    return true;
  const auto* here = roster_.find(caller.user);
  return here != nullptr
         && std::any_of(here->connections.begin(), here->connections.end(),
                        [](const auto& item) { return item.proven; });
}

// Restored ones are known anew.
void session_state::note_vouched(const identity& caller) {
  if (caller.vouched.empty() || caller.vouched != settings_.group)
    return;
  if (auto* here = roster_.find(caller.user))
    for (auto& item : here->connections)
      item.proven = item.by_group;
}

std::optional<std::string>
session_state::group_to_ask(const identity& caller) const {
  if (!record_ || record_->ended_at == deleted
      || settings_.access != access_mode::group || caller.user.empty()
      || !caller.vouched.empty() || caller.grants.has(capability::admin)
      || !check_group_id(settings_.group, "group") || admitted(caller).enters)
    return std::nullopt;
  return settings_.group;
}

result<reply> session_state::settle(const command& asked,
                                    const settle_group_command& body,
                                    instant now) {
  if (!asked.caller.grants.has(capability::admin))
    return fail(errc::forbidden, "groups alone say this");
  bool touched = false;
  bool stays = false;
  if (record_ && settings_.access == access_mode::group
      && settings_.group == body.group)
    for (const auto& user : body.removed) {
      touched |= put_out(user, now);
      stays |= is_away(user);
    }
  if (stays && !pending_.full()) {
    durable_op op;
    op.why = durable_op::purpose::put_out;
    op.asked = std::make_shared<command>(asked);
    pending_.push(std::move(op));
  }
  touched |= stays;
  settled_reply found;
  found.settled = !touched && !put_out_ && !put_out_in_flight_;
  auto out = answer(ack_level::accepted);
  out.body = found;
  return out;
}

bool session_state::is_away(const user_id& user) const {
  return member(user) != nullptr && roster_.find(user) == nullptr;
}

// What the group gave goes with it: a member who may not come back would stay
// in lists, and be the host of others. Who is here by a token stays a member.
void session_state::prepare_put_out(durable_op& op, instant now) {
  const auto& body = std::get<settle_group_command>(op.asked->body);
  if (!record_ || record_->ended_at == deleted
      || settings_.access != access_mode::group
      || settings_.group != body.group)
    return;
  auto kept = *record_;
  kept.appointed_host.reset();
  for (const auto& user : body.removed) {
    if (!is_away(user))
      continue;
    if (record_->appointed_host == user) {
      kept.at = at();
      op.records.emplace_back(kept);
    }
    op.records.emplace_back(member_erased{key_, user});
    auto entry = audit_entry("kick", user, at(), now);
    entry.before = describe_record(member_erased{key_, user}).first;
    op.records.emplace_back(std::move(entry));
  }
}

// Whoever only looks on is asked again by its edge: a change of what it is as
// a member makes edges look.
bool session_state::put_out(const user_id& user, instant now) {
  std::vector<connection> leaving;
  if (const auto* here = roster_.find(user))
    for (const auto& item : here->connections)
      if (item.by_group)
        leaving.push_back(item);
  for (const auto& item : leaving) {
    dismiss(item, leave_reason::kicked);
    end_connection(*roster_.find(item.id), item.id, leave_reason::kicked, now);
  }
  put_out_ |= !leaving.empty();
  if (!observers_.empty()) {
    const auto* known = member(user);
    member_change look;
    look.participant = public_id(user);
    look.user = user;
    look.is_member = known != nullptr;
    if (known != nullptr) {
      look.role = known->role;
      look.permissions = known->permissions;
    }
    push_change(std::move(look), audience::moderator);
  }
  return !leaving.empty();
}

} // namespace rollcall
