#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"
#include "edge/ops/logging.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <type_traits>

namespace rollcall::edge {

namespace {

std::string timestamp(millis wall) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{wall};
  const auto midnight = floor<days>(at);
  const year_month_day date{midnight};
  const hh_mm_ss time{at - midnight};
  std::array<char, 40> out{};
  const auto size = std::snprintf(
    out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return {out.data(), static_cast<std::size_t>(size)};
}

// The end of the character that begins at `at`, or `at` where it is malformed.
std::size_t character_end(std::string_view text, std::size_t at) {
  for (std::size_t size = 1; size <= 4 && at + size <= text.size(); ++size)
    if (is_utf8(text.substr(at, size)))
      return at + size;
  return at;
}

void append_escaped_byte(std::string& out, unsigned byte) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[byte >> 4];
  out += digits[byte & 0xF];
}

// In quotes, as JSON, which is also fit for terminals: C1 controls and DEL
// are escaped as well.
void append_quoted(std::string& out, std::string_view text,
                   std::size_t most = limits::log_value_bytes) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = character_end(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    if (end > most) {
      out += "…";
      break;
    }
    if (end == at) {
      out += "\uFFFD";
      if (++at > most)
        break;
      continue;
    }
    const auto second
      = end > at + 1 ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (first == '"' || first == '\\') {
      out += '\\';
      out += text[at];
    } else if (first < 0x20 || first == 0x7F) {
      append_escaped_byte(out, first);
    } else if (first == 0xC2 && second < 0xA0) {
      append_escaped_byte(out, second);
    } else {
      out += text.substr(at, end - at);
    }
    at = end;
  }
  out += '"';
}

std::string number(double value) {
  if (!std::isfinite(value))
    return "null";
  std::array<char, 32> buffer{};
  auto [end, error]
    = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string{buffer.data(), end} : "null";
}

void append_value(std::string& out, const log_field& field) {
  std::visit(
    [&](auto v) {
      using type = decltype(v);
      if constexpr (std::is_same_v<type, bool>)
        out += v ? "true" : "false";
      else if constexpr (std::is_same_v<type, double>)
        out += number(v);
      else if constexpr (std::is_integral_v<type>)
        out += std::to_string(v);
      else
        append_quoted(out, v, field.most);
    },
    field.value);
}

void append_member(std::string& out, std::string_view key) {
  out += out.size() == 1 ? "" : ",";
  append_quoted(out, key);
  out += ':';
}

bool is_reserved(std::string_view key) {
  return key == "at" || key == "level" || key == "subject" || key == "event"
         || key == "suppressed";
}

} // namespace

std::string json_line(const log_line& line, millis wall,
                      std::uint64_t suppressed) {
  std::string out = "{";
  append_member(out, "at");
  append_quoted(out, timestamp(wall));
  append_member(out, "level");
  append_quoted(out, to_string(line.level));
  append_member(out, "subject");
  append_quoted(out, line.subject);
  append_member(out, "event");
  append_quoted(out, line.event);
  for (const auto& field : line.fields) {
    append_member(out, is_reserved(field.key) ? std::string{field.key} + '_'
                                              : std::string{field.key});
    append_value(out, field);
  }
  if (suppressed > 0) {
    append_member(out, "suppressed");
    out += std::to_string(suppressed);
  }
  return out + '}';
}

std::string text_line(const log_line& line, millis wall,
                      std::uint64_t suppressed) {
  auto out = timestamp(wall) + ' ';
  const auto level = to_string(line.level);
  out += level;
  out.append(6 - std::min<std::size_t>(level.size(), 5), ' ');
  out += line.subject;
  out += ' ';
  out += line.event;
  for (const auto& field : line.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    append_value(out, field);
  }
  if (suppressed > 0)
    out += " suppressed=" + std::to_string(suppressed);
  return out;
}

std::optional<std::uint64_t>
log_gate::admit(std::string_view subject, std::string_view event, millis now) {
  auto key = std::pair{std::string{subject}, std::string{event}};
  auto at = entries_.find(key);
  if (at == entries_.end() && entries_.size() < limits::log_event_keys)
    at = entries_.try_emplace(std::move(key)).first;
  auto& found = at == entries_.end() ? others_ : at->second;
  if (!found.bucket.take(rule_, 1, now)) {
    ++found.suppressed;
    return std::nullopt;
  }
  return std::exchange(found.suppressed, 0);
}

} // namespace rollcall::edge
