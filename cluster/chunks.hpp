#pragma once

// Messages that are larger than what NATS carries at once travel in chunks:
// `[magic, version, name, incarnation, number, index, count, bytes]`, in
// order. Whoever misses one misses the message.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// What a chunk says of itself beyond its bytes.
inline constexpr std::size_t chunk_overhead = 256;

/// The chunks of one message, made as they are asked for. Views into `bytes`,
/// which must outlive it.
class chunk_cutter {
public:
  /// `number` tells this message from others of `from`. A chunk takes no more
  /// than `most` bytes, which are more than `chunk_overhead`.
  chunk_cutter(std::string_view bytes, node_id from, std::uint64_t number,
               std::size_t most);

  /// The next chunk; nothing after the last.
  [[nodiscard]] std::optional<std::string> next();

private:
  std::string_view bytes_;
  node_id from_;
  std::uint64_t number_;
  std::size_t piece_;
  std::uint64_t index_ = 0;
};

/// Whether `bytes` begins like a chunk.
[[nodiscard]] bool is_chunk(std::string_view bytes) noexcept;

/// Puts chunks together again. Holds one message per sender, no more of them
/// than limits::nodes and limits::reassembly_bytes, and gives up on one whose
/// next chunk takes longer than limits::reassembly_patience; the oldest goes
/// first. Not thread-safe. `now` is steady time.
class chunk_assembler {
public:
  /// The message that `chunk` completes, if it does. Fails with `bad_request`
  /// for what is no chunk or does not follow the one before; what there was of
  /// that message is dropped.
  [[nodiscard]] result<std::optional<std::string>> add(std::string_view chunk,
                                                       millis now);

  /// Gives up on what has waited too long.
  void sweep(millis now);

  /// Bytes held.
  [[nodiscard]] std::size_t size() const noexcept {
    return held_;
  }

private:
  struct partial {
    std::uint64_t number = 0;
    std::uint64_t next = 0;
    std::uint64_t count = 0;
    std::string bytes;
    millis at{0};
  };

  using partials = std::map<node_id, partial>;

  void drop(partials::iterator which);
  void make_room(const node_id& but, std::size_t bytes);

  partials partials_;
  std::size_t held_ = 0;
};

} // namespace rollcall::cluster
