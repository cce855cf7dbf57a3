#include "persistence/memory_store.hpp"

#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

namespace rollcall {

result<done> memory_store::write(std::span<const applied_records> groups) {
  if (auto why = next_failure(failing_writes_, write_failure_))
    return *why;
  auto apply = [&](content& to) {
    for (const auto& group : groups) {
      for (const auto& item : group.records)
        if (item.value)
          to.insert_or_assign(item.key, *item.value);
        else
          to.erase(item.key);
      if (group.partition != store_wide)
        to.insert_or_assign(keys::of_checkpoint(group.partition),
                            encode_checkpoint(group.at));
    }
  };
  apply(now_);
  if (syncing_)
    apply(synced_);
  ++writes_;
  return done{};
}

result<checkpoint> memory_store::where(partition_id partition) {
  auto value = get(keys::of_checkpoint(partition));
  if (!value)
    return value.error();
  if (!*value)
    return checkpoint{};
  return decode_checkpoint(**value);
}

result<std::optional<std::string>> memory_store::get(std::string_view key) {
  if (auto why = next_failure(failing_reads_, read_failure_))
    return *why;
  auto found = now_.find(key);
  if (found == now_.end())
    return std::optional<std::string>{};
  return std::optional<std::string>{found->second};
}

result<done> memory_store::scan(std::string_view prefix, const visitor& visit) {
  if (auto why = next_failure(failing_reads_, read_failure_))
    return *why;
  auto at = now_.lower_bound(prefix);
  while (at != now_.end() && at->first.starts_with(prefix)) {
    // The visitor may erase the very entry it is shown.
    const auto key = at->first;
    const auto value = at->second;
    if (!visit(key, value))
      break;
    at = now_.upper_bound(key);
  }
  return done{};
}

result<done> memory_store::walk(std::string_view prefix, std::string_view start,
                                walk_way way, const visitor& visit) {
  if (auto why = next_failure(failing_reads_, read_failure_))
    return *why;
  if (way == walk_way::up) {
    auto at
      = start.empty() ? now_.lower_bound(prefix) : now_.upper_bound(start);
    for (; at != now_.end() && at->first.starts_with(prefix); ++at)
      if (!visit(at->first, at->second))
        break;
    return done{};
  }
  auto end = std::string{start.empty() ? prefix : start};
  auto at = now_.lower_bound(end);
  if (start.empty())
    while (at != now_.end() && at->first.starts_with(prefix))
      ++at;
  while (at != now_.begin() && (--at)->first.starts_with(prefix))
    if (!visit(at->first, at->second))
      break;
  return done{};
}

void memory_store::fail_writes(std::size_t count, failure why) {
  failing_writes_ = count;
  write_failure_ = std::move(why);
}

void memory_store::fail_reads(std::size_t count, failure why) {
  failing_reads_ = count;
  read_failure_ = std::move(why);
}

void memory_store::syncing(bool on) {
  syncing_ = on;
  if (on)
    synced_ = now_;
}

void memory_store::crash() {
  now_ = synced_;
}

std::size_t memory_store::writes() const noexcept {
  return writes_;
}

std::optional<failure> memory_store::next_failure(std::size_t& count,
                                                  const failure& why) {
  if (count == 0)
    return std::nullopt;
  --count;
  return why;
}

} // namespace rollcall
