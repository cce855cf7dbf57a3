#pragma once

// What must be true of a store at rest, and how to make it true again. For
// an operator with the node stopped; the store is not shared meanwhile.

#include "actors/ports.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// What can be wrong.
enum class damage : std::uint8_t {
  /// The key belongs to no table.
  bad_key,
  /// The value does not decode.
  bad_record,
  /// The partition's place in its journal does not decode. Not mended: only a
  /// copy knows it, and a guess could let revisions go back.
  bad_checkpoint,
  /// The session belongs to another partition.
  wrong_partition,
  /// A roster page without anybody on it.
  empty_page,
  /// A user is on a session's pages more than once.
  duplicate_user,
  /// The session has roster pages and is not in the `occupied` index.
  occupied_missing,
  /// The session is in the `occupied` index and has no roster pages.
  occupied_stale,
  /// Something is due of a session of which nothing else is known.
  due_orphan,
  /// A record remembers more operations than it may.
  too_many_ops,
  /// A member or a roster page of a session that has no record.
  session_missing,
  /// An ended session that nothing will ever erase.
  due_missing,
  /// Somebody is on the roster of a session that has ended.
  ended_occupied,
  /// A stay that ends before it begins.
  stay_reversed,
  /// A user's stay begins before the one before it ends, by more than clocks
  /// may differ.
  stay_overlap,
  /// A stay knows of fewer earlier ones than there are.
  wrong_count,
  /// A stay or an audit entry of a session that has no record.
  history_orphan,
  /// A round of a session of which nothing else is known.
  round_orphan,
  /// An answer to a round that is not there.
  submission_orphan,
  /// An event of a session of which nothing else is known.
  event_orphan,
  /// Somebody is banned from a session of which nothing else is known.
  ban_orphan,
  /// The appointed host of a session is not its creator, no member of it and
  /// not in it.
  host_stranger,
};

/// The name in reports, e.g. `"occupied_stale"`.
[[nodiscard]] std::string_view to_string(damage what) noexcept;

/// One thing that is wrong.
struct finding {
  damage what = damage::bad_key;
  partition_id partition = 0;
  /// The key it is about. Contains ids of users: not for logs.
  std::string key;
  /// The field that is wrong, where that is known.
  std::string field;
  /// What `repair` would write; nothing when it would not.
  std::vector<encoded_record> mend;
};

/// Reads everything in a store of `partitions` partitions and names what is
/// wrong: at most limits::verify_findings of it. Changes nothing. Fails only
/// when the store cannot be read.
[[nodiscard]] result<std::vector<finding>> verify(store& at,
                                                  std::uint32_t partitions);

struct repair_report {
  /// Findings that were mended.
  std::size_t mended = 0;
  /// What is still wrong.
  std::vector<finding> left;
};

/// Mends what `verify` names. Indexes are rebuilt from the records; of a user
/// who is on several pages the newest page keeps the entry; a host who is
/// nobody there is appointed no more; what belongs to no session is removed,
/// but members; what cannot be read, and they, are moved to the `set_aside`
/// table, out of the way and not lost (it goes when its session is erased). Not
/// through the journal: in a cluster repair each node's store, or let the node
/// restore itself.
[[nodiscard]] result<repair_report> repair(store& at, std::uint32_t partitions);

} // namespace rollcall
