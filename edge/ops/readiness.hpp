#pragma once

// Whether a node should be given clients, and why not: `/readyz`.

#include "actors/base/instant.hpp"
#include "actors/base/metrics.hpp"

#include <mutex>
#include <string>

namespace rollcall::edge {

/// Kept by what the engine tells, read by the network side. Thread-safe.
class readiness {
public:
  /// Whether every partition has, or has had, an owner that this node knows of.
  void owners_known(bool all);

  /// Why our wall clock keeps us from owning anything; empty when it does not.
  /// `difference`: how far the furthest clock of another node is ahead.
  void clock(std::string why, millis difference);

  /// For people; empty when we are ready.
  [[nodiscard]] std::string why_not() const;

  /// The handle must not outlive either.
  [[nodiscard]] metrics::registry::callback_handle
  register_figures(metrics::registry& to) const;

private:
  mutable std::mutex mutex_;
  bool owners_known_ = true;
  std::string clock_;
  millis difference_{0};
};

} // namespace rollcall::edge
