// What a delivery and an idle client cost the network side by itself: one
// process serves, another reads. Prints processor time of the server only.
//
//   bench_net_fanout [clients] [rounds] [payload bytes] [io threads]

#include "edge/net/frame_codec.hpp"
#include "edge/net/server.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace rollcall;
using namespace rollcall::edge;

double cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec)
         + static_cast<double>(spent.tv_nsec) * 1e-9;
}

/// The part of `cpu_seconds` spent outside the kernel.
double user_seconds() {
  rusage spent{};
  ::getrusage(RUSAGE_SELF, &spent);
  return static_cast<double>(spent.ru_utime.tv_sec)
         + static_cast<double>(spent.ru_utime.tv_usec) * 1e-6;
}

double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

int connect_client(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0
      || ::connect(fd, reinterpret_cast<const sockaddr*>(&address),
                   sizeof address)
           != 0)
    return -1;
  constexpr std::string_view request
    = "GET /v1/connect HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: rollcall.v1.json\r\n\r\n";
  std::array<char, 4'096> answer;
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0
      || ::recv(fd, answer.data(), answer.size(), 0) < 12
      || std::memcmp(answer.data() + 9, "101", 3) != 0)
    return -1;
  return fd;
}

/// Opens as many clients as each word from `orders` says and reads whatever
/// they get, until `orders` ends.
[[noreturn]] void read_all(std::uint16_t port, int orders, int reports) {
  const int epoll = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = orders;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, orders, &event);
  std::array<epoll_event, 256> events;
  std::array<char, 65'536> buffer;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != orders) {
        if (::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) == 0)
          ::_exit(2);
        continue;
      }
      std::uint64_t more = 0;
      if (::read(orders, &more, sizeof more) != sizeof more)
        ::_exit(0);
      for (std::uint64_t k = 0; k < more; ++k) {
        event.data.fd = connect_client(port);
        if (event.data.fd < 0)
          ::_exit(1);
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
      }
      if (::write(reports, &more, sizeof more) != sizeof more)
        ::_exit(1);
    }
  }
}

class deaf_handler : public connection_handler {
  void request(client_request_ptr) override {
    // nop
  }

  void gone(bool) override {
    // nop
  }
};

template <class Condition>
void wait_until(const Condition& holds) {
  while (!holds())
    ::poll(nullptr, 0, 1);
}

} // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const auto clients = argument(1, 1'000);
  const auto rounds = argument(2, 500);
  const auto payload = argument(3, 128);
  server_config config;
  config.io_threads = argument(4, 1);
  // Idle clients stay for the length of the measurement.
  config.idle_timeout = millis{3'600'000};
  int orders[2];
  int reports[2];
  if (::pipe(orders) != 0 || ::pipe(reports) != 0)
    return 1;
  int ports[2];
  if (::pipe(ports) != 0)
    return 1;
  const auto child = ::fork();
  if (child == 0) {
    ::close(orders[1]);
    std::uint16_t port = 0;
    if (::read(ports[0], &port, sizeof port) != sizeof port)
      ::_exit(1);
    read_all(port, orders[0], reports[1]);
  }
  std::mutex mutex;
  std::vector<client_ref> refs;
  server_hooks hooks;
  hooks.accept = [&](const accepted_client& client)
    -> result<std::shared_ptr<connection_handler>> {
    std::lock_guard guard{mutex};
    refs.push_back(client.client);
    return std::shared_ptr<connection_handler>{
      std::make_shared<deaf_handler>()};
  };
  server sink{config, hooks};
  if (auto started = sink.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  const auto port = sink.port();
  [[maybe_unused]] auto moved = ::write(ports[1], &port, sizeof port);
  const auto open = [&](std::uint64_t more) {
    moved = ::write(orders[1], &more, sizeof more);
    moved = ::read(reports[0], &more, sizeof more);
  };

  // A first lot warms the allocator up; the slope is what counts.
  const auto warm = clients / 4 + 1;
  open(warm);
  const auto before_memory = resident_bytes();
  const auto before_connect = cpu_seconds();
  open(clients - warm);
  const auto per_client
    = (resident_bytes() - before_memory) / static_cast<double>(clients - warm);
  const auto per_connect = (cpu_seconds() - before_connect) * 1e6
                           / static_cast<double>(clients - warm);
  std::printf("clients %llu: %.0f B resident and %.1f us each to connect\n",
              static_cast<unsigned long long>(clients), per_client,
              per_connect);

  for (const auto client : refs)
    sink.subscribe(client, 1, nullptr);
  const auto frame = make_frame(dialect::json, std::string(payload, 'x'));
  for (const std::uint64_t burst : {1, 8, 32}) {
    const auto goal = sink.stats().deliveries + rounds * clients * burst;
    const auto sends = sink.stats().sends;
    const auto before = cpu_seconds();
    const auto user = user_seconds();
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const auto next = sink.stats().deliveries + clients * burst;
      for (std::uint64_t i = 0; i < burst; ++i)
        sink.publish(1, frame);
      wait_until([&] {
        const auto now = sink.stats();
        return now.deliveries >= next && now.queued_bytes == 0;
      });
    }
    const auto deliveries = static_cast<double>(rounds * clients * burst);
    const std::chrono::duration<double> wall
      = std::chrono::steady_clock::now() - begin;
    const auto after = sink.stats();
    std::printf("burst %2llu: %.3f us CPU per delivery (%.3f user), %.4f "
                "sends per delivery, %.0f k deliveries/s%s\n",
                static_cast<unsigned long long>(burst),
                (cpu_seconds() - before) * 1e6 / deliveries,
                (user_seconds() - user) * 1e6 / deliveries,
                static_cast<double>(after.sends - sends) / deliveries,
                deliveries / wall.count() / 1e3,
                after.deliveries == goal ? "" : " (some were lost)");
  }
  ::close(orders[1]);
  ::waitpid(child, nullptr, 0);
  return 0;
}
