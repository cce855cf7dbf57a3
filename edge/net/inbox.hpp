#pragma once

// What other threads tell an io loop: many writers, one reader, one wake-up
// per burst.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/ports.hpp"
#include "edge/net/client_address.hpp"
#include "edge/net/http_message.hpp"
#include "edge/net/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

namespace rollcall::edge {

struct deliver_message {
  std::uint64_t slot = 0;
  frame_ptr frame;
};

struct subscribe_message {
  std::uint64_t slot = 0;
  channel_id channel = 0;
  frame_ptr first;
};

struct unsubscribe_message {
  std::uint64_t slot = 0;
  channel_id channel = 0;
};

struct publish_message {
  channel_id channel = 0;
  frame_ptr frame;
};

struct watch_message {
  std::uint64_t slot = 0;
  connection_id connection;
  session_key session;
  millis suspect_after{0};
};

struct close_message {
  std::uint64_t slot = 0;
  std::uint16_t code = 0;
  std::string reason;
  frame_ptr last;
};

/// The answer to HTTP request number `exchange` of this client.
struct respond_message {
  std::uint64_t slot = 0;
  std::uint32_t exchange = 0;
  http_response response;
};

/// A socket that was accepted for this loop.
struct socket_message {
  unique_fd fd;
  client_address from;
  /// To be told that its address has too many.
  bool over_limit = false;
};

/// Say goodbye to everybody and end.
struct stop_message {};

/// The large and rare ones are kept apart, so that the usual ones stay small.
using loop_message
  = std::variant<deliver_message, publish_message, subscribe_message,
                 unsubscribe_message, std::unique_ptr<watch_message>,
                 std::unique_ptr<close_message>,
                 std::unique_ptr<respond_message>,
                 std::unique_ptr<socket_message>, stop_message>;

/// Thread-safe. Holds at most `capacity` messages; what is refused beyond is
/// remembered by whom it would have reached, so that nobody is left with a
/// gap unknown to both sides.
class inbox {
public:
  /// What one drain found.
  struct haul {
    std::vector<loop_message> messages;
    /// These lost frames of their own and must be cut; these channels lost
    /// frames and their members must start anew.
    std::unordered_set<std::uint64_t> lost_slots;
    std::unordered_set<channel_id> lost_channels;
  };

  explicit inbox(std::size_t capacity) : capacity_(capacity) {
    // nop
  }

  /// Returns whether the reader must be woken. A closed inbox destroys what
  /// it is given.
  [[nodiscard]] bool post(loop_message message);

  /// Swaps everything into `into`, whose storage is reused.
  void drain(haul& into);

  /// Whether a drain would find anything.
  [[nodiscard]] bool pending() const;

  /// Destroys what is there and all that comes.
  void close();

  [[nodiscard]] std::uint64_t overflows() const;

private:
  void note_loss(const loop_message& message);

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  haul waiting_;
  bool woken_ = false;
  bool closed_ = false;
  std::uint64_t overflows_ = 0;
};

} // namespace rollcall::edge
