#include "cluster/partition_actor.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "actors/base/timer_wheel.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <variant>

namespace rollcall::cluster {

namespace {

using promise = caf::typed_response_promise<reply_ptr>;

struct waiting_command {
  command_ptr asked;
  promise answer;
};

/// What waits for a session: in the order it came.
using waiting_item = std::variant<waiting_command, note_ptr>;

struct slot {
  enum class phase : std::uint8_t { loading, active, stopping };

  phase at = phase::loading;
  session_actor session;
  std::deque<waiting_item> queue;
};

struct partition_shell {
  static inline const char* name = "partition";

  partition_env env;
  bool open = false;
  bool ready_told = false;
  bool shutting_down = false;
  epoch_t epoch = 0;
  std::unordered_map<session_key, slot> slots;
  std::size_t loading = 0;
  std::deque<session_key> to_activate;
  std::deque<waiting_item> before_open;
  timer_wheel<session_key> wheel{millis{100}};
  std::optional<millis> armed;
  std::optional<millis> retry_open;
};

using self_ptr = partition_actor::stateful_pointer<partition_shell>;

void tell_node(const partition_shell& s, partition_word::kind what) {
  if (s.env.tell)
    s.env.tell({s.env.partition, what, s.epoch});
}

void load(self_ptr self, const session_key& key);

reply_ptr refusal(errc code, const char* message) {
  return std::make_shared<const result<reply>>(fail(code, message));
}

// Where others may own the partition, whoever asked may ask them.
reply_ptr refusal_of_leaving(const partition_shell& s) {
  return std::make_shared<const result<reply>>(
    fail(errc::unavailable, "the node is shutting down",
         s.env.tell ? not_owner_field : ""));
}

const session_key& key_of(const waiting_item& item) {
  if (const auto* x = std::get_if<waiting_command>(&item))
    return x->asked->session;
  return std::get<note_ptr>(item)->session;
}

void refuse(waiting_item& item, errc code, const char* message) {
  if (auto* x = std::get_if<waiting_command>(&item))
    x->answer.deliver(refusal(code, message));
}

void refuse_leaving(const partition_shell& s, waiting_item& item) {
  if (auto* x = std::get_if<waiting_command>(&item))
    x->answer.deliver(refusal_of_leaving(s));
}

void arm(self_ptr self) {
  auto& s = self->state;
  auto next = s.wheel.next();
  if (s.retry_open)
    next = next ? std::min(*next, *s.retry_open) : *s.retry_open;
  if (!next || (s.armed && *s.armed <= *next))
    return;
  s.armed = next;
  auto now = s.env.sessions.clock().steady;
  self->delayed_send(self, later(*next - now, millis{0}), atoms::wake::value);
}

// Hands a waiting item to an active session. The answer goes from the session
// straight to whoever asked.
void hand_over(self_ptr self, slot& to, waiting_item item) {
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

void activate_more(self_ptr self) {
  auto& s = self->state;
  while (!s.to_activate.empty() && s.loading < limits::activations_in_flight) {
    auto key = s.to_activate.front();
    s.to_activate.pop_front();
    if (!s.slots.contains(key))
      load(self, key);
  }
  tell_ready(self);
}

void loaded(self_ptr self, const session_key& key,
            const result<stored_session>& found) {
  auto& s = self->state;
  --s.loading;
  auto at = s.slots.find(key);
  if (at == s.slots.end())
    return;
  if (!found) {
    for (auto& item : at->second.queue)
      refuse(item, errc::unavailable, "the session could not be read");
    s.slots.erase(at);
  } else {
    auto& to = at->second;
    partition_actor me = self;
    to.session = spawn_session(self->system(), s.env.sessions,
                               {key, s.env.partition, s.epoch, *found}, me);
    self->monitor(to.session);
    to.at = slot::phase::active;
    for (auto& item : to.queue)
      hand_over(self, to, std::move(item));
    to.queue.clear();
  }
  activate_more(self);
}

void load(self_ptr self, const session_key& key) {
  auto& s = self->state;
  s.slots[key].at = slot::phase::loading;
  ++s.loading;
  auto asked
    = std::make_shared<const load_session>(load_session{s.env.partition, key});
  self
    ->request(s.env.sessions.store, s.env.store_timeout,
              load_session_ptr{asked})
    .then([self, key](const loaded_ptr& r) { loaded(self, key, *r); },
          [self, key](const caf::error&) {
            loaded(self, key, fail(errc::unavailable, "no answer"));
          });
}

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
  const auto key = key_of(item);
  auto at = s.slots.find(key);
  if (at == s.slots.end()) {
    if (s.slots.size() >= limits::sessions_per_partition) {
      refuse(item, errc::unavailable, "too many sessions are active");
      return;
    }
    load(self, key);
    at = s.slots.find(key);
  }
  auto& to = at->second;
  if (to.at == slot::phase::active)
    hand_over(self, to, std::move(item));
  else if (to.queue.size() >= limits::activation_queue)
    refuse(item, errc::unavailable, "too many requests wait for the session");
  else
    to.queue.push_back(std::move(item));
}

caf::result<reply_ptr> take_command(self_ptr self, const command_ptr& asked) {
  auto& s = self->state;
  if (s.open && !s.shutting_down) {
    auto at = s.slots.find(asked->session);
    if (at != s.slots.end() && at->second.at == slot::phase::active)
      return self->delegate(at->second.session, asked);
  }
  auto answer = self->make_response_promise<reply_ptr>();
  route(self, waiting_command{asked, answer});
  return answer;
}

void open(self_ptr self);

void opened(self_ptr self, const result<opened_partition>& found) {
  auto& s = self->state;
  if (!found) {
    log(log_level::error, "partition", "claim_failed",
        {{"partition", s.env.partition}, {"why", found.error().message}});
    if (s.env.tell) {
      for (auto& item : std::exchange(s.before_open, {}))
        refuse_leaving(s, item);
      tell_node(s, partition_word::kind::refused);
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
  s.epoch = found->epoch;
  tell_node(s, partition_word::kind::opened);
  auto now = s.env.sessions.clock();
  for (const auto& key : found->occupied)
    s.to_activate.push_back(key);
  for (const auto& [key, when] : found->due)
    s.wheel.schedule(key, now.steady + later(when - now.wall, millis{0}));
  auto waiting = std::exchange(s.before_open, {});
  for (auto& item : waiting)
    route(self, std::move(item));
  activate_more(self);
  arm(self);
}

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

void turn_wheel(self_ptr self) {
  auto& s = self->state;
  auto now = s.env.sessions.clock();
  s.armed.reset();
  if (s.retry_open && *s.retry_open <= now.steady) {
    s.retry_open.reset();
    open(self);
  }
  std::vector<session_key> due;
  s.wheel.expire(now.steady, due);
  for (const auto& key : due) {
    auto at = s.slots.find(key);
    if (at == s.slots.end()) {
      s.to_activate.push_back(key);
      continue;
    }
    if (at->second.at == slot::phase::active)
      self->send(at->second.session, atoms::wake::value);
  }
  activate_more(self);
  arm(self);
}

void finish_stop(self_ptr self) {
  auto& s = self->state;
  if (s.shutting_down && s.slots.empty())
    self->quit();
}

void take_word(self_ptr self, const session_word& word) {
  auto& s = self->state;
  auto at = s.slots.find(word.session);
  if (at == s.slots.end())
    return;
  auto& from = at->second;
  switch (word.what) {
  case session_word::kind::wake_at:
    s.wheel.schedule(word.session, word.when);
    arm(self);
    break;
  case session_word::kind::idle:
    if (from.at == slot::phase::active) {
      from.at = slot::phase::stopping;
      self->send(from.session, atoms::stop::value);
    }
    break;
  case session_word::kind::fenced:
    tell_node(s, partition_word::kind::fenced);
    break;
  case session_word::kind::staying: {
    from.at = slot::phase::active;
    auto queue = std::exchange(from.queue, {});
    for (auto& item : queue)
      hand_over(self, from, std::move(item));
    break;
  }
  case session_word::kind::gone: {
    auto queue = std::exchange(from.queue, {});
    s.slots.erase(at);
    s.wheel.schedule(word.session, word.when);
    arm(self);
    for (auto& item : queue)
      route(self, std::move(item));
    finish_stop(self);
    break;
  }
  }
}

void shut_down(self_ptr self) {
  auto& s = self->state;
  s.shutting_down = true;
  for (auto& item : std::exchange(s.before_open, {}))
    refuse_leaving(s, item);
  for (auto at = s.slots.begin(); at != s.slots.end();) {
    auto& [key, from] = *at;
    for (auto& item : std::exchange(from.queue, {}))
      refuse_leaving(s, item);
    if (from.session) {
      self->send_exit(from.session, caf::exit_reason::user_shutdown);
      ++at;
    } else {
      at = s.slots.erase(at);
    }
  }
  finish_stop(self);
}

// Another owner has restored what the sessions hold; a word from them would
// only contradict it.
void yield(self_ptr self) {
  auto& s = self->state;
  s.shutting_down = true;
  for (auto& item : std::exchange(s.before_open, {}))
    refuse_leaving(s, item);
  for (auto& [key, from] : s.slots) {
    for (auto& item : std::exchange(from.queue, {}))
      refuse_leaving(s, item);
    if (from.session)
      self->send_exit(from.session, caf::exit_reason::kill);
  }
  self->quit();
}

void lose_edge(self_ptr self, const node_id& edge) {
  auto& s = self->state;
  for (auto& [key, to] : s.slots) {
    note_ptr told
      = std::make_shared<const note>(note{key, edge, edge_lost_note{}});
    if (to.at == slot::phase::active)
      self->send(to.session, told);
    else if (to.queue.size() < limits::activation_queue)
      to.queue.emplace_back(std::move(told));
  }
}

// A session ended: as asked, or by a fault of its own. Then what it kept is
// loaded again; those present stay shown until their edges confirm them.
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
    finish_stop(self);
    return;
  }
  log(log_level::error, "partition", "session_failed",
      {{"partition", s.env.partition},
       {"why", self->system().render(down.reason)}});
  s.to_activate.push_back(key);
  for (auto& item : queue)
    route(self, std::move(item));
  activate_more(self);
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
    {"timers", static_cast<std::int64_t>(s.wheel.size())},
  };
  out->waiting_for = s.open ? "" : "the claim";
  return out;
}

partition_actor::behavior_type partition_behavior(self_ptr self,
                                                  partition_env env) {
  auto& s = self->state;
  s.env = std::move(env);
  s.wheel = timer_wheel<session_key>{s.env.wheel_tick};
  self->set_down_handler(
    [self](const caf::down_msg& down) { session_down(self, down); });
  open(self);
  return {
    [self](const command_ptr& asked) { return take_command(self, asked); },
    [self](const note_ptr& told) { route(self, told); },
    [self](const session_word_ptr& word) { take_word(self, *word); },
    [self](atoms::wake) { turn_wheel(self); },
    [self](const edge_gone& gone) { lose_edge(self, gone.edge); },
    [self](atoms::stop) { shut_down(self); },
    [self](atoms::yield) { yield(self); },
    [self](atoms::inspect) { return inspect(self); },
  };
}

} // namespace

partition_actor spawn_partition(caf::actor_system& system, partition_env env) {
  return system.spawn(partition_behavior, std::move(env));
}

} // namespace rollcall::cluster
