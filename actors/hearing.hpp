#pragma once

// Whether a node hears the others.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <atomic>
#include <utility>

namespace rollcall {

/// When a node could not hear the others: who is at an edge of theirs may have
/// said so in vain. Written by the node actor, read by the sessions of the
/// node, on any thread.
class hearing {
public:
  explicit hearing(node_id self) : self_(std::move(self)) {
    // nop
  }

  [[nodiscard]] const node_id& self() const noexcept {
    return self_;
  }

  /// Until that steady time nothing that others did not say counts.
  void deaf(millis until) noexcept {
    until_.store(until.count(), std::memory_order_relaxed);
  }

  [[nodiscard]] millis deaf_until() const noexcept {
    return millis{until_.load(std::memory_order_relaxed)};
  }

private:
  node_id self_;
  std::atomic<millis::rep> until_{0};
};

} // namespace rollcall
