#pragma once

// The bus of one process: nodes that live in it reach each other by a function
// call. One node uses it alone; tests put several on it.

#include "actors/ports.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace rollcall::cluster {

/// The inboxes of a process. Shared by the buses of its nodes.
class local_exchange {
public:
  /// Hands `message` to `to`'s receiver on the calling thread; drops it when
  /// nobody has that inbox open.
  void deliver(const node_id& from, const node_id& to, node_message message);

  void open(const node_id& self, message_bus::receiver deliver);
  void close(const node_id& self);

private:
  std::mutex mutex_;
  std::map<node_id, std::shared_ptr<const message_bus::receiver>> inboxes_;
};

/// `message_bus` over a `local_exchange`. Messages arrive in order and are
/// never lost while both ends are open.
class local_bus : public message_bus {
public:
  explicit local_bus(std::shared_ptr<local_exchange> exchange);
  ~local_bus() override;

  void send(const node_id& to, node_message message) override;
  void open(const node_id& self, receiver deliver) override;
  void close() override;

private:
  std::shared_ptr<local_exchange> exchange_;
  node_id self_;
};

} // namespace rollcall::cluster
