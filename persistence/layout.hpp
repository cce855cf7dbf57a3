#pragma once

// The number of partitions is fixed for the life of a store: a session's
// partition is part of its keys.

#include "actors/base/errors.hpp"
#include "actors/ports.hpp"

#include <cstdint>

namespace rollcall {

/// Refuses a store that was made with another number of partitions;
/// `conflict` says with which. A new store remembers this one.
[[nodiscard]] result<done> check_partition_count(store& at,
                                                 std::uint32_t partitions);

} // namespace rollcall
