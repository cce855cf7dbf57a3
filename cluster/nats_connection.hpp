#pragma once

// A connection to NATS with the options that hold on nats.c 3.4.1.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "cluster/nats_handles.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rollcall::cluster {

/// How a node reaches NATS.
struct nats_options {
  /// `nats://host:port` or `tls://host:port`; a user and a password may stand
  /// before the host. At least one.
  std::vector<std::string> urls;
  /// The cluster this node is of; see `check_cluster_id`. Nodes of different
  /// clusters may share the servers.
  std::string cluster = "rollcall";
  /// What the server's connection list calls us.
  std::string name = "rollcalld";
  /// A file as nats_login.hpp describes, or empty.
  std::string credentials;
  /// A file with the CAs that servers are checked against; turns TLS on.
  std::string ca;
  /// Leaves the log alone.
  bool quiet = false;
  /// How long `open` waits for a server.
  millis connect_timeout{5'000};
  /// Called once, on a thread of nats.c, when a connection that was open is
  /// given up: its servers refused us twice, or the right to listen was taken
  /// away. There is no way back for it.
  std::function<void(const failure&)> gave_up;
};

struct nats_callbacks;

enum class nats_event { connected, disconnected, lame_duck };

/// One connection; opens itself again for as long as it lives, unless servers
/// refuse its credentials (`nats_options::gave_up`). While it is
/// down a publish fails at once: nothing is buffered and sent later, when it
/// would be a ghost. Thread-safe, as nats.c is.
///
/// All connections of the process deliver on one small pool of threads, so a
/// message callback never waits.
class nats_connection {
public:
  /// Called on a thread of nats.c, not before `open` has begun and not after
  /// the last connection callback; what it captures outlives the connection.
  using listener = std::function<void(nats_event)>;

  /// Waits up to `connect_timeout` for a server. `unavailable` when none
  /// answers; `forbidden` when one does and will not have us, or we not it;
  /// `bad_request` when the options cannot be right. The last two do not wait,
  /// and name setting and remedy.
  [[nodiscard]] static result<std::shared_ptr<nats_connection>>
  open(const nats_options& options, listener tell = {});

  nats_connection(const nats_connection&) = delete;
  nats_connection& operator=(const nats_connection&) = delete;

  /// Closes. Not on a thread of nats.c.
  ~nats_connection();

  /// For calls into nats.c; never null.
  [[nodiscard]] nats_connection_handle* native() const noexcept;

  /// Whether a server is connected now, as far as is known.
  [[nodiscard]] bool connected() const noexcept;

  /// No message arrives any more once this has returned, save those that wait
  /// in a subscription. Idempotent.
  void close() noexcept;

private:
  nats_connection() = default;

  nats_connection_handle* handle_ = nullptr;
  std::shared_ptr<nats_callbacks> state_;
};

} // namespace rollcall::cluster
