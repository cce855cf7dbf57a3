#pragma once

// The bus of one process: nodes that live in it reach each other by a function
// call. One node uses it alone; tests put several on it.

#include "actors/ports.hpp"

#include <condition_variable>
#include <cstddef>
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

  /// Hands `message` to every open inbox.
  void deliver_to_all(const node_id& from, const node_message& message);

  void open(const node_id& self, message_bus::receiver deliver);

  /// Waits for calls into the receiver that have begun.
  void close(const node_id& self);

private:
  struct inbox {
    message_bus::receiver deliver;
    std::size_t calls = 0;
  };

  std::mutex mutex_;
  std::condition_variable quiet_;
  std::map<node_id, std::shared_ptr<inbox>> inboxes_;
};

/// `message_bus` over a `local_exchange`. Messages arrive in order and are
/// never lost while both ends are open.
class local_bus : public message_bus {
public:
  explicit local_bus(std::shared_ptr<local_exchange> exchange);
  ~local_bus() override;

  void send(const node_id& to, node_message message) override;
  void broadcast(node_message message) override;
  void open(const node_id& self, receiver deliver) override;
  void close() override;

private:
  std::shared_ptr<local_exchange> exchange_;
  node_id self_;
};

} // namespace rollcall::cluster
