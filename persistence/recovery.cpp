#include "persistence/recovery.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"

#include <string>
#include <utility>

namespace rollcall {

namespace {

// All at once: a store that is half of one journal and half of another is
// neither's prefix.
result<done> empty(store& disk, partition_id partition,
                   const checkpoint& start) {
  applied_records out{partition, start, {}};
  auto read = read_partition(disk, partition, [&](auto key, auto) {
    out.records.push_back({std::string{key}, std::nullopt});
    return true;
  });
  if (!read)
    return read;
  return disk.write({&out, 1});
}

} // namespace

result<done> apply_tail(store& disk, partition_id partition,
                        const journal_tail& tail) {
  if (tail.way == restore_way::whole) {
    if (auto emptied = empty(disk, partition, tail.start); !emptied)
      return emptied;
  } else if (tail.way == restore_way::adopt) {
    applied_records mark{partition, tail.start, {}};
    if (auto marked = disk.write({&mark, 1}); !marked)
      return marked;
  }
  return tail.groups.empty() ? result<done>{done{}} : disk.write(tail.groups);
}

result<done> catch_up(store& disk, journal& order, partition_id partition) {
  for (;;) {
    auto stored = disk.where(partition);
    if (!stored)
      return stored.error();
    auto tail = order.follow(partition, *stored, limits::group_bytes);
    if (!tail)
      return tail.error();
    if (auto applied = apply_tail(disk, partition, *tail); !applied)
      return applied;
    if (!tail->more)
      return done{};
  }
}

bool journal_keeps(store& disk, journal& order, partition_id partition,
                   position_t at) {
  auto from = disk.where(partition);
  if (!from)
    return true;
  for (;;) {
    auto tail = order.follow(partition, *from, limits::group_bytes);
    if (!tail || tail->way != restore_way::tail)
      return true;
    for (const auto& one : tail->groups)
      if (one.at.position == at && !one.records.empty())
        return true;
    if (!tail->more)
      return false;
    *from = tail->groups.back().at;
  }
}

result<done> read_partition(
  store& disk, partition_id partition,
  const std::function<bool(std::string_view, std::string_view)>& visit) {
  const auto own = keys::of_checkpoint(partition);
  return disk.scan(keys::prefix(partition), [&](auto key, auto value) {
    return key == own || visit(key, value);
  });
}

} // namespace rollcall
