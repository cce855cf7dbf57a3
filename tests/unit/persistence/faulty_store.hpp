#pragma once

// A store whose disk stops working after so many writes.

#include "persistence/memory_store.hpp"

#include <cstddef>
#include <limits>

namespace rollcall {

class faulty_store final : public store {
public:
  std::size_t writes_left = std::numeric_limits<std::size_t>::max();
  std::size_t written = 0;
  std::size_t largest = 0;
  memory_store inside;

  result<done> write(std::span<const applied_records> groups) override {
    if (writes_left == 0)
      return fail(errc::unavailable, "the disk is gone");
    --writes_left;
    ++written;
    for (const auto& group : groups)
      largest = std::max(largest, group.records.size());
    return inside.write(groups);
  }

  result<checkpoint> where(partition_id partition) override {
    return inside.where(partition);
  }

  result<std::optional<std::string>> get(std::string_view key) override {
    return inside.get(key);
  }

  result<done> scan(std::string_view prefix, const visitor& visit) override {
    return inside.scan(prefix, visit);
  }

  result<done> walk(std::string_view prefix, std::string_view start,
                    walk_way way, const visitor& visit) override {
    return inside.walk(prefix, start, way, visit);
  }
};

} // namespace rollcall
