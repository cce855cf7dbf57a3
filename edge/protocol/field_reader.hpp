#pragma once

// Reads the fields of a decoded map: take a field, check its type, remember
// that it was taken; at the end refuse what is left over.

#include "actors/base/errors.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/value.hpp"

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// Whether a field has to be there.
enum class need : std::uint8_t { optional, required };

/// Reads one map. The first thing that is wrong is kept and named by its
/// path; after it every read finds nothing, so callers check once, with
/// `finish`. Borrows the map and the path.
class field_reader {
public:
  explicit field_reader(const value::map& fields, std::string_view path = {})
    : fields_(fields), path_(path) {
    // nop
  }

  /// The field as it is. Null pointer when it is absent.
  const value* take(std::string_view key);

  /// The field, if it is there and a boolean; and so on.
  const bool* boolean(std::string_view key, need how = need::optional);
  const value::map* map(std::string_view key, need how = need::optional);
  const value::array* list(std::string_view key, need how = need::optional);

  /// Text of 1 to `most` bytes.
  const std::string* text(std::string_view key, std::size_t most,
                          need how = need::optional);

  /// An integer from `least` to `most`.
  const std::int64_t* integer(std::string_view key, std::int64_t least,
                              std::int64_t most, need how = need::optional);

  /// Text that passes `check` (check_id, check_name).
  template <class Check>
  std::optional<std::string> checked(std::string_view key, Check check,
                                     need how = need::optional);

  /// Refuses the map for this field, unless it is refused already.
  void refuse(std::string_view key, std::string message);
  /// Likewise, keeping a failure made elsewhere.
  void refuse(failure why);

  [[nodiscard]] bool ok() const noexcept {
    return !why_;
  }

  /// The path of a field of this map.
  [[nodiscard]] std::string path_of(std::string_view key) const;

  /// What was wrong, or a field that nobody took.
  [[nodiscard]] std::optional<failure> finish();

private:
  template <class T>
  const T* get(std::string_view key, need how, const char* otherwise);

  const value::map& fields_;
  std::string_view path_;
  std::bitset<limits::container_items> taken_;
  std::optional<failure> why_;
};

template <class Check>
std::optional<std::string> field_reader::checked(std::string_view key,
                                                 Check check, need how) {
  const auto* found = text(key, limits::frame_bytes, how);
  if (found == nullptr)
    return std::nullopt;
  auto good = check(*found, path_of(key));
  if (!good) {
    refuse(good.error());
    return std::nullopt;
  }
  return std::move(good).value();
}

} // namespace rollcall::edge
