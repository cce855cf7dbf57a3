#pragma once

#include "tests/bench/load/websocket.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace rollcall::bench {

/// One WebSocket that waits, for what is done before anything is measured.
/// Gives up after ten seconds without a byte.
class blocking_client {
public:
  blocking_client() = default;
  blocking_client(const blocking_client&) = delete;
  blocking_client& operator=(const blocking_client&) = delete;
  ~blocking_client();

  [[nodiscard]] bool open(std::uint16_t port, std::string_view path,
                          std::string_view headers);

  void send(std::string_view text);

  /// The first message that `wanted` likes; empty when none came. Messages
  /// before it are dropped.
  [[nodiscard]] std::string
  receive(const std::function<bool(std::string_view)>& wanted);

private:
  int fd_ = -1;
  frame_reader reader_;
};

} // namespace rollcall::bench
