#pragma once

// WebSocket frames, server side (RFC 6455). Pure: bytes in, events out.
// Extensions are never negotiated, so every reserved bit is an error.

#include "actors/base/limits.hpp"
#include "actors/client.hpp"
#include "actors/ports.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// RFC 6455, section 5.2.
enum class opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// The codes RFC 6455 closes with (section 7.4.1). Our own codes (3000 and
/// up) are in edge/protocol/close_codes.hpp.
namespace rfc_close {

inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
/// Never on the wire: a close frame without a code.
inline constexpr std::uint16_t none = 1005;
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_big = 1009;

} // namespace rfc_close

/// Whether a peer may send `code` in a close frame (RFC 6455, section 7.4).
[[nodiscard]] constexpr bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
         || (code >= 3000 && code <= 4999);
}

/// Checks UTF-8 that arrives in pieces.
class utf8_checker {
public:
  /// Returns false as soon as no continuation can be well-formed.
  [[nodiscard]] bool feed(std::string_view bytes) noexcept;

  /// Whether the text may end here.
  [[nodiscard]] bool complete() const noexcept {
    return missing_ == 0;
  }

  void reset() noexcept {
    *this = utf8_checker{};
  }

private:
  std::uint8_t missing_ = 0;
  // The range the next byte must be in.
  std::uint8_t low_ = 0x80;
  std::uint8_t high_ = 0xBF;
};

/// Takes the frames of one client apart. Owned by the client's io loop.
///
/// The caller keeps bytes that were not consumed and presents them again,
/// with more behind them. Frames are unmasked in place, so the view of an
/// unfragmented message points into the caller's input.
class frame_decoder {
public:
  /// What `next` found.
  enum class event : std::uint8_t {
    /// No complete frame is left; come back with more bytes.
    need_more,
    /// A whole message: `payload()`, and whether it `is_text()`.
    message,
    /// A fragment was taken in; nothing to do but to note a sign of life.
    fragment,
    /// `payload()` is to be echoed in a pong.
    ping,
    pong,
    /// The peer closes: `close_code()` (1005 without one). Everything after
    /// it is consumed and ignored.
    closed,
    /// The peer broke the protocol: close with `close_code()`; `why()` says
    /// what was wrong. Everything after it is consumed and ignored.
    failed,
  };

  /// Looks at the front of `input` and removes what it consumed. Views are
  /// valid until the next call and while the input is.
  [[nodiscard]] event next(std::span<char>& input);

  [[nodiscard]] std::string_view payload() const noexcept {
    return payload_;
  }

  [[nodiscard]] bool is_text() const noexcept {
    return text_;
  }

  [[nodiscard]] std::uint16_t close_code() const noexcept {
    return code_;
  }

  [[nodiscard]] const char* why() const noexcept {
    return why_;
  }

  /// The bound on a message, all fragments together, in bytes.
  void set_message_limit(std::size_t bytes) noexcept {
    limit_ = static_cast<std::uint32_t>(bytes);
  }

  /// Bytes of memory held for an unfinished message.
  [[nodiscard]] std::size_t buffered() const noexcept {
    return fragments_.capacity();
  }

private:
  struct header {
    opcode op = opcode::continuation;
    bool fin = false;
    std::uint64_t length = 0;
    std::array<unsigned char, 4> mask{};
    std::size_t size = 0;
  };

  event fail(std::uint16_t code, const char* why) noexcept;
  [[nodiscard]] std::optional<event> check(const header& head) noexcept;
  event take_control(opcode op);
  event take_data(const header& head);

  std::string fragments_;
  std::string_view payload_;
  const char* why_ = "";
  std::uint32_t limit_ = limits::frame_bytes_before_auth;
  std::uint16_t fragment_count_ = 0;
  std::uint16_t code_ = 0;
  utf8_checker utf8_;
  bool text_ = false;
  // Inside a fragmented message.
  bool open_ = false;
  // A close frame came, or the peer broke the protocol.
  bool over_ = false;
};

/// Frames `payload` once for all who receive it: final, unmasked.
[[nodiscard]] frame_ptr make_frame(opcode op, std::string_view payload);

/// Frames a message of the native protocol: JSON as text, msgpack as binary.
[[nodiscard]] frame_ptr make_frame(dialect language, std::string_view payload);

/// A close frame. The reason is cut at 123 bytes, at a character's boundary.
[[nodiscard]] frame_ptr make_close_frame(std::uint16_t code,
                                         std::string_view reason);

} // namespace rollcall::edge
