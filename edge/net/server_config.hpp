#pragma once

// What the network side is told at start.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/rate_limiter.hpp"
#include "actors/notes.hpp"
#include "actors/ports.hpp"
#include "edge/net/connection_handler.hpp"
#include "edge/net/http_parser.hpp"
#include "edge/net/write_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rollcall::edge {

struct server_config {
  /// An IPv4 or IPv6 address; port 0 takes any that is free.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  /// PEM files; both or neither.
  std::string tls_certificate;
  std::string tls_key;
  /// Threads that serve clients, one loop each (1–64).
  std::size_t io_threads = 1;
  /// Origins of pages that may connect, beside our own.
  std::vector<std::string> origins;
  /// Signs what the loops notice.
  node_id node;
  /// The cookie that may carry the token of a plain WebSocket; empty: none.
  std::string token_cookie;
  /// Without clients there is only what operators ask for: `/healthz`,
  /// `/readyz`, `/metrics`.
  bool clients = true;

  // -- bounds ----------------------------------------------------------------

  /// Sockets at once, refused clients included; 0 leaves it to the limit of
  /// descriptors.
  std::size_t max_sockets = 0;
  std::size_t connections_per_address = 20'000;
  http_limits http;
  queue_limits queue;
  /// Requests of one client; beyond, they are refused.
  rate_rule requests{100, 200};
  /// Frames of one client, one for each KiB; beyond, it is left unread.
  rate_rule frames{1'000, 2'000};
  /// Kernel buffers of each client (SO_SNDBUF, SO_RCVBUF), in bytes. A small
  /// send buffer bounds what a stalled client costs outside our sight.
  std::size_t send_buffer = std::size_t{64} << 10;
  std::size_t receive_buffer = std::size_t{64} << 10;

  // -- time ------------------------------------------------------------------

  /// For TLS and one whole HTTP request.
  millis handshake_timeout = limits::handshake_timeout;
  /// For a handler's answer; for a client to read it, counted from when
  /// whatever is before it has been read; and to ask again after that.
  millis response_timeout{30'000};
  /// For a client to close after we did.
  millis close_timeout{2'000};
  millis slow_reader_grace = limits::slow_reader_grace;
  /// A silent client without watches is closed after this; one with watches
  /// after this or thrice the longest `suspect_after`, whatever is later.
  millis idle_timeout{90'000};
  /// How long signs of life are gathered before they are handed over.
  millis evidence_window{10};
  /// At shutdown: clients are told to come back within this span, each at
  /// another moment; and how long their sockets may take to drain.
  millis shutdown_spread{2'000};
  millis shutdown_drain{2'000};
};

/// Whom the network side calls. All are called on io loops, must not block
/// and must be thread-safe; those marked optional may be empty.
struct server_hooks {
  handler_factory accept;
  /// This client lost its place in the channel and has drained: subscribe it
  /// anew, with a snapshot. Optional.
  std::function<void(channel_id, client_ref)> resync;
  /// Signs of life of watched clients, one note per session and tick.
  /// Optional.
  std::function<void(note_ptr)> notice;
  /// For `/readyz`: why not; empty when ready. Optional: ready.
  std::function<std::string()> not_ready;
  /// For `/metrics`, in the text format of Prometheus. Optional: not found.
  std::function<std::string()> metrics;
  /// Optional: there are no plain WebSockets.
  plain_sockets plain;
  /// Optional.
  http_handler http;
};

} // namespace rollcall::edge
