#include "edge/past/gather.hpp"

#include "actors/base/limits.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>

namespace rollcall::edge {

namespace {

using promise = caf::typed_response_promise<gathered_ptr>;

struct gather_job;

struct gather_shell {
  static inline const char* name = "gather";

  gather_env env;
  /// At most limits::gathers_in_flight.
  std::size_t under_way = 0;
  /// Erasures that look again, in the order of their time.
  std::deque<std::shared_ptr<gather_job>> resting;
  std::int64_t orders = 0;
};

using self_ptr = gather_actor::stateful_pointer<gather_shell>;

gathered_ptr share(result<gathered> value) {
  return std::make_shared<const result<gathered>>(std::move(value));
}

command_ptr command_for(const gather_shell& s, const gather_order& order,
                        command_body body) {
  auto out = std::make_shared<command>();
  out->session.ns = order.ns;
  out->edge = s.env.self;
  out->caller = order.caller;
  out->request = order.request;
  out->body = std::move(body);
  return out;
}

/// One order under way. Partitions are asked `at_once` at a time.
struct gather_job {
  self_ptr self;
  gather_order_ptr order;
  promise answer;
  partition_id next = 0;
  std::size_t in_flight = 0;
  std::optional<failure> refused;

  // A listing: first the caller's groups are asked for.
  listing_merge merge{0};
  std::vector<std::string> groups;
  bool groups_known = true;
  caf::actor_clock::time_point deadline{};

