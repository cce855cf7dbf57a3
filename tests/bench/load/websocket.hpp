#pragma once

// The client's half of RFC 6455, as small as a load client needs it.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rollcall::bench {

enum class opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// A final, masked client frame.
[[nodiscard]] std::string client_frame(opcode op, std::string_view payload);

/// The request that opens a WebSocket. `headers` are whole lines, each ending
/// in CRLF.
[[nodiscard]] std::string upgrade_request(std::string_view path,
                                          std::string_view headers);

/// Whether `head`, an answer up to its empty line, accepts `upgrade_request`:
/// status 101 and the accept value that belongs to the request's key.
[[nodiscard]] bool accepts_upgrade(std::string_view head);

/// Cuts a server's byte stream into messages. Owned by one connection.
class frame_reader {
public:
  /// Calls `on_message(opcode, payload)` for each message that `chunk`
  /// completes; the payload is valid during the call. False when the server
  /// broke the protocol: the connection is of no more use.
  template <class OnMessage>
  [[nodiscard]] bool feed(std::string_view chunk, OnMessage&& on_message) {
    std::string kept;
    if (!rest_.empty()) {
      rest_.append(chunk);
      if (rest_.size() < needed_)
        return true;
      kept.swap(rest_);
      chunk = kept;
    }
    while (true) {
      header head;
      if (!read_header(chunk, head))
        return keep(chunk, head);
      if (!head.valid)
        return false;
      auto payload = chunk.substr(head.size, head.length);
      chunk.remove_prefix(head.size + head.length);
      if (head.op >= opcode::close) {
        on_message(head.op, payload);
      } else if (head.final && head.op != opcode::continuation) {
        on_message(head.op, payload);
      } else {
        if (head.op != opcode::continuation)
          first_ = head.op;
        parts_.append(payload);
        if (head.final) {
          on_message(first_, std::string_view{parts_});
          parts_ = {};
        }
      }
    }
  }

private:
  struct header {
    bool valid = true;
    bool final = true;
    opcode op = opcode::text;
    std::size_t size = 2;
    std::size_t length = 0;
  };

  /// True when the frame at the front of `bytes` is whole or invalid.
  static bool read_header(std::string_view bytes, header& out);
  bool keep(std::string_view bytes, const header& head);

  std::string rest_;
  std::size_t needed_ = 0;
  std::string parts_;
  opcode first_ = opcode::text;
};

} // namespace rollcall::bench
