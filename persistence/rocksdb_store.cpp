#include "persistence/rocksdb_store.hpp"

#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <exception>

namespace rollcall {

namespace fs = std::filesystem;

struct rocksdb_store::impl {
  fs::path directory;
  std::uintmax_t free_bytes_min = 0;
  std::unique_ptr<rocksdb::DB> db;
  /// The last write failed: RocksDB may want to be told to go on.
  bool faulted = false;
};

namespace {

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view bytes_of(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

failure failure_of(const rocksdb::Status& status, const std::string& what) {
  auto damaged = status.IsCorruption() || status.IsNotSupported()
                 || status.IsInvalidArgument();
  return fail(damaged ? errc::internal : errc::unavailable,
              what + ": " + status.ToString());
}

failure failure_of(const std::exception& error, const std::string& what) {
  return fail(errc::internal, what + ": " + error.what());
}

rocksdb::CompressionType compression() {
  auto supported = rocksdb::GetSupportedCompressions();
  auto found
    = std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression);
  return found != supported.end() ? rocksdb::kLZ4Compression
                                  : rocksdb::kNoCompression;
}

rocksdb::Options make_options(const rocksdb_options& from) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = rocksdb::NewLRUCache(from.cache_bytes);
  blocks.cache_index_and_filter_blocks = true;
  rocksdb::Options out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  out.create_if_missing = true;
  out.paranoid_checks = true;
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  out.db_write_buffer_size = from.write_buffer_bytes;
  out.write_buffer_size
    = std::max<std::size_t>(from.write_buffer_bytes / 2, std::size_t{64} << 10);
  out.max_write_buffer_number = 2;
  out.max_total_wal_size = 2 * from.write_buffer_bytes;
  out.max_open_files = 256;
  out.max_background_jobs = 2;
  out.compression = compression();
  out.keep_log_file_num = 2;
  out.max_log_file_size = std::size_t{1} << 20;
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return out;
}

result<done> make_private(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  // Closing a directory that others use would harm them: it has to be ours.
  if (!error && !fs::is_empty(directory, error)
      && !fs::exists(directory / "CURRENT", error) && !error)
    return fail(errc::bad_request, "the store's directory " + directory.string()
                                     + " holds something else");
  if (!error)
    fs::permissions(directory, fs::perms::owner_all, error);
  if (error)
    return fail(errc::unavailable, "cannot make the store's directory "
                                     + directory.string() + ": "
                                     + error.message());
  return done{};
}

bool is_lock_conflict(const rocksdb::Status& status) {
  auto text = status.ToString();
  return status.IsIOError()
         && (text.find("lock file") != std::string::npos
             || text.find("lock hold") != std::string::npos);
}

// To the last key with this prefix, if there is one.
void seek_last(rocksdb::Iterator& at, std::string_view prefix) {
  std::string beyond{prefix};
  while (!beyond.empty() && beyond.back() == '\xFF')
    beyond.pop_back();
  if (beyond.empty()) {
    at.SeekToLast();
    return;
  }
  ++beyond.back();
  at.SeekForPrev(slice(beyond));
  if (at.Valid() && at.key() == slice(beyond))
    at.Prev();
}

rocksdb::WriteBatch make_batch(std::span<const applied_records> groups) {
  rocksdb::WriteBatch batch;
  auto check = [](const rocksdb::Status& status) {
    if (!status.ok())
      throw std::runtime_error{status.ToString()};
  };
  for (const auto& group : groups) {
    for (const auto& item : group.records)
      if (item.value)
        check(batch.Put(slice(item.key), slice(*item.value)));
      else
        check(batch.Delete(slice(item.key)));
    if (group.partition != store_wide)
      check(batch.Put(slice(keys::of_checkpoint(group.partition)),
                      slice(encode_checkpoint(group.at))));
  }
  return batch;
}

} // namespace

