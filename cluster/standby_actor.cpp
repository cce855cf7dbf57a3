#include "cluster/standby_actor.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/standby_plan.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::size_t recent_most = 16;
constexpr millis apply_timeout{10'000};
constexpr millis said_again{30'000};

/// What was last said about a journal that cannot be followed.
struct complaint {
  std::string text;
  millis at{0};
  /// Time, or other nodes, may mend it.
  bool hopeful = false;
};

struct standby_shell {
  static inline const char* name = "standby";

  standby_env env;
  std::unique_ptr<standby_plan> plan;
  std::deque<partition_id> todo;
  std::map<partition_id, complaint> complaints;
  /// When a journal that could not be made anew is tried again.
  std::map<partition_id, millis> tried;
  /// Where one journal was lost, others may be: until then all are urgent.
  millis alarm_until{0};
  std::deque<std::string> recent;
  std::int64_t applied = 0;
  std::int64_t made_anew = 0;
  bool stopping = false;
  bool silent = false;

  void remember(std::string what) {
    recent.push_back(std::move(what));
    if (recent.size() > recent_most)
      recent.pop_front();
  }
};

using self_ptr = standby_actor::stateful_pointer<standby_shell>;

void work(self_ptr self);

// Short: a value of a log line has 64 bytes.
const char* mend_of(const failure& why) {
  if (can_be_made_anew(why))
    return "start missing nodes, or --accept-loss (docs/storage.md)";
  if (why.field == journal_fault::behind)
    return "save this data_dir, start with an empty one (docs/storage.md)";
  if (why.field == journal_fault::damaged)
    return "replace that server's copy (docs/cluster.md)";
  return "set cluster.id and engine.partitions right (docs/storage.md)";
}

// One line when it begins or changes, and now and then while it lasts.
void complain(standby_shell& s, partition_id partition, const failure& why,
              const std::string& waits_for) {
  auto now = s.env.clock().steady;
  auto& last = s.complaints[partition];
  auto text = why.message + waits_for;
  if (text == last.text && now < last.at + said_again)
    return;
  const auto hopeful = can_be_made_anew(why);
  if (last.text.empty() && hopeful)
    s.alarm_until = now + 2 * limits::copies_settle;
  if (text != last.text)
    s.remember("partition " + std::to_string(partition) + ": " + why.field
               + "; " + waits_for);
  last = {std::move(text), now, hopeful};
  log(log_level::error, "journal", "cannot_be_followed",
      {{"partition", partition},
       {"code", why.field},
       {"why", why},
       {"waits_for", waits_for},
       {"mend", std::string_view{mend_of(why)}}});
}

/// The content at exactly `at`: what changes while it is read is not taken.
journal::content content_at(const standby_env& env, partition_id partition,
                            const checkpoint& at) {
  return [&env, partition, at](const auto& visit) -> result<done> {
    if (auto read = env.content(partition)(visit); !read)
      return read;
    auto now = env.where(partition);
    if (!now)
      return now.error();
    if (*now != at)
      return fail(errc::conflict, "the store has moved meanwhile");
    return done{};
  };
}

// Others may not know what it lost, and claim it when all who do are gone.
void give_up(standby_shell& s, partition_id partition, const checkpoint& mine,
             const failure& why) {
  if (why.field != journal_fault::cut
      || !s.env.book->stays_broken(partition, s.env.clock().steady))
    return;
  // What does not succeed now is tried again a tick later.
  if (auto ended = s.env.order->give_up(partition, mine); ended)
    s.remember("gave up the journal of partition " + std::to_string(partition));
}

void mend(standby_shell& s, partition_id partition, const checkpoint& mine,
          const failure& why) {
  if (!can_be_made_anew(why)) {
    complain(s, partition, why, "an operator");
    return;
  }
  auto now = s.env.clock().steady;
  s.env.book->broken(partition, now);
  auto allowed = s.env.book->may_make_anew(partition, mine, now);
  if (!allowed) {
    complain(s, partition, why, allowed.error().message);
    give_up(s, partition, mine, why);
    return;
  }
  if (auto last = s.tried.find(partition);
      last != s.tried.end() && now < last->second + limits::make_anew_again)
    return;
  s.tried[partition] = now;
  auto made = s.env.order->make_anew(partition, mine,
                                     content_at(s.env, partition, mine));
  if (!made) {
    complain(s, partition, why, made.error().message);
    return;
  }
  ++s.made_anew;
  s.remember("made the journal of partition " + std::to_string(partition)
             + " anew");
}

// The journal is right about whose a partition is; its owner may not know yet.
void look_after_own(self_ptr self, partition_id partition) {
  auto& s = self->state;
  s.remember("partition " + std::to_string(partition) + " is not ours");
  self->send(s.env.node,
             partition_word{partition, partition_word::kind::fenced, 0});
}

void apply(self_ptr self, partition_id partition, const checkpoint& from,
           journal_tail tail) {
  auto& s = self->state;
  auto more = tail.more;
  auto order = std::make_shared<const follow_order>(
    follow_order{partition, from, std::move(tail)});
  self->request(s.env.store, apply_timeout, follow_order_ptr{order})
    .then(
      [self, partition, more](const followed_ptr& at) {
        auto& state = self->state;
        if (*at) {
          ++state.applied;
          if (more)
            state.todo.push_front(partition);
        }
        work(self);
      },
      [self](const caf::error&) { work(self); });
}

// Whether an answer of the store is awaited.
bool look_at(self_ptr self, partition_id partition) {
  auto& s = self->state;
  auto mine = s.env.where(partition);
  if (!mine)
    return false;
  const auto held = s.env.book->is_held(partition);
  // What nobody gave us and we need not have is left alone.
  if (!held && mine->generation == 0 && !s.env.book->is_behind(partition))
    return false;
  // Of others' journals it is enough to know that they are there.
  const auto wanted = !held && s.env.book->stands_by(partition);
  auto tail
    = s.env.order->follow(partition, *mine, wanted ? limits::standby_bytes : 1);
  if (!tail) {
    if (held && tail.error().code == errc::conflict)
      look_after_own(self, partition);
    else if (!tail.error().field.empty())
      mend(s, partition, *mine, tail.error());
    else
      s.silent = tail.error().code == errc::unavailable;
    return false;
  }
  s.env.book->mended(partition);
  s.complaints.erase(partition);
  s.tried.erase(partition);
  if (held) {
    if (tail->way != restore_way::tail)
      look_after_own(self, partition);
    return false;
  }
  if (!wanted || (tail->way == restore_way::tail && tail->groups.empty()))
    return false;
  apply(self, partition, *mine, std::move(*tail));
  return true;
}

void work(self_ptr self) {
  auto& s = self->state;
  while (!s.todo.empty() && !s.stopping && !s.silent) {
    auto partition = s.todo.front();
    s.todo.pop_front();
    if (look_at(self, partition))
      return;
  }
  s.todo.clear();
  if (s.stopping)
    self->quit();
  else
    self->delayed_send(self, s.env.tick, atoms::wake::value);
}

void begin(self_ptr self) {
  auto& s = self->state;
  s.silent = false;
  const auto alarm = s.env.clock().steady < s.alarm_until;
  auto picked = s.plan->pick([&s, alarm](partition_id p) {
    auto complained = s.complaints.find(p);
    return alarm
           || (complained != s.complaints.end() && complained->second.hopeful)
           || (!s.env.book->is_held(p) && s.env.book->is_behind(p)
               && s.env.book->stands_by(p));
  });
  s.todo.assign(picked.begin(), picked.end());
  work(self);
}

inspection_ptr inspect(const standby_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = standby_shell::name;
  out->figures = {
    {"to_look_at", static_cast<std::int64_t>(s.todo.size())},
    {"cannot_be_followed", static_cast<std::int64_t>(s.complaints.size())},
    {"pieces_applied", s.applied},
    {"journals_made_anew", s.made_anew},
  };
  out->recent.assign(s.recent.begin(), s.recent.end());
  if (s.silent)
    out->waiting_for = "the journal";
  return out;
}

standby_actor::behavior_type standby_behavior(self_ptr self, standby_env env) {
  auto& s = self->state;
  s.env = std::move(env);
  s.plan = std::make_unique<standby_plan>(s.env.partitions);
  self->send(self, atoms::wake::value);
  return {
    [self](atoms::wake) {
      if (self->state.stopping)
        self->quit();
      else
        begin(self);
    },
    [self](atoms::stop) {
      self->state.stopping = true;
      if (self->state.todo.empty())
        self->quit();
    },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

standby_actor spawn_standby(caf::actor_system& system, standby_env env) {
  if (env.detached)
    return system.spawn<caf::detached>(standby_behavior, std::move(env));
  return system.spawn(standby_behavior, std::move(env));
}

} // namespace rollcall::cluster
