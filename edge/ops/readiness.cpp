#include "edge/ops/readiness.hpp"

#include <chrono>
#include <utility>

namespace rollcall::edge {

void readiness::owners_known(bool all) {
  std::lock_guard guard{mutex_};
  owners_known_ = all;
}

void readiness::clock(std::string why, millis difference) {
  std::lock_guard guard{mutex_};
  clock_ = std::move(why);
  difference_ = difference;
}

std::string readiness::why_not() const {
  std::lock_guard guard{mutex_};
  if (!clock_.empty())
    return clock_;
  return owners_known_ ? "" : "not every partition has an owner yet";
}

metrics::registry::callback_handle
readiness::register_figures(metrics::registry& to) const {
  return to.make_callback_gauge(
    "rollcall_clock_difference_seconds",
    "How far the furthest wall clock of another node is ahead of ours.",
    [this] {
      std::lock_guard guard{mutex_};
      return std::chrono::duration<double>{difference_}.count();
    });
}

} // namespace rollcall::edge
