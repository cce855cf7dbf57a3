#pragma once

// How long to wait before a question is asked again.

#include "actors/base/hash.hpp"
#include "actors/base/instant.hpp"

#include <algorithm>
#include <cstdint>

namespace rollcall::cluster {

/// Longer each time, and spread out, so that partitions do not all come back
/// at once. Owned by who asks.
class backoff {
public:
  [[nodiscard]] millis next() {
    auto half = pause_.count() / 2;
    auto more = random_u64() % static_cast<std::uint64_t>(half + 1);
    pause_ = std::min(2 * pause_, most);
    return millis{half + static_cast<millis::rep>(more)};
  }

private:
  static constexpr millis most{250};

  millis pause_{50};
};

} // namespace rollcall::cluster
