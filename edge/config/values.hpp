#pragma once

// The kinds of values a configuration holds: how each is read, refused and
// written. Pure. Failures say what was expected and what was found.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::edge {

/// From a flag or a variable: only the key knows its type.
struct untyped_text {
  std::string text;
};

/// A table where a value may not be; as `what` says, e.g. "a table".
struct unfit_value {
  std::string what;
};

/// A value as it was written.
using raw_value
  = std::variant<untyped_text, bool, std::int64_t, double, std::string,
                 std::vector<std::string>, unfit_value>;

[[nodiscard]] result<bool> read_bool(const raw_value& raw);
[[nodiscard]] result<std::int64_t>
read_integer(const raw_value& raw, std::int64_t low, std::int64_t high);
[[nodiscard]] result<double> read_number(const raw_value& raw, double low,
                                         double high);
/// An integer and a unit: `ms`, `s`, `m`, `h` or `d`.
[[nodiscard]] result<millis> read_duration(const raw_value& raw, millis low,
                                           millis high);
/// An integer, or one with a unit: `B`, `KiB`, `MiB` or `GiB`.
[[nodiscard]] result<std::size_t> read_size(const raw_value& raw,
                                            std::size_t low, std::size_t high);
/// UTF-8 without control characters.
[[nodiscard]] result<std::string> read_text(const raw_value& raw,
                                            std::size_t max_bytes);
/// The same without the limits on its bytes, and never repeated in a failure.
[[nodiscard]] result<std::string> read_secret(const raw_value& raw);
/// An array of texts; in a flag or variable separated by commas.
[[nodiscard]] result<std::vector<std::string>> read_list(const raw_value& raw,
                                                         std::size_t max_items);
/// The index of the text in `choices`.
[[nodiscard]] result<std::size_t>
read_choice(const raw_value& raw, std::span<const std::string_view> choices);

// What the functions above read back, as TOML.
[[nodiscard]] std::string write_number(double value);
[[nodiscard]] std::string write_duration(millis value);
[[nodiscard]] std::string write_size(std::size_t value);
[[nodiscard]] std::string write_text(std::string_view value);
[[nodiscard]] std::string write_list(std::span<const std::string> values);

/// `5ms`, `2m`: the largest unit that needs no fraction.
[[nodiscard]] std::string duration_text(millis value);
[[nodiscard]] std::string size_text(std::size_t value);

/// What was meant by `name`: the name with the fewest typing mistakes between
/// them, unless they are too far apart to be one.
[[nodiscard]] std::optional<std::string>
nearest(std::string_view name, std::span<const std::string> known);

} // namespace rollcall::edge
