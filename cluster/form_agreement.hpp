#pragma once

// Which form of stored records is written while nodes of several versions run
// side by side. Pure; owned by the node actor, called on its thread only.

#include "actors/base/instant.hpp"
#include "actors/nodes.hpp"

#include <cstdint>

namespace rollcall::cluster {

/// The earliest form that any core node said to read at most, in the last
/// limits::form_settles; and as nobody knows who was here before, the first of
/// all forms until we have listened for so long. Nodes that serve clients alone
/// read no records.
class form_agreement {
public:
  /// `ours`: the latest form that we read.
  form_agreement(std::uint32_t ours, millis now);

  /// Takes in a heartbeat that `membership::take` called fresh.
  void heard(const heartbeat& word, millis now);

  [[nodiscard]] std::uint32_t in_force(millis now) const noexcept;

private:
  std::uint32_t ours_;
  std::uint32_t earliest_;
  /// When somebody last read less than we do.
  millis since_;
};

} // namespace rollcall::cluster
