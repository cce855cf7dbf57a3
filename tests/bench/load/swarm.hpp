#pragma once

// Thousands of clients in one thread on one epoll, so that the client costs
// little more than its system calls.

#include "tests/bench/load/dialect.hpp"
#include "tests/bench/load/ledger.hpp"
#include "tests/bench/load/websocket.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace rollcall::bench {

struct swarm_options {
  std::uint16_t port = 0;
  std::size_t members = 0;
  /// Members of one room, in order of their index.
  std::size_t room_size = 0;
  std::string room_prefix;
  /// Connects on their way at once; one ends when its member has the list of
  /// all who are there.
  std::size_t in_flight = 100;
  /// Between two signs of life of one member, where clients owe them.
  std::chrono::milliseconds beat{10'000};
  /// Where a member sits, if not in rooms of `room_size` in order.
  std::function<seat(std::size_t who)> seat_of;
  /// The port a member connects to, if not all to `port`.
  std::function<std::uint16_t(std::size_t who)> port_of;
  /// Whether the ledger is told of all that comes, or of faults alone.
  bool book = true;
  /// Hears each message first; true when nobody else is to hear it.
  std::function<bool(std::size_t who, std::string_view text,
                     steady::time_point now)>
    listen;
};

/// Everything received, whether the ledger looked at it or not.
struct traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

class swarm {
public:
  /// `language` and `book` must outlive the swarm.
  swarm(const swarm_options& options, const dialect& language, ledger& book);
  swarm(const swarm&) = delete;
  swarm& operator=(const swarm&) = delete;
  ~swarm();

  /// Connects members until `count` of them are in, each with its list.
  /// False when the ledger has a fault or time ran out.
  [[nodiscard]] bool open(std::size_t count, steady::time_point deadline);

  /// Serves the sockets until `done`, asked after each round, says so.
  /// False as for `open`.
  [[nodiscard]] bool run(const std::function<bool()>& done,
                         steady::time_point deadline);

  /// Serves the sockets until `until`. False when the ledger has a fault.
  [[nodiscard]] bool idle(steady::time_point until);

  void send_event(std::size_t member, std::size_t number);

  void send_text(std::size_t member, std::string_view text);

  /// The member is in, which else its first list says.
  void settle(std::size_t member);

  [[nodiscard]] bool settled(std::size_t member) const {
    return connections_[member].settled;
  }

  /// Says goodbye for everyone.
  void close_all();

  [[nodiscard]] traffic received() const {
    return received_;
  }

private:
  enum class phase : std::uint8_t { closed, connecting, upgrading, open };

  struct connection {
    int fd = -1;
    phase now = phase::closed;
    bool settled = false;
    position at;
    frame_reader reader;
    std::string head;
    std::string unsent;
  };

  void start_connects();
  void start(std::size_t who);
  void round(steady::time_point until);
  void on_writable(std::size_t who);
  void on_readable(std::size_t who, steady::time_point now);
  void on_bytes(std::size_t who, std::string_view bytes,
                steady::time_point now);
  void on_message(std::size_t who, opcode op, std::string_view text,
                  steady::time_point now);
  void send_frame(std::size_t who, opcode op, std::string_view payload);
  void write(std::size_t who, std::string_view bytes);
  void watch(std::size_t who, std::uint32_t events, int operation);
  void send_heartbeats(steady::time_point now);
  void fail(std::size_t who, std::string_view what);
  [[nodiscard]] seat seat_of(std::size_t who) const;

  swarm_options options_;
  const dialect& language_;
  ledger& book_;
  int epoll_ = -1;
  std::vector<connection> connections_;
  std::vector<char> buffer_;
  std::string heartbeat_;
  std::size_t target_ = 0;
  std::size_t started_ = 0;
  std::size_t settled_ = 0;
  steady::time_point last_heartbeat_ = steady::now();
  std::size_t next_heartbeat_ = 0;
  traffic received_;
};

} // namespace rollcall::bench
