#pragma once

// Packs the value of one record, field by field. Pure; lives as long as one
// call of `encode`.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/identity.hpp"
#include "actors/records.hpp"
#include "persistence/key_schema.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace rollcall {

/// Remembers the first field that is over its bound; `finish` tells.
class record_writer {
public:
  /// Begins a value of `kind` with `fields` fields behind its head.
  record_writer(table kind, std::uint32_t fields);

  /// Begins a map of `size` pairs, an array of `size` items.
  void map(std::size_t size);
  void array(std::size_t size);

  /// An integer or a bool.
  template <std::integral Number>
  void number(Number value) {
    if constexpr (std::same_as<Number, bool>)
      flag(value);
    else if constexpr (std::signed_integral<Number>)
      below_zero_too(value);
    else
      whole(value);
  }

  void time(millis value) {
    below_zero_too(value.count());
  }

  /// As such even where it is whole, which `pack_double` would write as an
  /// integer.
  void real(double value);

  void nil();

  /// At most `most` bytes; `field` is who is to blame.
  void text(const std::string& value, std::size_t most, const char* field);

  void at(version value);
  void ops(const op_memory& memory);
  /// Name and email; `more` has the further fields.
  void who(const profile& value);
  void more(const profile& value);

  template <class T, class Write>
  void maybe(const std::optional<T>& value, Write write) {
    if (value)
      write(*value);
    else
      nil();
  }

  void bound(std::size_t size, std::size_t most, const char* field);

  /// The bytes, or `too_large` with the field.
  [[nodiscard]] result<std::string> finish();

private:
  void flag(bool value);
  void below_zero_too(std::int64_t value);
  void whole(std::uint64_t value);

  std::string bytes_;
  const char* over_ = nullptr;
};

} // namespace rollcall
