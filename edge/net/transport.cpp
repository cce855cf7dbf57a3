#include "edge/net/transport.hpp"

#include "edge/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace rollcall::edge {

namespace {

// The plain text of one TLS record.
constexpr std::size_t record_bytes = std::size_t{16} << 10;
constexpr std::size_t max_pieces = 64;

bool would_block() noexcept {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void judge_tls(ssl_st* tls, int returned, io_result& result) noexcept {
  switch (SSL_get_error(tls, returned)) {
  case SSL_ERROR_WANT_READ:
    result.want_read = true;
    break;
  case SSL_ERROR_WANT_WRITE:
    result.want_write = true;
    break;
  case SSL_ERROR_ZERO_RETURN:
    result.closed = true;
    break;
  default:
    result.failed = true;
    break;
  }
}

} // namespace

transport::transport(int fd, const tls_context* tls) : fd_(fd) {
  if (tls == nullptr)
    return;
  tls_ = tls->open(fd);
  if (tls_ == nullptr) {
    ::close(fd_);
    fd_ = -1;
  }
}

transport::~transport() {
  if (tls_ != nullptr)
    SSL_free(tls_);
  if (fd_ >= 0)
    ::close(fd_);
}

io_result transport::read(std::span<char> into) {
  if (tls_ != nullptr)
    return read_tls(into);
  io_result result;
  const auto got = ::recv(fd_, into.data(), into.size(), 0);
  if (got > 0)
    result.bytes = static_cast<std::size_t>(got);
  else if (got == 0)
    result.closed = true;
  else if (would_block())
    result.want_read = true;
  else
    result.failed = true;
  return result;
}

io_result transport::read_tls(std::span<char> into) {
  io_result result;
  ERR_clear_error();
  while (result.bytes < into.size()) {
    const auto room
      = std::min<std::size_t>(into.size() - result.bytes, std::size_t{1} << 30);
    const auto got
      = SSL_read(tls_, into.data() + result.bytes, static_cast<int>(room));
    if (got <= 0) {
      judge_tls(tls_, got, result);
      break;
    }
    result.bytes += static_cast<std::size_t>(got);
  }
  return result;
}

io_result transport::write(std::span<const std::string_view> pieces) {
  if (tls_ != nullptr)
    return write_tls(pieces);
  io_result result;
  std::size_t total = 0;
  ssize_t sent = 0;
  if (pieces.size() == 1) {
    total = pieces.front().size();
    sent = ::send(fd_, pieces.front().data(), total, MSG_NOSIGNAL);
  } else {
    std::array<iovec, max_pieces> vectors;
    const auto count = std::min(pieces.size(), vectors.size());
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i].iov_base = const_cast<char*>(pieces[i].data());
      vectors[i].iov_len = pieces[i].size();
      total += pieces[i].size();
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  }
  if (sent >= 0) {
    result.bytes = static_cast<std::size_t>(sent);
    result.want_write = result.bytes < total;
  } else if (would_block()) {
    result.want_write = true;
  } else {
    result.failed = true;
  }
  return result;
}

io_result transport::write_tls(std::span<const std::string_view> pieces) {
  thread_local std::array<char, record_bytes> record;
  std::size_t size = 0;
  for (const auto piece : pieces) {
    const auto part = std::min(piece.size(), record.size() - size);
    std::memcpy(record.data() + size, piece.data(), part);
    size += part;
  }
  io_result result;
  if (size == 0)
    return result;
  ERR_clear_error();
  const auto sent = SSL_write(tls_, record.data(), static_cast<int>(size));
  if (sent > 0) {
    promised_ = 0;
    result.bytes = static_cast<std::size_t>(sent);
    return result;
  }
  promised_ = size;
  judge_tls(tls_, sent, result);
  return result;
}

bool transport::pending() const noexcept {
  return tls_ != nullptr && SSL_pending(tls_) > 0;
}

void transport::shutdown_write() noexcept {
  if (tls_ != nullptr && SSL_is_init_finished(tls_) == 1) {
    ERR_clear_error();
    SSL_shutdown(tls_);
  }
  ::shutdown(fd_, SHUT_WR);
}

} // namespace rollcall::edge
