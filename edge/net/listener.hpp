#pragma once

// Accepts sockets, and backs off when there are no descriptors left.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "edge/net/client_address.hpp"
#include "edge/net/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace rollcall::edge {

/// A listening socket, driven by one io loop. It is the only one on its port
/// (no SO_REUSEPORT), so that a second server on the port is refused rather
/// than given half of the clients.
class listener {
public:
  /// Takes an accepted, non-blocking socket.
  using taker = std::function<void(unique_fd, const client_address&)>;

  /// Binds. Buffer sizes are inherited by every accepted socket. A failure
  /// names what to mend.
  [[nodiscard]] result<done> open(const std::string& address,
                                  std::uint16_t port, std::size_t send_buffer,
                                  std::size_t receive_buffer);

  /// Accepts at most `budget` sockets. Returns false when it must rest until
  /// `paused_until()`: there are no descriptors or no memory. One client is
  /// then turned away through a reserved descriptor, so that it learns.
  [[nodiscard]] bool accept(std::size_t budget, millis now, const taker& take);

  /// No socket is accepted any more.
  void close() noexcept {
    fd_.reset();
  }

  [[nodiscard]] int fd() const noexcept {
    return fd_.get();
  }

  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }

  [[nodiscard]] millis paused_until() const noexcept {
    return paused_until_;
  }

private:
  void turn_one_away();

  unique_fd fd_;
  // Kept for the moment when there is no other.
  unique_fd reserve_;
  std::uint16_t port_ = 0;
  millis pause_{0};
  millis paused_until_{0};
};

} // namespace rollcall::edge
