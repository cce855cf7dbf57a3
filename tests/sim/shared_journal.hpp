#pragma once

// The journal of several nodes in one process: one log per partition, with
// the claims and the fence of the real one, and the same ways to go wrong.

#include "actors/ports.hpp"

#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace rollcall::sim {

/// What all nodes append to.
class shared_log {
public:
  struct entry {
    position_t at = 0;
    epoch_t epoch = 0;
    std::vector<encoded_record> records;
  };

  struct stream {
    std::vector<entry> entries;
    position_t last = 0;
    epoch_t claim = 0;
  };

  stream& of(partition_id partition) {
    return streams_[partition];
  }

  /// While off nobody can write: a stream without a leader.
  bool works = true;
  /// The planted bug: appends under an old claim are taken.
  bool fence = true;

private:
  std::map<partition_id, stream> streams_;
};

/// One node's way to the log. Answers at once.
class shared_journal final : public journal {
public:
  explicit shared_journal(std::shared_ptr<shared_log> log)
    : log_(std::move(log)) {
    // nop
  }

  void claim(partition_id partition, const node_id&, claimed answer) override {
    if (!reachable()) {
      answer(fail(errc::unavailable, "the journal is away"));
      return;
    }
    auto& to = log_->of(partition);
    to.claim = epoch_generation_unit + ++to.last;
    answer(checkpoint{1, to.last, to.claim});
  }

  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override {
    if (!reachable()) {
      answer(fail(errc::unavailable, "the journal is away"));
      return;
    }
    auto& to = log_->of(partition);
    if (log_->fence && epoch != to.claim) {
      answer(fail(errc::conflict, "a later claim is in force"));
      return;
    }
    to.entries.push_back({++to.last, epoch, {records.begin(), records.end()}});
    answer(to.last);
  }

  result<done> replay(partition_id partition, position_t from,
                      const replayed& each) override {
    if (!reachable())
      return fail(errc::unavailable, "the journal is away");
    for (const auto& one : log_->of(partition).entries)
      if (one.at > from)
        each(one.at, one.epoch, one.records);
    return done{};
  }

  /// This node is cut off from the log.
  bool cut = false;

private:
  [[nodiscard]] bool reachable() const {
    return log_->works && !cut;
  }

  std::shared_ptr<shared_log> log_;
};

} // namespace rollcall::sim
