// What a partition answers itself: a page of its sessions, a step of the
// erasure of a user; and the sweep of history that is too old.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/partition_shell.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace rollcall::cluster {

namespace {

using promise = caf::typed_response_promise<reply_ptr>;

/// Sessions that are told to forget a user at the same time.
constexpr std::size_t forgetting_most = 64;
/// Between two steps of a sweep: others need the disk too.
constexpr millis sweep_pause{200};

// -- listings ----------------------------------------------------------------

void list_sessions(partition_ptr self, const command& asked, promise answer) {
  auto& s = self->state;
  list_question question;
  question.ns = asked.session.ns;
  question.caller = asked.caller;
  question.now = s.env.sessions.clock().wall;
  question.asked = std::get<list_sessions_command>(asked.body);
  ask_history(self, std::move(question),
              [self, answer](const result<store_findings>& found) mutable {
                if (found)
                  answer.deliver(answer_with(self->state,
                                             std::get<list_reply>(*found),
                                             ack_level::accepted));
                else
                  answer.deliver(refuse_with(found.error()));
              });
}

// -- erasing a user ----------------------------------------------------------

/// One step of it: first the sessions forget the user, then what lies in the
/// store beside their own records goes.
struct erasing {
  partition_ptr self;
  command_ptr asked;
  promise answer;
  found_keys found;
  /// Those that name the user, and those that only may.
  std::vector<session_key> sessions;
  std::size_t named = 0;
  std::size_t next = 0;
  std::size_t in_flight = 0;
  std::optional<failure> failed;
  /// Whose keys stay: what such a session still knows it would write again.
  std::set<session_key> unforgotten;
  erase_reply done;
};

using erasing_ptr = std::shared_ptr<erasing>;

command_ptr forget_command(const command& asked, const session_key& session) {
  auto out = std::make_shared<command>();
  out->session = session;
  out->edge = asked.edge;
  out->caller = asked.caller;
  out->request = asked.request;
  out->body
    = forget_user_command{std::get<erase_user_command>(asked.body).user};
  return out;
}

void finish_step(const erasing_ptr& job) {
  if (job->failed)
    job->answer.deliver(refuse_with(*job->failed));
  else
    job->answer.deliver(
      answer_with(job->self->state, job->done, ack_level::committed));
}

std::vector<record> removals(found_keys& found, std::uint32_t& count) {
  std::vector<record> out;
  for (auto& [session, keys] : found.keys) {
    count += static_cast<std::uint32_t>(keys.size());
    out.emplace_back(keys_erased{session, std::move(keys)});
  }
  found.keys.clear();
  return out;
}

using use_outcome = std::function<void(const result<position_t>&)>;

void remove_keys(partition_ptr self, std::vector<record> records,
                 use_outcome use) {
  auto& s = self->state;
  commit_ptr asked = std::make_shared<const commit>(
    commit{s.env.partition, s.epoch, std::move(records)});
  self->request(s.env.sessions.store, s.env.store_timeout, asked)
    .then([use](const committed_ptr& r) { use(*r); },
          [use](const caf::error&) {
            use(fail(errc::unavailable, "the store did not answer"));
          });
}

void erase_records(const erasing_ptr& job) {
  for (const auto& session : job->unforgotten)
    job->found.keys.erase(session);
  auto records = removals(job->found, job->done.records);
  if (records.empty()) {
    finish_step(job);
    return;
  }
  remove_keys(job->self, std::move(records),
              [job](const result<position_t>& outcome) {
                if (!outcome)
                  job->failed = outcome.error();
                finish_step(job);
              });
}

void not_forgotten(const erasing_ptr& job, const session_key& session,
                   failure why) {
  job->failed = std::move(why);
  job->unforgotten.insert(session);
}

void forget_more(const erasing_ptr& job) {
  while (job->next < job->sessions.size() && job->in_flight < forgetting_most) {
    bool named = job->next < job->named;
    const auto session = job->sessions[job->next++];
    ++job->in_flight;
    partition_actor me = job->self;
    job->self
      ->request(me, limits::routed_patience,
                forget_command(*job->asked, session))
      .then(
        [job, named, session](const reply_ptr& r) {
          --job->in_flight;
          // What is gone by now has nothing to forget.
          if (r->ok())
            job->done.sessions += named ? 1 : 0;
          else if (r->error().code != errc::not_found)
            not_forgotten(job, session, r->error());
          forget_more(job);
        },
        [job, session](const caf::error&) {
          --job->in_flight;
          not_forgotten(job, session,
                        fail(errc::unavailable, "a session did not answer"));
          forget_more(job);
        });
  }
  if (job->in_flight == 0 && job->next == job->sessions.size()) {
    // Once: the last of them may have been answered at once.
    job->next = job->sessions.size() + 1;
    erase_records(job);
  }
}

void erase_user(partition_ptr self, const command_ptr& asked, promise answer) {
  auto& s = self->state;
  const auto& body = std::get<erase_user_command>(asked->body);
  if (!asked->caller.grants.has(capability::admin)) {
    answer.deliver(
      refuse_with(fail(errc::forbidden, "erasing a user needs admin")));
    return;
  }
  if (body.user.empty()) {
    answer.deliver(refuse_with(fail(errc::bad_request, "is missing", "user")));
    return;
  }
  user_question question{s.env.partition, asked->session.ns, body.user,
                         body.after,
                         make_participant_id(s.env.sessions.rules->id_secret,
                                             asked->session.ns, body.user)};
  bool first = body.after.empty();
  ask_history(
    self, std::move(question),
    [self, asked, answer, first](const result<store_findings>& found) mutable {
      if (!found) {
        answer.deliver(refuse_with(found.error()));
        return;
      }
      auto job = std::make_shared<erasing>();
      job->self = self;
      job->asked = asked;
      job->answer = answer;
      job->found = std::get<found_keys>(*found);
      job->done.next = job->found.next;
      const auto& named = job->found.sessions;
      job->sessions.assign(named.begin(), named.end());
      job->named = named.size();
      // Those awake may know what they have not written yet.
      if (first)
        for (const auto& [key, slot] : self->state.slots)
          if (key.ns == asked->session.ns && !named.contains(key))
            job->sessions.push_back(key);
      forget_more(job);
    });
}

// -- sweeping ----------------------------------------------------------------

void sweep_in(partition_ptr self, millis delay) {
  self->delayed_send(self, delay, atoms::sweep::value);
}

void swept(partition_ptr self, std::string next) {
  auto& s = self->state;
  s.sweep_from = std::move(next);
  sweep_in(self, s.sweep_from.empty() ? s.env.sweep_every : sweep_pause);
}

// The wheel knows of those that were due when the partition was opened, as far
// as its bound goes, and of those that were awake since.
void wake_due(partition_ptr self, const std::set<session_key>& due) {
  auto& s = self->state;
  if (s.shutting_down || s.heir)
    return;
  bool some = false;
  for (const auto& key : due) {
    if (s.slots.contains(key))
      continue;
    // The next sweep finds the others.
    if (s.to_activate.size() >= limits::activation_queue
        || s.slots.size() + s.to_activate.size()
             >= limits::sessions_per_partition)
      break;
    s.to_activate.push_back(key);
    some = true;
  }
  if (some)
    self->send(self, atoms::wake::value);
}

} // namespace

