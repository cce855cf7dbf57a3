#pragma once

// Time as an argument. Nothing below `edge/` reads a clock: whoever calls a
// pure state class passes the instant it acts at.

#include <chrono>
#include <cstdint>

namespace rollcall {

using millis = std::chrono::milliseconds;

/// A moment on both clocks, in milliseconds.
/// `steady` orders and bounds (deadlines, ages) and starts anywhere; `wall` is
/// Unix time and is only ever shown or stored, never compared with a deadline.
struct instant {
  millis steady{0};
  millis wall{0};

  friend bool operator==(const instant&, const instant&) = default;
};

/// Moves both clocks by `d`.
[[nodiscard]] constexpr instant operator+(instant at, millis d) noexcept {
  return {at.steady + d, at.wall + d};
}

/// Reads both system clocks. Only shells call this; pure code never does.
[[nodiscard]] instant system_now() noexcept;

/// The later of two durations.
[[nodiscard]] constexpr millis later(millis a, millis b) noexcept {
  return a < b ? b : a;
}

/// A deadline that never comes.
inline constexpr millis never = millis::max();

} // namespace rollcall
