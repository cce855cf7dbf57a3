#include "persistence/store_actor.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "persistence/commit_pipeline.hpp"
#include "persistence/layout.hpp"
#include "persistence/recovery.hpp"
#include "persistence/store_reader.hpp"
#include "persistence/watched_store.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace rollcall {

namespace {

constexpr millis retry_after{100};
constexpr std::size_t recent_most = 16;

using commit_promise = caf::typed_response_promise<committed_ptr>;
using open_promise = caf::typed_response_promise<opened_ptr>;

struct store_figures {
  metrics::counter& commits;
  metrics::counter& refused;
  metrics::counter& writes;
  metrics::counter& write_failures;
  metrics::histogram& write_seconds;
  metrics::histogram& write_commits;
  metrics::gauge& queued;

  explicit store_figures(metrics::registry& to)
    : commits(to.make_counter("rollcall_store_commits_total",
                              "Commits that became durable.")),
      refused(to.make_counter("rollcall_store_refused_total",
                              "Commits of which nothing was kept.")),
      writes(to.make_counter("rollcall_store_writes_total",
                             "Synced writes, each of one group.")),
      write_failures(to.make_counter("rollcall_store_write_failures_total",
                                     "Writes the disk did not take.")),
      write_seconds(to.make_histogram("rollcall_store_write_seconds",
                                      "Duration of a synced write.",
                                      metrics::duration_buckets())),
      write_commits(to.make_histogram("rollcall_store_write_commits",
                                      "Commits answered by one write.",
                                      metrics::count_buckets())),
      queued(to.make_gauge("rollcall_store_queued_commits",
                           "Commits that wait for the journal.")) {
    // nop
  }
};

struct opening {
  open_partition_ptr what;
  open_promise answer;
};

committed_ptr share(result<position_t> value) {
  return std::make_shared<const result<position_t>>(std::move(value));
}

opened_ptr share(result<opened_partition> value) {
  return std::make_shared<const result<opened_partition>>(std::move(value));
}

loaded_ptr share(result<stored_session> value) {
  return std::make_shared<const result<stored_session>>(std::move(value));
}

struct store_shell {
  static inline const char* name = "store";

  std::shared_ptr<store> disk;
  std::shared_ptr<journal> order;
  std::unique_ptr<store_figures> figures;
  millis window{0};
  std::unique_ptr<commit_pipeline> pipeline;
  std::unordered_map<std::uint64_t, commit_promise> commits;
  std::uint64_t last_commit = 0;
  std::map<partition_id, std::deque<opening>> opens;
  std::set<partition_id> claiming;
  bool flush_due = false;
  /// Told to stop: goes when every commit has its answer.
  bool stopping = false;
  std::deque<std::string> recent;

  // Whoever still waits gets a word rather than a timeout.
  ~store_shell() {
    auto why = fail(errc::unavailable, "the store has ended");
    for (auto& [id, promise] : commits)
      promise.deliver(share(result<position_t>{why}));
    for (auto& [partition, queue] : opens)
      for (auto& one : queue)
        one.answer.deliver(share(result<opened_partition>{why}));
  }

