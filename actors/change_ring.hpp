#pragma once

// The last batches of a session, for observers that come back.

#include "actors/base/limits.hpp"
#include "actors/changes.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

namespace rollcall {

/// Bounded by limits::ring_batches and limits::ring_changes. The batches in it
/// are contiguous: each starts where the one before ends.
class change_ring {
public:
  void push(batch_ptr added) {
    if (!batches_.empty() && batches_.back()->to != added->from)
      clear();
    changes_ += added->changes.size();
    batches_.push_back(std::move(added));
    while (batches_.size() > limits::ring_batches
           || (changes_ > limits::ring_changes && batches_.size() > 1)) {
      changes_ -= batches_.front()->changes.size();
      batches_.pop_front();
    }
  }

  void clear() {
    batches_.clear();
    changes_ = 0;
  }

  /// Every batch after `have`; nothing when the ring does not reach back to
  /// exactly there. `now` is the version of whoever owns the ring.
  [[nodiscard]] std::optional<std::vector<batch_ptr>> after(version have,
                                                            version now) const {
    std::vector<batch_ptr> out;
    if (have == now)
      return out;
    for (auto at = batches_.rbegin(); at != batches_.rend(); ++at) {
      out.push_back(*at);
      if ((*at)->from == have) {
        std::reverse(out.begin(), out.end());
        return out;
      }
      // A client that saw only a part of a batch cannot be: batches are whole.
      if ((*at)->from < have)
        return std::nullopt;
    }
    return std::nullopt;
  }

private:
  std::deque<batch_ptr> batches_;
  std::size_t changes_ = 0;
};

} // namespace rollcall
