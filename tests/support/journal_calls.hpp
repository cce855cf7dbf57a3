#pragma once

// A journal as calls that wait, and one over a test's own nats-server.

#include "actors/base/limits.hpp"
#include "actors/ports.hpp"
#include "cluster/nats_journal.hpp"
#include "support/nats_server.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

inline constexpr std::chrono::seconds answer_patience{20};

/// An append that has begun. Its records live as long as it does.
class pending_append {
public:
  pending_append(journal& to, partition_id partition, epoch_t epoch,
                 std::vector<encoded_record> records)
    : answer_(std::make_shared<std::promise<result<position_t>>>()),
      got_(answer_->get_future()) {
    to.append(partition, epoch, records,
              [answer = answer_](result<position_t> at) {
                answer->set_value(std::move(at));
              });
  }

  result<position_t> wait() {
    if (got_.wait_for(answer_patience) != std::future_status::ready)
      return fail(errc::internal, "no answer");
    return got_.get();
  }

  [[nodiscard]] bool ended_within(millis time) const {
    return got_.wait_for(time) == std::future_status::ready;
  }

private:
  std::shared_ptr<std::promise<result<position_t>>> answer_;
  std::future<result<position_t>> got_;
};

inline result<position_t> append_and_wait(journal& to, partition_id partition,
                                          epoch_t epoch,
                                          std::vector<encoded_record> records) {
  return pending_append{to, partition, epoch, std::move(records)}.wait();
}

inline result<checkpoint> claim_and_wait(journal& at, partition_id partition,
                                         const node_id& who) {
  auto answer = std::make_shared<std::promise<result<checkpoint>>>();
  auto got = answer->get_future();
  at.claim(partition, who, [answer](result<checkpoint> claimed) {
    answer->set_value(std::move(claimed));
  });
  if (got.wait_for(answer_patience) != std::future_status::ready)
    return fail(errc::internal, "no answer");
  return got.get();
}

/// Calls `each` for what a store at `from` lacks, in order.
template <class Each>
result<done> replay(journal& of, partition_id partition, checkpoint from,
                    Each each) {
  for (;;) {
    auto tail = of.follow(partition, from, limits::group_bytes);
    if (!tail)
      return tail.error();
    for (const auto& one : tail->groups)
      if (!one.records.empty())
        each(one.at.position, one.at.epoch, one.records);
    if (!tail->more)
      return done{};
    from = tail->groups.back().at;
  }
}

inline cluster::nats_options options_for(const nats_server& server) {
  cluster::nats_options out;
  out.urls = {server.url()};
  out.cluster = "test";
  return out;
}

/// What tests have the patience for.
inline cluster::nats_journal_config quick_config() {
  cluster::nats_journal_config out;
  out.stream_bytes = std::int64_t{64} << 20;
  out.patience = millis{3'000};
  out.doubt_patience = out.patience;
  out.claim_patience = out.patience;
  out.threads = 2;
  return out;
}

/// A journal for the node whose store is `disk`.
inline std::unique_ptr<cluster::nats_journal>
open_journal(const nats_server& server, std::shared_ptr<store> disk,
             const cluster::nats_journal_config& config = quick_config()) {
  auto out = cluster::nats_journal::open(
    options_for(server), config,
    [disk](partition_id partition) { return disk->where(partition); });
  if (!out)
    throw std::runtime_error(out.error().message);
  return std::move(*out);
}

} // namespace rollcall::test
