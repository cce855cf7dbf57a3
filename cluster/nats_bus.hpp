#pragma once

// The bus between processes: core NATS, at most once. Every node has a static
// inbox, and there is one that all listen to; both are subscribed once and
// stay until the end (destroying a subscription while a message arrives can
// crash nats.c 3.4.1).

#include "actors/base/errors.hpp"
#include "actors/base/metrics.hpp"
#include "actors/ports.hpp"
#include "cluster/nats_connection.hpp"
#include "cluster/nats_handles.hpp"
#include "cluster/subjects.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rollcall::cluster {

/// `message_bus` over a NATS connection of its own.
///
/// A thread of the bus writes what is sent, encoded there, so that `send`
/// never waits for a socket; it is bounded by limits::bus_queue and drops what
/// is too much. What was sent before the connection broke is never sent after
/// it is back. Broadcasts overtake other messages: heartbeats must not wait
/// behind a large snapshot. Messages to this very node take no detour over
/// NATS and arrive on the sender's thread; broadcasts do, their echo shows
/// that the bus works.
///
/// What comes in and is no message within bounds is counted and dropped; what
/// is empty (see nats_access.hpp) is not counted.
class nats_bus final : public message_bus {
public:
  /// Connects; see `nats_connection::open` for what goes wrong. `tell` hears
  /// of the connection until `close` has returned, on a thread of nats.c; it
  /// must not close the bus.
  [[nodiscard]] static result<std::shared_ptr<nats_bus>>
  connect(const nats_options& options, nats_connection::listener tell = {},
          metrics::registry& figures = metrics::default_registry());

  /// Closes.
  ~nats_bus() override;

  void send(const node_id& to, node_message message) override;
  void broadcast(node_message message) override;

  /// Returns when the server knows of the inbox, or did not answer for two
  /// seconds; then it will when it is back.
  void open(const node_id& self, receiver deliver) override;

  /// Writes what is queued, if the server takes it, and closes the connection.
  /// Without an answer of the server's that takes up to some seconds.
  void close() override;

  /// Whether a server is connected now, as far as is known.
  [[nodiscard]] bool connected() const noexcept;

private:
  class core;

  nats_bus(const nats_options& options, std::shared_ptr<core> shared);

  [[nodiscard]] bool subscribe(const std::string& subject);

  subjects names_;
  // Also held by the callbacks of nats.c, which may run when we are gone.
  std::shared_ptr<core> core_;
  // Closed before the subscriptions go.
  std::shared_ptr<nats_connection> connection_;
  std::vector<nats_subscription_ptr> subscriptions_;
  std::thread writer_;
};

} // namespace rollcall::cluster
