#include "actors/identity.hpp"

#include <array>
#include <cstddef>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 10> names = {
  "observe_count", "observe_roster", "join",   "publish", "moderate",
  "host",          "configure",      "create", "admin",   "observe_hidden",
};

} // namespace

std::string_view to_string(capability right) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (static_cast<std::uint16_t>(right) == 1U << i)
      return names[i];
  return "none";
}

std::optional<capability> parse_capability(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return static_cast<capability>(1U << i);
  return std::nullopt;
}

} // namespace rollcall
