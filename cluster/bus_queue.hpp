#pragma once

// What a bus has been asked to send and has not sent yet.

#include "actors/ports.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

namespace rollcall::cluster {

/// A message in the queue, for one node or, without `to`, for all.
struct queued_message {
  std::optional<node_id> to;
  node_message message;
  /// The connection it was meant for.
  std::uint64_t generation = 0;
};

/// Messages of many threads for one writer. Broadcasts come first; order is
/// kept among them and among the others. Holds up to limits::bus_queue and
/// about limits::bus_queue_bytes. Thread-safe.
///
/// A generation is the life of a connection: what was put in before the next
/// one began never comes out.
class bus_queue {
public:
  /// False when there is no room, or the queue is closed.
  [[nodiscard]] bool push(std::optional<node_id> to, node_message message);

  /// Waits for the next message; nothing once the queue is closed and empty.
  [[nodiscard]] std::optional<queued_message> pop();

  /// The next broadcast, if one waits.
  [[nodiscard]] std::optional<queued_message> pop_broadcast();

  /// A new connection: drops what is queued and answers how many those were.
  std::size_t next_generation();

  [[nodiscard]] bool is_current(std::uint64_t generation) const;

  /// Takes nothing more.
  void close();

private:
  using lane = std::deque<queued_message>;

  std::optional<queued_message> take(lane& from);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  lane broadcasts_;
  lane others_;
  std::size_t bytes_ = 0;
  std::uint64_t generation_ = 0;
  bool closed_ = false;
};

/// About how many bytes of memory `message` keeps alive.
[[nodiscard]] std::size_t estimated_bytes(const node_message& message);

} // namespace rollcall::cluster
