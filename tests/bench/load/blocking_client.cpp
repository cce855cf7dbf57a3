#include "tests/bench/load/blocking_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace rollcall::bench {

blocking_client::~blocking_client() {
  if (fd_ < 0)
    return;
  auto bye = client_frame(opcode::close, "\x03\xe8");
  (void)::send(fd_, bye.data(), bye.size(), MSG_NOSIGNAL);
  ::close(fd_);
}

bool blocking_client::open(std::uint16_t port, std::string_view path,
                           std::string_view headers) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{10, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    return false;
  auto request = upgrade_request(path, headers);
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0)
    return false;
  // Byte by byte, so that nothing behind the head is taken with it.
  std::string head;
  char c = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (::recv(fd_, &c, 1, 0) != 1)
      return false;
    head += c;
  }
  return accepts_upgrade(head);
}

void blocking_client::send(std::string_view text) {
  auto frame = client_frame(opcode::text, text);
  (void)::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL);
}

std::string
blocking_client::receive(const std::function<bool(std::string_view)>& wanted) {
  std::string found;
  char buffer[16384];
  while (found.empty()) {
    auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0)
      break;
    auto good = reader_.feed({buffer, static_cast<std::size_t>(n)},
                             [&](opcode op, std::string_view text) {
                               if (op == opcode::text && wanted(text))
                                 found = text;
                             });
    if (!good)
      break;
  }
  return found;
}

} // namespace rollcall::bench
