#include "edge/net/frame_codec.hpp"

#include <algorithm>
#include <cstring>

namespace rollcall::edge {

namespace {

constexpr std::size_t control_bytes = 125;
constexpr std::uint64_t msb = std::uint64_t{1} << 63;

unsigned char byte_at(std::span<char> bytes, std::size_t i) noexcept {
  return static_cast<unsigned char>(bytes[i]);
}

std::uint64_t big_endian(std::span<char> bytes, std::size_t from,
                         std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value = value << 8 | byte_at(bytes, from + i);
  return value;
}

void unmask(std::span<char> bytes,
            const std::array<unsigned char, 4>& mask) noexcept {
  std::array<unsigned char, 8> twice{};
  for (std::size_t i = 0; i < twice.size(); ++i)
    twice[i] = mask[i & 3];
  std::uint64_t wide = 0;
  std::memcpy(&wide, twice.data(), sizeof wide);
  auto* at = bytes.data();
  auto left = bytes.size();
  for (; left >= sizeof wide; left -= sizeof wide, at += sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= wide;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i)
    at[i] = static_cast<char>(static_cast<unsigned char>(at[i]) ^ mask[i & 3]);
}

constexpr bool is_control(opcode op) noexcept {
  return (static_cast<std::uint8_t>(op) & 0x8) != 0;
}

constexpr bool is_known(std::uint8_t op) noexcept {
  return op <= 0x2 || (op >= 0x8 && op <= 0xA);
}

} // namespace

// -- UTF-8 -------------------------------------------------------------------

bool utf8_checker::feed(std::string_view bytes) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080ULL;
  const auto* at = bytes.data();
  const auto* end = at + bytes.size();
  while (at != end) {
    if (missing_ == 0) {
      // Most text is ASCII: eight bytes at a time.
      while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        if ((word & high_bits) != 0)
          break;
        at += 8;
      }
      if (at == end)
        return true;
    }
    const auto c = static_cast<unsigned char>(*at++);
    if (missing_ > 0) {
      if (c < low_ || c > high_)
        return false;
      --missing_;
      low_ = 0x80;
      high_ = 0xBF;
    } else if (c >= 0xC2 && c <= 0xDF) {
      missing_ = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
      missing_ = 2;
      low_ = c == 0xE0 ? 0xA0 : 0x80;
      high_ = c == 0xED ? 0x9F : 0xBF;
    } else if (c >= 0xF0 && c <= 0xF4) {
      missing_ = 3;
      low_ = c == 0xF0 ? 0x90 : 0x80;
      high_ = c == 0xF4 ? 0x8F : 0xBF;
    } else if (c >= 0x80) {
      return false;
    }
  }
  return true;
}

// -- decoder -----------------------------------------------------------------

frame_decoder::event frame_decoder::fail(std::uint16_t code,
                                         const char* why) noexcept {
  over_ = true;
  code_ = code;
  why_ = why;
  payload_ = {};
  std::string{}.swap(fragments_);
  return event::failed;
}

std::optional<frame_decoder::event>
frame_decoder::check(const header& head) noexcept {
  if (is_control(head.op)) {
    if (!head.fin)
      return fail(rfc_close::protocol_error, "fragmented control frame");
    if (head.length > control_bytes)
      return fail(rfc_close::protocol_error, "control frame too long");
    return std::nullopt;
  }
  if (open_ != (head.op == opcode::continuation))
    return fail(rfc_close::protocol_error,
                open_ ? "new message inside a fragmented one"
                      : "continuation of nothing");
  // Judged by the announced length: what is too big is never buffered.
  if (head.length > limit_ || fragments_.size() + head.length > limit_)
    return fail(rfc_close::too_big, "message too big");
  if (fragment_count_ >= limits::fragments_per_message)
    return fail(rfc_close::policy, "too many fragments");
  return std::nullopt;
}

