// The durable half of session_state: what goes through the journal first.
// An operation is authorised and decided when it starts, and takes effect
// when its records are kept.

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

const done_op* find_op(const op_memory& ops, const op_id& op) {
  if (op.empty())
    return nullptr;
  auto at = std::find_if(ops.begin(), ops.end(),
                         [&](const auto& done) { return done.op == op; });
  return at == ops.end() ? nullptr : &*at;
}

void set_version(op_memory& ops, const op_id& op, version at) {
  for (auto& done : ops)
    if (done.op == op)
      done.at = at;
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
  };
  return std::visit(namer{}, body);
}

} // namespace

// -- queueing ----------------------------------------------------------------

session_state::decided session_state::decide_durable(const command_ptr& asked) {
  if (pending_.full())
    return fail(errc::unavailable, "too many changes are waiting");
  durable_op op;
  op.asked = asked;
  if (const auto* x = std::get_if<set_member_command>(&asked->body)) {
    auto target = target_of(x->user, x->participant);
    if (!target)
      return hidden_from(asked->caller)
               ? fail(errc::not_found, "there is no such session", "session")
               : target.error();
    op.touches = *target;
  }
  if (std::holds_alternative<join_command>(asked->body))
    op.why = durable_op::purpose::then_join;
  op.answer_to = ++last_ticket_;
  pending_.push(std::move(op));
  return last_ticket_;
}

void session_state::queue_admission(const command& asked) {
  if (pending_.full())
    return;
  durable_op op;
  op.why = durable_op::purpose::admission;
  op.asked = std::make_shared<command>(asked);
  op.touches = asked.caller.user;
  pending_.push(std::move(op));
}

void session_state::queue_erasure() {
  if (erasing_)
    return;
  erasing_ = true;
  durable_op op;
  op.why = durable_op::purpose::erasure;
  pending_.push(std::move(op));
}

std::optional<durable_batch> session_state::next_batch(instant now) {
  std::vector<durable_op> started;
  durable_batch out;
  for (auto& op : pending_.startable()) {
    if (op.why == durable_op::purpose::then_join && record_) {
      answers_.push_back(
        {op.answer_to,
         join(*op.asked, std::get<join_command>(op.asked->body), now)});
      pending_.finished(op);
      continue;
    }
    if (auto before = done_before(op)) {
      auto again = answer(ack_level::committed);
      again.at = *before;
      answers_.push_back({op.answer_to, again});
      pending_.finished(op);
      continue;
    }
    if (auto refusal = prepare(op, now)) {
      if (op.answer_to != 0)
        answers_.push_back({op.answer_to, *refusal});
      pending_.finished(op);
      continue;
    }
    if (op.records.empty()) {
      pending_.finished(op);
      continue;
    }
    out.records.insert(out.records.end(), op.records.begin(), op.records.end());
    started.push_back(std::move(op));
  }
  if (started.empty())
    return std::nullopt;
  out.number = ++last_batch_;
  in_flight_.emplace(out.number, std::move(started));
  return out;
}

void session_state::committed(std::uint64_t number,
                              const result<position_t>& outcome, instant now) {
  auto at = in_flight_.find(number);
  if (at == in_flight_.end())
    return;
  auto ops = std::move(at->second);
  in_flight_.erase(at);
  for (auto& op : ops) {
    pending_.finished(op);
    if (op.why == durable_op::purpose::erasure)
      erasing_ = false;
    if (!outcome) {
      // A fenced owner's caller asks again and finds the new owner.
      auto why = fail(errc::unavailable, "the change could not be kept");
      if (op.answer_to != 0)
        answers_.push_back({op.answer_to, std::move(why)});
      continue;
    }
    apply(op, now);
    remember_answer(op);
    if (op.answer_to == 0)
      continue;
    if (op.why == durable_op::purpose::then_join)
      answers_.push_back(
        {op.answer_to,
         join(*op.asked, std::get<join_command>(op.asked->body), now)});
    else
      answers_.push_back({op.answer_to, answer(ack_level::committed)});
  }
  idle_since_ = now.steady;
}

