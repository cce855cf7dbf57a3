#pragma once

// Token buckets: so many per second, so many at once. Pure.

#include "actors/base/instant.hpp"

#include <algorithm>
#include <cmath>

namespace rollcall {

/// How much is allowed. One rule serves many buckets.
struct rate_rule {
  double per_second = 100;
  double burst = 200;
};

/// One bucket; starts full. Times are steady and may stand still.
class token_bucket {
public:
  /// Takes `cost` tokens if they are there.
  [[nodiscard]] bool take(const rate_rule& rule, double cost,
                          millis now) noexcept {
    refill(rule, now);
    if (spent_ + cost > rule.burst)
      return false;
    spent_ += cost;
    return true;
  }

  /// Takes `cost` tokens even where they are missing. Returns whether the
  /// bucket is in debt now.
  bool charge(const rate_rule& rule, double cost, millis now) noexcept {
    refill(rule, now);
    spent_ += cost;
    return spent_ > rule.burst;
  }

  /// How long after the last call until `tokens` are there; at least 1 ms
  /// when they are not.
  [[nodiscard]] millis wait(const rate_rule& rule,
                            double tokens) const noexcept {
    const auto missing = spent_ + tokens - rule.burst;
    if (missing <= 0)
      return millis{0};
    return millis{
      static_cast<millis::rep>(std::ceil(missing * 1000 / rule.per_second))};
  }

private:
  void refill(const rate_rule& rule, millis now) noexcept {
    if (now <= last_)
      return;
    const auto passed = static_cast<double>((now - last_).count());
    spent_ = std::max(0.0, spent_ - passed * rule.per_second / 1000);
    last_ = now;
  }

  // What is missing from a full bucket.
  double spent_ = 0;
  millis last_{0};
};

} // namespace rollcall
