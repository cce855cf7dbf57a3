#pragma once

// What changed between two snapshots of one session, as clients are told.

#include "actors/changes.hpp"

namespace rollcall::edge {

/// How far two times of a pending `left` may be apart and still be the same:
/// they travel between nodes as durations.
inline constexpr millis same_expiry{500};

/// One batch from `before` to `after`, of real changes only: someone who is in
/// both, under the same join, neither leaves nor joins. Why somebody left is
/// not known any more; the reason is `network`.
[[nodiscard]] batch make_difference(const snapshot& before,
                                    const snapshot& after);

} // namespace rollcall::edge
