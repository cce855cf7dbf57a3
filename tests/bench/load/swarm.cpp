#include "tests/bench/load/swarm.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rollcall::bench {

namespace {

constexpr std::size_t read_bytes = 256 * 1024;
constexpr int round_events = 128;
constexpr std::string_view normal_closure = "\x03\xe8";

} // namespace

swarm::swarm(const swarm_options& options, const dialect& language,
             ledger& book)
  : options_{options},
    language_{language},
    book_{book},
    epoll_{::epoll_create1(EPOLL_CLOEXEC)},
    connections_(options.members),
    buffer_(read_bytes),
    heartbeat_{language.heartbeat()} {}

swarm::~swarm() {
  for (auto& c : connections_)
    if (c.fd >= 0)
      ::close(c.fd);
  ::close(epoll_);
}

bool swarm::open(std::size_t count, steady::time_point deadline) {
  target_ = count;
  start_connects();
  return run([&] { return settled_ >= target_; }, deadline);
}

bool swarm::run(const std::function<bool()>& done,
                steady::time_point deadline) {
  while (book_.fault().empty()) {
    if (done())
      return true;
    auto now = steady::now();
    if (now >= deadline) {
      book_.book_fault("time ran out with " + std::to_string(settled_)
                       + " members in and " + std::to_string(book_.booked())
                       + " deliveries made");
      break;
    }
    round(std::min(deadline, now + std::chrono::milliseconds{100}));
  }
  return false;
}

bool swarm::idle(steady::time_point until) {
  while (book_.fault().empty() && steady::now() < until)
    round(until);
  return book_.fault().empty();
}

void swarm::send_event(std::size_t member, std::size_t number) {
  send_frame(member, opcode::text, language_.event(seat_of(member), number));
}

void swarm::send_text(std::size_t member, std::string_view text) {
  send_frame(member, opcode::text, text);
}

void swarm::settle(std::size_t member) {
  auto& c = connections_[member];
  if (c.settled)
    return;
  c.settled = true;
  ++settled_;
  start_connects();
}

void swarm::close_all() {
  for (std::size_t who = 0; who < started_; ++who) {
    if (connections_[who].now == phase::open)
      send_frame(who, opcode::close, normal_closure);
    ::close(connections_[who].fd);
    connections_[who] = {};
  }
}

void swarm::start_connects() {
  while (started_ < target_ && started_ - settled_ < options_.in_flight
         && book_.fault().empty())
    start(started_++);
}

void swarm::start(std::size_t who) {
  auto& c = connections_[who];
  c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c.fd < 0)
    return fail(who, "no socket");
  int on = 1;
  ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options_.port_of ? options_.port_of(who) : options_.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0
      && errno != EINPROGRESS)
    return fail(who, "no connection");
  c.now = phase::connecting;
  watch(who, EPOLLOUT, EPOLL_CTL_ADD);
}

void swarm::round(steady::time_point until) {
  std::array<epoll_event, round_events> events;
  auto now = steady::now();
  auto wait = std::max(until - now, steady::duration::zero());
  if (!heartbeat_.empty()) {
    send_heartbeats(now);
    wait = std::min<steady::duration>(wait, std::chrono::milliseconds{20});
  }
  auto ns = std::chrono::nanoseconds{wait}.count();
  timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  auto count
    = ::epoll_pwait2(epoll_, events.data(), round_events, &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    auto who = static_cast<std::size_t>(events[i].data.u64);
    if ((events[i].events & EPOLLOUT) != 0)
      on_writable(who);
    if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
      on_readable(who, steady::now());
  }
}

void swarm::on_writable(std::size_t who) {
  auto& c = connections_[who];
  if (c.now == phase::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
      return fail(who, std::strerror(error));
    c.now = phase::upgrading;
    watch(who, EPOLLIN, EPOLL_CTL_MOD);
    write(who,
          upgrade_request(language_.path(), language_.headers(seat_of(who))));
    return;
  }
  std::string unsent;
  unsent.swap(c.unsent);
  watch(who, EPOLLIN, EPOLL_CTL_MOD);
  write(who, unsent);
}

void swarm::on_readable(std::size_t who, steady::time_point now) {
  auto& c = connections_[who];
  auto n = ::recv(c.fd, buffer_.data(), buffer_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    return fail(who, "the server hung up");
  std::string_view bytes{buffer_.data(), static_cast<std::size_t>(n)};
  received_.bytes += bytes.size();
  if (c.now == phase::open)
    return on_bytes(who, bytes, now);
  c.head.append(bytes);
  auto end = c.head.find("\r\n\r\n");
  if (end == std::string::npos)
    return;
  std::string head = std::move(c.head);
  c.head = {};
  if (!accepts_upgrade(std::string_view{head}.substr(0, end)))
    return fail(who, "no upgrade: " + head.substr(0, 120));
  c.now = phase::open;
  auto greeting = language_.greet(seat_of(who));
  if (!greeting.empty())
    send_frame(who, opcode::text, greeting);
  on_bytes(who, std::string_view{head}.substr(end + 4), now);
}

void swarm::on_bytes(std::size_t who, std::string_view bytes,
                     steady::time_point now) {
  auto good = connections_[who].reader.feed(
    bytes,
    [&](opcode op, std::string_view text) { on_message(who, op, text, now); });
  if (!good)
    fail(who, "broken framing");
}

void swarm::on_message(std::size_t who, opcode op, std::string_view text,
                       steady::time_point now) {
  auto& c = connections_[who];
  if (op == opcode::ping)
    return send_frame(who, opcode::pong, text);
  if (op == opcode::close)
    return fail(who, "the server closed");
  if (op != opcode::text)
    return;
  ++received_.frames;
  if (options_.listen && options_.listen(who, text, now))
    return;
  auto me = seat_of(who);
  auto got = language_.read(me, c.at, text);
  if (!got.reply.empty())
    send_frame(who, opcode::text, got.reply);
  if (got.what == meaning::fault)
    return fail(who, text.substr(0, 300));
  if (got.what == meaning::other)
    return;
  if (options_.book)
    book_.book(me.index, text, now);
  if (got.what == meaning::snapshot)
    settle(who);
}

void swarm::send_frame(std::size_t who, opcode op, std::string_view payload) {
  write(who, client_frame(op, payload));
}

void swarm::write(std::size_t who, std::string_view bytes) {
  auto& c = connections_[who];
  if (c.unsent.empty()) {
    auto n = ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      return fail(who, std::strerror(errno));
    bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (!bytes.empty())
      watch(who, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }
  c.unsent.append(bytes);
}

void swarm::watch(std::size_t who, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = who;
  ::epoll_ctl(epoll_, operation, connections_[who].fd, &event);
}

void swarm::send_heartbeats(steady::time_point now) {
  // One stream over all members in turn spreads them evenly over the beat.
  if (started_ == 0)
    return;
  auto each = std::chrono::nanoseconds{options_.beat} / started_;
  for (; now - last_heartbeat_ >= each; last_heartbeat_ += each) {
    next_heartbeat_ = (next_heartbeat_ + 1) % started_;
    if (connections_[next_heartbeat_].settled)
      send_frame(next_heartbeat_, opcode::text, heartbeat_);
  }
}

void swarm::fail(std::size_t who, std::string_view what) {
  auto text = "member " + std::to_string(who) + ": ";
  text += what;
  book_.book_fault(std::move(text));
}

seat swarm::seat_of(std::size_t who) const {
  if (options_.seat_of)
    return options_.seat_of(who);
  return {who, options_.room_prefix + std::to_string(who / options_.room_size)};
}

} // namespace rollcall::bench
