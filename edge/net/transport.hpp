#pragma once

// A non-blocking pipe of bytes on a socket, in the clear or over TLS.

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

struct ssl_st;

namespace rollcall::edge {

class tls_context;

/// What one read or write came to. Several may be true at once: bytes were
/// moved and then the socket had to be waited for.
struct io_result {
  std::size_t bytes = 0;
  /// Go on when the socket is readable or writable.
  bool want_read = false;
  bool want_write = false;
  /// The peer has ended its side.
  bool closed = false;
  /// The connection is lost.
  bool failed = false;
};

/// Owns the socket and closes it. Used by one io loop, whose thread blocks
/// SIGPIPE (OpenSSL writes without MSG_NOSIGNAL).
class transport {
public:
  transport() = default;

  /// Takes `fd`; speaks TLS if there is a context.
  transport(int fd, const tls_context* tls);

  transport(transport&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      tls_(std::exchange(other.tls_, nullptr)),
      promised_(other.promised_) {
    // nop
  }

  transport& operator=(transport&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(tls_, other.tls_);
    std::swap(promised_, other.promised_);
    return *this;
  }

  ~transport();

  /// Reads what is there, at most `into`. A result that filled `into` says
  /// nothing about whether there is more.
  [[nodiscard]] io_result read(std::span<char> into);

  /// Writes the pieces in order with one call to the kernel (in the clear)
  /// or as one TLS record. After `want_write` the next write must begin with
  /// the same bytes, at least `promised()` of them.
  [[nodiscard]] io_result write(std::span<const std::string_view> pieces);

  /// Bytes that the TLS layer insists on being given again.
  [[nodiscard]] std::size_t promised() const noexcept {
    return promised_;
  }

  /// Whether decrypted bytes wait that epoll knows nothing of.
  [[nodiscard]] bool pending() const noexcept;

  /// Ends our side, having sent TLS's close_notify.
  void shutdown_write() noexcept;

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

  [[nodiscard]] bool secure() const noexcept {
    return tls_ != nullptr;
  }

private:
  [[nodiscard]] io_result read_tls(std::span<char> into);
  [[nodiscard]] io_result write_tls(std::span<const std::string_view> pieces);

  int fd_ = -1;
  ssl_st* tls_ = nullptr;
  std::size_t promised_ = 0;
};

} // namespace rollcall::edge
