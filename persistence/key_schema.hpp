#pragma once

// The keys of the store. Partition first, then a table tag, then ids, each
// behind its length: no id can reach into the range of another. Numbers are
// big-endian, so that bytes sort as numbers do.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rollcall {

/// The tables of a partition. The values are stored: do not change them, do
/// not reuse them.
enum class table : std::uint8_t {
  /// session -> session_record
  session = 0x01,
  /// session, user -> member_record
  member = 0x02,
  /// session, number (4 bytes) -> roster_page
  page = 0x03,
  /// session -> nothing: the session has somebody in it. Since schema 2.
  occupied = 0x04,
  /// session -> when it wants to be activated
  due = 0x05,
  /// session, joined (epoch and rev, 8 bytes each), user -> interval_record
  interval = 0x06,
  /// session, at (epoch and rev), action, target -> audit_record
  audit = 0x07,
  /// session, user -> ban_record
  ban = 0x08,
  /// session, the old key -> what `repair` could not read
  set_aside = 0xEE,
  /// -> the partition's checkpoint
  checkpoint = 0xF0,
  /// -> the schema version of the store; under `store_wide` only
  schema = 0xF1,
  /// -> how many partitions there are; under `store_wide` only
  layout = 0xF2,
  /// -> the other core nodes there were; under `store_wide` only
  nodes = 0xF3,
};

/// The place of keys that belong to the store as a whole. No real partition
/// has this number, and it has no checkpoint.
inline constexpr partition_id store_wide = 0xFFFF'FFFF;

namespace keys {

// Ids must be within `limits::id_bytes`; `encode` (record_format.hpp) checks
// that before it asks for a key.

[[nodiscard]] std::string of_session(partition_id partition,
                                     const session_key& session);
[[nodiscard]] std::string of_member(partition_id partition,
                                    const session_key& session,
                                    const user_id& user);
[[nodiscard]] std::string
of_ban(partition_id partition, const session_key& session, const user_id& user);
[[nodiscard]] std::string of_page(partition_id partition,
                                  const session_key& session,
                                  std::uint32_t number);
[[nodiscard]] std::string of_occupied(partition_id partition,
                                      const session_key& session);
[[nodiscard]] std::string of_due(partition_id partition,
                                 const session_key& session);
[[nodiscard]] std::string of_interval(partition_id partition,
                                      const session_key& session,
                                      version joined, const user_id& user);
[[nodiscard]] std::string of_audit(partition_id partition,
                                   const session_key& session, version at,
                                   std::string_view action,
                                   const user_id& target);
[[nodiscard]] std::string of_set_aside(partition_id partition,
                                       const session_key& session,
                                       std::string_view old_key);
[[nodiscard]] std::string of_checkpoint(partition_id partition);
[[nodiscard]] std::string of_schema();
[[nodiscard]] std::string of_layout();
[[nodiscard]] std::string of_nodes();

/// Everything of a partition.
[[nodiscard]] std::string prefix(partition_id partition);
/// One table of a partition.
[[nodiscard]] std::string prefix(partition_id partition, table where);
/// One namespace's part of a table of sessions.
[[nodiscard]] std::string prefix(partition_id partition, table where,
                                 const namespace_id& ns);
/// One session's part of a table.
[[nodiscard]] std::string prefix(partition_id partition, table where,
                                 const session_key& session);

/// The tables whose keys go on with a session: what an erasure goes through.
[[nodiscard]] std::span<const table> tables_of_sessions() noexcept;

/// A key taken apart. Which of the later fields are set depends on `where`.
struct parsed {
  partition_id partition = 0;
  table where = table::session;
  session_key session;
  /// The user of a member, ban or interval, the target of an audit entry.
  user_id user;
  /// The number of a page.
  std::uint32_t number = 0;
  /// `joined` of an interval, `at` of an audit entry.
  version at;
  /// The action of an audit entry; the old key of what was set aside.
  std::string rest;

  friend bool operator==(const parsed&, const parsed&) = default;
};

/// Takes a key apart; every byte must be accounted for. The failure is
/// `internal` and names the part that is wrong.
[[nodiscard]] result<parsed> parse(std::string_view key);

} // namespace keys

} // namespace rollcall
