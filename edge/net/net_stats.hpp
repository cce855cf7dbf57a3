#pragma once

// What the network side counts.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rollcall::edge {

/// Why a connection got no socket, or a request no answer of substance.
enum class refusal_reason : std::uint8_t {
  /// The HTTP was bad, too big or too slow.
  bad_request,
  origin,
  /// The token was refused (401, 403).
  unauthorised,
  /// Too many connections from one address.
  address_limit,
  /// The server is full or going down.
  overloaded,
};

inline constexpr std::size_t refusal_reasons = 5;

/// A reading of all loops together. Plain numbers since the start, but for
/// the ones marked "now".
struct server_stats {
  std::uint64_t accepted = 0;
  std::uint64_t upgraded = 0;
  /// Sockets and WebSockets open now.
  std::uint64_t sockets = 0;
  std::uint64_t clients = 0;
  std::uint64_t http_requests = 0;
  std::array<std::uint64_t, refusal_reasons> refused{};
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  /// Calls to the kernel that wrote (or tried to).
  std::uint64_t sends = 0;
  /// Channel frames handed in, and how many clients they were queued for.
  std::uint64_t publishes = 0;
  std::uint64_t deliveries = 0;
  /// Bytes queued and clients without their channels, now.
  std::uint64_t queued_bytes = 0;
  std::uint64_t lagging = 0;
  /// How often a client lost its channels, and was offered a snapshot.
  std::uint64_t lost_places = 0;
  std::uint64_t resyncs = 0;
  std::uint64_t rate_limited = 0;
  /// How often a client's input was left unread for a while.
  std::uint64_t throttled = 0;
  /// Pauses of the listener for want of descriptors.
  std::uint64_t accept_backoffs = 0;
  /// Messages that found a loop's inbox full.
  std::uint64_t inbox_overflows = 0;
  /// WebSockets ended, by close code: ours or the peer's, 1006 without one.
  std::vector<std::pair<std::uint16_t, std::uint64_t>> closed;
};

/// Written by one thread, read by any; costs no locked instruction.
class tally {
public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n,
                 std::memory_order_relaxed);
  }

  void sub(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - n,
                 std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// One loop's share of `server_stats`. Written on the loop's thread only.
struct loop_stats {
  /// Codes 1000–1015, 3000–3007, 3500–3507, and one for all others.
  static constexpr std::size_t close_slots = 33;

  tally accepted, upgraded, sockets, clients, http_requests;
  std::array<tally, refusal_reasons> refused;
  tally frames_in, frames_out, bytes_in, bytes_out, sends;
  tally publishes, deliveries, queued_bytes, lagging, lost_places, resyncs;
  tally rate_limited, throttled, accept_backoffs;
  std::array<tally, close_slots> closed;

  void count_close(std::uint16_t code) noexcept;

  /// Adds this loop's numbers to `sum`.
  void add_to(server_stats& sum) const;
};

} // namespace rollcall::edge
