#pragma once

// Reads one message of cluster/wire.hpp straight from its bytes: no tree of
// objects, whose size a stranger would choose. Has the same methods as
// `writer`, so that one description of a structure serves both.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::cluster::wire {

/// What the next value is (msgpack specification, "Formats").
enum class shape : std::uint8_t {
  none,
  nil,
  flag,
  natural,
  negative,
  real,
  text,
  bytes,
  list,
  table,
  extension,
};

/// The first thing that is wrong sticks as the fault; from there on every
/// answer is empty and nothing is read. Views into `bytes`, which must outlive
/// the reader.
class reader {
public:
  static constexpr bool reading = true;

  /// Deadlines are read as durations from `now`.
  reader(std::string_view bytes, millis now) : bytes_(bytes), now_(now) {
    // nop
  }

  /// Enters an array of at least `fields` values; answers how many more there
  /// are, for `close` to skip when the known ones were read.
  std::size_t open(std::size_t fields, const char* field);
  void close(std::size_t unknown);

  /// Enters an array, or map, of at most `most` items and answers how many.
  std::size_t list(std::size_t most, const char* field);
  std::size_t table(std::size_t most, const char* field);

  /// Whether the next value is of this shape; without reading it.
  [[nodiscard]] bool next_is(shape wanted) const;
  void nil();
  std::uint64_t natural(std::uint64_t most, const char* field);
  std::int64_t integer(const char* field);
  void flag(bool& value, const char* field);
  void real(double& value, const char* field);
  void text(std::string& value, std::size_t most, const char* field);
  /// A view into what is read.
  std::string_view bytes(std::size_t most, const char* field);
  void time(millis& value, const char* field);
  void deadline(millis& value, const char* field);
  /// Passes over one value, whatever is in it.
  void skip();

  void refuse(errc code, const char* message, const char* field);

  [[nodiscard]] bool ok() const noexcept {
    return !fault_;
  }

  [[nodiscard]] bool at_end() const noexcept {
    return at_ == bytes_.size();
  }

  [[nodiscard]] const failure& fault() const {
    return *fault_;
  }

private:
  /// `value` is the number, the bits of it, or the size of what follows.
  struct head {
    shape is = shape::none;
    std::uint64_t value = 0;
  };

  [[nodiscard]] std::size_t left() const noexcept {
    return bytes_.size() - at_;
  }

  std::string_view content(shape wanted, std::size_t most, const char* field);
  std::uint64_t big_endian(std::size_t size);
  head take();
  head sized(shape is, std::size_t size_bytes);
  std::optional<std::uint64_t> expect(shape wanted, const char* field);
  std::size_t items(shape wanted, std::size_t most, const char* field);

  std::string_view bytes_;
  millis now_;
  std::size_t at_ = 0;
  std::optional<failure> fault_;
};

} // namespace rollcall::cluster::wire
