#include "tests/bench/load/websocket.hpp"

namespace rollcall::bench {

namespace {

// The example of RFC 6455, section 1.3: a fixed key has a fixed answer.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
constexpr std::size_t max_message = 64u << 20;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char c : bytes)
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

} // namespace

std::string client_frame(opcode op, std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 14);
  out += static_cast<char>(0x80 | static_cast<int>(op));
  auto put = [&](std::size_t marker, int bytes) {
    out += static_cast<char>(0x80 | marker);
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      out += static_cast<char>(payload.size() >> shift & 0xff);
  };
  if (payload.size() < 126)
    put(payload.size(), 0);
  else if (payload.size() <= 0xffff)
    put(126, 2);
  else
    put(127, 8);
  out.append(reinterpret_cast<const char*>(mask), sizeof mask);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::string upgrade_request(std::string_view path, std::string_view headers) {
  std::string out = "GET ";
  out += path;
  out += " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: ";
  out += key;
  out += "\r\n";
  out += headers;
  out += "\r\n";
  return out;
}

bool accepts_upgrade(std::string_view head) {
  return head.starts_with("HTTP/1.1 101")
         && head.find(accept) != std::string_view::npos;
}

bool frame_reader::read_header(std::string_view bytes, header& out) {
  if (bytes.size() < 2)
    return false;
  auto b0 = static_cast<unsigned char>(bytes[0]);
  auto b1 = static_cast<unsigned char>(bytes[1]);
  out.final = (b0 & 0x80) != 0;
  out.op = static_cast<opcode>(b0 & 0x0f);
  out.length = b1 & 0x7f;
  // Reserved bits mean a compression nobody asked for; servers never mask.
  if ((b0 & 0x70) != 0 || (b1 & 0x80) != 0) {
    out.valid = false;
    return true;
  }
  if (out.length >= 126) {
    std::size_t extra = out.length == 126 ? 2 : 8;
    out.size += extra;
    if (bytes.size() < out.size) {
      out.length = 0;
      return false;
    }
    out.length = big_endian(bytes.substr(2, extra));
    if (out.length > max_message) {
      out.valid = false;
      return true;
    }
  }
  return bytes.size() >= out.size + out.length;
}

bool frame_reader::keep(std::string_view bytes, const header& head) {
  needed_ = head.size + head.length;
  if (!bytes.empty())
    rest_.assign(bytes);
  return true;
}

} // namespace rollcall::bench
