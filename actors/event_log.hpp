#pragma once

// Which entries of a session's event log are kept: bounded in number and in
// age. The entries themselves are in the store.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace rollcall {

/// Names of the entries, oldest first; at most limits::events_per_session
/// once what `surplus` names is erased. Owned by one session_state.
class event_log {
public:
  void add(version at, millis when) {
    kept_.emplace_back(at, when);
  }

  void erased(version at) {
    std::erase_if(kept_, [&](const auto& one) { return one.first == at; });
  }

  /// When the oldest is over its `retention`.
  [[nodiscard]] std::optional<millis> due(millis retention) const {
    if (kept_.empty())
      return std::nullopt;
    return kept_.front().second + retention;
  }

  /// What is to be erased at the wall time `now` when `more` are written.
  [[nodiscard]] std::vector<version> surplus(millis now, millis retention,
                                             std::size_t more) const {
    std::vector<version> out;
    auto left = kept_.size() + more;
    for (const auto& [at, when] : kept_) {
      if (left <= limits::events_per_session && when + retention > now)
        break;
      out.push_back(at);
      --left;
    }
    return out;
  }

  /// The newest entry; the next one must be above it.
  [[nodiscard]] version last() const {
    return kept_.empty() ? version{} : kept_.back().first;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return kept_.size();
  }

private:
  std::deque<std::pair<version, millis>> kept_;
};

} // namespace rollcall
