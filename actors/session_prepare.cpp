// What a durable operation is decided to be: whether the caller may, and the
// records that say it.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

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
    std::string_view operator()(const observe_command& body) const {
      return body.hidden ? "observe_hidden" : "observe";
    }
    std::string_view operator()(const renew_command&) const {
      return "renew";
    }
    std::string_view operator()(const invite_command&) const {
      return "invite";
    }
    std::string_view operator()(const uninvite_command&) const {
      return "uninvite";
    }
    std::string_view operator()(const withdraw_command&) const {
      return "withdraw";
    }
    std::string_view operator()(const ban_command&) const {
      return "ban";
    }
    std::string_view operator()(const unban_command&) const {
      return "unban";
    }
    std::string_view operator()(const get_members_command&) const {
      return "get_members";
    }
    std::string_view operator()(const get_bans_command&) const {
      return "get_bans";
    }
  };
  return std::visit(namer{}, body);
}

} // namespace

void remember(op_memory& ops, const op_id& op, version at) {
  if (op.empty())
    return;
  if (ops.size() >= limits::op_ids_per_record)
    ops.erase(ops.begin());
  ops.push_back({op, at});
}

std::optional<failure> session_state::prepare(durable_op& op, instant now) {
  if (op.why == durable_op::purpose::erasure) {
    op.records.emplace_back(session_erased{key_});
    op.records.emplace_back(due_mark{key_, std::nullopt});
    return std::nullopt;
  }
  if (op.why == durable_op::purpose::admission)
    return prepare_admission(op, now);
  if (op.why == durable_op::purpose::host_lapse) {
    // Whoever came back meanwhile is still the host.
    if (!record_ || !record_->appointed_host || reclaim_until_
        || roster_.find(*record_->appointed_host) != nullptr)
      return std::nullopt;
    auto kept = *record_;
    kept.appointed_host.reset();
    kept.at = at();
    op.records.emplace_back(std::move(kept));
    return std::nullopt;
  }
  const auto& body = op.asked->body;
  bool creates = std::holds_alternative<create_command>(body)
                 || op.why == durable_op::purpose::then_join;
  if (std::holds_alternative<observe_command>(body)) {
    if (auto refusal = prepare_hidden(op))
      return refusal;
    op.records.emplace_back(audit_of(op, {}, now));
    return std::nullopt;
  }
  if (!creates)
    if (auto refusal = refuses(op.asked->caller, now.wall))
      return refusal;
  if (!creates && record_->ended_at
      && !std::holds_alternative<end_command>(body))
    return fail(errc::session_ended, "the session has ended", "session");
  auto refusal = prepare_command(op, creates, now);
  if (!refusal && !op.records.empty())
    op.records.emplace_back(audit_of(op, target_named(op), now));
  return refusal;
}

std::optional<failure>
session_state::prepare_command(durable_op& op, bool creates, instant now) {
  const auto& body = op.asked->body;
  if (creates)
    return prepare_create(op, now);
  if (std::holds_alternative<configure_command>(body))
    return prepare_configure(op);
  if (std::holds_alternative<end_command>(body))
    return prepare_end(op, now);
  if (const auto* x = std::get_if<set_member_command>(&body))
    return prepare_member(op, *x, now);
  if (const auto* x = std::get_if<invite_command>(&body))
    return prepare_invite(op, *x, now);
  if (const auto* x = std::get_if<uninvite_command>(&body))
    return prepare_uninvite(op, *x);
  if (std::holds_alternative<withdraw_command>(body))
    return prepare_withdraw(op);
  if (const auto* x = std::get_if<kick_command>(&body))
    return prepare_kick(op, *x);
  if (const auto* x = std::get_if<ban_command>(&body))
    return prepare_ban(op, *x, now);
  if (const auto* x = std::get_if<unban_command>(&body))
    return prepare_unban(op, *x);
  if (const auto* x = std::get_if<transfer_host_command>(&body))
    return prepare_transfer(op, *x);
  return fail(errc::internal, "this is not decided here");
}

// Whom an operation was about, as far as that can be said.
user_id session_state::target_named(const durable_op& op) const {
  if (op.touches)
    return *op.touches;
  auto find = [this](const user_id& user, const participant_id& id) {
    auto found = target_of(user, id);
    return found ? *found : user_id{};
  };
  const auto& body = op.asked->body;
  if (const auto* x = std::get_if<uninvite_command>(&body))
    return find(x->user, x->participant);
  if (const auto* x = std::get_if<kick_command>(&body))
    return find(x->user, x->participant);
  if (const auto* x = std::get_if<ban_command>(&body))
    return find(x->user, x->participant);
  if (const auto* x = std::get_if<unban_command>(&body))
    return find(x->user, x->participant);
  if (const auto* x = std::get_if<transfer_host_command>(&body))
    return find(x->user, x->participant);
  return {};
}

audit_record session_state::audit_of(const durable_op& op,
                                     const user_id& target, instant now) {
  last_audit_ = std::max(rev_, last_audit_ + 1);
  return {key_,
          {epoch_, last_audit_},
          now.wall,
          op.asked->caller.user,
          std::string{action_of(op.asked->body)},
          target,
          op.asked->request};
}

// Seen by nobody but the audit log, whatever the session's access says.
std::optional<failure> session_state::prepare_hidden(durable_op& op) {
  const auto& caller = op.asked->caller;
  if (!record_)
    return fail(errc::not_found, "there is no such session", "session");
  if (caller.user.empty() || !caller.grants.has(capability::observe_hidden)) {
    if (hidden_from(caller))
      return fail(errc::not_found, "there is no such session", "session");
    return fail(errc::forbidden, "the token does not allow to hide", "hidden");
  }
  return std::nullopt;
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
  if (auto good = check(settings, kept.overrides); !good)
    return of_settings(good.error());
  kept.created_by = caller.user;
  kept.created_at = now.wall;
  if (settings.host == host_policy::appointed)
    kept.appointed_host = caller.user;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  // Whoever makes a session by joining it is among the invited.
  if (op.why == durable_op::purpose::then_join
      && settings.access == access_mode::members) {
    auto self = new_member(caller.user, now);
    self.who = caller.who;
    op.records.emplace_back(std::move(self));
  }
  return std::nullopt;
}

std::optional<failure> session_state::prepare_configure(durable_op& op) {
  if (!rights_of(op.asked->caller).has(capability::configure))
    return fail(errc::forbidden, "you may not configure this session");
  const auto& patch = std::get<configure_command>(op.asked->body).settings;
  auto kept = *record_;
  kept.overrides = merged(kept.overrides, patch);
  const auto* kind = rules_->find_kind(kept.kind);
  auto settings
    = with_patch(kind != nullptr ? *kind : kind_settings{}, kept.overrides);
  if (auto good = check(settings, kept.overrides); !good)
    return of_settings(good.error());
  // Another way to find the host ends what was said by hand.
  if (patch.host && *patch.host != host_policy::appointed)
    kept.appointed_host.reset();
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
session_state::prepare_transfer(durable_op& op,
                                const transfer_host_command& body) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::host) && !rights.has(capability::configure))
    return fail(errc::forbidden, "you are not the host");
  if (settings_.host == host_policy::none)
    return fail(errc::conflict, "this session has no host");
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
