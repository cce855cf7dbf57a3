#include "actors/identity.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 10> names = {
  "observe_count", "observe_roster", "join",   "publish", "moderate",
  "host",          "configure",      "create", "admin",   "observe_hidden",
};

/// The first code point, which is taken off. Where it is no UTF-8, its first
/// byte.
char32_t take_point(std::string_view& from) noexcept {
  auto first = static_cast<unsigned char>(from.front());
  std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  size = std::min(size, from.size());
  char32_t out = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i)
    out = out << 6 | (static_cast<unsigned char>(from[i]) & 0x3FU);
  from.remove_prefix(size);
  return out;
}

struct point_range {
  char32_t first;
  char32_t last;
};

// C0, C1, line and paragraph separators, bidi embeddings, overrides, isolates.
constexpr std::array<point_range, 4> unfit
  = {{{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

// White space, and what is shown as nothing.
constexpr std::array<point_range, 14> blank = {{{0x20, 0x20},
                                                {0xA0, 0xA0},
                                                {0xAD, 0xAD},
                                                {0x34F, 0x34F},
                                                {0x61C, 0x61C},
                                                {0x115F, 0x1160},
                                                {0x1680, 0x1680},
                                                {0x17B4, 0x17B5},
                                                {0x180B, 0x180F},
                                                {0x2000, 0x200F},
                                                {0x202F, 0x202F},
                                                {0x205F, 0x2064},
                                                {0x2800, 0x2800},
                                                {0x3000, 0x3000}}};
constexpr std::array<point_range, 5> more_blank = {{{0x3164, 0x3164},
                                                    {0xFE00, 0xFE0F},
                                                    {0xFEFF, 0xFEFF},
                                                    {0xFFA0, 0xFFA0},
                                                    {0xE0000, 0xE0FFF}}};

template <std::size_t Size>
bool is_in(const std::array<point_range, Size>& ranges,
           char32_t point) noexcept {
  return std::any_of(ranges.begin(), ranges.end(), [=](const auto& each) {
    return each.first <= point && point <= each.last;
  });
}

} // namespace

const char* refuses_shown(std::string_view name) noexcept {
  bool seen = false;
  while (!name.empty()) {
    auto point = take_point(name);
    if (is_in(unfit, point))
      return "must have no control characters";
    seen = seen || (!is_in(blank, point) && !is_in(more_blank, point));
  }
  return seen ? nullptr : "must have something to see";
}

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
