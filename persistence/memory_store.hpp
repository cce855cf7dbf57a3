#pragma once

// The store without a disk: for tests, and for a node told to keep nothing.

#include "actors/ports.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace rollcall {

/// Ordered bytes in memory. Like any store it belongs to one thread; a
/// visitor may write to the store it is visiting. A test can make it fail and
/// crash as a disk does.
class memory_store final : public store {
public:
  result<done> write(std::span<const applied_records> groups) override;
  result<checkpoint> where(partition_id partition) override;
  result<std::optional<std::string>> get(std::string_view key) override;
  result<done> scan(std::string_view prefix, const visitor& visit) override;
  result<done> walk(std::string_view prefix, std::string_view start,
                    walk_way way, const visitor& visit) override;

  /// The next `count` writes change nothing and answer `why`.
  void fail_writes(std::size_t count,
                   failure why = fail(errc::unavailable, "the disk is full"));

  /// The next `count` reads (`where`, `get`, `scan`) answer `why`.
  void fail_reads(std::size_t count,
                  failure why = fail(errc::internal, "the disk is broken"));

  /// While off, writes are lost in the next crash: a disk that lies.
  void syncing(bool on);

  /// Forgets every write that was not synced.
  void crash();

  /// How many writes have succeeded, however many groups each had.
  [[nodiscard]] std::size_t writes() const noexcept;

private:
  using content = std::map<std::string, std::string, std::less<>>;

  std::optional<failure> next_failure(std::size_t& count, const failure& why);

  content now_;
  content synced_;
  bool syncing_ = true;
  std::size_t writes_ = 0;
  std::size_t failing_writes_ = 0;
  failure write_failure_;
  std::size_t failing_reads_ = 0;
  failure read_failure_;
};

} // namespace rollcall
