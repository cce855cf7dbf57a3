#pragma once

// The network half of the edge: client sockets in, frames out.

#include "actors/base/errors.hpp"
#include "actors/ports.hpp"
#include "edge/net/net_stats.hpp"
#include "edge/net/server_config.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace rollcall::edge {

struct server_core;

/// Listens, serves HTTP, upgrades to WebSocket at `/v1/connect` and keeps its
/// clients on a few io loops, each a thread. Every method is thread-safe but
/// `start`, `shutdown` and the destructor, which belong to one owner.
///
/// The methods of `client_sink` cost one message to the loop concerned;
/// `publish` costs one message per loop and then one call to the kernel per
/// client, or less: all that is waiting for a client leaves at once.
class server final : public client_sink {
public:
  server(server_config config, server_hooks hooks);
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() override;

  /// Opens the port and starts the loops. A failure says what to mend and
  /// names the setting; nothing is left running.
  [[nodiscard]] result<done> start();

  /// The port that is listened on; 0 before `start`.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Lets nobody new in, tells every client to come back (3000) and waits for
  /// their sockets to drain, within `server_config::shutdown_drain`. No
  /// callback runs after it returns. Watched clients are not reported as
  /// closed: they were asked to go.
  void shutdown();

  [[nodiscard]] server_stats stats() const;

  void deliver(client_ref client, frame_ptr frame) override;
  void subscribe(client_ref client, channel_id channel,
                 frame_ptr first) override;
  void unsubscribe(client_ref client, channel_id channel) override;
  void publish(channel_id channel, frame_ptr frame) override;

  /// A watch of a client that has gone already is reported as closed: call
  /// it when the session has let the connection in, not before.
  void watch(client_ref client, connection_id connection,
             const session_key& session, millis suspect_after) override;
  void close(client_ref client, std::uint16_t code, std::string_view reason,
             frame_ptr last) override;

private:
  std::unique_ptr<server_core> core_;
  std::uint16_t port_ = 0;
  bool running_ = false;
};

} // namespace rollcall::edge
