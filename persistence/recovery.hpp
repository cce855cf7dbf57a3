#pragma once

// Where store and journal disagree, the journal is right: these bring the
// store after it. All but `read_partition` are called on the store actor's
// thread.

#include "actors/ports.hpp"

#include <functional>
#include <string_view>

namespace rollcall {

/// Applies to the store what the journal has beyond it, in writes of about
/// limits::group_bytes. After a failure the store is a prefix all the same.
[[nodiscard]] result<done> catch_up(store& disk, journal& order,
                                    partition_id partition);

/// Applies one piece of what the journal has. A partition that is to be
/// replaced as a whole is emptied first, in a write of its own.
[[nodiscard]] result<done> apply_tail(store& disk, partition_id partition,
                                      const journal_tail& tail);

/// Whether a group that did not reach the disk exists all the same, because
/// the journal is somewhere else. In doubt it does.
[[nodiscard]] bool journal_keeps(store& disk, journal& order,
                                 partition_id partition, position_t at);

/// Gives all keys of a partition but the checkpoint to `visit`, in order.
/// Another thread may call it if the store lets it read.
[[nodiscard]] result<done> read_partition(
  store& disk, partition_id partition,
  const std::function<bool(std::string_view, std::string_view)>& visit);

} // namespace rollcall
