#pragma once

// A small tree of values: what somebody submits. Knows no encoding.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall {

/// True or false, a number, text, a list, or fields by name. At most
/// limits::answer_depth deep, and as large as limits::answer_bytes.
struct datum {
  using list = std::vector<datum>;
  /// Sorted by name, none twice.
  using fields = std::vector<std::pair<std::string, datum>>;

  datum() : what(false) {
    // nop
  }

  /// Exactly one of the alternatives; nothing is converted.
  template <class T>
    requires std::same_as<T, bool> || std::same_as<T, std::int64_t> || std::
      same_as<T, double> || std::same_as<T, std::string> || std::same_as<
        T, list> || std::same_as<T, fields>
      datum(T value) : what(std::move(value)) {
      // nop
    }

    std::variant<bool, std::int64_t, double, std::string, list, fields> what;

    friend bool operator==(const datum& a, const datum& b) {
      return a.what == b.what;
    }
};

/// Whether it is, or has anywhere in it, this text: as a value, or as the name
/// of a field.
[[nodiscard]] bool mentions(const datum& value, std::string_view text);

/// Takes that text out: fields of that name and items of lists that are it go,
/// another value that is it becomes empty text.
void take_out(datum& from, std::string_view text);

/// About how many bytes it takes, wherever it is kept.
[[nodiscard]] std::size_t size_of(const datum& value) noexcept;

} // namespace rollcall
