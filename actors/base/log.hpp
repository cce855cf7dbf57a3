#pragma once

// The seam for logs: code below the edge says what happened, the program
// decides where that goes (edge/ops/logging.hpp). Until a sink is set nothing
// is written and a line costs one atomic load.
//
//   log(log_level::info, "journal", "claimed",
//       {{"partition", 7}, {"epoch", epoch}});
//
// Never put a token, secret, name, e-mail or message body into a field.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace rollcall {

enum class log_level : std::uint8_t { debug, info, warn, error, off };

/// The name in configuration and output, e.g. `"warn"`.
[[nodiscard]] std::string_view to_string(log_level level) noexcept;
[[nodiscard]] std::optional<log_level>
parse_log_level(std::string_view name) noexcept;

/// One `key = value` of a line. Views only: lives as long as the call.
/// Durations are logged as milliseconds; give their keys the suffix `_ms`.
struct log_field {
  using value_type
    = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

  log_field(std::string_view k, bool v) : key(k), value(v) {
    // nop
  }

  template <std::signed_integral T>
  log_field(std::string_view k, T v)
    : key(k), value(static_cast<std::int64_t>(v)) {
    // nop
  }

  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  log_field(std::string_view k, T v)
    : key(k), value(static_cast<std::uint64_t>(v)) {
    // nop
  }

  template <std::floating_point T>
  log_field(std::string_view k, T v) : key(k), value(static_cast<double>(v)) {
    // nop
  }

  log_field(std::string_view k, millis v) : log_field(k, v.count()) {
    // nop
  }

  /// Everything that reads as text: strings, views and literals.
  template <std::convertible_to<std::string_view> T>
    requires(!std::integral<T> && !std::floating_point<T>)
  log_field(std::string_view k, const T& v)
    : key(k), value(std::string_view{v}) {
    // nop
  }

  template <class Tag>
  log_field(std::string_view k, const text_id<Tag>& v)
    : key(k), value(std::string_view{v.str()}) {
    // nop
  }

  /// Its message, which may be longer than other text.
  log_field(std::string_view k, const failure& v)
    : key(k),
      value(std::string_view{v.message}),
      most(limits::log_failure_bytes) {
    // nop
  }

  std::string_view key;
  value_type value;
  /// Bytes of text; the rest is cut off.
  std::size_t most = limits::log_value_bytes;
};

/// A line: `subject` is the part that speaks (`"journal"`), `event` what
/// happened to it (`"claimed"`); both are literals and together the key that
/// rate limits count by.
struct log_line {
  log_level level = log_level::info;
  std::string_view subject;
  std::string_view event;
  std::span<const log_field> fields;
};

/// Takes lines at or above the level it was set with. Called on any thread,
/// must not throw or block for long; copies what it keeps. Escaping,
/// truncation and rate limits are its business.
using log_sink = void (*)(const log_line& line) noexcept;

/// Replaces the process-wide sink; null turns logging off. Safe at any time:
/// a sink is a plain function, so one that has just been replaced may still
/// be running.
void set_log_sink(log_sink sink, log_level lowest) noexcept;

namespace detail {

// Here rather than in log.cpp so that a disabled line stays inline.
inline std::atomic<log_level> lowest_log_level{log_level::off};

void write_log(const log_line& line) noexcept;

} // namespace detail

/// Whether a line of this level would go anywhere.
[[nodiscard]] inline bool log_enabled(log_level level) noexcept {
  return level >= detail::lowest_log_level.load(std::memory_order_relaxed)
         && level < log_level::off;
}

inline void log(log_level level, std::string_view subject,
                std::string_view event,
                std::initializer_list<log_field> fields = {}) noexcept {
  if (log_enabled(level))
    detail::write_log({level, subject, event, {fields.begin(), fields.size()}});
}

} // namespace rollcall
