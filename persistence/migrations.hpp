#pragma once

// The schema of the store over time. A change of keys or meanings is a
// numbered migration that can be undone.

#include "actors/ports.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rollcall {

/// The schema this build reads and writes.
///
///   1  sessions, members, roster pages, due marks, history
///   2  the `occupied` index beside the roster pages
///   3  stays know how many there were before, audit entries what changed
inline constexpr std::uint32_t schema_current = 3;

/// One step. Both directions work in bounded writes, may be broken off at any
/// write and simply started again, and cope with what the other left undone:
/// the schema number never says more than is true of the store.
struct migration {
  /// The schema it leads to, from the one before.
  std::uint32_t to = 0;
  std::string_view name;
  result<done> (*apply)(store& at) = nullptr;
  /// Leads back. The number is already the lower one when it starts.
  result<done> (*rollback)(store& at) = nullptr;
  /// Instead the number is lowered when it has ended: it rewrites what the
  /// build before could not read.
  bool number_last = false;
};

/// All steps in order, from schema 2 on.
[[nodiscard]] std::span<const migration> migrations();

/// The store's schema; nothing for a store that was never used.
[[nodiscard]] result<std::optional<std::uint32_t>> read_schema(store& at);

/// Brings a store to this build's schema before anything else touches it; a
/// new store is stamped. A store of a newer build is refused with `conflict`,
/// one with records but no number with `internal`; both messages say how to
/// mend it.
[[nodiscard]] result<done> migrate(store& at);

/// Brings a store to `schema`, 1 to `schema_current`, in either direction:
/// before an older build is to use it.
[[nodiscard]] result<done> migrate_to(store& at, std::uint32_t schema);

} // namespace rollcall
