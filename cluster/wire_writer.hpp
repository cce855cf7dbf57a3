#pragma once

// Writes one message of cluster/wire.hpp. Has the same methods as
// `reader`, so that one description of a structure serves both.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::cluster::wire {

/// Collects bytes up to limits::node_message_bytes. The first thing that
/// cannot be written sticks; what follows is ignored.
class writer {
public:
  static constexpr bool reading = false;

  /// Deadlines are written as durations from `now`.
  explicit writer(millis now) : now_(now) {
    // nop
  }

  /// An array of exactly `fields` values follows.
  std::size_t open(std::size_t fields, const char* field);

  void close(std::size_t) {
    // nop
  }

  /// An array, or map, of `size` items, at most `most`, follows.
  void list(std::size_t size, std::size_t most, const char* field);
  void table(std::size_t size, std::size_t most, const char* field);

  void nil();
  void natural(std::uint64_t value);
  void integer(std::int64_t value);
  void flag(bool value, const char* field);
  void real(double value, const char* field);
  void text(std::string_view value, std::size_t most, const char* field);
  void bytes(std::string_view value);
  void time(millis value, const char* field);
  void deadline(millis value, const char* field);

  void refuse(errc code, const char* message, const char* field);

  [[nodiscard]] bool ok() const noexcept {
    return !fault_;
  }

  /// The bytes, or the first fault. Ends the writer.
  [[nodiscard]] result<std::string> finish();

private:
  millis now_;
  std::string bytes_;
  std::optional<failure> fault_;
};

} // namespace rollcall::cluster::wire
