#pragma once

// Where store and journal disagree, the journal is right: these bring the
// store after it. Both are called on the store actor's thread.

#include "actors/ports.hpp"

#include <cstdint>

namespace rollcall {

/// Applies to the store what the journal has beyond it, in writes of about
/// limits::group_bytes. After a failure the store is a prefix all the same.
[[nodiscard]] result<done> catch_up(store& disk, journal& order,
                                    partition_id partition,
                                    std::uint64_t generation);

/// Whether a group that did not reach the disk exists all the same, because
/// the journal is somewhere else. In doubt it does.
[[nodiscard]] bool journal_keeps(store& disk, journal& order,
                                 partition_id partition, position_t at);

} // namespace rollcall
