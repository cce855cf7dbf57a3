#pragma once

// A decoded message before it has a type: the common ground of JSON and
// msgpack. Bounded by whoever builds it (json_codec.hpp, msgpack_codec.hpp);
// nothing here knows an encoding.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::edge {

/// Null, boolean, integer, real number, text, array or map.
/// The codecs promise: integers within ±(2^53 − 1), finite numbers, UTF-8
/// text, no duplicate key in a map, at most limits::nesting_depth levels and
/// limits::container_items items per array or map.
class value {
public:
  using array = std::vector<value>;
  using member = std::pair<std::string, value>;
  /// In the order of the message.
  using map = std::vector<member>;

  /// Null.
  value() = default;

  /// Exactly one of the alternatives; nothing is converted.
  template <class T>
    requires std::same_as<T, bool> || std::same_as<T, std::int64_t> || std::
      same_as<T, double> || std::same_as<T, std::string> || std::same_as<
        T, array> || std::same_as<T, map>
  explicit value(T data) : data_(std::move(data)) {
    // nop
  }

  [[nodiscard]] bool is_null() const noexcept {
    return data_.index() == 0;
  }

  /// The content, if it is a `T`; null pointer otherwise.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&data_);
  }

  template <class T>
  [[nodiscard]] T* get_if() noexcept {
    return std::get_if<T>(&data_);
  }

  /// The value of `key`, if this is a map that has it.
  [[nodiscard]] const value* find(std::string_view key) const noexcept {
    if (const auto* members = get_if<map>())
      for (const auto& [name, content] : *members)
        if (name == key)
          return &content;
    return nullptr;
  }

  friend bool operator==(const value& a, const value& b) {
    return a.data_ == b.data_;
  }

private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, array,
               map>
    data_;
};

/// The largest integer that every client reads exactly: 2^53 − 1.
inline constexpr std::int64_t max_integer = (std::int64_t{1} << 53) - 1;

} // namespace rollcall::edge
