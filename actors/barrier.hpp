#pragma once

// "Go when everyone here is ready": who is ready, and whom it still waits for.
// Knows no time: what happens after so long is a deadline of the session.

#include "actors/base/ids.hpp"

#include <cstddef>
#include <set>
#include <vector>

namespace rollcall {

/// Readiness in one session. Owned by one session_state; holds no more than
/// are present. All operations are O(log n).
class barrier {
public:
  /// Begins anew: nobody is ready, and nobody is known to be here.
  void reset() noexcept {
    active_ = false;
    ready_.clear();
    awaited_.clear();
  }

  /// From here on it waits.
  void start() noexcept {
    active_ = true;
  }

  [[nodiscard]] bool active() const noexcept {
    return active_;
  }

  /// Somebody is here, or heard again: `counts` says whether it is waited for
  /// (a suspected participant is not).
  void see(const participant_id& who, bool counts);

  /// Somebody is gone: neither ready nor waited for.
  void forget(const participant_id& who);

  /// Says whether that changed anything. `counts` as in `see`.
  bool set_ready(const participant_id& who, bool ready, bool counts);

  /// Whether somebody is ready and nobody who counts is not.
  [[nodiscard]] bool satisfied() const noexcept {
    return active_ && awaited_.empty() && !ready_.empty();
  }

  [[nodiscard]] const std::set<participant_id>& ready() const noexcept {
    return ready_;
  }

private:
  bool active_ = false;
  std::set<participant_id> ready_;
  std::set<participant_id> awaited_;
};

} // namespace rollcall