  void remember(std::string what) {
    recent.push_back(std::move(what));
    if (recent.size() > recent_most)
      recent.pop_front();
  }
};

using self_ptr = store_actor::stateful_pointer<store_shell>;

// Sends to ourselves from a thread of the journal, if we are still there.
template <class Message>
void tell(const caf::weak_actor_ptr& whom, Message message) {
  if (auto strong = whom.lock())
    caf::anon_send(caf::actor_cast<store_actor>(strong), std::move(message));
}

void schedule_flush(self_ptr self, millis delay) {
  auto& s = self->state;
  if (s.flush_due)
    return;
  s.flush_due = true;
  // Behind everything that is in the mailbox now: that is the group.
  if (delay == millis{0})
    self->send(self, atoms::flush::value);
  else
    self->delayed_send(self, delay, atoms::flush::value);
}

void answer_commits(self_ptr self) {
  auto& s = self->state;
  std::size_t durable = 0;
  for (auto& end : s.pipeline->take_answers()) {
    auto waiting = s.commits.find(end.commit);
    if (waiting == s.commits.end())
      continue;
    if (end.at)
      ++durable;
    else
      s.figures->refused.add();
    auto promise = std::move(waiting->second);
    s.commits.erase(waiting);
    promise.deliver(share(std::move(end.at)));
  }
  if (durable == 0)
    return;
  s.figures->commits.add(durable);
  s.figures->write_commits.observe(static_cast<double>(durable));
}

// Returns whether the disk did what it was asked.
bool write_group(self_ptr self) {
  auto& s = self->state;
  auto groups = s.pipeline->start_write();
  if (groups.empty())
    return true;
  auto begin = std::chrono::steady_clock::now();
  auto outcome = s.disk->write(groups);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  s.figures->write_seconds.observe(took.count());
  if (outcome) {
    s.figures->writes.add();
  } else {
    s.figures->write_failures.add();
    s.remember("write failed: " + outcome.error().message);
    log(log_level::error, "store", "write_failed",
        {{"why", outcome.error().message}});
  }
  s.pipeline->written(outcome, [&](partition_id partition, position_t at) {
    return journal_keeps(*s.disk, *s.order, partition, at);
  });
  return outcome.ok();
}

void start_claims(self_ptr self) {
  auto& s = self->state;
  for (auto& [partition, queue] : s.opens) {
    if (s.claiming.contains(partition) || !s.pipeline->idle(partition))
      continue;
    s.claiming.insert(partition);
    auto me = caf::actor_cast<caf::weak_actor_ptr>(self);
    s.order->claim(
      partition, queue.front().what->owner,
      [me, number = partition](const result<checkpoint>& at) {
        claim_answer answer{number, at};
        tell(me, std::make_shared<const claim_answer>(std::move(answer)));
      });
  }
}

void start_appends(self_ptr self) {
  auto& s = self->state;
  for (const auto& order : s.pipeline->start_appends()) {
    auto me = caf::actor_cast<caf::weak_actor_ptr>(self);
    s.order->append(
      order.partition, order.epoch, order.records,
      [me, number = order.partition,
       ticket = order.ticket](result<position_t> where) {
        append_answer answer{number, ticket, std::move(where)};
        tell(me, std::make_shared<const append_answer>(std::move(answer)));
      });
  }
}

void flush(self_ptr self) {
  auto& s = self->state;
  s.flush_due = false;
  bool disk_works = write_group(self);
  start_claims(self);
  start_appends(self);
  answer_commits(self);
  s.figures->queued.set(static_cast<double>(s.pipeline->queued()));
  // A disk that fails now is not waited for.
  if (s.stopping && (s.commits.empty() || !disk_works)) {
    self->quit();
    return;
  }
  if (s.pipeline->has_ready())
    schedule_flush(self, disk_works ? millis{0} : retry_after);
}

// -- opening a partition -----------------------------------------------------

result<opened_partition> finish_open(store_shell& s,
                                     const claim_answer& claim) {
  if (!claim.at)
    return claim.at.error();
  auto partition = claim.partition;
  if (auto caught = catch_up(*s.disk, *s.order, partition); !caught)
    return caught.error();
  applied_records mark{partition, *claim.at, {}};
  if (auto written = s.disk->write({&mark, 1}); !written)
    return written.error();
  s.pipeline->claimed(partition, claim.at->incarnation);
  opened_partition out;
  out.epoch = claim.at->epoch;
  out.position = claim.at->position;
  auto occupied = read_occupied(*s.disk, partition);
  if (!occupied)
    return occupied.error();
  out.occupied = std::move(*occupied);
  auto due = read_due(*s.disk, partition);
  if (!due)
    return due.error();
  out.due = std::move(*due);
  return out;
}

void take_claim(self_ptr self, const claim_answer& claim) {
  auto& s = self->state;
  if (s.claiming.erase(claim.partition) == 0)
    return;
  auto& queue = s.opens.at(claim.partition);
  auto promise = std::move(queue.front().answer);
  queue.pop_front();
  if (queue.empty()) {
    s.opens.erase(claim.partition);
    s.pipeline->release(claim.partition);
  }
  auto opened = finish_open(s, claim);
  auto number = std::to_string(claim.partition);
  if (opened) {
    s.remember("opened partition " + number + " under epoch "
               + std::to_string(opened->epoch));
    log(log_level::debug, "store", "opened_partition",
        {{"partition", claim.partition}, {"epoch", opened->epoch}});
  } else {
    s.remember("could not open partition " + number + ": "
               + opened.error().message);
    log(log_level::error, "store", "open_failed",
        {{"partition", claim.partition}, {"why", opened.error()}});
  }
  promise.deliver(share(std::move(opened)));
  schedule_flush(self, millis{0});
}

// -- partitions of others ----------------------------------------------------

// A claim or an append of ours came in between: what the tail says is old.
result<checkpoint> follow(store_shell& s, const follow_order& order) {
  auto at = s.disk->where(order.partition);
  if (!at)
    return at.error();
  if (s.opens.contains(order.partition) || !s.pipeline->idle(order.partition)
      || *at != order.from)
    return fail(errc::conflict, "the partition has moved since");
  if (auto applied = apply_tail(*s.disk, order.partition, order.tail); !applied)
    return applied.error();
  return s.disk->where(order.partition);
}

// -- requests ----------------------------------------------------------------

open_promise take_open(self_ptr self, const open_partition_ptr& what) {
  auto& s = self->state;
  auto promise = self->make_response_promise<opened_ptr>();
  auto refuse = [&](failure why) {
    promise.deliver(share(result<opened_partition>{std::move(why)}));
    return promise;
  };
  if (what->partition >= limits::partitions_max)
    return refuse(
      fail(errc::bad_request, "there is no such partition", "partition"));
  auto& queue = s.opens[what->partition];
  if (queue.size() >= limits::opens_per_partition)
    return refuse(fail(errc::unavailable, "too many claims wait"));
  s.pipeline->hold(what->partition);
  queue.push_back({what, promise});
  schedule_flush(self, millis{0});
  return promise;
}

commit_promise take_commit(self_ptr self, const commit& what) {
  auto& s = self->state;
  auto promise = self->make_response_promise<committed_ptr>();
  auto id = ++s.last_commit;
  if (auto pushed = s.pipeline->push(id, what); !pushed) {
    s.figures->refused.add();
    promise.deliver(share(result<position_t>{pushed.error()}));
    return promise;
  }
  s.commits.emplace(id, promise);
  schedule_flush(self, s.pipeline->in_flight() > 0 ? millis{0} : s.window);
  return promise;
}

inspection_ptr inspect_store(const store_shell& s) {
  auto figure
    = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  inspection out;
  out.actor = store_shell::name;
  out.figures = {
    {"commits_queued", figure(s.pipeline->queued())},
    {"bytes_queued", figure(s.pipeline->queued_bytes())},
    {"appends_in_flight", figure(s.pipeline->in_flight())},
    {"claims_in_flight", figure(s.claiming.size())},
    {"answers_owed", figure(s.commits.size())},
    {"commits", figure(s.figures->commits.value())},
    {"refused", figure(s.figures->refused.value())},
    {"writes", figure(s.figures->writes.value())},
    {"write_failures", figure(s.figures->write_failures.value())},
  };
  out.recent.assign(s.recent.begin(), s.recent.end());
  if (s.pipeline->has_ready())
    out.waiting_for = "the disk";
  else if (s.pipeline->in_flight() > 0 || !s.claiming.empty())
    out.waiting_for = "the journal";
  return std::make_shared<const inspection>(std::move(out));
}

store_actor::behavior_type store_behavior(self_ptr self,
                                          std::shared_ptr<store> disk,
                                          std::shared_ptr<journal> order,
                                          const store_config& config) {
  auto& s = self->state;
  s.disk = config.moved
             ? std::make_shared<watched_store>(std::move(disk), config.moved)
             : std::move(disk);
  s.order = std::move(order);
  s.figures = std::make_unique<store_figures>(*config.metrics);
  s.window = config.window;
  s.pipeline = std::make_unique<commit_pipeline>(
    [source = s.disk](partition_id partition, const session_key& session) {
      return read_keys(*source, partition, session, limits::erase_step);
    });
  return {
    [self](const open_partition_ptr& what) { return take_open(self, what); },
    [self](const load_session_ptr& what) {
      return share(
        read_session(*self->state.disk, what->partition, what->session));
    },
    [self](const commit_ptr& what) { return take_commit(self, *what); },
    [self](const follow_order_ptr& what) -> followed_ptr {
      return std::make_shared<const result<checkpoint>>(
        follow(self->state, *what));
    },
    [self](atoms::where, partition_id partition) -> followed_ptr {
      return std::make_shared<const result<checkpoint>>(
        self->state.disk->where(partition));
    },
    [self](const known_nodes_ptr& others) {
      if (auto kept = write_nodes(*self->state.disk, others->names); !kept)
        log(log_level::error, "store", "write_failed",
            {{"why", kept.error().message}});
    },
    [self](atoms::form, std::uint32_t form) {
      self->state.pipeline->write_as(form);
    },
    [self](const append_answer_ptr& answer) {
      self->state.pipeline->appended(answer->partition, answer->ticket,
                                     answer->where);
      schedule_flush(self, millis{0});
    },
    [self](const claim_answer_ptr& answer) { take_claim(self, *answer); },
    [self](atoms::flush) { flush(self); },
    [self](atoms::stop) {
      self->state.stopping = true;
      flush(self);
    },
    [self](atoms::inspect) { return inspect_store(self->state); },
  };
}

} // namespace

store_actor spawn_store(caf::actor_system& system, std::shared_ptr<store> disk,
                        std::shared_ptr<journal> order,
                        const store_config& config) {
  if (config.detached)
    return system.spawn<caf::detached>(store_behavior, std::move(disk),
                                       std::move(order), config);
  return system.spawn(store_behavior, std::move(disk), std::move(order),
                      config);
}

} // namespace rollcall
