#pragma once

// Builds a `value` from a parser's events and enforces the bounds both codecs
// share. Internal to edge/protocol.

#include "actors/base/errors.hpp"
#include "edge/protocol/value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// Every event returns false when the message must be refused; the parser
/// then stops and `why` says what is wrong and where.
class tree_builder {
public:
  bool null();
  bool boolean(bool content);
  /// Refuses what lies beyond ±(2^53 − 1).
  bool integer(std::int64_t content);
  /// Refuses what is not finite.
  bool real(double content);
  /// Refuses what is not UTF-8.
  bool text(std::string_view content);

  bool open_array();
  bool open_map();
  /// The next event is the value of `name`.
  bool key(std::string_view name);
  /// Ends the innermost array or map; refuses duplicate keys.
  bool close();

  /// Refuses the message for what stands at the current path. The first
  /// refusal stays.
  bool refuse(std::string_view message);

  [[nodiscard]] const std::optional<failure>& why() const noexcept {
    return why_;
  }

  /// What was built, complete or not.
  [[nodiscard]] value take() {
    return std::move(root_);
  }

private:
  /// The place of the next value, or null pointer where there is no room.
  value* place();
  bool put(value content);
  bool open(value container);
  [[nodiscard]] std::string path() const;

  value root_;
  /// The open containers, outermost first. Their addresses are stable: only
  /// the innermost one grows.
  std::vector<value*> open_;
  bool awaits_value_ = false;
  std::optional<failure> why_;
};

/// `path` extended by the name of a map's key, cut to what an error may carry.
[[nodiscard]] std::string joined_path(std::string_view path,
                                      std::string_view key);

} // namespace rollcall::edge
