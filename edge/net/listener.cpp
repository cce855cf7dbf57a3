#include "edge/net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace rollcall::edge {

namespace {

constexpr int backlog = 4'096;
constexpr millis first_pause{10};
constexpr millis longest_pause{1'000};

struct endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

result<endpoint> parse(const std::string& address, std::uint16_t port) {
  endpoint result;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.size = sizeof v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.size = sizeof v6;
  } else {
    return fail(errc::bad_request,
                "\"" + address
                  + "\" is not an IP address; use 127.0.0.1, 0.0.0.0 or ::",
                "listen.address");
  }
  return result;
}

failure refuse(const std::string& address, std::uint16_t port, int error) {
  const auto where = address + " port " + std::to_string(port);
  switch (error) {
  case EADDRINUSE:
    return fail(errc::conflict,
                where
                  + " is in use: stop the other server or choose "
                    "another port",
                "listen.port");
  case EACCES:
    return fail(errc::forbidden,
                where
                  + " may not be used: choose a port above 1023 or "
                    "grant CAP_NET_BIND_SERVICE",
                "listen.port");
  case EADDRNOTAVAIL:
    return fail(errc::bad_request,
                where + ": this machine does not have the address",
                "listen.address");
  default:
    return fail(errc::unavailable,
                where + ": " + std::generic_category().message(error),
                "listen.address");
  }
}

void set_option(int fd, int level, int name, int value) noexcept {
  // What the kernel does not grant, it keeps at its default.
  ::setsockopt(fd, level, name, &value, sizeof value);
}

unique_fd open_reserve() noexcept {
  return unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

} // namespace

result<done> listener::open(const std::string& address, std::uint16_t port,
                            std::size_t send_buffer,
                            std::size_t receive_buffer) {
  auto where = parse(address, port);
  if (!where)
    return where.error();
  unique_fd fd{::socket(where->storage.ss_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd)
    return refuse(address, port, errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (where->storage.ss_family == AF_INET6)
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (send_buffer > 0)
    set_option(fd.get(), SOL_SOCKET, SO_SNDBUF,
               static_cast<int>(std::min<std::size_t>(send_buffer, 1 << 30)));
  if (receive_buffer > 0)
    set_option(
      fd.get(), SOL_SOCKET, SO_RCVBUF,
      static_cast<int>(std::min<std::size_t>(receive_buffer, 1 << 30)));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where->storage),
             where->size)
        != 0
      || ::listen(fd.get(), backlog) != 0)
    return refuse(address, port, errno);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return refuse(address, port, errno);
  if (bound.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &bound, sizeof v6);
    port_ = ntohs(v6.sin6_port);
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, &bound, sizeof v4);
    port_ = ntohs(v4.sin_port);
  }
  fd_ = std::move(fd);
  reserve_ = open_reserve();
  return done{};
}

bool listener::accept(std::size_t budget, millis now, const taker& take) {
  for (; budget > 0 && fd_; --budget) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    unique_fd fd{::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      pause_ = millis{0};
      if (!reserve_)
        reserve_ = open_reserve();
      take(std::move(fd),
           client_address::from(reinterpret_cast<const sockaddr&>(peer)));
      continue;
    }
    switch (errno) {
    case EAGAIN:
      return true;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      turn_one_away();
      pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
      paused_until_ = now + pause_;
      return false;
    default:
      // The client has gone before it was accepted, or the like.
      break;
    }
  }
  return true;
}

void listener::turn_one_away() {
  if (!reserve_)
    return;
  reserve_.reset();
  {
    unique_fd turned_away{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  }
  reserve_ = open_reserve();
}

} // namespace rollcall::edge
