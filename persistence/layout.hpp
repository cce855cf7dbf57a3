#pragma once

// What belongs to the store as a whole. The number of partitions is fixed for
// the life of a store: a session's partition is part of its keys.

#include "actors/base/errors.hpp"
#include "actors/ports.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace rollcall {

/// Refuses a store that was made with another number of partitions;
/// `conflict` says with which. A new store remembers this one.
[[nodiscard]] result<done> check_partition_count(store& at,
                                                 std::uint32_t partitions);

/// The other core nodes that there ever were, as far as this node has heard:
/// each may have a copy of what this store has.
[[nodiscard]] result<std::vector<std::string>> read_nodes(store& at);
[[nodiscard]] result<done> write_nodes(store& at,
                                       const std::vector<std::string>& names);

} // namespace rollcall
