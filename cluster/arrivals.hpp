#pragma once

// What other nodes hand over to this one, until it claims the partition. Pure.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/handover.hpp"

#include <cstddef>
#include <map>
#include <optional>

namespace rollcall::cluster {

/// Owned by the node actor. At most limits::arrivals sessions wait, for
/// limits::arrivals_patience; what is over is forgotten, and then restored
/// from the journal as after a crash.
class arrivals {
public:
  using sessions = std::map<session_key, session_transfer_ptr>;

  /// Keeps a session of `partition`. One of a later epoch replaces all of
  /// an earlier one; one of an earlier epoch is late and not kept.
  void take(partition_id partition, const session_transfer_ptr& given,
            millis now);

  /// All of `partition` that was given under `epoch`; forgets the partition.
  [[nodiscard]] sessions release(partition_id partition, epoch_t epoch);

  /// Forgets what has waited too long.
  void expire(millis now);

  /// How many sessions wait.
  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

private:
  struct parcel {
    epoch_t epoch = 0;
    millis until{0};
    sessions given;
  };

  std::map<partition_id, parcel> parcels_;
  std::size_t size_ = 0;
};

} // namespace rollcall::cluster
