#include "actors/records.hpp"

#include <array>

namespace rollcall {

std::string_view to_string(leave_reason reason) noexcept {
  static constexpr std::array<std::string_view, 7> names = {
    "left",     "timeout",       "network",   "kicked",
    "replaced", "session_ended", "edge_lost",
  };
  auto index = static_cast<std::size_t>(reason);
  return index < names.size() ? names[index] : "left";
}

} // namespace rollcall