std::optional<version> session_state::done_before(const durable_op& op) const {
  if (op.why != durable_op::purpose::command || hidden_from(op.asked->caller))
    return std::nullopt;
  const auto* known = op.touches ? member(*op.touches) : nullptr;
  const auto* memory = op.touches ? (known != nullptr ? &known->ops : nullptr)
                                  : (record_ ? &record_->ops : nullptr);
  const auto* done
    = memory != nullptr ? find_op(*memory, op.asked->op) : nullptr;
  return done != nullptr ? std::optional{done->at} : std::nullopt;
}

// The record was made before its place among the changes was known; from
// here on a repetition is answered with the version of the first answer.
void session_state::remember_answer(const durable_op& op) {
  if (op.why != durable_op::purpose::command || op.asked->op.empty())
    return;
  if (record_)
    set_version(record_->ops, op.asked->op, at());
  if (op.touches)
    if (auto known = members_.find(*op.touches); known != members_.end())
      set_version(known->second.ops, op.asked->op, at());
}

// -- deciding ----------------------------------------------------------------

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

// -- effect ------------------------------------------------------------------

void session_state::apply(const durable_op& op, instant now) {
  if (op.why == durable_op::purpose::erasure) {
    record_.reset();
    members_.clear();
    departed_.clear();
    settings_ = {};
    return;
  }
  for (const auto& kept : op.records) {
    if (const auto* session = std::get_if<session_record>(&kept))
      apply_session(*session, now);
    else if (const auto* known = std::get_if<member_record>(&kept))
      apply_member(*known);
    else if (const auto* erased = std::get_if<member_erased>(&kept))
      apply_member_erased(erased->user, now);
  }
}

void session_state::apply_session(const session_record& kept, instant now) {
  bool created = !record_;
  auto before = settings_;
  bool ended_before = record_ && record_->ended_at;
  use_record(kept);
  bool ends = kept.ended_at && !ended_before;
  if (!created && (settings_ != before || ends))
    push_change(session_change{settings_, kept.ended_at.has_value()});
  if (kept.appointed_host && roster_.find(*kept.appointed_host) == nullptr
      && settings_.host == host_policy::appointed
      && host_ != kept.appointed_host)
    reclaim_until_ = now.steady + settings_.host_reclaim;
  if (!kept.appointed_host || roster_.find(*kept.appointed_host) != nullptr)
    reclaim_until_.reset();
  if (ends) {
    while (!roster_.empty()) {
      auto& who = *roster_.in_order().begin()->second;
      for (const auto& item : who.connections)
        directs_.push_back({key_, item.id, item.edge,
                            removed_direct{leave_reason::session_ended}});
      remove_participant(who, leave_reason::session_ended, now);
    }
    reclaim_until_.reset();
  }
  refresh_host();
}

void session_state::apply_member(const member_record& kept) {
  auto known = members_.find(kept.user);
  const auto* here = roster_.find(kept.user);
  // Admission without a role shows nothing of someone who is seen already.
  bool plain = here != nullptr && kept.role.empty() && kept.permissions.empty();
  bool shown = known == members_.end()
                 ? !plain
                 : known->second.role != kept.role
                     || known->second.permissions != kept.permissions;
  if (known == members_.end()) {
    members_.emplace(kept.user, kept);
    if (here != nullptr) {
      --present_strangers_;
      track_host_candidate(*here, true);
    }
  } else {
    known->second = kept;
  }
  if (shown)
    push_change(member_change{public_id(kept.user), kept.user, kept.role,
                              kept.permissions});
  refresh_host();
}

void session_state::apply_member_erased(const user_id& user, instant now) {
  if (auto* here = roster_.find(user)) {
    for (const auto& item : here->connections)
      directs_.push_back(
        {key_, item.id, item.edge, removed_direct{leave_reason::kicked}});
    remove_participant(*here, leave_reason::kicked, now);
  }
  if (members_.erase(user) != 0)
    push_change(member_change{public_id(user), user, {}, {}});
  reclaim_until_.reset();
  refresh_host();
}

} // namespace rollcall
