#pragma once

// Which entries of a session's event log are kept: bounded in number and in
// age. The entries themselves are in the store.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"

#include <map>
#include <optional>
#include <vector>

namespace rollcall {

/// Names of the entries, oldest first, those on their way to the store among
/// them; at most limits::events_per_session but those whose erasure is on its
/// way. Owned by one session_state.
class event_log {
public:
  /// One that is kept, or on its way: `lost` takes it back.
  void add(version at, millis when) {
    if (!going_.contains(at))
      here_.try_emplace(at, when);
  }

  /// It could not be kept.
  void lost(version at) {
    here_.erase(at);
    going_.erase(at);
  }

  /// Its erasure is on its way: `erased` or `stays` says what became of it.
  void erasing(version at) {
    if (auto found = here_.extract(at))
      going_.insert(std::move(found));
  }

  void erased(version at) {
    lost(at);
  }

  void stays(version at) {
    if (auto found = going_.extract(at))
      here_.insert(std::move(found));
  }

  /// When the oldest is over its `retention`.
  [[nodiscard]] std::optional<millis> due(millis retention) const {
    if (here_.empty())
      return std::nullopt;
    return here_.begin()->second + retention;
  }

  /// What is to be erased at the wall time `now` when `more` are written.
  /// Nothing whose erasure is on its way.
  [[nodiscard]] std::vector<version> surplus(millis now, millis retention,
                                             std::size_t more) const {
    std::vector<version> out;
    auto left = here_.size() + more;
    for (const auto& [at, when] : here_) {
      if (left <= limits::events_per_session && when + retention > now)
        break;
      out.push_back(at);
      --left;
    }
    return out;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return here_.size();
  }

private:
  std::map<version, millis> here_;
  std::map<version, millis> going_;
};

} // namespace rollcall
