#pragma once

// One thread that serves a share of the clients: epoll, an inbox, a timer.

#include "actors/base/errors.hpp"
#include "actors/base/hash.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/timer_wheel.hpp"
#include "actors/ports.hpp"
#include "edge/net/client_address.hpp"
#include "edge/net/evidence_book.hpp"
#include "edge/net/inbox.hpp"
#include "edge/net/listener.hpp"
#include "edge/net/net_stats.hpp"
#include "edge/net/origin_policy.hpp"
#include "edge/net/server_config.hpp"
#include "edge/net/tls_context.hpp"
#include "edge/net/unique_fd.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace rollcall::edge {

class client_connection;
class client_loop;

/// What all loops of a server share. Constant while they run, but for what is
/// thread-safe by itself.
struct server_core {
  server_core(server_config settings, server_hooks callbacks)
    : config(std::move(settings)),
      hooks(std::move(callbacks)),
      addresses(config.connections_per_address) {
    // nop
  }

  server_config config;
  server_hooks hooks;
  origin_policy origins;
  std::shared_ptr<const tls_context> tls;
  address_table addresses;
  /// Shared with responders that may outlive the server.
  std::vector<std::shared_ptr<client_loop>> loops;
  /// Sockets of all loops, refused ones included.
  std::atomic<std::size_t> sockets{0};
  /// Name the requests that bring no name, together.
  const std::uint64_t run = random_u64();
  std::atomic<std::uint64_t> last_unnamed{0};
  /// No new client is let in.
  std::atomic<bool> draining{false};
};

/// Owns its clients. `post`, `stats` and `inbox_overflows` are thread-safe;
/// all else belongs to the loop's thread once it runs. After `join` only
/// `post` may be called, which then does nothing.
class client_loop : public std::enable_shared_from_this<client_loop> {
public:
  client_loop(std::uint32_t index, server_core& core);
  client_loop(const client_loop&) = delete;
  client_loop& operator=(const client_loop&) = delete;
  ~client_loop();

  /// Makes the descriptors the loop needs.
  [[nodiscard]] result<done> open();

  /// Gives the loop a listener to drive. Before `start`, one loop only.
  void adopt(listener accepting);

  void start();
  /// Waits for the thread, which ends after a `stop_message`.
  void join();

  void post(loop_message message);

  [[nodiscard]] const loop_stats& stats() const noexcept {
    return stats_;
  }

  [[nodiscard]] std::uint64_t inbox_overflows() const {
    return inbox_.overflows();
  }

  // -- for the clients of this loop ------------------------------------------

  [[nodiscard]] millis now() const noexcept {
    return now_;
  }

  /// Nobody counts as silent from before this time: the loop itself did not
  /// run (a stopped process, a stalled machine).
  [[nodiscard]] millis alive_floor() const noexcept {
    return alive_floor_;
  }

  [[nodiscard]] server_core& core() noexcept {
    return core_;
  }

  [[nodiscard]] loop_stats& counters() noexcept {
    return stats_;
  }

  [[nodiscard]] evidence_book& evidence() noexcept {
    return evidence_;
  }

  [[nodiscard]] std::span<char> scratch() noexcept {
    return scratch_;
  }

  [[nodiscard]] bool stopping() const noexcept {
    return stop_at_.has_value();
  }

  /// A moment within `span`, another each time.
  [[nodiscard]] millis jitter(millis span);

  void arm(client_connection& client, millis deadline);
  void mark_dirty(client_connection& client);
  /// As `mark_dirty`, for frames that all members of a channel get: may wait
  /// until a large fan-out has left time for everything else.
  void mark_paced(client_connection& client);
  void set_interest(client_connection& client, std::uint32_t events);
  /// To be destroyed when the loop has done with everything else.
  void bury(client_connection& client);

  void enter_channel(client_connection& client, channel_id channel);
  void leave_channel(client_connection& client, channel_id channel,
                     std::uint32_t index);

private:
  // A slot is `serial << index_bits | index`; serials start at 1, so small
  // numbers are free for the loop's own descriptors.
  static constexpr unsigned index_bits = 20;
  static constexpr std::uint64_t index_mask
    = (std::uint64_t{1} << index_bits) - 1;
  static constexpr std::uint64_t wake_key = 1;
  static constexpr std::uint64_t listener_key = 2;

  void run();
  void wait();
  void handle_event(std::uint64_t key, std::uint32_t events);
  void drain_inbox();
  void fire_timers();
  void flush_all();
  void flush_paced();
  void hand_over_evidence();
  void reap();
  void accept_some();
  void stop_all();
  [[nodiscard]] bool finished() const;
  [[nodiscard]] int timeout() const;
  [[nodiscard]] client_connection* find(std::uint64_t slot) noexcept;

  void take(deliver_message& message);
  void take(publish_message& message);
  void take(subscribe_message& message);
  void take(unsubscribe_message& message);
  void take(std::unique_ptr<watch_message>& message);
  void take(std::unique_ptr<close_message>& message);
  void take(std::unique_ptr<respond_message>& message);
  void take(std::unique_ptr<socket_message>& message);
  void take(stop_message& message);
  void resynchronise(channel_id channel);

  const std::uint32_t index_;
  server_core& core_;
  unique_fd epoll_;
  unique_fd wake_;
  inbox inbox_;
  inbox::haul haul_;
  std::thread thread_;
  loop_stats stats_;

  millis now_{0};
  millis idle_from_{0};
  millis alive_floor_{0};
  std::optional<millis> stop_at_;
  bool io_left_ = false;
  std::size_t rounds_without_timers_ = 0;

  std::optional<listener> listener_;
  std::optional<millis> accept_again_;
  std::size_t next_loop_ = 0;

  std::vector<std::unique_ptr<client_connection>> clients_;
  std::vector<std::uint32_t> free_;
  std::uint64_t last_serial_ = 0;
  std::size_t living_ = 0;
  std::unordered_map<channel_id, std::vector<client_connection*>> channels_;
  std::vector<channel_id> emptied_;
  std::vector<client_connection*> dirty_;
  /// Slots, because these may outlive a round.
  std::vector<std::uint64_t> paced_;
  std::optional<millis> fan_out_at_;
  std::vector<client_connection*> graveyard_;
  timer_wheel<std::uint32_t> timers_;
  std::vector<std::uint32_t> expired_;
  evidence_book evidence_;
  std::vector<char> scratch_;
  std::minstd_rand random_;
};

} // namespace rollcall::edge
