#include "persistence/recovery.hpp"

#include "actors/base/limits.hpp"

#include <vector>

namespace rollcall {

result<done> catch_up(store& disk, journal& order, partition_id partition,
                      std::uint64_t generation) {
  auto stored = disk.where(partition);
  if (!stored)
    return stored.error();
  std::vector<applied_records> gathered;
  std::size_t bytes = 0;
  result<done> applied = done{};
  auto apply = [&] {
    if (applied && !gathered.empty())
      applied = disk.write(gathered);
    gathered.clear();
    bytes = 0;
  };
  auto replayed = order.replay(
    partition, stored->position,
    [&](position_t position, epoch_t epoch,
        std::span<const encoded_record> records) {
      for (const auto& item : records)
        bytes += item.key.size() + (item.value ? item.value->size() : 0);
      gathered.push_back({partition,
                          {generation, position, epoch},
                          {records.begin(), records.end()}});
      if (bytes >= limits::group_bytes)
        apply();
    });
  if (!replayed)
    return replayed;
  apply();
  return applied;
}

bool journal_keeps(store& disk, journal& order, partition_id partition,
                   position_t at) {
  auto stored = disk.where(partition);
  if (!stored)
    return true;
  bool found = false;
  auto replayed = order.replay(
    partition, stored->position,
    [&](position_t position, epoch_t, std::span<const encoded_record>) {
      found = found || position == at;
    });
  return found || !replayed;
}

} // namespace rollcall
