// The durable half of session_state: what goes through the journal first.
// An operation is authorised and decided when it starts, and takes effect
// when its records are kept.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <type_traits>

namespace rollcall {

namespace {

const done_op* find_op(const op_memory& ops, const op_id& op) {
  if (op.empty())
    return nullptr;
  auto at = std::find_if(ops.begin(), ops.end(),
                         [&](const auto& done) { return done.op == op; });
  return at == ops.end() ? nullptr : &*at;
}

/// Notes in a record what the operation was that made it.
void set_about(record& kept, const command& asked) {
  if (asked.op.empty() || asked.about == 0)
    return;
  std::visit(
    [&](auto& one) {
      if constexpr (requires { one.ops; })
        for (auto& done : one.ops)
          if (done.op == asked.op)
            done.about = asked.about;
    },
    kept);
}

/// Of a group: whoever makes it is its first member.
bool makes_member(const durable_op& op) {
  return std::any_of(op.records.begin(), op.records.end(), [](const auto& one) {
    return std::holds_alternative<member_record>(one);
  });
}

} // namespace

// -- queueing ----------------------------------------------------------------

// The refusals that a known target would meet come first: who may not change
// members learns nothing of who is one.
failure session_state::no_target(const identity& caller, failure why) const {
  if (hidden_from(caller))
    return unknown();
  if (record_->ended_at)
    return fail(errc::session_ended, "the session has ended", "session");
  if (!rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not change members");
  return why;
}

session_state::decided session_state::decide_durable(const command_ptr& asked) {
  if (pending_.full())
    return fail(errc::unavailable, "too many changes are waiting");
  durable_op op;
  op.asked = asked;
  if (const auto* x = std::get_if<set_member_command>(&asked->body)) {
    auto target = target_of(x->user, x->participant);
    if (!target)
      return no_target(asked->caller, target.error());
    op.touches = *target;
  } else if (const auto* guest = std::get_if<invite_command>(&asked->body)) {
    op.touches = guest->user;
  }
  if (std::holds_alternative<join_command>(asked->body))
    op.why = durable_op::purpose::then_join;
  if (std::holds_alternative<submit_command>(asked->body)
      || std::holds_alternative<set_reminder_command>(asked->body)
      || std::holds_alternative<set_name_command>(asked->body))
    op.touches = asked->caller.user;
  op.answer_to = ++last_ticket_;
  pending_.push(std::move(op));
  return last_ticket_;
}

void session_state::queue_admission(const command& asked) {
  if (pending_.full())
    return;
  const auto* here = roster_.find(asked.caller.user);
  auto kept = std::make_shared<command>(asked);
  // Where the user stood, who may be gone when this starts.
  std::get<join_command>(kept->body).admitted
    = admission{here->joined, here->since, here->reconnections};
  durable_op op;
  op.why = durable_op::purpose::admission;
  op.asked = std::move(kept);
  op.touches = asked.caller.user;
  pending_.push(std::move(op));
}

void session_state::drop_admission(const user_id& user) {
  pending_.drop_waiting([&](const durable_op& op) {
    return op.why == durable_op::purpose::admission && op.touches == user;
  });
}

// Under `appointed` nobody else would be host: there it stays, and comes back
// with whoever was named.
void session_state::queue_host_lapse() {
  if (!record_ || !record_->appointed_host
      || settings_.host == host_policy::appointed || pending_.full())
    return;
  durable_op op;
  op.why = durable_op::purpose::host_lapse;
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

// What has nothing to write is answered at once.
bool session_state::needs_journal(durable_op& op, instant now) {
  if (op.asked)
    acting_ = {op.asked->caller.user, op.asked->request};
  if (op.why == durable_op::purpose::then_join && record_) {
    answers_.push_back(
      {op.answer_to,
       join(*op.asked, std::get<join_command>(op.asked->body), now)});
    return false;
  }
  if (const auto* before = done_before(op)) {
    answers_.push_back({op.answer_to, answer_again(*before, *op.asked)});
    return false;
  }
  if (auto refusal = prepare(op, now)) {
    if (op.answer_to != 0)
      answers_.push_back({op.answer_to, *refusal});
    return false;
  }
  if (op.records.empty()) {
    if (op.answer_to != 0)
      answers_.push_back({op.answer_to, answer(ack_level::committed)});
    return false;
  }
  tag_changes(op);
  if (op.why == durable_op::purpose::command
      || op.why == durable_op::purpose::then_join)
    for (auto& kept : op.records)
      set_about(kept, *op.asked);
  op.due = earliest_due(op.records);
  take_room(op);
  return true;
}

std::optional<durable_batch> session_state::next_batch(instant now) {
  std::vector<durable_op> started;
  durable_batch out;
  // Whoever needed no journal has made way for the next ones.
  while (started.empty()) {
    auto ready = pending_.startable();
    if (ready.empty())
      return std::nullopt;
    for (auto& op : ready) {
      if (!needs_journal(op, now)) {
        pending_.finished(op);
        continue;
      }
      out.records.insert(out.records.end(), op.records.begin(),
                         op.records.end());
      started.push_back(std::move(op));
    }
  }
  mark_due(out, started);
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
    give_room_back(op, outcome.ok());
    if (op.due)
      coming_due_.erase(coming_due_.find(*op.due));
    if (op.why == durable_op::purpose::erasure)
      erasing_ = false;
    if (!outcome) {
      // It may have been kept all the same.
      due_known_ = false;
      if (op.why == durable_op::purpose::erasure)
        timer_failed({timer_kind::erasure}, now);
      else if (op.timer)
        timer_failed(*op.timer, now);
      // A fenced owner's caller asks again and finds the new owner.
      auto why = fail(errc::unavailable, "the change could not be kept");
      if (op.answer_to != 0)
        answers_.push_back({op.answer_to, std::move(why)});
      continue;
    }
    acting_ = op.asked ? acting_as{op.asked->caller.user, op.asked->request}
                       : acting_as{};
    apply(op, now);
    remember_answer(op);
    if (op.answer_to == 0)
      continue;
    if (op.why == durable_op::purpose::then_join)
      answers_.push_back(
        {op.answer_to,
         join(*op.asked, std::get<join_command>(op.asked->body), now)});
    else if (std::holds_alternative<observe_command>(op.asked->body))
      answers_.push_back(
        {op.answer_to, observe_answer(*op.asked, ack_level::committed)});
    else if (std::holds_alternative<put_group_command>(op.asked->body))
      answers_.push_back(
        {op.answer_to,
         group_answer(*op.asked, ack_level::committed, makes_member(op))});
    else
      answers_.push_back({op.answer_to, answer(ack_level::committed)});
  }
  idle_since_ = now.steady;
}

const done_op* session_state::done_before(const durable_op& op) const {
  if (op.why != durable_op::purpose::command || hidden_from(op.asked->caller))
    return nullptr;
  const auto* known = op.touches ? member(*op.touches) : nullptr;
  if (const auto* x = std::get_if<submit_command>(&op.asked->body)) {
    const auto* kept = rounds_.answer_of(x->round, id_of(op.asked->caller));
    return kept != nullptr ? find_op(kept->ops, op.asked->op) : nullptr;
  }
  if (known != nullptr)
    if (const auto* done = find_op(known->ops, op.asked->op))
      return done;
  const auto* done = record_ ? find_op(record_->ops, op.asked->op) : nullptr;
  // What was done to a member stands here when that is a member no more. Of
  // who does not say what is asked, it may as well be something else.
  bool told = done != nullptr && done->about != 0 && op.asked->about != 0;
  return op.touches && !told ? nullptr : done;
}

// The record was made before its place among the changes was known; from
// here on a repetition is answered with the version of the first answer.
void session_state::remember_answer(const durable_op& op) {
  if (op.why != durable_op::purpose::command || op.asked->op.empty())
    return;
  if (record_)
    set_version(record_->ops, op.asked->op, at());
  if (const auto* x = std::get_if<submit_command>(&op.asked->body)) {
    rounds_.set_version(x->round, id_of(op.asked->caller), op.asked->op, at());
    return;
  }
  if (op.touches)
    if (auto known = members_.find(*op.touches); known != members_.end())
      set_version(known->second.ops, op.asked->op, at());
}

// -- effect ------------------------------------------------------------------

void session_state::apply(const durable_op& op, instant now) {
  if (op.why == durable_op::purpose::erasure) {
    record_.reset();
    members_.clear();
    admitted_.clear();
    bans_.clear();
    departed_.clear();
    settings_ = {};
    marked_occupied_ = false;
    rounds_ = {};
    barrier_.reset();
    events_ = {};
    reminded_.clear();
    timers_.clear();
    return;
  }
  for (const auto& kept : op.records) {
    if (const auto* session = std::get_if<session_record>(&kept))
      apply_session(*session, now);
    else if (const auto* known = std::get_if<member_record>(&kept))
      apply_member(*known);
    else if (const auto* erased = std::get_if<member_erased>(&kept))
      apply_member_erased(erased->user, op, now);
    else if (const auto* answer = std::get_if<submission_record>(&kept))
      apply_submission(*answer);
    else if (const auto* round = std::get_if<round_record>(&kept))
      apply_round(*round);
    else if (const auto* old = std::get_if<event_erased>(&kept))
      events_.erased(old->at);
    else if (const auto* ban = std::get_if<ban_record>(&kept))
      apply_ban(ban->user, ban);
    else if (const auto* over = std::get_if<ban_erased>(&kept))
      apply_ban(over->user, nullptr);
  }
  if (op.asked)
    if (const auto* gone = std::get_if<forget_user_command>(&op.asked->body))
      apply_forgotten(gone->user);
  if (op.why == durable_op::purpose::timer) {
    timers_.set({timer_kind::events}, events_.due(rules_->event_retention));
    if (op.touches)
      reminded_.erase(*op.touches);
  }
  publish_rounds();
}

void session_state::apply_session(const session_record& kept, instant now) {
  bool created = !record_;
  auto before = settings_;
  auto old = record_.value_or(session_record{});
  use_record(kept);
  bool ends = kept.ended_at && !old.ended_at;
  if (!created
      && (settings_ != before || ends || kept.starts_at != old.starts_at))
    push_change(
      session_change{settings_, kept.ended_at.has_value(), kept.starts_at});
  // A new name is a new version.
  if (kept.group && old.group && kept.group->name != old.group->name)
    push_change(session_change{settings_});
  if (settings_.access != before.access || settings_.group != before.group)
    for (const auto& [joined, who] : roster_.in_order())
      for (auto& item : who->connections)
        item.proven = false;
  if (kept.phase != old.phase)
    push_change(phase_change{kept.phase});
  if (kept.barrier != old.barrier)
    restart_barrier();
  if (kept.barrier && kept.barrier != old.barrier)
    push_change(barrier_change{*kept.barrier});
  if (created || ends || kept.starts_at != old.starts_at
      || kept.phase != old.phase || kept.barrier != old.barrier
      || kept.group != old.group)
    arm_timers();
  if (settings_.gated_media && !before.gated_media)
    for (const auto& [joined, who] : roster_.in_order())
      enforce_gates(*who);
  if (kept.appointed_host && kept.appointed_host != old.appointed_host
      && roster_.find(*kept.appointed_host) == nullptr
      && settings_.host != host_policy::none && host_ != kept.appointed_host)
    reclaim_until_ = now.steady + settings_.host_reclaim;
  if (!kept.appointed_host || roster_.find(*kept.appointed_host) != nullptr)
    reclaim_until_.reset();
  if (ends) {
    while (!roster_.empty()) {
      auto& who = *roster_.in_order().begin()->second;
      for (const auto& item : who.connections)
        tell_removed(item, leave_reason::session_ended);
      remove_participant(who, leave_reason::session_ended, now);
    }
    reclaim_until_.reset();
  }
  refresh_host();
  // A group goes when its sessions have gone.
  if (kept.ended_at == deleted && !kept.group)
    queue_erasure();
}

} // namespace rollcall
