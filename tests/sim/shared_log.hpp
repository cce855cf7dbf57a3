#pragma once

// What the nodes of a simulation append to: the streams of all partitions,
// with their generations, and the ways in which they go wrong. One thread.

#include "actors/ports.hpp"
#include "cluster/journal_format.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::sim {

class shared_log {
public:
  struct entry {
    position_t at = 0;
    epoch_t epoch = 0;
    std::vector<encoded_record> records;
  };

  /// One generation of a partition.
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

  /// Bugs, to prove that the checks see them.
  struct planted {
    /// Appends are taken whatever they expect.
    bool no_fence = false;
    /// After a refusal the expectation lines up with the log again, as it does
    /// for a writer with several appends in flight.
    bool realigns = false;
    /// An append is answered before the log has it.
    bool answers_early = false;
    /// A journal is made anew from a copy that had not followed to the end.
    bool reseeds_stale = false;
  };

  /// The youngest of the partition; null when there is none.
  [[nodiscard]] stream* find(partition_id partition) {
    auto& all = streams_[partition];
    return all.empty() ? nullptr : &std::prev(all.end())->second;
  }

  [[nodiscard]] stream* find(partition_id partition, std::uint64_t generation) {
    auto& all = streams_[partition];
    auto at = all.find(generation);
    return at == all.end() ? nullptr : &at->second;
  }

  stream& make(partition_id partition, std::uint64_t generation) {
    auto& made = streams_[partition][generation];
    made.marker = {generation, ++incarnations_};
    return made;
  }

  /// Everything of the partition is gone.
  void lose(partition_id partition) {
    keep_stale(partition);
    streams_[partition].clear();
  }

  /// The youngest comes back as it was at `position`.
  void cut(partition_id partition, position_t position) {
    auto* at = find(partition);
    if (at == nullptr || at->last <= position)
      return;
    keep_stale(partition);
    std::erase_if(at->entries,
                  [&](const entry& one) { return one.at > position; });
    at->last = position;
    if (at->claim % epoch_generation_unit > position)
      at->claim = at->entries.empty() ? 0 : at->entries.back().epoch;
  }

  void take(partition_id partition, stream& to, epoch_t epoch,
            std::vector<encoded_record> records) {
    if (epoch != to.claim)
      complaints.push_back("partition " + std::to_string(partition)
                           + " took a record of " + std::to_string(epoch)
                           + " under the claim " + std::to_string(to.claim));
    to.entries.push_back({++to.last, epoch, std::move(records)});
  }

  /// The content of a partition: all records of the youngest stream, folded.
  [[nodiscard]] std::map<std::string, std::string>
  fold(partition_id partition) {
    std::map<std::string, std::string> out;
    const auto* from = find(partition);
    if (from == nullptr)
      return out;
    for (const auto& one : from->entries)
      for (const auto& item : one.records) {
        if (item.value)
          out[item.key] = *item.value;
        else
          out.erase(item.key);
      }
    return out;
  }

  /// A copy from before a loss that lacks the last few records.
  [[nodiscard]] const std::map<std::string, std::string>&
  stale_copy(partition_id partition) {
    return stale_[partition];
  }

  /// While not zero nobody can write or read: a stream without a leader.
  int away = 0;
  /// Replays fail: a consumer that stalls.
  bool stalls = false;
  /// One acknowledgement in so many never arrives; zero: all do.
  std::uint32_t lost_acks = 0;
  /// Replaced values may be left out.
  bool compacts = true;
  planted bugs;
  std::vector<std::string> complaints;
  std::uint64_t acks_lost = 0;
  std::uint64_t left_out = 0;

private:
  void keep_stale(partition_id partition) {
    auto* from = find(partition);
    if (!bugs.reseeds_stale || from == nullptr)
      return;
    auto whole = from->entries;
    from->entries.resize(whole.size() - std::min<std::size_t>(whole.size(), 3));
    stale_[partition] = fold(partition);
    from->entries = std::move(whole);
  }

  std::map<partition_id, std::map<std::uint64_t, stream>> streams_;
  std::map<partition_id, std::map<std::string, std::string>> stale_;
  std::uint64_t incarnations_ = 0;
};

} // namespace rollcall::sim
