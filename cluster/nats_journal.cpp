#include "cluster/nats_journal.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/strands.hpp"

#include <algorithm>
#include <array>
#include <mutex>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

failure no_partition() {
  return fail(errc::bad_request, "there is no such partition", "partition");
}

} // namespace

struct nats_journal::state {
  nats_journal_config config;
  subjects names;
  where stored;
  std::unique_ptr<nats_requests> ask;

  std::mutex mutex;
  std::array<std::unique_ptr<nats_lane>, limits::partitions_max> lanes;
  strands threads;

  state(const nats_options& options, const nats_journal_config& with,
        where from, std::unique_ptr<nats_requests> over)
    : config(with),
      names(options.cluster),
      stored(std::move(from)),
      ask(std::move(over)),
      threads({.threads = std::max<std::size_t>(with.threads, 1)},
              limits::partitions_max,
              [this](std::size_t partition, bool may_work) {
                return spread(partition, may_work);
              }) {
    // nop
  }

  ~state() {
    threads.end([this] { ask->stop(); });
  }

  nats_lane& lane_of(std::size_t partition) {
    std::lock_guard guard{mutex};
    auto& out = lanes.at(partition);
    if (!out)
      out = std::make_unique<nats_lane>(*ask, names, config,
                                        static_cast<partition_id>(partition));
    return *out;
  }

  // In the time that nobody wants; the partition's own work comes first.
  bool spread(std::size_t partition, bool may_work) {
    auto& lane = lane_of(partition);
    if (may_work && !lane.spread_one(clock::now() + config.patience))
      return false;
    return lane.wants_spreading();
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
  auto& lane = state_->lane_of(partition);
  state_->threads.submit(
    partition,
    {[reply, &lane, partition, who, stored = *at](auto until) {
       auto begin = clock::now();
       auto got = lane.claim(who, stored, until);
       if (got)
         log(log_level::info, "journal", "claimed",
             {{"partition", partition},
              {"epoch", got->epoch},
              {"took_ms",
               std::chrono::duration_cast<millis>(clock::now() - begin)}});
       (*reply)(std::move(got));
     },
     [reply](const failure& why) { (*reply)(why); }},
    state_->config.claim_patience);
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
  auto& lane = state_->lane_of(partition);
  state_->threads.submit(partition,
                         {[reply, &lane, epoch, copy](auto until) {
                            (*reply)(
                              lane.append(epoch, std::move(*copy), until));
                          },
                          [reply](const failure& why) { (*reply)(why); }},
                         state_->config.patience);
}

result<journal_tail> nats_journal::follow(partition_id partition,
                                          const checkpoint& from,
                                          std::size_t bytes) {
  if (partition >= limits::partitions_max)
    return no_partition();
  return state_->lane_of(partition).follow(from, bytes);
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

result<done> nats_journal::give_up(partition_id partition,
                                   const checkpoint& stored) {
  if (partition >= limits::partitions_max)
    return no_partition();
  return state_->lane_of(partition).give_up(stored);
}

void nats_journal::interrupt() noexcept {
  state_->ask->stop();
}

} // namespace rollcall::cluster
