#pragma once

// Which partitions the standby actor looks at next. Pure.

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace rollcall::cluster {

/// Every partition comes round once in `limits::standby_round` ticks, and
/// those that are urgent at once: at most limits::standby_urgent a tick.
class standby_plan {
public:
  explicit standby_plan(std::uint32_t partitions) : partitions_(partitions) {
    // nop
  }

  /// For one tick; no partition twice.
  [[nodiscard]] std::vector<partition_id>
  pick(const std::function<bool(partition_id)>& is_urgent) {
    std::vector<partition_id> out;
    for (std::uint32_t i = 0;
         i < partitions_ && out.size() < limits::standby_urgent; ++i) {
      auto partition = (urgent_from_ + i) % partitions_;
      if (is_urgent(partition))
        out.push_back(partition);
    }
    // Who was left out comes first the next time.
    if (out.size() == limits::standby_urgent)
      urgent_from_ = (out.back() + 1) % partitions_;
    auto count
      = (partitions_ + limits::standby_round - 1) / limits::standby_round;
    for (std::uint32_t i = 0; i < count; ++i) {
      auto partition = next_;
      next_ = (next_ + 1) % partitions_;
      if (std::find(out.begin(), out.end(), partition) == out.end())
        out.push_back(partition);
    }
    return out;
  }

private:
  std::uint32_t partitions_;
  std::uint32_t urgent_from_ = 0;
  std::uint32_t next_ = 0;
};

} // namespace rollcall::cluster
