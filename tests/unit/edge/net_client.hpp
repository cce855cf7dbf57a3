#pragma once

// A client made of a raw socket, for tests that must be able to misbehave.

#include "edge/net/frame_codec.hpp"
#include "edge/net/transport.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace rollcall::edge::test {

inline constexpr std::chrono::milliseconds patience{10'000};

/// Waits until `holds`; false when it never does.
[[nodiscard]] bool eventually(const std::function<bool()>& holds,
                              std::chrono::milliseconds within = patience);

/// A masked client frame.
[[nodiscard]] std::string client_frame(opcode op, std::string_view payload,
                                       bool fin = true);

struct server_frame {
  opcode op = opcode::text;
  std::string payload;

  [[nodiscard]] std::uint16_t close_code() const;
};

struct http_answer {
  unsigned status = 0;
  std::string head;
  std::string body;

  /// The value of a header, or empty.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// Connects to a server on loopback. Every read waits for at most `patience`.
class net_client {
public:
  /// `small_buffers` keeps the kernel from taking in megabytes for us.
  explicit net_client(std::uint16_t port, bool tls = false,
                      bool small_buffers = false);
  net_client(net_client&& other) noexcept;
  net_client& operator=(net_client&&) = delete;
  ~net_client();

  [[nodiscard]] bool connected() const noexcept {
    return fd_ >= 0;
  }

  /// Returns false when the server has gone.
  bool send(std::string_view bytes);

  /// Reads one HTTP response; status 0 when the server closed instead.
  [[nodiscard]] http_answer read_http();

  /// Sends an upgrade request with the usual headers and `extra` ones (each
  /// ending in CRLF).
  [[nodiscard]] http_answer upgrade(std::string_view protocol
                                    = "rollcall.v1.json",
                                    std::string_view extra = {});

  bool send_frame(opcode op, std::string_view payload, bool fin = true) {
    return send(client_frame(op, payload, fin));
  }

  bool send_text(std::string_view payload) {
    return send_frame(opcode::text, payload);
  }

  /// The next frame; nothing when the server closed or stayed silent.
  [[nodiscard]] std::optional<server_frame> read_frame();

  /// Skips frames until a close frame; 0 when the socket ended without.
  [[nodiscard]] std::uint16_t read_close();

  /// Reads and discards until the server ends the connection.
  [[nodiscard]] bool ended();

  /// Takes at most one buffer's worth of what has come, without decoding.
  [[nodiscard]] std::size_t discard_some();

  /// Says that nothing more will be sent; reads on.
  void end_input();

  /// Closes with a reset instead of an orderly end.
  void reset();
  void close();

  /// Does not wait for anything.
  [[nodiscard]] bool has_input() const;

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

private:
  /// Waits for more input; false at the end.
  bool fill();

  int fd_ = -1;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* tls_ = nullptr;
  std::string input_;
};

} // namespace rollcall::edge::test
