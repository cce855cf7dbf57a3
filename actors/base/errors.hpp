#pragma once

// Errors are values. The codes are part of the wire protocol
// (docs/protocol.md): never renumber, never reuse.

#include "actors/base/instant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace rollcall {

/// What went wrong, in the words the protocol uses.
enum class errc : std::uint8_t {
  /// The request is malformed; `failure::field` names the part.
  bad_request = 1,
  /// No token, or one that does not verify.
  unauthenticated = 2,
  /// The token was good once.
  token_expired = 3,
  /// The identity is known and may not do this.
  forbidden = 4,
  /// There is no such thing, or it is not to be known to this caller.
  not_found = 5,
  /// The session admits invited members only.
  not_invited = 6,
  banned = 7,
  session_full = 8,
  session_locked = 9,
  session_ended = 10,
  /// The change contradicts what is there (a duplicate, a used op id).
  conflict = 11,
  rate_limited = 12,
  too_large = 13,
  /// Try again: the journal, the owner or the node is not able right now.
  unavailable = 14,
  /// A fault of ours; nothing was changed.
  internal = 15,
  /// What it was to change is not as the caller expects.
  precondition_failed = 16,
};

/// The wire name of a code, e.g. `"not_found"`.
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// The code of a wire name, if there is one.
[[nodiscard]] std::optional<errc> parse_errc(std::string_view name) noexcept;

/// Whether repeating the same request later may succeed.
[[nodiscard]] constexpr bool is_retryable(errc code) noexcept {
  return code == errc::rate_limited || code == errc::unavailable
         || code == errc::token_expired;
}

/// A refusal: nothing was changed by the request it answers.
struct failure {
  errc code = errc::internal;
  /// For people; carries no user data and no secret.
  std::string message;
  /// The offending field of the request, or empty.
  std::string field;
  /// How long to wait before a retry, where that is known.
  std::optional<millis> retry_after;

  friend bool operator==(const failure&, const failure&) = default;
};

[[nodiscard]] inline failure fail(errc code, std::string message,
                                  std::string field = {}) {
  return {code, std::move(message), std::move(field), std::nullopt};
}

/// A value or the failure that took its place.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : data_(std::in_place_index<0>, std::move(value)) {
    // nop
  }

  result(failure why) : data_(std::in_place_index<1>, std::move(why)) {
    // nop
  }

  [[nodiscard]] bool ok() const noexcept {
    return data_.index() == 0;
  }

  explicit operator bool() const noexcept {
    return ok();
  }

  [[nodiscard]] T& value() & {
    return std::get<0>(data_);
  }

  [[nodiscard]] const T& value() const& {
    return std::get<0>(data_);
  }

  [[nodiscard]] T&& value() && {
    return std::get<0>(std::move(data_));
  }

  [[nodiscard]] const failure& error() const {
    return std::get<1>(data_);
  }

  T& operator*() & {
    return value();
  }

  const T& operator*() const& {
    return value();
  }

  T* operator->() {
    return &value();
  }

  const T* operator->() const {
    return &value();
  }

private:
  std::variant<T, failure> data_;
};

/// The success of something that has no value to give.
struct done {
  friend bool operator==(const done&, const done&) = default;
};

} // namespace rollcall
