#include "cluster/nats_journal.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

failure no_partition() {
  return fail(errc::bad_request, "there is no such partition", "partition");
}

failure has_ended() {
  return fail(errc::unavailable, "the journal has ended");
}

} // namespace

struct nats_journal::state {
  /// One claim or append; `refuse` answers it without doing anything.
  struct work {
    std::function<void(nats_lane&, steady_time)> run;
    std::function<void(const failure&)> refuse;
    steady_time until;
  };

  /// A partition and what is to be done in it, one after the other.
  struct strand {
    nats_lane lane;
    std::deque<work> waiting;
    bool busy = false;

    strand(state& of, partition_id partition)
      : lane(*of.ask, of.names, of.config, partition) {
      // nop
    }
  };

  nats_journal_config config;
  subjects names;
  where stored;
  std::unique_ptr<nats_requests> ask;

  std::mutex mutex;
  std::condition_variable changed;
  std::array<std::unique_ptr<strand>, limits::partitions_max> strands;
  /// Strands with work and nobody at it.
  std::deque<strand*> ready;
  bool stopping = false;
  std::vector<std::thread> threads;

  state(const nats_options& options, const nats_journal_config& with,
        where from, std::unique_ptr<nats_requests> over)
    : config(with),
      names(options.cluster),
      stored(std::move(from)),
      ask(std::move(over)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(with.threads, 1); ++i)
      threads.emplace_back([this] { serve(); });
  }

  ~state() {
    {
      std::lock_guard guard{mutex};
      stopping = true;
    }
    changed.notify_all();
    ask->stop();
    for (auto& one : threads)
      one.join();
    for (auto& one : strands)
      while (one && !one->waiting.empty()) {
        one->waiting.front().refuse(has_ended());
        one->waiting.pop_front();
      }
  }

  // Under `mutex`.
  strand& strand_of(partition_id partition) {
    auto& out = strands.at(partition);
    if (!out)
      out = std::make_unique<strand>(*this, partition);
    return *out;
  }

  void submit(partition_id partition, work item) {
    item.until = clock::now() + config.patience;
    std::unique_lock guard{mutex};
    auto& to = strand_of(partition);
    if (stopping || to.waiting.size() >= limits::journal_queue) {
      auto why = stopping
                   ? has_ended()
                   : fail(errc::unavailable, "too much waits for the journal");
      guard.unlock();
      item.refuse(why);
      return;
    }
    to.waiting.push_back(std::move(item));
    if (!to.busy) {
      to.busy = true;
      ready.push_back(&to);
      changed.notify_one();
    }
  }

  void serve() {
    std::unique_lock guard{mutex};
    for (;;) {
      changed.wait(guard, [&] { return stopping || !ready.empty(); });
      if (stopping)
        return;
      auto& at = *ready.front();
      ready.pop_front();
      auto more = at.waiting.empty() ? spread(at, guard) : run(at, guard);
      if (more || !at.waiting.empty())
        ready.push_back(&at);
      else
        at.busy = false;
    }
  }

  // Whether the strand is to come again.
  bool run(strand& at, std::unique_lock<std::mutex>& guard) {
    auto item = std::move(at.waiting.front());
    at.waiting.pop_front();
    guard.unlock();
    if (clock::now() >= item.until)
      item.refuse(fail(errc::unavailable, "the journal is busy"));
    else
      item.run(at.lane, item.until);
    auto more = at.lane.wants_spreading();
    guard.lock();
    return more;
  }

  // In the time that nobody wants; the partition's own work comes first.
  bool spread(strand& at, std::unique_lock<std::mutex>& guard) {
    guard.unlock();
    auto more = at.lane.spread_one(clock::now() + config.patience)
                && at.lane.wants_spreading();
    guard.lock();
    return more;
  }
};

nats_journal::nats_journal(std::unique_ptr<state> made)
  : state_(std::move(made)) {
  // nop
}

nats_journal::~nats_journal() = default;

result<std::unique_ptr<nats_journal>>
nats_journal::open(const nats_options& options,
                   const nats_journal_config& config, where stored) {
  auto ask = nats_requests::open(options);
  if (!ask)
    return ask.error();
  return std::unique_ptr<nats_journal>{new nats_journal{std::make_unique<state>(
    options, config, std::move(stored), std::move(*ask))}};
}

void nats_journal::claim(partition_id partition, const node_id& who,
                         claimed answer) {
  if (partition >= limits::partitions_max) {
    answer(no_partition());
    return;
  }
  auto at = state_->stored(partition);
  if (!at) {
    answer(at.error());
    return;
  }
  auto reply = std::make_shared<claimed>(std::move(answer));
  state_->submit(
    partition,
    {[reply, who, stored = *at](auto& lane, auto until) {
       auto got = lane.claim(who, stored, until);
       if (got)
         log(log_level::info, "journal", "claimed", {{"epoch", got->epoch}});
       (*reply)(std::move(got));
     },
     [reply](const failure& why) { (*reply)(why); },
     {}});
}

void nats_journal::append(partition_id partition, epoch_t epoch,
                          std::span<const encoded_record> records,
                          appended answer) {
  if (partition >= limits::partitions_max) {
    answer(no_partition());
    return;
  }
  auto reply = std::make_shared<appended>(std::move(answer));
  auto copy = std::make_shared<std::vector<encoded_record>>(records.begin(),
                                                            records.end());
  state_->submit(partition,
                 {[reply, epoch, copy](auto& lane, auto until) {
                    (*reply)(lane.append(epoch, std::move(*copy), until));
                  },
                  [reply](const failure& why) { (*reply)(why); },
                  {}});
}

result<journal_tail> nats_journal::follow(partition_id partition,
                                          const checkpoint& from,
                                          std::size_t bytes) {
  if (partition >= limits::partitions_max)
    return no_partition();
  nats_lane* lane = nullptr;
  {
    std::lock_guard guard{state_->mutex};
    lane = &state_->strand_of(partition).lane;
  }
  return lane->follow(from, bytes);
}

result<done> nats_journal::make_anew(partition_id partition,
                                     const checkpoint& stored,
                                     const content& read) {
  if (partition >= limits::partitions_max)
    return no_partition();
  // Not the strand's: what it knows is of the journal before.
  nats_lane lane{*state_->ask, state_->names, state_->config, partition};
  return lane.make_anew(stored, read);
}

} // namespace rollcall::cluster
