// What a durable operation is decided to be: whether the caller may, and the
// records that say it.

#include "actors/base/limits.hpp"
#include "actors/command_names.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

/// The same refusal, naming the field as the request has it.
failure of_settings(failure why) {
  why.field = "settings." + why.field;
  return why;
}

result<done> check_start(const std::optional<millis>& start, instant now) {
  if (!start)
    return done{};
  if (*start < now.wall - limits::start_slack
      || *start > now.wall + limits::longest_wait)
    return fail(errc::bad_request, "must lie ahead, by a year at most",
                "starts_at");
  return done{};
}

} // namespace

std::optional<failure> session_state::prepare(durable_op& op, instant now) {
  if (op.why == durable_op::purpose::erasure) {
    // What is still to be written of it would outlive it.
    chronicle_.clear();
    op.records.emplace_back(session_erased{key_});
    op.records.emplace_back(due_mark{key_, std::nullopt});
    return std::nullopt;
  }
  if (op.why == durable_op::purpose::admission)
    return prepare_admission(op, now);
  if (op.why == durable_op::purpose::timer) {
    prepare_timer(op, now);
    return std::nullopt;
  }
  if (op.why == durable_op::purpose::told) {
    prepare_told(op);
    return std::nullopt;
  }
  if (op.why == durable_op::purpose::put_out) {
    prepare_put_out(op, now);
    return std::nullopt;
  }
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
                 || std::holds_alternative<put_group_command>(body)
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
  bool on_ended = std::holds_alternative<end_command>(body)
                  || std::holds_alternative<delete_command>(body)
                  || std::holds_alternative<forget_user_command>(body);
  if (!creates && record_->ended_at && !on_ended)
    return fail(errc::session_ended, "the session has ended", "session");
  if (const auto* gone = std::get_if<forget_user_command>(&body))
    return prepare_forget(op, *gone);
  auto refusal = prepare_command(op, creates, now);
  if (!refusal && !creates)
    refusal = refuses_condition(op);
  // An answer's record says who and when.
  if (!refusal && !op.records.empty()
      && !std::holds_alternative<submit_command>(body))
    op.records.emplace_back(audit_of(op, target_named(op), now));
  return refusal;
}

