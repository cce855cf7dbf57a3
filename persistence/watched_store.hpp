#pragma once

// A store that tells where its partitions stand.

#include "actors/ports.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace rollcall {

/// Over another store. `moved` is told of every write that succeeded, before
/// the write returns and on its thread.
class watched_store final : public store {
public:
  using told = std::function<void(partition_id, const checkpoint&)>;

  watched_store(std::shared_ptr<store> at, told moved)
    : at_(std::move(at)), moved_(std::move(moved)) {
    // nop
  }

  result<done> write(std::span<const applied_records> groups) override {
    auto written = at_->write(groups);
    if (written)
      for (const auto& group : groups)
        moved_(group.partition, group.at);
    return written;
  }

  result<checkpoint> where(partition_id partition) override {
    return at_->where(partition);
  }

  result<std::optional<std::string>> get(std::string_view key) override {
    return at_->get(key);
  }

  result<done> scan(std::string_view prefix, const visitor& visit) override {
    return at_->scan(prefix, visit);
  }

  result<done> walk(std::string_view prefix, std::string_view start,
                    walk_way way, const visitor& visit) override {
    return at_->walk(prefix, start, way, visit);
  }

private:
  std::shared_ptr<store> at_;
  told moved_;
};

} // namespace rollcall
