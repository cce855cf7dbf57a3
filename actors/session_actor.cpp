#include "actors/session_actor.hpp"

#include "actors/base/limits.hpp"
#include "actors/session_shell.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <iterator>

namespace rollcall {

namespace {

using promise = caf::typed_response_promise<reply_ptr>;
using self_ptr = session_ptr;

void send_word(self_ptr self, session_word::kind what, millis when = {}) {
  auto& s = self->state;
  self->send(s.owner, std::make_shared<const session_word>(
                        session_word{s.key, what, when}));
}

void commit_records(self_ptr self, std::vector<record> records,
                    std::function<void(const result<position_t>&)> then) {
  auto& s = self->state;
  auto asked = std::make_shared<const commit>(
    commit{s.partition, s.epoch, std::move(records)});
  self->request(s.env.store, s.env.commit_timeout, commit_ptr{asked})
    .then(
      [self, then](const committed_ptr& answer) {
        if (!answer->ok() && answer->error().code == errc::conflict)
          send_word(self, session_word::kind::fenced);
        then(*answer);
        settle(self);
      },
      [self, then](const caf::error&) {
        // It may come to be after all, and we would not know of it.
        send_word(self, session_word::kind::fenced);
        then(fail(errc::unavailable, "the store did not answer"));
        settle(self);
      });
}

void start_batches(self_ptr self) {
  auto& s = self->state;
  while (auto batch = s.state->next_batch(s.env.clock())) {
    auto number = batch->number;
    commit_records(self, std::move(batch->records),
                   [self, number](const result<position_t>& outcome) {
                     auto& st = self->state;
                     st.state->committed(number, outcome, st.env.clock());
                   });
  }
}

void write_pages(self_ptr self, millis now) {
  auto& s = self->state;
  if (s.last_pages && now < *s.last_pages + s.env.page_interval && !s.leaving)
    return;
  auto records = s.state->take_pages();
  if (records.empty())
    return;
  s.last_pages = now;
  commit_records(self, std::move(records),
                 [self](const result<position_t>& outcome) {
                   auto& st = self->state;
                   st.state->pages_written(outcome.ok());
                   // History may take several writes.
                   if (outcome)
                     st.pages_tried = false;
                 });
}

void publish(self_ptr self) {
  auto& s = self->state;
  auto batch = s.state->take_batch();
  if (batch == nullptr)
    return;
  ++s.batches;
  for (const auto& node : s.state->observers())
    s.env.bus->send(node, batch);
}

millis tick_of(const session_shell& s) {
  return s.state->present() > s.env.large_session ? 2 * s.env.tick : s.env.tick;
}

void schedule_flush(self_ptr self, millis now) {
  auto& s = self->state;
  auto tick = tick_of(s);
  if (s.flush_due)
    return;
  bool changed = s.state->has_changes();
  if (!changed && !s.state->pages_dirty())
    return;
  auto next = s.last_flush ? *s.last_flush + tick : now;
  if (!changed && s.last_pages)
    next = later(next, *s.last_pages + s.env.page_interval);
  if (changed && next <= now) {
    s.last_flush = now;
    publish(self);
    next = now + tick;
    if (!s.state->pages_dirty())
      return;
  }
  s.flush_due = true;
  self->delayed_send(self, later(next - now, millis{0}), atoms::flush::value);
}

void answer_late(self_ptr self) {
  auto& s = self->state;
  for (auto& late : s.state->take_answers()) {
    auto at = s.waiting.find(late.to);
    if (at == s.waiting.end())
      continue;
    auto what = std::move(at->second);
    s.waiting.erase(at);
    answer_or_ask(self, std::move(what), std::move(late.answer));
  }
}

// Once what is under way has landed. A page that the journal does not take
// is not waited for: the next owner is told what was on it.
void leave_when_quiet(self_ptr self) {
  auto& s = self->state;
  if (!s.leaving || s.gone)
    return;
  publish(self);
  if (s.state->pages_dirty() && !std::exchange(s.pages_tried, true))
    write_pages(self, s.env.clock().steady);
  if (!s.state->quiet() || s.parting)
    return;
  s.gone = true;
  s.leaving->deliver(session_transfer_ptr{
    std::make_shared<const session_transfer>(s.state->transfer())});
}

} // namespace

// Everything that follows from a change of state, in the order observers and
// callers may rely on.
void settle(session_ptr self) {
  auto& s = self->state;
  start_batches(self);
  answer_late(self);
  for (auto& word : s.state->take_directs()) {
    auto shared = std::make_shared<const direct>(std::move(word));
    s.env.bus->send(shared->edge, direct_ptr{shared});
  }
  auto now = s.env.clock();
  schedule_flush(self, now.steady);
  auto next = s.state->next_deadline(now);
  if (next && s.stays_until && s.state->idle())
    next = later(*next, *s.stays_until);
  if (next && (!s.asked_wake || *next < *s.asked_wake)) {
    s.asked_wake = next;
    send_word(self, session_word::kind::wake_at, *next);
  }
  tell_partitions(self);
  leave_when_quiet(self);
}

namespace {

void observe(self_ptr self, const note& told, const observe_note& wish) {
  auto& s = self->state;
  // The snapshot stands for a published version.
  publish(self);
  s.state->handle(told, s.env.clock());
  if (wish.have)
    if (auto missed = s.state->batches_after(*wish.have)) {
      for (auto& batch : *missed)
        s.env.bus->send(told.edge, batch);
      return;
    }
  s.env.bus->send(told.edge,
                  std::make_shared<const snapshot>(s.state->make_snapshot()));
}

// The disk is read elsewhere; the session goes on meanwhile.
void ask_past(self_ptr self, open_command what) {
  auto& s = self->state;
  auto question = s.state->question(*what.asked, s.env.clock());
  if (!question) {
    answer_or_ask(self, std::move(what), question.error());
    return;
  }
  auto answer = std::move(what.answer);
  auto asking = s.env.asking;
  if (!s.env.past || asking->load() >= limits::history_questions) {
    auto why = fail(errc::unavailable, "too many questions wait for the disk");
    why.retry_after = millis{1'000};
    answer.deliver(share(why));
    return;
  }
  if (auto* stays = std::get_if<history_question>(&*question))
    stays->partition = s.partition;
  else
    std::get<audit_question>(*question).partition = s.partition;
  ++*asking;
  auto at = s.state->at();
  store_question_ptr shared
    = std::make_shared<const store_question>(std::move(*question));
  self->request(s.env.past, s.env.past_timeout, shared)
    .then(
      [self, answer, asking, at](const store_findings_ptr& found) mutable {
        --*asking;
        answer.deliver(found->ok()
                         ? share(self->state.state->answer_past(**found, at))
                         : share(found->error()));
      },
      [answer, asking](const caf::error&) mutable {
        --*asking;
        answer.deliver(
          share(fail(errc::unavailable, "the store did not answer")));
      });
}

caf::result<reply_ptr> take_command(self_ptr self, const command_ptr& asked) {
  ++self->state.commands;
  auto answer = self->make_response_promise<reply_ptr>();
  carry_out(self, {asked, answer});
  return answer;
}

} // namespace

reply_ptr share(result<reply> value) {
  return std::make_shared<const result<reply>>(std::move(value));
}

void carry_out(session_ptr self, open_command what) {
  auto& s = self->state;
  if (s.gone) {
    what.answer.deliver(share(fail(
      errc::unavailable, "the session has another owner", not_owner_field)));
    return;
  }
  if (session_state::asks_past(what.asked->body)) {
    ask_past(self, std::move(what));
    return;
  }
  if (const auto* x = std::get_if<settle_group_command>(&what.asked->body))
    overtake_questions(s, *x);
  auto outcome = s.state->handle(what.asked, s.env.clock());
  if (auto* now = std::get_if<result<reply>>(&outcome))
    answer_or_ask(self, std::move(what), std::move(*now));
  else
    s.waiting.emplace(std::get<ticket>(outcome), std::move(what));
  settle(self);
}

namespace {

/// How long commands wait for a session that is about to go, and how long
/// one that could not go stays.
constexpr millis farewell_patience{1'000};

void stay(self_ptr self) {
  auto& s = self->state;
  s.patient_until.reset();
  s.asked_wake.reset();
  s.stays_until = s.env.clock().steady + farewell_patience;
  send_word(self, session_word::kind::staying);
  settle(self);
}

// Who did not wait for it is past that: whatever was committed meanwhile
// stands behind the farewell.
void said_farewell(self_ptr self, const result<position_t>& outcome) {
  auto& s = self->state;
  s.parting = false;
  if (!outcome && outcome.error().code == errc::conflict)
    send_word(self, session_word::kind::fenced);
  if (!s.patient_until) {
    settle(self);
  } else if (outcome && s.state->idle()) {
    auto due = s.state->next_due(s.env.clock()).value_or(never);
    send_word(self, session_word::kind::gone, due);
    self->quit();
  } else {
    stay(self);
  }
}

void take_stop(self_ptr self) {
  auto& s = self->state;
  if (s.leaving || s.parting || !s.at_group.empty() || !s.state->idle()) {
    send_word(self, session_word::kind::staying);
    return;
  }
  auto records = s.state->farewell();
  if (records.empty()) {
    auto due = s.state->next_due(s.env.clock()).value_or(never);
    send_word(self, session_word::kind::gone, due);
    self->quit();
    return;
  }
  s.parting = true;
  s.patient_until = s.env.clock().steady + farewell_patience;
  self->delayed_send(self, farewell_patience, atoms::wake::value);
  auto asked = std::make_shared<const commit>(
    commit{s.partition, s.epoch, std::move(records)});
  self->request(s.env.store, s.env.commit_timeout, commit_ptr{asked})
    .then([self](const committed_ptr& answer) { said_farewell(self, *answer); },
          [self](const caf::error&) {
            said_farewell(self,
                          fail(errc::unavailable, "the store did not answer"));
          });
}

void take_wake(self_ptr self) {
  auto& s = self->state;
  if (s.gone)
    return;
  auto now = s.env.clock();
  if (s.asked_wake && now.steady - *s.asked_wake > s.env.stall_after)
    s.state->stalled(now.steady - *s.asked_wake);
  if (s.patient_until) {
    if (now.steady >= *s.patient_until)
      stay(self);
    return;
  }
  s.asked_wake.reset();
  if (s.env.heard)
    s.state->hold_others(s.env.heard->self(), s.env.heard->deaf_until());
  s.state->expire(now);
  if (s.stays_until && now.steady >= *s.stays_until && !s.parting)
    s.stays_until.reset();
  else if (s.parting)
    s.stays_until = now.steady + farewell_patience;
  auto next = s.state->next_deadline(now);
  if (s.state->idle() && !s.stays_until && next && *next <= now.steady)
    send_word(self, session_word::kind::idle);
  else
    settle(self);
}

inspection_ptr inspect(self_ptr self) {
  auto& s = self->state;
  auto out = std::make_shared<inspection>();
  out->actor = "session";
  out->figures = {
    {"present", s.state->present()},
    {"total", s.state->total()},
    {"rev", static_cast<std::int64_t>(s.state->at().rev)},
    {"observers", static_cast<std::int64_t>(s.state->observers().size())},
    {"commands", s.commands},
    {"batches", s.batches},
    {"waiting", static_cast<std::int64_t>(s.waiting.size())},
    {"at_group", static_cast<std::int64_t>(s.at_group.size())},
  };
  out->waiting_for = s.waiting.empty() ? "" : "the store";
  return out;
}

// The node goes down in order: what is in memory and may be kept goes to the
// store, ahead of the store's own end.
void last_words(self_ptr self) {
  auto& s = self->state;
  if (s.gone)
    return;
  s.state->pages_written(true);
  std::vector<record> records;
  for (auto more = s.state->take_pages(); !more.empty();
       more = s.state->take_pages()) {
    std::move(more.begin(), more.end(), std::back_inserter(records));
    s.state->pages_written(true);
  }
  for (auto& one : s.state->farewell())
    records.push_back(std::move(one));
  if (!records.empty())
    caf::anon_send(s.env.store,
                   commit_ptr{std::make_shared<const commit>(
                     commit{s.partition, s.epoch, std::move(records)})});
}

session_actor::behavior_type session_behavior(self_ptr self, session_env env,
                                              session_seed seed,
                                              partition_actor owner) {
  auto& s = self->state;
  s.env = std::move(env);
  s.partition = seed.partition;
  s.epoch = seed.epoch;
  s.key = seed.key;
  s.owner = std::move(owner);
  s.state = std::make_unique<session_state>(s.env.rules, seed.key, seed.epoch,
                                            seed.stored, s.env.clock());
  if (seed.given)
    s.state->adopt(*seed.given, s.env.clock());
  self->set_exit_handler([self](caf::exit_msg& end) {
    last_words(self);
    self->quit(std::move(end.reason));
  });
  settle(self);
  return {
    [self](const command_ptr& asked) { return take_command(self, asked); },
    [self](const note_ptr& told) {
      if (self->state.gone)
        return;
      if (const auto* wish = std::get_if<observe_note>(&told->body))
        observe(self, *told, *wish);
      else
        self->state.state->handle(*told, self->state.env.clock());
      settle(self);
    },
    [self](atoms::flush) {
      auto& st = self->state;
      if (st.gone)
        return;
      auto now = st.env.clock().steady;
      st.flush_due = false;
      st.last_flush = now;
      publish(self);
      write_pages(self, now);
      settle(self);
    },
    [self](atoms::wake) { take_wake(self); },
    [self](atoms::stop) { take_stop(self); },
    [self](atoms::hand_over) -> caf::result<session_transfer_ptr> {
      auto answer = self->make_response_promise<session_transfer_ptr>();
      self->state.leaving = answer;
      settle(self);
      return answer;
    },
    [self](atoms::inspect) { return inspect(self); },
  };
}

} // namespace

session_actor spawn_session(caf::actor_system& system, const session_env& env,
                            session_seed seed, const partition_actor& owner) {
  return system.spawn(session_behavior, env, std::move(seed), owner);
}

} // namespace rollcall
