#include "actors/base/base64url.hpp"

#include <array>
#include <cstdint>

namespace rollcall {

namespace {

constexpr std::string_view alphabet
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_reverse() {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table)
    entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])]
      = static_cast<std::int8_t>(i);
  return table;
}

constexpr auto reverse = make_reverse();

} // namespace

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += alphabet[(bits >> held) & 0x3F];
    }
  }
  if (held > 0)
    out += alphabet[(bits << (6 - held)) & 0x3F];
  return out;
}

result<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1)
    return fail(errc::bad_request, "is not base64url");
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    auto value = reverse[static_cast<unsigned char>(c)];
    if (value < 0)
      return fail(errc::bad_request, "is not base64url");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((bits >> held) & 0xFF);
    }
  }
  if ((bits & ((1U << held) - 1U)) != 0)
    return fail(errc::bad_request, "is not canonical base64url");
  return out;
}

} // namespace rollcall
