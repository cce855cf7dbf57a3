#pragma once

// The journal of several nodes in one process: one log per partition, with
// the claims, the fence and the generations of the real one, and the same
// ways to go wrong.

#include "actors/ports.hpp"
#include "cluster/stream_standing.hpp"

#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
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
    cluster::journal_marker marker;
    std::vector<entry> entries;
    position_t last = 0;
    epoch_t claim = 0;
    bool sealed = false;
    /// Of one that was made anew.
    std::optional<checkpoint> base;
    position_t base_end = 0;
  };

  /// The youngest of the partition; null when there is none.
  stream* find(partition_id partition) {
    auto& all = streams_[partition];
    return all.empty() ? nullptr : &std::prev(all.end())->second;
  }

  stream& make(partition_id partition, std::uint64_t generation) {
    auto& made = streams_[partition][generation];
    made.marker = {generation, ++incarnations_};
    return made;
  }

  /// Everything of the partition is gone.
  void lose(partition_id partition) {
    streams_[partition].clear();
  }

  /// The youngest comes back as it was at `position`.
  void cut(partition_id partition, position_t position) {
    auto* at = find(partition);
    if (at == nullptr || at->last <= position)
      return;
    std::erase_if(at->entries,
                  [&](const entry& one) { return one.at > position; });
    at->last = position;
    if (at->claim % epoch_generation_unit > position)
      at->claim = at->entries.empty() ? 0 : at->entries.back().epoch;
  }

  /// While off nobody can write: a stream without a leader.
  bool works = true;
  /// The planted bug: appends under an old claim are taken.
  bool fence = true;
  /// The planted bug: stores follow whatever stream there is.
  bool judges = true;

private:
  std::map<partition_id, std::map<std::uint64_t, stream>> streams_;
  std::uint64_t incarnations_ = 0;
};

/// One node's way to the log. Answers at once.
class shared_journal final : public journal {
public:
  using where = std::function<checkpoint(partition_id)>;
  using heard = std::function<std::vector<checkpoint>(partition_id)>;

  explicit shared_journal(std::shared_ptr<shared_log> log, where stored,
                          heard copies = {})
    : log_(std::move(log)),
      stored_(std::move(stored)),
      heard_(std::move(copies)) {
    // nop
  }

  void claim(partition_id partition, const node_id&, claimed answer) override {
    auto judged = stand(partition, stored_(partition));
    if (!judged) {
      answer(judged.error());
      return;
    }
    auto* to = log_->find(partition);
    if (to == nullptr)
      to = &log_->make(partition, 1);
    to->claim = make_epoch(to->marker, ++to->last);
    answer(checkpoint{to->marker.generation, to->last, to->claim,
                      to->marker.incarnation});
  }

  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override {
    auto* to = log_->find(partition);
    if (!reachable() || to == nullptr) {
      answer(fail(errc::unavailable, "the journal is away"));
      return;
    }
    if (log_->fence && (epoch != to->claim || to->sealed)) {
      answer(fail(errc::conflict, "a later claim is in force"));
      return;
    }
    to->entries.push_back(
      {++to->last, epoch, {records.begin(), records.end()}});
    answer(to->last);
  }

  result<journal_tail> follow(partition_id partition, const checkpoint& from,
                              std::size_t) override {
    auto judged = stand(partition, from);
    if (!judged)
      return judged.error();
    journal_tail out;
    out.way = judged->way;
    out.start = judged->start;
    auto* at = log_->find(partition);
    if (at == nullptr)
      return out;
    checkpoint next{at->marker.generation, out.start.position, out.start.epoch,
                    at->marker.incarnation};
    for (const auto& one : at->entries) {
      if (one.at <= out.start.position)
        continue;
      next.position = one.at;
      next.epoch = one.epoch;
      out.groups.push_back({partition, next, one.records});
    }
    if (at->last > next.position) {
      next.position = at->last;
      next.epoch = std::max(next.epoch, at->claim);
      out.groups.push_back({partition, next, {}});
    }
    return out;
  }

  result<done> make_anew(partition_id partition, const checkpoint& stored,
                         const content& read) override {
    auto judged = stand(partition, stored);
    if (judged)
      return done{};
    if (!can_be_made_anew(judged.error()))
      return judged.error();
    auto* before = log_->find(partition);
    auto generation = stored.generation;
    if (before != nullptr) {
      before->sealed = true;
      generation = std::max(generation, before->marker.generation);
    }
    auto& made = log_->make(partition, generation + 1);
    std::vector<encoded_record> all;
    auto given = read([&](auto key, auto value) {
      all.push_back({std::string{key}, std::string{value}});
      return true;
    });
    if (!given)
      return given;
    made.entries.push_back(
      {++made.last, make_epoch(made.marker, 0), std::move(all)});
    made.base = stored;
    made.base_end = ++made.last;
    return done{};
  }

  /// This node is cut off from the log.
  bool cut = false;

private:
  [[nodiscard]] bool reachable() const {
    return log_->works && !cut;
  }

  [[nodiscard]] result<cluster::standing> stand(partition_id partition,
                                                const checkpoint& at) {
    if (!reachable())
      return fail(errc::unavailable, "the journal is away");
    if (!log_->judges)
      return cluster::standing{restore_way::tail, at};
    cluster::stream_facts facts;
    if (const auto* found = log_->find(partition)) {
      facts.exists = true;
      facts.generation = found->marker.generation;
      facts.label = cluster::journal_label{found->marker, 0};
      facts.last = found->last;
      facts.claim = found->claim % epoch_generation_unit;
      facts.sealed = found->sealed;
      facts.base = found->base;
      facts.base_end = found->base_end;
    }
    cluster::standing_query about;
    about.stored = at;
    if (heard_)
      about.heard = heard_(partition);
    return cluster::judge(facts, about);
  }

  std::shared_ptr<shared_log> log_;
  where stored_;
  heard heard_;
};

} // namespace rollcall::sim
