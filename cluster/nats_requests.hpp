#pragma once

// Questions to JetStream and their answers, with deadlines of our own: those
// of nats.c 3.4.1 are on the wall clock.

#include "cluster/nats_connection.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::cluster {

using steady_time = std::chrono::steady_clock::time_point;

enum class ask_end : std::uint8_t {
  /// There is an answer.
  answered,
  /// It never left: no connection.
  not_sent,
  /// The server says that nobody takes it: no such stream, or no leader.
  nobody,
  /// No answer in time: it may have arrived or not.
  silent,
};

struct asked {
  ask_end end = ask_end::silent;
  std::string data;
};

/// A message that a consumer delivered.
struct pulled_message {
  std::uint64_t sequence = 0;
  /// Counts the consumer's deliveries from 1.
  std::uint64_t delivery = 0;
  /// How many follow.
  std::uint64_t pending = 0;
  std::string data;
};

/// One connection with one inbox, made at the start and kept: a subscription
/// that ends while a message arrives can crash nats.c 3.4.1. Thread-safe; any
/// number of threads may wait in it.
class nats_requests {
public:
  using headers = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] static result<std::unique_ptr<nats_requests>>
  open(const nats_options& options);

  nats_requests(const nats_requests&) = delete;
  nats_requests& operator=(const nats_requests&) = delete;

  /// Nobody waits in it any more.
  ~nats_requests();

  /// Sends and waits for the answer until `until`, or until the connection is
  /// lost. Sends the same once more whenever `again` has passed, if that is
  /// not zero: then the first answer to any of them is the answer.
  [[nodiscard]] asked ask(const std::string& subject, const headers& with,
                          std::string_view body, steady_time until,
                          millis again = millis{0});

  /// Waits until `until`, or until the connection comes back or `stop`.
  void pause(steady_time until);

  /// Asks a pull consumer for the next `count` messages.
  [[nodiscard]] bool pull(const std::string& stream,
                          const std::string& consumer, std::size_t count);

  /// Opens and closes the queue of a consumer's messages.
  void listen(const std::string& consumer);
  void unlisten(const std::string& consumer);

  /// The next message of a consumer; nothing at `until`, or when the
  /// connection is lost or the consumer gives no more for this pull.
  [[nodiscard]] std::optional<pulled_message> take(const std::string& consumer,
                                                   steady_time until);

  [[nodiscard]] bool connected() const noexcept;

  /// Wakes all who wait; from here on nothing is sent.
  void stop() noexcept;
  [[nodiscard]] bool stopped() const noexcept;

private:
  struct mailbox;

  nats_requests() = default;

  std::shared_ptr<mailbox> mailbox_;
  std::shared_ptr<nats_connection> connection_;
  nats_subscription_ptr inbox_;
};

} // namespace rollcall::cluster