result<std::shared_ptr<rocksdb_store>>
rocksdb_store::open(const rocksdb_options& options) {
  const std::string what
    = "cannot open the store in " + options.directory.string();
  try {
    if (auto made = make_private(options.directory); !made)
      return made.error();
    rocksdb::DB* raw = nullptr;
    auto status = rocksdb::DB::Open(make_options(options),
                                    options.directory.string(), &raw);
    if (is_lock_conflict(status))
      return fail(errc::unavailable,
                  what
                    + ": another process has it open (stop it, or give "
                      "this node a directory of its own)");
    if (!status.ok())
      return failure_of(status, what);
    auto inside = std::make_unique<impl>();
    inside->directory = options.directory;
    inside->free_bytes_min = options.free_bytes_min;
    inside->db.reset(raw);
    return std::shared_ptr<rocksdb_store>{new rocksdb_store{std::move(inside)}};
  } catch (const std::exception& error) {
    return failure_of(error, what);
  }
}

rocksdb_store::rocksdb_store(std::unique_ptr<impl> inside)
  : impl_(std::move(inside)) {
  // nop
}

rocksdb_store::~rocksdb_store() = default;

result<done> rocksdb_store::write(std::span<const applied_records> groups) {
  try {
    std::error_code error;
    auto space = fs::space(impl_->directory, error);
    if (!error && space.available < impl_->free_bytes_min)
      return fail(errc::unavailable, "the store's disk is nearly full");
    // RocksDB mends itself when it can; where it waits for a word, this is
    // it. Whether it helped shows in the write.
    if (impl_->faulted)
      impl_->db->Resume().PermitUncheckedError();
    auto batch = make_batch(groups);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    auto status = impl_->db->Write(synced, &batch);
    impl_->faulted = !status.ok();
    if (!status.ok())
      return failure_of(status, "the store cannot be written");
    return done{};
  } catch (const std::exception& error) {
    return failure_of(error, "the store cannot be written");
  }
}

result<checkpoint> rocksdb_store::where(partition_id partition) {
  auto value = get(keys::of_checkpoint(partition));
  if (!value)
    return value.error();
  if (!*value)
    return checkpoint{};
  return decode_checkpoint(**value);
}

result<std::optional<std::string>> rocksdb_store::get(std::string_view key) {
  try {
    std::string value;
    auto status = impl_->db->Get({}, slice(key), &value);
    if (status.IsNotFound())
      return std::optional<std::string>{};
    if (!status.ok())
      return failure_of(status, "the store cannot be read");
    return std::optional<std::string>{std::move(value)};
  } catch (const std::exception& error) {
    return failure_of(error, "the store cannot be read");
  }
}

result<done> rocksdb_store::scan(std::string_view prefix,
                                 const visitor& visit) {
  try {
    std::unique_ptr<rocksdb::Iterator> at{impl_->db->NewIterator({})};
    for (at->Seek(slice(prefix));
         at->Valid() && at->key().starts_with(slice(prefix)); at->Next())
      if (!visit(bytes_of(at->key()), bytes_of(at->value())))
        return done{};
    if (!at->status().ok())
      return failure_of(at->status(), "the store cannot be read");
    return done{};
  } catch (const std::exception& error) {
    return failure_of(error, "the store cannot be read");
  }
}

result<done> rocksdb_store::walk(std::string_view prefix,
                                 std::string_view start, walk_way way,
                                 const visitor& visit) {
  try {
    std::unique_ptr<rocksdb::Iterator> at{impl_->db->NewIterator({})};
    if (way == walk_way::up) {
      at->Seek(slice(start.empty() ? prefix : start));
      if (at->Valid() && !start.empty() && at->key() == slice(start))
        at->Next();
    } else if (!start.empty()) {
      at->SeekForPrev(slice(start));
      if (at->Valid() && at->key() == slice(start))
        at->Prev();
    } else {
      seek_last(*at, prefix);
    }
    for (; at->Valid() && at->key().starts_with(slice(prefix));
         way == walk_way::up ? at->Next() : at->Prev())
      if (!visit(bytes_of(at->key()), bytes_of(at->value())))
        return done{};
    if (!at->status().ok())
      return failure_of(at->status(), "the store cannot be read");
    return done{};
  } catch (const std::exception& error) {
    return failure_of(error, "the store cannot be read");
  }
}

} // namespace rollcall
