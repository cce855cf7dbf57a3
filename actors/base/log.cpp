#include "actors/base/log.hpp"

#include <array>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 5> names
  = {"debug", "info", "warn", "error", "off"};

std::atomic<log_sink> current_sink{nullptr};

} // namespace

std::string_view to_string(log_level level) noexcept {
  auto index = static_cast<std::size_t>(level);
  return index < names.size() ? names[index] : "off";
}

std::optional<log_level> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return static_cast<log_level>(i);
  return std::nullopt;
}

void set_log_sink(log_sink sink, log_level lowest) noexcept {
  current_sink.store(sink, std::memory_order_release);
  detail::lowest_log_level.store(sink ? lowest : log_level::off,
                                 std::memory_order_relaxed);
}

void detail::write_log(const log_line& line) noexcept {
  if (auto sink = current_sink.load(std::memory_order_acquire))
    sink(line);
}

} // namespace rollcall
