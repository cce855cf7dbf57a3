#pragma once

// Two writers with one interface, so that a message is described once and
// encoded in either dialect. They append to a string and know no message.
//
// A literal key or word is turned into its final bytes by the compiler. JSON
// puts a comma behind every value and the closing bracket over the last one,
// so that nothing has to be remembered between values.

#include "actors/base/limits.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace rollcall::edge {

/// A string literal as a template argument.
template <std::size_t Size>
struct literal {
  consteval literal(const char (&from)[Size]) {
    for (std::size_t i = 0; i < Size; ++i)
      text[i] = from[i];
  }

  [[nodiscard]] static constexpr std::size_t size() noexcept {
    return Size - 1;
  }

  [[nodiscard]] constexpr std::string_view view() const noexcept {
    return {text, Size - 1};
  }

  char text[Size] = {};
};

/// Whether `text` must not stand in JSON as it is (RFC 8259, section 7).
[[nodiscard]] inline bool needs_escape(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = ones << 7;
  auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    auto control = (word - ones * 0x20) & ~word & highs;
    if ((control | has_zero(word ^ (ones * '"'))
         | has_zero(word ^ (ones * '\\')))
        != 0)
      return true;
  }
  for (; left > 0; ++at, --left)
    if (static_cast<unsigned char>(*at) < 0x20 || *at == '"' || *at == '\\')
      return true;
  return false;
}

/// Appends `text` with everything escaped that JSON asks for.
inline void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    }
  }
}

/// Writes JSON without white space. Text must be UTF-8.
class json_writer {
public:
  explicit json_writer(std::string& out) : out_(out) {
    // nop
  }

  void open_map() {
    out_ += '{';
  }

  void open_map(std::size_t) {
    out_ += '{';
  }

  void close_map() {
    close('}');
  }

  void open_array(std::size_t) {
    out_ += '[';
  }

  void close_array() {
    close(']');
  }

  template <literal Key>
  void key() {
    static constexpr auto bytes = quoted<Key>(':');
    out_.append(bytes.data(), bytes.size());
  }

  void key(std::string_view name) {
    text(name);
    out_.back() = ':';
  }

  /// A literal text that needs no escaping.
  template <literal Word>
  void word() {
    static constexpr auto bytes = quoted<Word>(',');
    out_.append(bytes.data(), bytes.size());
  }

  void text(std::string_view content) {
    out_ += '"';
    if (needs_escape(content))
      append_escaped(out_, content);
    else
      out_ += content;
    out_.append("\",", 2);
  }

  template <class Integer>
    requires std::is_integral_v<Integer>
  void integer(Integer content) {
    std::array<char, 24> digits{};
    auto* end = digits.data() + digits.size();
    end = std::to_chars(digits.data(), end, content).ptr;
    *end++ = ',';
    out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }

  /// Shortest text that reads back as the same double, and as a double.
  void real(double content) {
    if (!std::isfinite(content)) {
      null();
      return;
    }
    std::array<char, 40> digits{};
    auto* end = digits.data() + digits.size();
    end = std::to_chars(digits.data(), end, content).ptr;
    std::string_view number{digits.data(),
                            static_cast<std::size_t>(end - digits.data())};
    out_ += number;
    if (number.find_first_of(".e") == std::string_view::npos)
      out_ += ".0";
    out_ += ',';
  }

  void boolean(bool content) {
    out_ += content ? std::string_view{"true,"} : std::string_view{"false,"};
  }

  void null() {
    out_.append("null,", 5);
  }

  /// Ends the message.
  void finish() {
    out_.pop_back();
  }

private:
  template <literal Text>
  static consteval auto quoted(char end) {
    std::array<char, Text.size() + 3> out{};
    out.front() = '"';
    for (std::size_t i = 0; i < Text.size(); ++i)
      out[i + 1] = Text.text[i];
    out[Text.size() + 1] = '"';
    out.back() = end;
    return out;
  }

  void close(char bracket) {
    if (out_.back() == ',')
      out_.back() = bracket;
    else
      out_ += bracket;
    out_ += ',';
  }

  std::string& out_;
};

/// Writes msgpack in its shortest forms.
class msgpack_writer {
public:
  explicit msgpack_writer(std::string& out) : out_(out) {
    // nop
  }

  /// A map whose keys are counted while they are written.
  void open_map() {
    open_[depth_++] = {out_.size(), 0};
    out_ += static_cast<char>(0x80);
  }

