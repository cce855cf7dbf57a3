#include "cluster/partition_actor.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/partition_shell.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace rollcall::cluster {

namespace {

using self_ptr = partition_ptr;
using promise = caf::typed_response_promise<reply_ptr>;
using phase = session_slot::phase;

/// Before a session that could not be read is read once more.
constexpr millis load_again{1'000};

void load(self_ptr self, const session_key& key);

const session_key& key_of(const waiting_item& item) {
  if (const auto* x = std::get_if<waiting_command>(&item))
    return x->asked->session;
  return std::get<note_ptr>(item)->session;
}

// Hands a waiting item to an active session. The answer goes from the session
// straight to whoever asked.
void hand_over(self_ptr self, session_slot& to, waiting_item item) {
  if (auto* told = std::get_if<note_ptr>(&item)) {
    self->send(to.session, std::move(*told));
    return;
  }
  auto waiting = std::get<waiting_command>(std::move(item));
  auto answer = waiting.answer;
  self->request(to.session, self->state.env.store_timeout, waiting.asked)
    .then([answer](const reply_ptr& r) mutable { answer.deliver(r); },
          [answer](const caf::error&) mutable {
            answer.deliver(
              refusal(errc::unavailable, "the session did not answer"));
          });
}

void tell_ready(self_ptr self) {
  auto& s = self->state;
  if (s.ready_told || !s.open || s.loading > 0 || !s.to_activate.empty())
    return;
  s.ready_told = true;
  if (s.env.ready)
    s.env.ready(s.epoch);
}

// Taken once: should the session fail, what it kept counts.
session_transfer_ptr given_for(partition_shell& s, const session_key& key) {
  auto at = s.env.given.find(key);
  if (at == s.env.given.end())
    return nullptr;
  auto out = std::move(at->second);
  s.env.given.erase(at);
  return out;
}

} // namespace

void activate_more(self_ptr self) {
  auto& s = self->state;
  while (!s.to_activate.empty() && s.loading < limits::activations_in_flight) {
    auto key = s.to_activate.front();
    s.to_activate.pop_front();
    if (rests(self, key)) {
      s.wheel.schedule(key, s.failed.at(key).rests_until);
      arm(self);
      continue;
    }
    if (!s.slots.contains(key))
      load(self, key);
    s.slots[key].wanted = true;
  }
  tell_ready(self);
}

namespace {

void loaded(self_ptr self, const session_key& key, epoch_t epoch,
            const result<stored_session>& found) {
  auto& s = self->state;
  // What it held before our last claim.
  if (!s.open || s.epoch != epoch)
    return;
  --s.loading;
  auto at = s.slots.find(key);
  if (at == s.slots.end())
    return;
  if (!found) {
    for (auto& item : at->second.queue)
      refuse(item, errc::unavailable, "the session could not be read");
    if (at->second.wanted)
      s.wheel.schedule(key, s.env.sessions.clock().steady + load_again);
    s.slots.erase(at);
    arm(self);
  } else {
    auto& to = at->second;
    partition_actor me = self;
    to.session = spawn_session(
      self->system(), s.env.sessions,
      {key, s.env.partition, s.epoch, *found, given_for(s, key)}, me);
    self->monitor(to.session);
    s.asleep.cancel(key);
    to.at = phase::active;
    for (auto& item : to.queue)
      hand_over(self, to, std::move(item));
    to.queue.clear();
  }
  activate_more(self);
}

void load(self_ptr self, const session_key& key) {
  auto& s = self->state;
  auto epoch = s.epoch;
  s.slots[key].at = phase::loading;
  ++s.loading;
  auto asked
    = std::make_shared<const load_session>(load_session{s.env.partition, key});
  self
    ->request(s.env.sessions.store, s.env.store_timeout,
              load_session_ptr{asked})
    .then(
      [self, key, epoch](const loaded_ptr& r) { loaded(self, key, epoch, *r); },
      [self, key, epoch](const caf::error&) {
        loaded(self, key, epoch, fail(errc::unavailable, "no answer"));
      });
}

} // namespace

void route(self_ptr self, waiting_item item) {
  auto& s = self->state;
  if (s.shutting_down) {
    refuse_leaving(s, item);
    return;
  }
  if (!s.open) {
    if (s.before_open.size() >= limits::activation_queue)
      refuse(item, errc::unavailable, "the partition is not ready");
    else
      s.before_open.push_back(std::move(item));
    return;
  }
  if (const auto* x = std::get_if<waiting_command>(&item);
      x != nullptr && is_about_partition(*x->asked)) {
    dispatch_itself(self, x->asked, x->answer);
    return;
  }
  const auto key = key_of(item);
  auto at = s.slots.find(key);
  if (at == s.slots.end()) {
    if (rests(self, key)) {
      refuse(item, errc::unavailable, "the session has failed");
      return;
    }
    if (s.slots.size() >= limits::sessions_per_partition) {
      refuse(item, errc::unavailable, "too many sessions are active");
      return;
    }
    load(self, key);
    at = s.slots.find(key);
  }
  auto& to = at->second;
  if (to.at == phase::active)
    hand_over(self, to, std::move(item));
  else if (to.queue.size() >= limits::activation_queue)
    refuse(item, errc::unavailable, "too many requests wait for the session");
  else
    to.queue.push_back(std::move(item));
}

namespace {

caf::result<reply_ptr> take_command(self_ptr self, const command_ptr& asked) {
  auto& s = self->state;
  if (is_about_partition(*asked))
    return answer_itself(self, asked);
  if (s.open && !s.shutting_down) {
    auto at = s.slots.find(asked->session);
    if (at != s.slots.end() && at->second.at == phase::active)
      return self->delegate(at->second.session, asked);
  }
  auto answer = self->make_response_promise<reply_ptr>();
  route(self, waiting_command{asked, answer});
  return answer;
}

// An append of which the owner before never heard, or a claim it knew nothing
// of, would be visible in no change.
void check_given(partition_shell& s, position_t claimed) {
  if (s.env.given.empty() || s.env.given_at + 1 == claimed)
    return;
  log(log_level::warn, "partition", "handover_overtaken",
      {{"partition", s.env.partition},
       {"given_at", s.env.given_at},
       {"claimed", claimed}});
  s.env.given.clear();
}

void opened(self_ptr self, const result<opened_partition>& found) {
  auto& s = self->state;
  // Given away while we claimed it anew.
  if (s.shutting_down)
    return;
  if (!found) {
    log(log_level::error, "partition", "claim_failed",
        {{"partition", s.env.partition}, {"why", found.error()}});
    if (s.env.tell) {
      for (auto& item : std::exchange(s.before_open, {}))
        refuse_leaving(s, item);
      tell_node(s, partition_word::kind::refused,
                found.error().code == errc::unavailable);
      self->quit();
      return;
    }
    s.retry_open = s.env.sessions.clock().steady + millis{1'000};
    if (!s.ready_told && s.env.ready)
      s.env.ready(found.error());
    arm(self);
    return;
  }
  s.open = true;
  const auto again = std::exchange(s.epoch, found->epoch) != 0;
  check_given(s, found->position);
  tell_node(s, partition_word::kind::opened);
  for (const auto& [key, given] : s.env.given)
    s.to_activate.push_back(key);
  for (const auto& key : found->occupied)
    if (!s.env.given.contains(key))
      s.to_activate.push_back(key);
  for (const auto& [key, when] : found->due)
    s.asleep.schedule(key, when);
  auto waiting = std::exchange(s.before_open, {});
  for (auto& item : waiting)
    route(self, std::move(item));
  activate_more(self);
  if (!again)
    start_sweeping(self);
  else if (s.env.claimed_anew)
    s.env.claimed_anew(s.epoch);
  arm(self);
}

} // namespace

void open(self_ptr self) {
  auto& s = self->state;
  auto asked = std::make_shared<const open_partition>(
    open_partition{s.env.partition, s.env.self});
  self
    ->request(s.env.sessions.store, s.env.store_timeout,
              open_partition_ptr{asked})
    .then([self](const opened_ptr& r) { opened(self, *r); },
          [self](const caf::error&) {
            opened(self, fail(errc::unavailable, "the store is silent"));
          });
}

namespace {

void take_word(self_ptr self, const session_word& word) {
  auto& s = self->state;
  auto at = s.slots.find(word.session);
  if (at == s.slots.end())
    return;
  auto& from = at->second;
  // One that spoke before the last claim, or before it failed.
  if (caf::actor_cast<caf::strong_actor_ptr>(from.session)
      != self->current_sender())
    return;
  // It belongs to the next owner.
  if (s.heir && word.what != session_word::kind::fenced)
    return;
  switch (word.what) {
  case session_word::kind::wake_at:
    s.wheel.schedule(word.session, word.when);
    arm(self);
    break;
  case session_word::kind::idle:
    if (from.at == phase::active) {
      from.at = phase::stopping;
      self->send(from.session, atoms::stop::value);
    }
    break;
  case session_word::kind::fenced:
    if (s.env.tell)
      tell_node(s, partition_word::kind::fenced);
    else
      claim_anew(self);
    break;
  case session_word::kind::staying: {
    from.at = phase::active;
    auto queue = std::exchange(from.queue, {});
    for (auto& item : queue)
      hand_over(self, from, std::move(item));
    break;
  }
  case session_word::kind::gone: {
    auto queue = std::exchange(from.queue, {});
    s.slots.erase(at);
    fall_asleep(self, word.session, word.when);
    for (auto& item : queue)
      route(self, std::move(item));
    quit_when_empty(self);
    break;
  }
  }
}

void lose_edge(self_ptr self, const node_id& edge) {
  auto& s = self->state;
  for (auto& [key, to] : s.slots) {
    note_ptr told
      = std::make_shared<const note>(note{key, edge, edge_lost_note{}});
    if (to.at == phase::active)
      self->send(to.session, told);
    else if (to.queue.size() < limits::activation_queue)
      to.queue.emplace_back(std::move(told));
  }
}

// A session ended: as asked, or by a fault of its own. Then it begins again
// with what it kept, under a new claim; those present stay shown until their
// edges confirm them.
void session_down(self_ptr self, const caf::down_msg& down) {
  auto& s = self->state;
  auto at = std::find_if(s.slots.begin(), s.slots.end(), [&](auto& entry) {
    return entry.second.session
           && entry.second.session.address() == down.source;
  });
  if (at == s.slots.end())
    return;
  auto key = at->first;
  auto queue = std::exchange(at->second.queue, {});
  s.slots.erase(at);
  if (s.shutting_down) {
    quit_when_empty(self);
    return;
  }
  log(log_level::error, "partition", "session_failed",
      {{"partition", s.env.partition},
       {"why", self->system().render(down.reason)}});
  note_failure(self, key);
  claim_anew(self);
  for (auto& item : queue)
    route(self, std::move(item));
}

inspection_ptr inspect(self_ptr self) {
  auto& s = self->state;
  auto out = std::make_shared<inspection>();
  out->actor = "partition";
  out->figures = {
    {"partition", s.env.partition},
    {"epoch", static_cast<std::int64_t>(s.epoch)},
    {"sessions", static_cast<std::int64_t>(s.slots.size())},
    {"loading", static_cast<std::int64_t>(s.loading)},
    {"to_activate", static_cast<std::int64_t>(s.to_activate.size())},
    {"timers", static_cast<std::int64_t>(s.wheel.size() + s.asleep.size())},
    {"swept", static_cast<std::int64_t>(s.swept)},
  };
  out->waiting_for = s.open ? "" : "the claim";
  return out;
}

partition_actor::behavior_type partition_behavior(self_ptr self,
                                                  partition_env env) {
  auto& s = self->state;
  s.env = std::move(env);
  s.wheel = timer_wheel<session_key>{s.env.wheel_tick};
  s.asleep = timer_wheel<session_key>{s.env.wheel_tick};
  self->set_down_handler(
    [self](const caf::down_msg& down) { session_down(self, down); });
  open(self);
  return {
    [self](const command_ptr& asked) { return take_command(self, asked); },
    [self](const note_ptr& told) { route(self, told); },
    [self](const session_word_ptr& word) { take_word(self, *word); },
    [self](atoms::wake) { turn_wheel(self); },
    [self](atoms::sweep) { sweep(self); },
    [self](const edge_gone& gone) { lose_edge(self, gone.edge); },
    [self](atoms::stop) { shut_down(self); },
    [self](atoms::yield) { yield(self); },
    [self](const hand_over_order& order) { give_up(self, order.to); },
    [self](atoms::inspect) { return inspect(self); },
  };
}

} // namespace

partition_actor spawn_partition(caf::actor_system& system, partition_env env) {
  return system.spawn(partition_behavior, std::move(env));
}

} // namespace rollcall::cluster
