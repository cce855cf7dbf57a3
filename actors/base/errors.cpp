#include "actors/base/errors.hpp"

#include <array>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 17> names = {
  "none",
  "bad_request",
  "unauthenticated",
  "token_expired",
  "forbidden",
  "not_found",
  "not_invited",
  "banned",
  "session_full",
  "session_locked",
  "session_ended",
  "conflict",
  "rate_limited",
  "too_large",
  "unavailable",
  "internal",
  "precondition_failed",
};

} // namespace

std::string_view to_string(errc code) noexcept {
  auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "internal";
}

std::optional<errc> parse_errc(std::string_view name) noexcept {
  for (std::size_t i = 1; i < names.size(); ++i)
    if (names[i] == name)
      return static_cast<errc>(i);
  return std::nullopt;
}

} // namespace rollcall
