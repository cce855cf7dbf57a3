#include "edge/config/values.hpp"

#include "actors/base/ids.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace rollcall::edge {

namespace {

struct unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: writing takes the first that divides.
constexpr std::array<unit, 5> duration_units = {{
  {"d", 86'400'000},
  {"h", 3'600'000},
  {"m", 60'000},
  {"s", 1'000},
  {"ms", 1},
}};

constexpr std::array<unit, 4> size_units = {{
  {"GiB", std::int64_t{1} << 30},
  {"MiB", std::int64_t{1} << 20},
  {"KiB", std::int64_t{1} << 10},
  {"B", 1},
}};

failure wrong(std::string message) {
  return fail(errc::bad_request, std::move(message));
}

// What people typed goes to a terminal: malformed or control bytes stay out.
std::string in_quotes(std::string_view text) {
  auto cut = std::min<std::size_t>(text.size(), 64);
  while (cut > 0 && cut < text.size()
         && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
    --cut;
  const auto shown = text.substr(0, cut);
  if (!shown.empty() && !check_id(shown, {}).ok())
    return "a text that is not printable";
  return write_text(shown) + (cut < text.size() ? "…" : "");
}

std::string found(const raw_value& raw) {
  return std::visit(
    [](const auto& value) -> std::string {
      using type = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<type, untyped_text>)
        return in_quotes(value.text);
      else if constexpr (std::is_same_v<type, bool>)
        return value ? "true" : "false";
      else if constexpr (std::is_same_v<type, std::int64_t>)
        return "the integer " + std::to_string(value);
      else if constexpr (std::is_same_v<type, double>)
        return "the number " + write_number(value);
      else if constexpr (std::is_same_v<type, std::string>)
        return "the text " + in_quotes(value);
      else if constexpr (std::is_same_v<type, unfit_value>)
        return value.what;
      else
        return "an array";
    },
    raw);
}

failure expected(std::string_view what, const raw_value& raw) {
  return wrong("expected " + std::string{what} + ", found " + found(raw));
}

std::optional<std::string_view> text_in(const raw_value& raw) {
  if (auto* text = std::get_if<untyped_text>(&raw))
    return text->text;
  if (auto* text = std::get_if<std::string>(&raw))
    return *text;
  return std::nullopt;
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  auto [end, error]
    = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_with_unit(std::string_view text,
                                            std::span<const unit> units) {
  auto digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos)
    return std::nullopt;
  auto amount = parse_whole<std::int64_t>(text.substr(0, digits));
  if (!amount)
    return std::nullopt;
  for (const auto& [name, factor] : units)
    if (text.substr(digits) == name
        && *amount <= std::numeric_limits<std::int64_t>::max() / factor)
      return *amount * factor;
  return std::nullopt;
}

std::string with_unit(std::int64_t value, std::span<const unit> units) {
  for (const auto& [name, factor] : units)
    if (value != 0 && value % factor == 0)
      return std::to_string(value / factor) + std::string{name};
  return "0" + std::string{units.back().name};
}

std::string size_bound(std::size_t value) {
  return value == 0 ? "0" : size_text(value);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

// Optimal string alignment: insertions, deletions, replacements and swaps of
// neighbours each cost one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differ = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + differ});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

} // namespace

// -- reading -----------------------------------------------------------------

result<bool> read_bool(const raw_value& raw) {
  if (auto* value = std::get_if<bool>(&raw))
    return *value;
  if (auto* text = std::get_if<untyped_text>(&raw)) {
    if (text->text == "true" || text->text == "false")
      return text->text == "true";
  }
  return expected("true or false", raw);
}

result<std::int64_t> read_integer(const raw_value& raw, std::int64_t low,
                                  std::int64_t high) {
  std::optional<std::int64_t> value;
  if (auto* number = std::get_if<std::int64_t>(&raw))
    value = *number;
  else if (auto* text = std::get_if<untyped_text>(&raw))
    value = parse_whole<std::int64_t>(text->text);
  if (!value || *value < low || *value > high)
    return expected("an integer from " + std::to_string(low) + " to "
                      + std::to_string(high),
                    raw);
  return *value;
}

result<double> read_number(const raw_value& raw, double low, double high) {
  std::optional<double> value;
  if (auto* number = std::get_if<double>(&raw))
    value = *number;
  else if (auto* integer = std::get_if<std::int64_t>(&raw))
    value = static_cast<double>(*integer);
  else if (auto* text = std::get_if<untyped_text>(&raw))
    value = parse_whole<double>(text->text);
  // Written so that NaN is refused.
  if (!value || !(*value >= low && *value <= high))
    return expected(
      "a number from " + write_number(low) + " to " + write_number(high), raw);
  return *value;
}

result<millis> read_duration(const raw_value& raw, millis low, millis high) {
  const auto text = text_in(raw);
  const auto value
    = text ? parse_with_unit(*text, duration_units) : std::nullopt;
  if (!value)
    return expected(R"(a duration such as "25s" or "500ms")", raw);
  if (millis{*value} < low || millis{*value} > high)
    return expected("a duration from " + duration_text(low) + " to "
                      + duration_text(high),
                    raw);
  return millis{*value};
}

result<std::size_t> read_size(const raw_value& raw, std::size_t low,
                              std::size_t high) {
  std::optional<std::int64_t> value;
  if (auto* integer = std::get_if<std::int64_t>(&raw))
    value = *integer;
  else if (auto text = text_in(raw))
    value = parse_with_unit(*text, size_units);
  if (auto* text = std::get_if<untyped_text>(&raw); text && !value)
    value = parse_whole<std::int64_t>(text->text);
  if (!value)
    return expected(R"(a size such as "64KiB" or 65536)", raw);
  if (*value < 0 || static_cast<std::size_t>(*value) < low
      || static_cast<std::size_t>(*value) > high)
    return expected(
      "a size from " + size_bound(low) + " to " + size_bound(high), raw);
  return static_cast<std::size_t>(*value);
}

result<std::string> read_text(const raw_value& raw, std::size_t max_bytes) {
  const auto text = text_in(raw);
  if (!text)
    return expected("a text", raw);
  if (text->size() > max_bytes)
    return wrong("is longer than " + std::to_string(max_bytes) + " bytes");
  if (!is_utf8(*text) || has_control(*text))
    return wrong("is not UTF-8 without control characters");
  return std::string{*text};
}

result<std::string> read_secret(const raw_value& raw) {
  if (auto text = text_in(raw))
    return std::string{*text};
  return wrong("expected a text");
}

result<std::vector<std::string>> read_list(const raw_value& raw,
                                           std::size_t max_items) {
  std::vector<std::string> items;
  if (auto* list = std::get_if<std::vector<std::string>>(&raw)) {
    items = *list;
  } else if (auto* text = std::get_if<untyped_text>(&raw)) {
    std::string_view rest = text->text;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      items.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  } else {
    return expected("an array of texts", raw);
  }
  if (items.size() > max_items)
    return wrong("has more than " + std::to_string(max_items) + " items");
  return items;
}

result<std::size_t> read_choice(const raw_value& raw,
                                std::span<const std::string_view> choices) {
  const auto text = text_in(raw);
  std::string names;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (text && *text == choices[i])
      return i;
    names += (i == 0 ? "" : ", ") + std::string{choices[i]};
  }
  return expected("one of " + names, raw);
}

// -- writing -----------------------------------------------------------------

std::string write_number(double value) {
  // to_chars would write 1e+06.
  if (std::abs(value) < 1e15 && std::trunc(value) == value)
    return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 32> buffer{};
  auto [end, error]
    = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string{buffer.data(), end} : "0";
}

std::string write_duration(millis value) {
  return write_text(duration_text(value));
}

std::string write_size(std::size_t value) {
  return value == 0 ? "0" : write_text(size_text(value));
}

std::string write_text(std::string_view value) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string write_list(std::span<const std::string> values) {
  std::string out = "[";
  for (const auto& value : values)
    out += (out.size() == 1 ? "" : ", ") + write_text(value);
  return out + "]";
}

std::string duration_text(millis value) {
  return with_unit(value.count(), duration_units);
}

std::string size_text(std::size_t value) {
  return with_unit(static_cast<std::int64_t>(value), size_units);
}

// -- suggestions -------------------------------------------------------------

std::optional<std::string> nearest(std::string_view name,
                                   std::span<const std::string> known) {
  // Comparing is quadratic: nobody's typing mistake is this long.
  constexpr std::size_t longest = 128;
  if (name.size() > longest)
    return std::nullopt;
  std::optional<std::string> best;
  auto least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : known) {
    const auto d = distance(name, candidate);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

} // namespace rollcall::edge