void start_sweeping(partition_ptr self) {
  auto& s = self->state;
  if (s.env.sweep_every > millis{0})
    sweep_in(self, std::min(s.env.sweep_every, s.env.sweep_first));
}

// Stays and entries never change: nobody else writes what is removed here.
// Sessions that are due and asleep are woken on the way.
void sweep(partition_ptr self) {
  auto& s = self->state;
  if (s.shutting_down)
    return;
  if (!s.open) {
    sweep_in(self, sweep_pause);
    return;
  }
  aged_question question{s.env.partition, s.env.sessions.clock().wall,
                         s.env.retention, s.sweep_from};
  ask_history(
    self, std::move(question), [self](const result<store_findings>& found) {
      if (!found) {
        swept(self, {});
        return;
      }
      auto keys = std::get<found_keys>(*found);
      wake_due(self, keys.sessions);
      auto next = keys.next;
      std::uint32_t count = 0;
      auto records = removals(keys, count);
      if (records.empty()) {
        swept(self, std::move(next));
        return;
      }
      remove_keys(self, std::move(records),
                  [self, next, count](const result<position_t>& outcome) {
                    if (outcome)
                      self->state.swept += count;
                    // What failed is found again by the next sweep.
                    swept(self, outcome ? next : std::string{});
                  });
    });
}

void ask_history(partition_ptr self, store_question question,
                 use_findings use) {
  auto& s = self->state;
  if (!s.env.sessions.past) {
    use(fail(errc::unavailable, "this node keeps no history"));
    return;
  }
  store_question_ptr shared
    = std::make_shared<const store_question>(std::move(question));
  self->request(s.env.sessions.past, s.env.store_timeout, shared)
    .then([use](const store_findings_ptr& found) { use(*found); },
          [use](const caf::error&) {
            use(fail(errc::unavailable, "the store did not answer"));
          });
}

reply_ptr answer_with(const partition_shell& s, reply_body body,
                      ack_level level) {
  reply out;
  out.level = level;
  out.at = {s.epoch, 0};
  out.body = std::move(body);
  return std::make_shared<const result<reply>>(std::move(out));
}

reply_ptr refuse_with(failure why) {
  return std::make_shared<const result<reply>>(std::move(why));
}

// The partition tells its sessions, in turn, what a group has told it.
bool is_about_partition(const command& asked) {
  return std::holds_alternative<list_sessions_command>(asked.body)
         || std::holds_alternative<erase_user_command>(asked.body)
         || (std::holds_alternative<settle_group_command>(asked.body)
             && asked.session.id.empty());
}

caf::result<reply_ptr> answer_itself(partition_ptr self,
                                     const command_ptr& asked) {
  auto& s = self->state;
  auto answer = self->make_response_promise<reply_ptr>();
  if (!s.open || s.shutting_down) {
    waiting_item item = waiting_command{asked, answer};
    if (s.shutting_down)
      refuse_leaving(s, item);
    else if (s.before_open.size() >= limits::activation_queue)
      refuse(item, errc::unavailable, "the partition is not ready");
    else
      s.before_open.push_back(std::move(item));
    return answer;
  }
  dispatch_itself(self, asked, answer);
  return answer;
}

void dispatch_itself(partition_ptr self, const command_ptr& asked,
                     caf::typed_response_promise<reply_ptr> answer) {
  if (std::holds_alternative<list_sessions_command>(asked->body))
    list_sessions(self, *asked, std::move(answer));
  else if (std::holds_alternative<settle_group_command>(asked->body))
    settle_group(self, asked, std::move(answer));
  else
    erase_user(self, asked, std::move(answer));
}

} // namespace rollcall::cluster
