#pragma once

// Walks the arrays of one stored value. Pure; lives as long as one call of
// `decode`.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/datum.hpp"
#include "actors/identity.hpp"
#include "actors/records.hpp"
#include "persistence/key_schema.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall {

/// Reads one array. The first thing that is wrong sticks in the `fault` that
/// all walks through a value share, and from there on every answer is empty.
class record_reader {
public:
  using fault = std::optional<failure>;

  /// `items` are `size` unpacked msgpack objects, which outlive the reader.
  record_reader(const void* items, std::size_t size, fault& bad)
    : next_(items), left_(size), bad_(bad) {
    // nop
  }

  /// The next item, an array of `size`.
  record_reader tuple(std::size_t size, const char* field) {
    return tuple(size, 0, field);
  }

  /// The same, with up to `later` more that were added later.
  record_reader tuple(std::size_t size, std::size_t later, const char* field);

  /// The next item, an array of at most `most`.
  record_reader list(std::size_t most, const char* field);

  [[nodiscard]] std::size_t left() const noexcept {
    return bad_ ? 0 : left_;
  }

  template <class UInt>
  UInt number(const char* field,
              std::uint64_t most = std::numeric_limits<UInt>::max()) {
    return static_cast<UInt>(whole(most, field));
  }

  template <class Enum>
  Enum name(const char* field, Enum last) {
    return static_cast<Enum>(
      number<std::uint8_t>(field, static_cast<std::uint8_t>(last)));
  }

  /// At most limits::answer_depth deep.
  datum tree(const char* field, std::size_t depth = 0);

  double real(const char* field);
  bool flag(const char* field);
  millis time(const char* field);
  std::string text(std::size_t most, const char* field);

  template <class Read>
  auto maybe(Read read) -> std::optional<decltype(read())> {
    if (take_nil())
      return std::nullopt;
    return read();
  }

  version at(const char* field);
  op_memory ops();
  /// Name and email.
  profile who();
  /// The further fields, which came later: what has them not ends before.
  void more(profile& value);

  void wrong(const char* message, const char* field);

private:
  std::uint64_t whole(std::uint64_t most, const char* field);
  bool take_nil();
  datum::fields members(const char* field, std::size_t depth);
  [[nodiscard]] bool next_is(int type) const noexcept;
  const void* take(int type, const char* field);

  const void* next_;
  std::size_t left_;
  fault& bad_;
};

/// Unpacks `value`, checks its head against `kind` and hands the fields to
/// `read`; whatever it leaves unread is too much. Never throws: `internal`,
/// naming the field.
[[nodiscard]] result<done>
read_fields(std::string_view value, table kind,
            const std::function<void(record_reader&)>& read);

} // namespace rollcall