frame_decoder::event frame_decoder::next(std::span<char>& input) {
  if (over_) {
    input = {};
    return event::need_more;
  }
  if (!open_ && !fragments_.empty())
    std::string{}.swap(fragments_);
  if (input.size() < 2)
    return event::need_more;
  const auto first = byte_at(input, 0);
  const auto second = byte_at(input, 1);
  if ((first & 0x70) != 0)
    return fail(rfc_close::protocol_error, "reserved bits set");
  if (!is_known(first & 0x0F))
    return fail(rfc_close::protocol_error, "unknown opcode");
  if ((second & 0x80) == 0)
    return fail(rfc_close::protocol_error, "frame is not masked");
  header head;
  head.op = static_cast<opcode>(first & 0x0F);
  head.fin = (first & 0x80) != 0;
  head.length = second & 0x7F;
  const std::size_t extra = head.length == 126 ? 2 : head.length == 127 ? 8 : 0;
  if (extra > 0) {
    // A control frame is refused before its length has arrived.
    if (is_control(head.op))
      return fail(rfc_close::protocol_error, "control frame too long");
    if (input.size() < 2 + extra)
      return event::need_more;
    const auto length = big_endian(input, 2, extra);
    if (length >= msb)
      return fail(rfc_close::protocol_error, "length has its top bit set");
    if (length < 126 || (extra == 8 && length <= 0xFFFF))
      return fail(rfc_close::protocol_error, "length is not minimal");
    head.length = length;
  }
  if (auto failed = check(head))
    return *failed;
  head.size = 2 + extra + head.mask.size();
  if (input.size() < head.size || input.size() - head.size < head.length)
    return event::need_more;
  std::memcpy(head.mask.data(), input.data() + 2 + extra, head.mask.size());
  auto body = input.subspan(head.size, static_cast<std::size_t>(head.length));
  unmask(body, head.mask);
  input = input.subspan(head.size + body.size());
  payload_ = {body.data(), body.size()};
  return is_control(head.op) ? take_control(head.op) : take_data(head);
}

frame_decoder::event frame_decoder::take_control(opcode op) {
  if (op == opcode::ping)
    return event::ping;
  if (op == opcode::pong)
    return event::pong;
  over_ = true;
  std::string{}.swap(fragments_);
  if (payload_.empty()) {
    code_ = rfc_close::none;
    return event::closed;
  }
  if (payload_.size() == 1)
    return fail(rfc_close::protocol_error, "close frame of one byte");
  const auto code
    = static_cast<std::uint16_t>(static_cast<unsigned char>(payload_[0]) << 8
                                 | static_cast<unsigned char>(payload_[1]));
  if (!is_close_code(code))
    return fail(rfc_close::protocol_error, "close code out of range");
  payload_.remove_prefix(2);
  utf8_checker reason;
  if (!reason.feed(payload_) || !reason.complete())
    return fail(rfc_close::invalid_payload, "close reason is not UTF-8");
  code_ = code;
  return event::closed;
}

frame_decoder::event frame_decoder::take_data(const header& head) {
  if (head.op != opcode::continuation) {
    text_ = head.op == opcode::text;
    utf8_.reset();
  }
  if (text_ && (!utf8_.feed(payload_) || (head.fin && !utf8_.complete())))
    return fail(rfc_close::invalid_payload, "text is not UTF-8");
  if (head.fin && !open_)
    return event::message;
  ++fragment_count_;
  fragments_.append(payload_);
  open_ = !head.fin;
  if (open_) {
    payload_ = {};
    return event::fragment;
  }
  fragment_count_ = 0;
  payload_ = fragments_;
  return event::message;
}

// -- encoder -----------------------------------------------------------------

frame_ptr make_frame(opcode op, std::string_view payload) {
  auto frame = std::make_shared<std::string>();
  frame->reserve(payload.size() + 10);
  frame->push_back(static_cast<char>(0x80 | static_cast<std::uint8_t>(op)));
  const auto size = static_cast<std::uint64_t>(payload.size());
  std::size_t extra = 0;
  if (size <= 125) {
    frame->push_back(static_cast<char>(size));
  } else if (size <= 0xFFFF) {
    frame->push_back(126);
    extra = 2;
  } else {
    frame->push_back(127);
    extra = 8;
  }
  for (; extra > 0; --extra)
    frame->push_back(static_cast<char>(size >> (8 * (extra - 1)) & 0xFF));
  frame->append(payload);
  return frame;
}

frame_ptr make_frame(dialect language, std::string_view payload) {
  return make_frame(language == dialect::json ? opcode::text : opcode::binary,
                    payload);
}

frame_ptr make_close_frame(std::uint16_t code, std::string_view reason) {
  constexpr std::size_t reason_bytes = control_bytes - 2;
  if (reason.size() > reason_bytes) {
    auto cut = reason_bytes;
    while (cut > 0 && (static_cast<unsigned char>(reason[cut]) & 0xC0) == 0x80)
      --cut;
    reason = reason.substr(0, cut);
  }
  std::string payload;
  if (code != rfc_close::none) {
    payload.push_back(static_cast<char>(code >> 8));
    payload.push_back(static_cast<char>(code & 0xFF));
    payload.append(reason);
  }
  return make_frame(opcode::close, payload);
}

} // namespace rollcall::edge
