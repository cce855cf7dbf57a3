// The course of a session: phases, barriers, the start and its reminders, and
// the deadlines of all of them.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

void earlier(std::optional<millis>& best, std::optional<millis> other) {
  if (other && (!best || *other < *best))
    best = other;
}

std::optional<failure> check_wait(const std::optional<millis>& wait,
                                  const char* field) {
  if (wait && (*wait < millis{1} || *wait > limits::longest_wait))
    return fail(errc::bad_request, "must be between 1 ms and 366 days", field);
  return std::nullopt;
}

} // namespace

// -- asked for ---------------------------------------------------------------

std::optional<failure>
session_state::prepare_phase(durable_op& op, const set_phase_command& body,
                             instant now) {
  if (!rights_of(op.asked->caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not set the phase");
  if (!body.phase && !body.status)
    return fail(errc::bad_request, "is missing", "phase");
  if (body.duration.has_value() != !body.next.empty())
    return fail(errc::bad_request, "needs duration_ms, and the other way round",
                "next");
  if (body.duration && !body.phase)
    return fail(errc::bad_request, "needs a phase", "duration_ms");
  if (auto why = check_wait(body.duration, "duration_ms"))
    return why;
  auto kept = *record_;
  if (body.phase) {
    auto status = std::move(kept.phase.status);
    kept.phase = {*body.phase, std::move(status), std::nullopt, body.next};
    if (body.duration)
      kept.phase.until = now.wall + *body.duration;
  }
  if (body.status)
    kept.phase.status = *body.status;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_barrier(durable_op& op,
                               const start_barrier_command& body, instant now) {
  if (!rights_of(op.asked->caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not start a barrier");
  if (auto why = check_wait(body.timeout, "timeout_ms"))
    return why;
  auto kept = *record_;
  kept.barrier = barrier_state{body.barrier};
  if (body.timeout)
    kept.barrier->until = now.wall + *body.timeout;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_reminder(durable_op& op,
                                const set_reminder_command& body, instant now) {
  const auto& caller = op.asked->caller;
  if (caller.user.empty() || !rights_of(caller).has(capability::join))
    return fail(errc::forbidden, "the token does not allow to join");
  if (body.lead < millis{0} || body.lead > limits::longest_wait)
    return fail(errc::bad_request, "must be between 0 and 366 days", "lead_ms");
  const auto* known = member(caller.user);
  if (known == nullptr && members_full())
    return fail(errc::too_large, "the session has too many members");
  auto kept = known != nullptr ? *known : new_member(caller.user, now);
  if (known == nullptr) {
    kept.who = caller.who;
    if (const auto* here = roster_.find(kept.user))
      kept.admitted = here->joined;
  }
  kept.remind.enabled = body.enabled;
  kept.remind.lead = body.lead;
  // Nobody is reminded of what has begun.
  if (record_->starts_at && *record_->starts_at <= now.wall)
    kept.remind.given_for = record_->starts_at;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// -- due ---------------------------------------------------------------------

void session_state::queue_timer(const timer_name& name) {
  if (name.kind == timer_kind::erasure) {
    queue_erasure();
    return;
  }
  durable_op op;
  op.why = durable_op::purpose::timer;
  op.timer = name;
  if (name.kind == timer_kind::reminder)
    op.touches = name.user;
  if (name.kind == timer_kind::barrier)
    barrier_opens_ = true;
  pending_.push(std::move(op));
}

void session_state::prepare_timer(durable_op& op, instant now) {
  if (!record_)
    return;
  switch (op.timer->kind) {
  case timer_kind::phase:
    prepare_phase_end(op, now);
    break;
  case timer_kind::barrier:
    prepare_opening(op, now);
    break;
  case timer_kind::reminder:
    prepare_reminding(op, now);
    break;
  case timer_kind::events:
    for (auto place : events_.surplus(now.wall, rules_->event_retention, 0))
      op.records.emplace_back(event_erased{key_, place});
    break;
  case timer_kind::erasure:
  case timer_kind::group:
    break;
  }
}

// It may have been set anew while this waited.
void session_state::prepare_phase_end(durable_op& op, instant now) {
  if (record_->ended_at || !record_->phase.until
      || *record_->phase.until > now.wall) {
    arm_timers();
    return;
  }
  auto kept = *record_;
  kept.phase.name = std::exchange(kept.phase.next, {});
  kept.phase.until.reset();
  kept.at = at();
  op.records.emplace_back(std::move(kept));
}

void session_state::prepare_opening(durable_op& op, instant now) {
  bool waits
    = record_->barrier && !record_->barrier->opened_at && !record_->ended_at;
  bool late
    = waits && record_->barrier->until && *record_->barrier->until <= now.wall;
  if (!waits || (!late && !barrier_.satisfied())) {
    barrier_opens_ = false;
    arm_timers();
    return;
  }
  auto kept = *record_;
  kept.barrier->opened_at = now.wall;
  kept.barrier->timed_out = !barrier_.satisfied();
  kept.at = at();
  op.records.emplace_back(std::move(kept));
}

// The push goes first: should the owner be lost between the two, the next one
// finds the reminder not given and gives it again. Once is enough while the
// journal cannot be written.
void session_state::prepare_reminding(durable_op& op, instant now) {
  const auto* known = member(op.timer->user);
  if (known == nullptr || !reminder_due(*record_, *known))
    return;
  auto due = *reminder_due(*record_, *known);
  if (due > now.wall) {
    arm_reminder(*known);
    return;
  }
  auto kept = *known;
  kept.remind.given_for = record_->starts_at;
  kept.at = at();
  if (const auto* here = roster_.find(kept.user)) {
    // Of another start it was not reminded.
    auto& told = reminded_[kept.user];
    if (std::exchange(told, *record_->starts_at) != *record_->starts_at)
      for (const auto& item : here->connections)
        directs_.push_back(
          {key_, item.id, item.edge,
           reminder_direct{*record_->starts_at,
                           now.wall >= due + limits::reminder_late_after}});
  }
  op.records.emplace_back(std::move(kept));
  event_record entry;
  entry.type = "reminder";
  entry.user = known->user;
  entry.due = due;
  add_event(op, std::move(entry), now);
}

void session_state::add_event(durable_op& op, event_record entry, instant now) {
  // Numbered apart, as the audit log is: several may fall on one revision.
  entry.session = key_;
  entry.at = chronicle_.next_number(at());
  entry.when = now.wall;
  for (auto place : events_.surplus(now.wall, rules_->event_retention, 1))
    op.records.emplace_back(event_erased{key_, place});
  op.records.emplace_back(std::move(entry));
}

void session_state::timer_failed(const timer_name& name, instant now) {
  if (name.kind == timer_kind::barrier)
    barrier_opens_ = false;
  // What it was to erase is still there.
  timers_.set({timer_kind::events}, events_.due(rules_->event_retention));
  timers_.set(name, now.wall + limits::timer_again);
}

// -- deadlines ---------------------------------------------------------------

void session_state::arm_timers() {
  timers_.clear();
  if (!record_)
    return;
  timers_.set({timer_kind::events}, events_.due(rules_->event_retention));
  telling_.times = 0;
  timers_.set({timer_kind::group}, untold_since());
  if (record_->group)
    return;
  if (record_->ended_at) {
    timers_.set({timer_kind::erasure},
                *record_->ended_at + rules_->ended_retention);
    return;
  }
  timers_.set({timer_kind::phase}, record_->phase.until);
  if (record_->barrier && !record_->barrier->opened_at)
    timers_.set({timer_kind::barrier}, record_->barrier->until);
  if (record_->starts_at)
    for (const auto& [user, known] : members_)
      arm_reminder(known);
}

void session_state::arm_reminder(const member_record& kept) {
  if (record_)
    timers_.set({timer_kind::reminder, kept.user},
                reminder_due(*record_, kept));
}

std::optional<millis>
session_state::reminder_due(const session_record& session,
                            const member_record& kept) const {
  if (!kept.remind.enabled || !session.starts_at || session.ended_at
      || kept.remind.given_for == session.starts_at)
    return std::nullopt;
  return *session.starts_at - kept.remind.lead;
}

std::optional<millis>
session_state::earliest_due(const std::vector<record>& records) const {
  std::optional<millis> out;
  for (const auto& one : records) {
    if (const auto* session = std::get_if<session_record>(&one)) {
      if (session->group) {
        earlier(out, session->group->untold_since());
        continue;
      }
      if (session->ended_at) {
        earlier(out, *session->ended_at + rules_->ended_retention);
        continue;
      }
      earlier(out, session->phase.until);
      if (session->barrier && !session->barrier->opened_at)
        earlier(out, session->barrier->until);
      if (!record_ || session->starts_at != record_->starts_at)
        for (const auto& [user, known] : members_)
          earlier(out, reminder_due(*session, known));
    } else if (const auto* known = std::get_if<member_record>(&one)) {
      if (record_)
        earlier(out, reminder_due(*record_, *known));
    } else if (const auto* entry = std::get_if<event_record>(&one)) {
      earlier(out, entry->when + rules_->event_retention);
    }
  }
  return out;
}

// An entry that is too early costs an activation for nothing and is put right
// then; one that is too late would be a deadline missed. So it counts what is
// in flight, kept or not.
void session_state::mark_due(durable_batch& out,
                             const std::vector<durable_op>& started) {
  for (const auto& op : started) {
    if (op.why == durable_op::purpose::erasure) {
      kept_due_.reset();
      due_known_ = true;
      return;
    }
    if (op.due)
      coming_due_.insert(*op.due);
  }
  auto due = timers_.next();
  if (!coming_due_.empty())
    earlier(due, *coming_due_.begin());
  if (due_known_ && kept_due_ == due)
    return;
  kept_due_ = due;
  due_known_ = true;
  out.records.emplace_back(due_mark{key_, due});
}

// -- the barrier -------------------------------------------------------------

result<reply> session_state::set_ready(const command& asked, bool ready,
                                       instant now) {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto* who = roster_.find(asked.connection);
  if (who == nullptr || who->user != asked.caller.user)
    return fail(errc::conflict, "join the session first", "session");
  if (!rights_of(asked.caller).has(capability::publish))
    return fail(errc::forbidden, "the token does not allow to publish");
  if (!barrier_.active())
    return fail(errc::conflict, "there is no barrier to be ready for", "ready");
  if (barrier_.set_ready(who->public_id, ready, !who->shown_suspected))
    push_change(barrier_change{*record_->barrier, who->public_id, ready});
  note_activity(*who, now.wall);
  open_barrier_if_ready();
  return answer(ack_level::accepted);
}

void session_state::restart_barrier() {
  barrier_.reset();
  barrier_opens_ = false;
  if (!record_ || !record_->barrier || record_->barrier->opened_at
      || record_->ended_at)
    return;
  barrier_.start();
  for (const auto& [joined, who] : roster_.in_order())
    barrier_.see(who->public_id, !who->shown_suspected);
}

void session_state::see_at_barrier(const participant& who) {
  barrier_.see(who.public_id, !who.shown_suspected);
  open_barrier_if_ready();
}

void session_state::open_barrier_if_ready() {
  if (barrier_.satisfied() && !barrier_opens_)
    queue_timer({timer_kind::barrier});
}

} // namespace rollcall