  /// A map of so many keys.
  void open_map(std::size_t keys) {
    header(keys, 0x80, 16, 0xde);
    open_[depth_++] = {counted_elsewhere, 0};
  }

  void close_map() {
    auto [at, keys] = open_[--depth_];
    if (at == counted_elsewhere)
      return;
    if (keys < 16) {
      out_[at] = static_cast<char>(0x80 | keys);
      return;
    }
    out_[at] = static_cast<char>(0xde);
    out_.insert(at + 1,
                {static_cast<char>(keys >> 8), static_cast<char>(keys & 0xFF)});
  }

  void open_array(std::size_t items) {
    header(items, 0x90, 16, 0xdc);
  }

  void close_array() {
    // Nothing: arrays say their size first.
  }

  template <literal Key>
  void key() {
    ++open_[depth_ - 1].keys;
    word<Key>();
  }

  void key(std::string_view name) {
    ++open_[depth_ - 1].keys;
    text(name);
  }

  template <literal Word>
  void word() {
    static_assert(Word.size() < 32);
    static constexpr auto bytes = prefixed<Word>();
    out_.append(bytes.data(), bytes.size());
  }

  void text(std::string_view content) {
    auto size = content.size();
    if (size < 32)
      out_ += static_cast<char>(0xa0 | size);
    else if (size < 256)
      tagged<1>(0xd9, size);
    else if (size < 65'536)
      tagged<2>(0xda, size);
    else
      tagged<4>(0xdb, size);
    out_ += content;
  }

  template <class Integer>
    requires std::is_integral_v<Integer>
  void integer(Integer content) {
    if constexpr (std::is_signed_v<Integer>)
      if (content < 0) {
        negative(static_cast<std::int64_t>(content));
        return;
      }
    positive(static_cast<std::uint64_t>(content));
  }

  void real(double content) {
    tagged<8>(0xcb, std::bit_cast<std::uint64_t>(content));
  }

  void boolean(bool content) {
    out_ += static_cast<char>(content ? 0xc3 : 0xc2);
  }

  void null() {
    out_ += static_cast<char>(0xc0);
  }

  void finish() {
    // Nothing: the outermost map ends the message.
  }

private:
  struct open_level {
    std::size_t at = 0;
    std::size_t keys = 0;
  };

  /// Whatever can be read can be written.
  static constexpr std::size_t levels_max = limits::nesting_depth;
  static constexpr auto counted_elsewhere = static_cast<std::size_t>(-1);

  template <literal Text>
  static consteval auto prefixed() {
    std::array<char, Text.size() + 1> out{};
    out.front() = static_cast<char>(0xa0 | Text.size());
    for (std::size_t i = 0; i < Text.size(); ++i)
      out[i + 1] = Text.text[i];
    return out;
  }

  /// `tag` and the low `Bytes` bytes of `content`, big-endian.
  template <std::size_t Bytes>
  void tagged(unsigned tag, std::uint64_t content) {
    std::array<char, Bytes + 1> bytes{};
    bytes.front() = static_cast<char>(tag);
    for (std::size_t i = 0; i < Bytes; ++i)
      bytes[Bytes - i] = static_cast<char>((content >> (8 * i)) & 0xFF);
    out_.append(bytes.data(), bytes.size());
  }

  void header(std::size_t items, unsigned small, std::size_t below,
              unsigned large) {
    if (items < below)
      out_ += static_cast<char>(small | items);
    else if (items < 65'536)
      tagged<2>(large, items);
    else
      tagged<4>(large + 1, items);
  }

  void positive(std::uint64_t content) {
    if (content < 0x80)
      out_ += static_cast<char>(content);
    else if (content <= 0xFF)
      tagged<1>(0xcc, content);
    else if (content <= 0xFFFF)
      tagged<2>(0xcd, content);
    else if (content <= 0xFFFF'FFFF)
      tagged<4>(0xce, content);
    else
      tagged<8>(0xcf, content);
  }

  void negative(std::int64_t content) {
    auto bits = static_cast<std::uint64_t>(content);
    if (content >= -32)
      out_ += static_cast<char>(content);
    else if (content >= INT8_MIN)
      tagged<1>(0xd0, bits);
    else if (content >= INT16_MIN)
      tagged<2>(0xd1, bits);
    else if (content >= INT32_MIN)
      tagged<4>(0xd2, bits);
    else
      tagged<8>(0xd3, bits);
  }

  std::string& out_;
  std::array<open_level, levels_max> open_{};
  std::size_t depth_ = 0;
};

} // namespace rollcall::edge