  // An erasure, look by look.
  user_erasure erased;
  std::size_t looks = 0;
  bool found = false;
};

using job_ptr = std::shared_ptr<gather_job>;

void finish(const job_ptr& job, result<gathered> value) {
  --job->self->state.under_way;
  job->answer.deliver(share(std::move(value)));
}

/// A refusal that every partition would repeat.
bool is_final(const failure& why) {
  return why.code == errc::bad_request || why.code == errc::forbidden
         || why.code == errc::unauthenticated;
}

// -- listings ----------------------------------------------------------------

/// However many partitions have no owner: who waits wants to see the others.
millis time_left(const gather_job& job) {
  auto left = std::chrono::duration_cast<millis>(job.deadline
                                                 - job.self->clock().now());
  return std::max(left, job.self->state.env.least);
}

void list_more(const job_ptr& job) {
  auto& s = job->self->state;
  const auto& asked = std::get<list_sessions_command>(job->order->what);
  while (!job->refused && job->next < s.env.partitions
         && job->in_flight < s.env.at_once) {
    auto body = asked;
    body.partition = job->next++;
    if (!asked.groups && job->groups_known)
      body.in_groups = job->groups;
    ++job->in_flight;
    job->self
      ->request(s.env.router, time_left(*job),
                command_for(s, *job->order, std::move(body)))
      .then(
        [job](const reply_ptr& r) {
          --job->in_flight;
          if (r->ok())
            job->merge.add(std::get<list_reply>(r->value().body));
          else if (is_final(r->error()))
            job->refused = r->error();
          else
            job->merge.add_missing();
          list_more(job);
        },
        [job](const caf::error&) {
          --job->in_flight;
          job->merge.add_missing();
          list_more(job);
        });
  }
  if (job->in_flight > 0)
    return;
  if (job->refused)
    finish(job, *job->refused);
  else
    finish(job, gathered{job->merge.finish()});
}

// Whose sessions the caller may see, too: each partition knows the members of
// its own groups alone.
void ask_groups(const job_ptr& job);

void lack_groups(const job_ptr& job) {
  --job->in_flight;
  job->groups_known = false;
  job->merge.add_missing();
  ask_groups(job);
}

void groups_in(const job_ptr& job, partition_id partition, session_id after) {
  auto& s = job->self->state;
  list_sessions_command body;
  body.partition = partition;
  body.groups = body.mine = true;
  body.after = std::move(after);
  body.limit = limits::list_page_items;
  job->self
    ->request(s.env.router, time_left(*job),
              command_for(s, *job->order, std::move(body)))
    .then(
      [job, partition](const reply_ptr& r) {
        if (!r->ok()) {
          lack_groups(job);
          return;
        }
        const auto& page = std::get<list_reply>(r->value().body);
        for (const auto& one : page.sessions) {
          if (!one.is_member)
            continue;
          if (job->groups.size() == limits::list_groups) {
            lack_groups(job);
            return;
          }
          job->groups.emplace_back(group_at(one.id));
        }
        if (page.reached) {
          groups_in(job, partition, *page.reached);
          return;
        }
        --job->in_flight;
        ask_groups(job);
      },
      [job](const caf::error&) { lack_groups(job); });
}

void ask_groups(const job_ptr& job) {
  auto& s = job->self->state;
  while (job->groups_known && job->next < s.env.partitions
         && job->in_flight < s.env.at_once) {
    ++job->in_flight;
    groups_in(job, job->next++, {});
  }
  if (job->in_flight > 0)
    return;
  job->next = 0;
  job->deadline += s.env.patience / 2;
  list_more(job);
}

/// Whether a listing depends on the groups of whoever asks.
bool needs_groups(const gather_order& order) {
  const auto& caller = order.caller;
  return !std::get<list_sessions_command>(order.what).groups
         && !caller.user.empty() && !caller.grants.has(capability::admin);
}

// -- erasing a user ----------------------------------------------------------

void erase_more(const job_ptr& job);

void erase_in(const job_ptr& job, partition_id partition, std::string after) {
  auto& s = job->self->state;
  auto body = std::get<erase_user_command>(job->order->what);
  body.partition = partition;
  body.after = std::move(after);
  job->self
    ->request(s.env.router, s.env.patience,
              command_for(s, *job->order, std::move(body)))
    .then(
      [job, partition](const reply_ptr& r) {
        if (!r->ok()) {
          --job->in_flight;
          job->refused = r->error();
          erase_more(job);
          return;
        }
        const auto& step = std::get<erase_reply>(r->value().body);
        job->erased.records += step.records;
        job->found |= step.records > 0 || step.sessions > 0;
        if (job->looks == 0)
          job->erased.sessions += step.sessions;
        if (!step.next.empty()) {
          erase_in(job, partition, step.next);
          return;
        }
        --job->in_flight;
        erase_more(job);
      },
      [job](const caf::error&) {
        --job->in_flight;
        job->refused = fail(errc::unavailable, "a partition did not answer");
        erase_more(job);
      });
}

void look_again(const job_ptr& job) {
  ++job->looks;
  job->next = 0;
  job->found = false;
  auto& s = job->self->state;
  // Behind what sessions had on its way to the store.
  s.resting.push_back(job);
  job->self->delayed_send(job->self, s.env.look_again, atoms::wake::value);
}

void erase_more(const job_ptr& job) {
  auto& s = job->self->state;
  while (!job->refused && job->next < s.env.partitions
         && job->in_flight < s.env.at_once) {
    ++job->in_flight;
    erase_in(job, job->next++, {});
  }
  if (job->in_flight > 0)
    return;
  if (job->refused) {
    finish(job, *job->refused);
    return;
  }
  // A second look that finds nothing shows that it is done.
  bool clean = job->looks > 0 && !job->found;
  if (clean || job->looks + 1 >= s.env.looks_most) {
    job->erased.complete = clean;
    finish(job, gathered{job->erased});
    return;
  }
  look_again(job);
}

// -- orders ------------------------------------------------------------------

promise take_order(self_ptr self, const gather_order_ptr& order) {
  auto& s = self->state;
  auto answer = self->make_response_promise<gathered_ptr>();
  if (s.under_way >= limits::gathers_in_flight) {
    auto why = fail(errc::unavailable, "too many listings are under way");
    why.retry_after = millis{1'000};
    answer.deliver(share(why));
    return answer;
  }
  ++s.under_way;
  ++s.orders;
  auto job = std::make_shared<gather_job>();
  job->self = self;
  job->order = order;
  job->answer = answer;
  if (const auto* wish = std::get_if<list_sessions_command>(&order->what)) {
    job->merge = listing_merge{wish->limit};
    job->deadline = self->clock().now() + s.env.patience;
    if (needs_groups(*order)) {
      // The sessions have the other half.
      job->deadline -= s.env.patience / 2;
      ask_groups(job);
    } else {
      list_more(job);
    }
  } else {
    erase_more(job);
  }
  return answer;
}

inspection_ptr inspect(const gather_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = gather_shell::name;
  out->figures = {{"orders", s.orders},
                  {"under_way", static_cast<std::int64_t>(s.under_way)}};
  out->waiting_for = s.under_way > 0 ? "partitions" : "";
  return out;
}

gather_actor::behavior_type gather_behavior(self_ptr self, gather_env env) {
  self->state.env = std::move(env);
  return {
    [self](const gather_order_ptr& order) { return take_order(self, order); },
    [self](atoms::wake) {
      auto job = std::move(self->state.resting.front());
      self->state.resting.pop_front();
      erase_more(job);
    },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

gather_actor spawn_gather(caf::actor_system& system, gather_env env) {
  return system.spawn(gather_behavior, std::move(env));
}

} // namespace rollcall::edge
