#include "actors/base/ids.hpp"

#include "actors/base/limits.hpp"

#include <array>

namespace rollcall {

namespace {

/// Length of the UTF-8 sequence at `at`, or 0 where it is malformed
/// (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  auto b0 = byte(at);
  auto b1 = byte(at + 1);
  if (b0 < 0x80U)
    return 1;
  if (b0 >= 0xC2U && b0 <= 0xDFU)
    return tail(at + 1) ? 2 : 0;
  if (b0 >= 0xE0U && b0 <= 0xEFU) {
    bool first = tail(at + 1) && !(b0 == 0xE0U && b1 < 0xA0U)
                 && !(b0 == 0xEDU && b1 > 0x9FU);
    return first && tail(at + 2) ? 3 : 0;
  }
  if (b0 >= 0xF0U && b0 <= 0xF4U) {
    bool first = tail(at + 1) && !(b0 == 0xF0U && b1 < 0x90U)
                 && !(b0 == 0xF4U && b1 > 0x8FU);
    return first && tail(at + 2) && tail(at + 3) ? 4 : 0;
  }
  return 0;
}

bool has_control(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F)
      return true;
    // C1 controls are U+0080..U+009F: C2 80..C2 9F.
    if (c == 0xC2 && i + 1 < text.size()
        && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    auto n = sequence_length(text, at);
    if (n == 0)
      return false;
    at += n;
  }
  return true;
}

result<std::string> check_id(std::string_view text, std::string_view field) {
  if (text.empty())
    return fail(errc::bad_request, "must not be empty", std::string{field});
  if (text.size() > limits::id_bytes)
    return fail(errc::bad_request, "is longer than 128 bytes",
                std::string{field});
  if (!is_utf8(text))
    return fail(errc::bad_request, "is not UTF-8", std::string{field});
  if (has_control(text))
    return fail(errc::bad_request, "has control characters",
                std::string{field});
  return std::string{text};
}

result<std::string> check_name(std::string_view text, std::string_view field) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'
           || c == '.' || c == '-';
  };
  if (text.empty() || text.size() > limits::name_bytes)
    return fail(errc::bad_request, "must have 1 to 32 characters",
                std::string{field});
  for (char c : text)
    if (!good(c))
      return fail(errc::bad_request, "may hold only a-z 0-9 _ . -",
                  std::string{field});
  return std::string{text};
}

// A control character, which no checked id has.
constexpr char group_mark = '\x01';

result<std::string> check_group_id(std::string_view text,
                                   std::string_view field) {
  if (text.size() > limits::group_id_bytes)
    return fail(errc::bad_request, "is longer than 127 bytes",
                std::string{field});
  return check_id(text, field);
}

session_id place_of_group(std::string_view group) {
  return session_id{group_mark + std::string{group}};
}

bool is_group(const session_id& id) noexcept {
  return !id.empty() && id.str().front() == group_mark;
}

std::string_view group_at(const session_id& place) noexcept {
  return std::string_view{place.str()}.substr(is_group(place) ? 1 : 0);
}

std::string to_string(const connection_id& id) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    auto shift = 60 - 4 * i;
    out[i] = digits[(id.high >> shift) & 0xF];
    out[16 + i] = digits[(id.low >> shift) & 0xF];
  }
  return out;
}

result<connection_id> parse_connection_id(std::string_view text) {
  if (text.size() != 32)
    return fail(errc::bad_request, "must have 32 hex digits", "connection_id");
  std::array<std::uint64_t, 2> halves{};
  for (std::size_t i = 0; i < 32; ++i) {
    char c = text[i];
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<std::uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    else
      return fail(errc::bad_request, "must have 32 hex digits",
                  "connection_id");
    halves[i / 16] = halves[i / 16] << 4 | digit;
  }
  return connection_id{halves[0], halves[1]};
}

} // namespace rollcall
