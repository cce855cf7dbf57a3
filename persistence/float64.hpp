#pragma once

// A double as MessagePack has it (float 64).

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rollcall {

/// Its tag, and its bits, the highest first.
[[nodiscard]] constexpr std::array<char, 9> float64_bytes(double value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  std::array<char, 9> bytes{static_cast<char>(0xcb)};
  for (std::size_t i = 1; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(bits >> (64 - 8 * i));
  return bytes;
}

} // namespace rollcall
