#pragma once

// The store on disk. The only pair of files that knows RocksDB.

#include "actors/ports.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace rollcall {

/// How a store is opened.
struct rocksdb_options {
  /// Made with mode 0700 if it is not there; nobody else may look inside.
  std::filesystem::path directory;
  /// Memory for what is not yet in a file, in bytes.
  std::size_t write_buffer_bytes = std::size_t{32} << 20;
  /// Memory for blocks read from files, in bytes.
  std::size_t cache_bytes = std::size_t{16} << 20;
  /// Below this much free disk writes are refused while there is still room
  /// to fail well: this RocksDB may abort when the disk is truly full.
  std::uintmax_t free_bytes_min = std::uintmax_t{64} << 20;
};

/// Ordered bytes in RocksDB: each `write` is one batch in the write-ahead
/// log, synced before it returns; after a crash the store is a prefix of what
/// was written. A full or failing disk answers `unavailable`, damage answers
/// `internal`; neither ends the process. A visitor may write to the store; it
/// goes on seeing the state at the start of the scan.
///
/// After a failed sync the batch may still be found by the next start: the
/// write was refused, and its repetition is harmless.
class rocksdb_store final : public store {
public:
  /// Opens or makes the store. `unavailable` says that another process has
  /// it open or that the disk does not answer, `internal` that it is damaged.
  [[nodiscard]] static result<std::shared_ptr<rocksdb_store>>
  open(const rocksdb_options& options);

  ~rocksdb_store() override;

  rocksdb_store(const rocksdb_store&) = delete;
  rocksdb_store& operator=(const rocksdb_store&) = delete;

  result<done> write(std::span<const applied_records> groups) override;
  result<checkpoint> where(partition_id partition) override;
  result<std::optional<std::string>> get(std::string_view key) override;
  result<done> scan(std::string_view prefix, const visitor& visit) override;
  result<done> walk(std::string_view prefix, std::string_view start,
                    walk_way way, const visitor& visit) override;

private:
  struct impl;

  explicit rocksdb_store(std::unique_ptr<impl> inside);

  std::unique_ptr<impl> impl_;
};

} // namespace rollcall
