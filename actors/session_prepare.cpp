// What a durable operation is decided to be: whether the caller may, and the
// records that say it.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <type_traits>

namespace rollcall {

namespace {

constexpr std::string_view moderator_role = "moderator";
constexpr std::string_view owner_role = "owner";

void remember(op_memory& ops, const op_id& op, version at) {
  if (op.empty())
    return;
  if (ops.size() >= limits::op_ids_per_record)
    ops.erase(ops.begin());
  ops.push_back({op, at});
}

/// The same refusal, naming the field as the request has it.
failure of_settings(failure why) {
  why.field = "settings." + why.field;
  return why;
}

std::string_view action_of(const command_body& body) {
  struct namer {
    std::string_view operator()(const create_command&) const {
      return "create_session";
    }
    std::string_view operator()(const configure_command&) const {
      return "configure_session";
    }
    std::string_view operator()(const end_command&) const {
      return "end_session";
    }
    std::string_view operator()(const set_member_command&) const {
      return "set_member";
    }
    std::string_view operator()(const kick_command&) const {
      return "kick";
    }
    std::string_view operator()(const transfer_host_command&) const {
      return "transfer_host";
    }
    std::string_view operator()(const join_command&) const {
      return "join";
    }
    std::string_view operator()(const leave_command&) const {
      return "leave";
    }
    std::string_view operator()(const set_live_command&) const {
      return "set_live";
    }
    std::string_view operator()(const get_roster_command&) const {
      return "get_roster";
    }
    std::string_view operator()(const observe_command&) const {
      return "observe";
    }
    std::string_view operator()(const renew_command&) const {
      return "renew";
    }
  };
  return std::visit(namer{}, body);
}

} // namespace

std::optional<failure> session_state::prepare(durable_op& op, instant now) {
  if (op.why == durable_op::purpose::erasure) {
    op.records.emplace_back(session_erased{key_});
    op.records.emplace_back(due_mark{key_, std::nullopt});
    return std::nullopt;
  }
  if (op.why == durable_op::purpose::admission)
    return prepare_admission(op, now);
  const auto& body = op.asked->body;
  bool creates = std::holds_alternative<create_command>(body)
                 || op.why == durable_op::purpose::then_join;
  if (!creates && hidden_from(op.asked->caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (!creates && record_->ended_at
      && !std::holds_alternative<end_command>(body))
    return fail(errc::session_ended, "the session has ended", "session");
  std::optional<failure> refusal;
  user_id target;
  if (creates) {
    refusal = prepare_create(op, now);
  } else if (std::holds_alternative<configure_command>(body)) {
    refusal = prepare_configure(op);
  } else if (std::holds_alternative<end_command>(body)) {
    refusal = prepare_end(op, now);
  } else if (const auto* set = std::get_if<set_member_command>(&body)) {
    refusal = prepare_member(op, *set, now);
    target = *op.touches;
  } else if (const auto* kick = std::get_if<kick_command>(&body)) {
    refusal = prepare_kick(op, *kick);
    if (auto found = target_of(kick->user, kick->participant))
      target = *found;
  } else if (const auto* give = std::get_if<transfer_host_command>(&body)) {
    refusal = prepare_transfer(op, *give);
    if (auto found = target_of(give->user, give->participant))
      target = *found;
  }
  if (!refusal && !op.records.empty()) {
    last_audit_ = std::max(rev_, last_audit_ + 1);
    op.records.emplace_back(audit_record{key_,
                                         {epoch_, last_audit_},
                                         now.wall,
                                         op.asked->caller.user,
                                         std::string{action_of(body)},
                                         target,
                                         op.asked->request});
  }
  return refusal;
}

std::optional<failure> session_state::prepare_create(durable_op& op,
                                                     instant now) {
  const auto& caller = op.asked->caller;
  if (caller.user.empty())
    return fail(errc::unauthenticated, "creating needs a token", "token");
  if (record_) {
    if (hidden_from(caller))
      return fail(errc::conflict, "the session id is taken", "session");
    return fail(errc::conflict, "the session exists", "session");
  }
  if (!caller.grants.has(capability::create))
    return op.why == durable_op::purpose::then_join
             ? fail(errc::not_found, "there is no such session", "session")
             : fail(errc::forbidden, "the token does not allow to create");
  session_record kept;
  kept.key = key_;
  if (const auto* x = std::get_if<create_command>(&op.asked->body)) {
    kept.kind = x->kind;
    kept.overrides = x->settings;
  } else {
    kept.kind = *std::get<join_command>(op.asked->body).create_kind;
  }
  const auto* kind = rules_->find_kind(kept.kind);
  if (kind == nullptr)
    return fail(errc::bad_request, "there is no such kind",
                op.why == durable_op::purpose::then_join ? "create" : "kind");
  auto settings = with_patch(*kind, kept.overrides);
  if (auto good = check(settings); !good)
    return of_settings(good.error());
  kept.created_by = caller.user;
  kept.created_at = now.wall;
  if (settings.host == host_policy::appointed)
    kept.appointed_host = caller.user;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_configure(durable_op& op) {
  if (!rights_of(op.asked->caller).has(capability::configure))
    return fail(errc::forbidden, "you may not configure this session");
  const auto& patch = std::get<configure_command>(op.asked->body).settings;
  auto kept = *record_;
  kept.overrides = merged(kept.overrides, patch);
  const auto* kind = rules_->find_kind(kept.kind);
  if (auto good = check(
        with_patch(kind != nullptr ? *kind : kind_settings{}, kept.overrides));
      !good)
    return of_settings(good.error());
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_end(durable_op& op, instant now) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::configure) && !rights.has(capability::host))
    return fail(errc::forbidden, "you may not end this session");
  if (record_->ended_at)
    return fail(errc::session_ended, "the session has ended", "session");
  auto kept = *record_;
  kept.ended_at = now.wall;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  op.records.emplace_back(due_mark{key_, now.wall + rules_->ended_retention});
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_member(durable_op& op, const set_member_command& body,
                              instant now) {
  const auto& caller = op.asked->caller;
  auto rights = rights_of(caller);
  if (!rights.has(capability::moderate))
    return fail(errc::forbidden, "you may not change members");
  const auto* known = member(*op.touches);
  bool above = body.role == owner_role || body.role == moderator_role
               || (known != nullptr && known->role == owner_role);
  if (above && !rights.has(capability::configure))
    return fail(errc::forbidden,
                "only an owner may change owners and "
                "moderators",
                "role");
  if (known == nullptr && members_.size() >= limits::members_per_session)
    return fail(errc::too_large, "the session has too many members");
  member_record kept;
  if (known != nullptr) {
    kept = *known;
  } else {
    kept.session = key_;
    kept.user = *op.touches;
    kept.admitted = at();
    kept.admitted_at = now.wall;
    if (const auto* here = roster_.find(kept.user))
      kept.who = here->who;
  }
  if (body.role)
    kept.role = *body.role;
  if (body.permissions)
    kept.permissions = *body.permissions;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// Joining a session with durable membership makes one a member. It follows
// the join: presence never waits for the disk.
std::optional<failure> session_state::prepare_admission(durable_op& op,
                                                        instant now) {
  const auto* here = roster_.find(*op.touches);
  if (here == nullptr || member(*op.touches) != nullptr
      || members_.size() >= limits::members_per_session)
    return std::nullopt;
  member_record kept;
  kept.session = key_;
  kept.user = here->user;
  kept.who = here->who;
  kept.admitted = here->joined;
  kept.admitted_at = now.wall;
  kept.at = at();
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_kick(durable_op& op,
                                                   const kick_command& body) {
  const auto& caller = op.asked->caller;
  auto rights = rights_of(caller);
  if (!rights.has(capability::moderate))
    return fail(errc::forbidden, "you may not remove others");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  const auto* known = member(*target);
  if (known == nullptr && roster_.find(*target) == nullptr)
    return fail(errc::not_found, "there is no such participant", "user");
  bool above = record_->created_by == *target
               || (known != nullptr && known->role == owner_role);
  if (above && !rights.has(capability::configure))
    return fail(errc::forbidden, "only an owner may remove an owner", "user");
  auto kept = *record_;
  kept.at = at();
  if (kept.appointed_host == *target)
    kept.appointed_host.reset();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  op.records.emplace_back(member_erased{key_, *target});
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_transfer(durable_op& op,
                                const transfer_host_command& body) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::host) && !rights.has(capability::configure))
    return fail(errc::forbidden, "you are not the host");
  if (settings_.host != host_policy::appointed)
    return fail(errc::conflict, "the host of this session is not appointed");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  if (member(*target) == nullptr && roster_.find(*target) == nullptr)
    return fail(errc::not_found, "there is no such participant", "user");
  auto kept = *record_;
  kept.appointed_host = *target;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

result<user_id> session_state::target_of(const user_id& user,
                                         const participant_id& id) const {
  if (!user.empty())
    return user;
  if (const auto* here = roster_.find(id))
    return here->user;
  for (const auto& [known, kept] : members_)
    if (public_id(known) == id)
      return known;
  return fail(errc::not_found, "there is no such participant",
              "participant_id");
}

} // namespace rollcall