std::optional<failure>
session_state::prepare_command(durable_op& op, bool creates, instant now) {
  const auto& body = op.asked->body;
  if (const auto* x = std::get_if<put_group_command>(&body))
    return prepare_group(op, *x, now);
  if (creates)
    return prepare_create(op, now);
  if (std::holds_alternative<configure_command>(body))
    return prepare_configure(op, now);
  if (std::holds_alternative<end_command>(body))
    return prepare_end(op, now);
  if (std::holds_alternative<delete_command>(body))
    return prepare_delete(op, now);
  if (const auto* x = std::get_if<set_member_command>(&body))
    return prepare_member(op, *x, now);
  if (const auto* x = std::get_if<submit_command>(&body))
    return prepare_submission(op, *x, now);
  if (const auto* x = std::get_if<open_round_command>(&body))
    return prepare_round(op, *x, now);
  if (const auto* x = std::get_if<close_round_command>(&body))
    return prepare_close(op, *x, now);
  if (const auto* x = std::get_if<set_phase_command>(&body))
    return prepare_phase(op, *x, now);
  if (const auto* x = std::get_if<start_barrier_command>(&body))
    return prepare_barrier(op, *x, now);
  if (const auto* x = std::get_if<set_reminder_command>(&body))
    return prepare_reminder(op, *x, now);
  if (const auto* x = std::get_if<invite_command>(&body))
    return prepare_invite(op, *x, now);
  if (const auto* x = std::get_if<uninvite_command>(&body))
    return prepare_uninvite(op, *x);
  if (std::holds_alternative<withdraw_command>(body))
    return prepare_withdraw(op);
  if (const auto* x = std::get_if<set_name_command>(&body))
    return prepare_name(op, *x, now);
  if (const auto* x = std::get_if<kick_command>(&body))
    return record_->group ? prepare_group_removal(op, *x, now)
                          : prepare_kick(op, *x);
  if (const auto* x = std::get_if<ban_command>(&body))
    return prepare_ban(op, *x, now);
  if (const auto* x = std::get_if<unban_command>(&body))
    return prepare_unban(op, *x);
  if (const auto* x = std::get_if<transfer_host_command>(&body))
    return prepare_transfer(op, *x, now);
  return fail(errc::bad_request, "a session does not do this", "op");
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
  auto name = op.why == durable_op::purpose::then_join
                ? std::string_view{"create_session"}
                : name_of(op.asked->body);
  auto entry = audit_entry(std::string{name}, target, at(), now);
  describe_change(op, entry);
  return entry;
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
  if (record_ && record_->ended_at == deleted)
    return fail(errc::unavailable, "the session is still being deleted");
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
    kept.starts_at = x->starts_at;
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
  if (auto good = check_start(kept.starts_at, now); !good)
    return good.error();
  kept.created_by = caller.user;
  kept.created_at = now.wall;
  if (settings.host == host_policy::appointed)
    kept.appointed_host = caller.user;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  if (op.why == durable_op::purpose::then_join)
    return prepare_first_join(op, std::move(kept), settings.access, now);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// Whoever makes a session by joining it is among the invited. A session that
// its maker could not join is not made: the join is tried on one that is
// thrown away.
std::optional<failure> session_state::prepare_first_join(durable_op& op,
                                                         session_record kept,
                                                         access_mode access,
                                                         instant now) const {
  const auto& caller = op.asked->caller;
  stored_session made;
  made.session = kept;
  if (access == access_mode::members) {
    auto self = new_member(caller.user, now);
    self.who = caller.who;
    made.members.push_back(std::move(self));
  }
  session_state trial{rules_, key_, epoch_, made, now};
  auto joined
    = trial.join(*op.asked, std::get<join_command>(op.asked->body), now);
  if (!joined)
    return joined.error();
  op.records.emplace_back(std::move(kept));
  for (auto& self : made.members)
    op.records.emplace_back(std::move(self));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_configure(durable_op& op,
                                                        instant now) {
  if (!rights_of(op.asked->caller).has(capability::configure))
    return fail(errc::forbidden, "you may not configure this session");
  const auto& body = std::get<configure_command>(op.asked->body);
  auto kept = *record_;
  if (body.starts_at) {
    if (auto good = check_start(*body.starts_at, now); !good)
      return good.error();
    kept.starts_at = *body.starts_at;
  }
  kept.overrides = merged(kept.overrides, body.settings);
  const auto* kind = rules_->find_kind(kept.kind);
  auto settings
    = with_patch(kind != nullptr ? *kind : kind_settings{}, kept.overrides);
  if (auto good = check(settings, kept.overrides); !good)
    return of_settings(good.error());
  // Another way to find the host ends what was said by hand.
  if (body.settings.host && *body.settings.host != settings_.host
      && *body.settings.host != host_policy::appointed)
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
  return std::nullopt;
}

std::optional<failure> session_state::prepare_transfer(
  durable_op& op, const transfer_host_command& body, instant now) {
  auto rights = rights_of(op.asked->caller);
  if (!rights.has(capability::host) && !rights.has(capability::configure))
    return fail(errc::forbidden, "you are not the host");
  if (settings_.host == host_policy::none)
    return fail(errc::conflict, "this session has no host");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  const auto* here = roster_.find(*target);
  if (member(*target) == nullptr && here == nullptr)
    return fail(errc::not_found, "there is no such participant", "user");
  // What is kept of somebody makes a member: verify counts on it.
  if (member(*target) == nullptr) {
    if (members_.size() >= limits::members_per_session)
      return fail(errc::too_large, "the session has too many members");
    auto guest = new_member(*target, now);
    guest.admitted = here->joined;
    op.records.emplace_back(std::move(guest));
  }
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
