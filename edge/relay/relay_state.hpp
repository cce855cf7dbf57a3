#pragma once

// A relay's replica of one session: the snapshot it started from with every
// batch since folded in. Pure.

#include "actors/base/ids.hpp"
#include "actors/change_ring.hpp"
#include "actors/changes.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rollcall::edge {

/// What happened to a batch that was offered to a replica.
enum class batch_fate : std::uint8_t {
  applied,
  /// Known already; not applied twice.
  old,
  /// Something before it is missing: ask the owner.
  gap,
};

/// The replica. Owned by one relay actor.
class relay_state {
public:
  [[nodiscard]] bool ready() const noexcept {
    return ready_;
  }

  [[nodiscard]] version at() const noexcept {
    return current_.at;
  }

  /// Takes the session as the owner has it. Older ones than what is here are
  /// ignored. Says whether it was taken.
  bool take(const snapshot& whole);

  [[nodiscard]] batch_fate take(const batch_ptr& next);

  /// Takes a newer snapshot as the batch that leads to it, so that clients who
  /// follow, and those who come back, see real changes only. Nothing when the
  /// snapshot is not newer or nothing was here; then `take` it.
  [[nodiscard]] batch_ptr bridge(const snapshot& whole);

  /// The session's settings and host, as far as the replica knows.
  [[nodiscard]] const snapshot& head() const noexcept {
    return current_;
  }

  /// The replica as a snapshot, in order of joining.
  [[nodiscard]] snapshot make_snapshot() const;

  /// A batch that changes nothing: where we are.
  [[nodiscard]] batch make_nothing() const;

  /// The batches a client at `since` has missed, if they are all here.
  [[nodiscard]] std::optional<std::vector<batch_ptr>>
  missed(version since) const {
    return ring_.after(since, current_.at);
  }

  [[nodiscard]] const kind_settings& settings() const noexcept {
    return current_.settings;
  }

private:
  void apply(const change& one);
  participant_view* find(const participant_id& id);
  void add(const participant_view& who);

  bool ready_ = false;
  /// Everything but the participants, which are kept apart to be found.
  snapshot current_;
  std::map<version, participant_view> in_order_;
  std::unordered_map<participant_id, version> joined_;
  change_ring ring_;
};

} // namespace rollcall::edge
