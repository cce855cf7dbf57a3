#pragma once

// Finds keys that are to be removed: of a user who is erased, and of history
// whose time is over. Each call looks at a bounded number of keys and says
// where to go on. Reads only.

#include "actors/ports.hpp"
#include "actors/store_questions.hpp"

namespace rollcall {

/// Where a partition speaks of a user: keys to remove, and the sessions whose
/// own records name the user. Looks at limits::sweep_scan keys and finds
/// limits::sweep_step at most.
[[nodiscard]] result<found_keys> find_user(store& from,
                                           const user_question& asked);

/// Stays and audit entries that are older than their kind keeps them. Looks at
/// what began so long ago, and at one entry behind it in each session. And,
/// as `sessions`, those that are due: their time has come, or had come long ago
/// and nobody remembers.
[[nodiscard]] result<found_keys> find_aged(store& from,
                                           const aged_question& asked);

} // namespace rollcall
