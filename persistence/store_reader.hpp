#pragma once

// Questions to the store, answered in the domain's words.

#include "actors/ports.hpp"
#include "actors/records.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall {

/// The sessions of a partition that have somebody in them. An entry that
/// cannot be read is passed over: `verify` names it.
[[nodiscard]] result<std::vector<session_key>>
read_occupied(store& from, partition_id partition);

/// The sessions of a partition that want to be activated, and when: the
/// earliest limits::sessions_per_partition of them, in no order. The log says
/// how many more there are; `find_aged` names those whose time has come.
[[nodiscard]] result<std::vector<std::pair<session_key, millis>>>
read_due(store& from, partition_id partition);

/// Everything of one session that activation needs. A record that cannot be
/// read fails the whole with `internal`: to leave it out could mean to admit
/// whom it keeps out. `repair` sets it aside. So does more of anything than
/// twice its bound; what is less may come of operations that were under way
/// together.
[[nodiscard]] result<stored_session>
read_session(store& from, partition_id partition, const session_key& session);

/// Keys of a session, and whether there are more.
struct session_keys {
  std::vector<std::string> keys;
  bool more = false;
};

/// The keys a session has in any table, at most `most`. What makes it known,
/// its record and its marks, comes last: an erasure that was broken off between
/// two steps is gone on with.
[[nodiscard]] result<session_keys> read_keys(store& from,
                                             partition_id partition,
                                             const session_key& session,
                                             std::size_t most);

/// The entries of a session's event log after `after`, in order.
[[nodiscard]] result<std::vector<event_record>>
read_events(store& from, partition_id partition, const session_key& session,
            version after);

} // namespace rollcall
