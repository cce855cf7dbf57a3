#include "unit/edge/net_client.hpp"

#include "edge/net/http_message.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rollcall::edge::test {

namespace {

int left_ms(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
    until - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

bool wait_for(int fd, short events) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, static_cast<int>(patience.count())) > 0;
}

} // namespace

bool eventually(const std::function<bool()>& holds,
                std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (left_ms(until) == 0)
      return holds();
    ::poll(nullptr, 0, 1);
  }
  return true;
}

std::string client_frame(opcode op, std::string_view payload, bool fin) {
  std::string frame;
  frame.push_back(
    static_cast<char>((fin ? 0x80 : 0) | static_cast<std::uint8_t>(op)));
  const auto size = payload.size();
  std::size_t extra = 0;
  if (size <= 125) {
    frame.push_back(static_cast<char>(0x80 | size));
  } else if (size <= 0xFFFF) {
    frame.push_back(static_cast<char>(0x80 | 126));
    extra = 2;
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    extra = 8;
  }
  for (; extra > 0; --extra)
    frame.push_back(static_cast<char>(size >> (8 * (extra - 1)) & 0xFF));
  constexpr std::string_view mask = "\x37\xfa\x21\x3d";
  frame.append(mask);
  for (std::size_t i = 0; i < size; ++i)
    frame.push_back(static_cast<char>(payload[i] ^ mask[i & 3]));
  return frame;
}

std::uint16_t server_frame::close_code() const {
  if (payload.size() < 2)
    return 1005;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8
                                    | static_cast<unsigned char>(payload[1]));
}

std::string http_answer::header(std::string_view name) const {
  std::string_view rest{head};
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos
        && equal_ignoring_case(line.substr(0, colon), name))
      return std::string{trimmed(line.substr(colon + 1))};
    if (end == std::string_view::npos)
      break;
    rest.remove_prefix(end + 2);
  }
  return {};
}

net_client::net_client(std::uint16_t port, bool tls, bool small_buffers) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (small_buffers) {
    const int size = 4'096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  const int at_once = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                sizeof address)
      != 0) {
    close();
    return;
  }
  if (!tls)
    return;
  context_ = SSL_CTX_new(TLS_client_method());
  tls_ = SSL_new(context_);
  SSL_set_fd(tls_, fd_);
  if (SSL_connect(tls_) != 1)
    close();
}

net_client::net_client(net_client&& other) noexcept
  : fd_(std::exchange(other.fd_, -1)),
    context_(std::exchange(other.context_, nullptr)),
    tls_(std::exchange(other.tls_, nullptr)),
    input_(std::move(other.input_)) {
  // nop
}

net_client::~net_client() {
  close();
}

void net_client::close() {
  if (tls_ != nullptr)
    SSL_free(std::exchange(tls_, nullptr));
  if (context_ != nullptr)
    SSL_CTX_free(std::exchange(context_, nullptr));
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

void net_client::end_input() {
  ::shutdown(fd_, SHUT_WR);
}

void net_client::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

bool net_client::send(std::string_view bytes) {
  while (!bytes.empty() && fd_ >= 0) {
    ssize_t sent = 0;
    if (tls_ != nullptr)
      sent = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    else
      sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return fd_ >= 0;
}

bool net_client::has_input() const {
  pollfd entry{fd_, POLLIN, 0};
  return !input_.empty() || ::poll(&entry, 1, 0) > 0;
}

bool net_client::fill() {
  if (fd_ < 0)
    return false;
  if ((tls_ == nullptr || SSL_pending(tls_) == 0) && !wait_for(fd_, POLLIN))
    return false;
  std::array<char, 65'536> buffer;
  ssize_t got = 0;
  if (tls_ != nullptr)
    got = SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()));
  else
    got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0)
    return false;
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::size_t net_client::discard_some() {
  if (!fill())
    return 0;
  return std::exchange(input_, {}).size();
}

http_answer net_client::read_http() {
  http_answer answer;
  auto end = input_.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (!fill())
      return answer;
    end = input_.find("\r\n\r\n");
  }
  answer.head = input_.substr(0, end);
  input_.erase(0, end + 4);
  answer.status = static_cast<unsigned>(
    std::atoi(answer.head.substr(answer.head.find(' ') + 1, 3).c_str()));
  const auto length = answer.header("Content-Length");
  const auto size
    = static_cast<std::size_t>(length.empty() ? 0 : std::atol(length.c_str()));
  while (input_.size() < size && fill())
    continue;
  answer.body = input_.substr(0, size);
  input_.erase(0, answer.body.size());
  return answer;
}

http_answer net_client::upgrade(std::string_view protocol,
                                std::string_view extra) {
  std::string request = "GET /v1/connect HTTP/1.1\r\n"
                        "Host: localhost\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: keep-alive, Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!protocol.empty())
    request += "Sec-WebSocket-Protocol: " + std::string{protocol} + "\r\n";
  request += extra;
  request += "\r\n";
  send(request);
  return read_http();
}

std::optional<server_frame> net_client::read_frame() {
  const auto need = [this](std::size_t size) {
    while (input_.size() < size)
      if (!fill())
        return false;
    return true;
  };
  if (!need(2))
    return std::nullopt;
  server_frame frame;
  frame.op = static_cast<opcode>(input_[0] & 0x0F);
  std::size_t size = static_cast<unsigned char>(input_[1]);
  const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (!need(2 + extra))
    return std::nullopt;
  if (extra > 0) {
    size = 0;
    for (std::size_t i = 0; i < extra; ++i)
      size = size << 8 | static_cast<unsigned char>(input_[2 + i]);
  }
  if (!need(2 + extra + size))
    return std::nullopt;
  frame.payload = input_.substr(2 + extra, size);
  input_.erase(0, 2 + extra + size);
  return frame;
}

std::uint16_t net_client::read_close() {
  while (auto frame = read_frame())
    if (frame->op == opcode::close)
      return frame->close_code();
  return 0;
}

bool net_client::ended() {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (fd_ >= 0 && left_ms(until) > 0) {
    if (!wait_for(fd_, POLLIN))
      return false;
    std::array<char, 65'536> buffer;
    ssize_t got = 0;
    if (tls_ != nullptr)
      got = SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()));
    else
      got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0)
      return true;
  }
  return fd_ < 0;
}

} // namespace rollcall::edge::test
