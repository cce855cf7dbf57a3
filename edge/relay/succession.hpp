#pragma once

// What a relay knows of a new owner before its clients do. An owner that was
// lost may have accepted joins it had not kept yet; the edges of those who
// joined tell the next owner within a moment. Until they have, or time is up,
// the clients stay with what they have: a flap is no news. Pure.

#include "edge/relay/relay_state.hpp"

#include <map>
#include <optional>
#include <set>

namespace rollcall::edge {

/// Owned by one relay actor.
class succession {
public:
  /// Whether a snapshot is held back.
  [[nodiscard]] bool open() const noexcept {
    return next_.has_value();
  }

  /// Steady time at which nobody is waited for any longer.
  [[nodiscard]] millis until() const noexcept {
    return until_;
  }

  /// What to observe from: the held version.
  [[nodiscard]] version at() const noexcept {
    return next_->at();
  }

  /// Whether `whole` is to be held back: it comes from a later epoch than
  /// `here` and lacks a stay that `here` shows, or that was held back before
  /// it. A newer one while one is held replaces it; the wait begins anew only
  /// with another owner.
  [[nodiscard]] bool hold(const relay_state& here, const snapshot& whole,
                          millis now, millis patience);

  /// Takes a batch that follows what is held.
  [[nodiscard]] batch_fate take(const batch_ptr& next);

  /// Whether all who were missed are back.
  [[nodiscard]] bool all_back() const noexcept {
    return missing_.empty();
  }

  /// What was held; nothing is afterwards.
  [[nodiscard]] snapshot release();

private:
  std::optional<relay_state> next_;
  /// The stays that the held snapshot lacked, and who of them still is away.
  std::map<participant_id, version> awaited_;
  std::set<participant_id> missing_;
  millis until_{0};
};

} // namespace rollcall::edge
