#include "cluster/local_bus.hpp"

#include <utility>

namespace rollcall::cluster {

void local_exchange::deliver(const node_id& from, const node_id& to,
                             node_message message) {
  std::shared_ptr<const message_bus::receiver> inbox;
  {
    std::lock_guard guard{mutex_};
    auto at = inboxes_.find(to);
    if (at == inboxes_.end())
      return;
    inbox = at->second;
  }
  // Outside the lock: the receiver may send.
  (*inbox)(from, std::move(message));
}

void local_exchange::open(const node_id& self, message_bus::receiver deliver) {
  std::lock_guard guard{mutex_};
  inboxes_[self]
    = std::make_shared<const message_bus::receiver>(std::move(deliver));
}

void local_exchange::close(const node_id& self) {
  std::lock_guard guard{mutex_};
  inboxes_.erase(self);
}

local_bus::local_bus(std::shared_ptr<local_exchange> exchange)
  : exchange_(std::move(exchange)) {
  // nop
}

local_bus::~local_bus() {
  close();
}

void local_bus::send(const node_id& to, node_message message) {
  exchange_->deliver(self_, to, std::move(message));
}

void local_bus::open(const node_id& self, receiver deliver) {
  self_ = self;
  exchange_->open(self, std::move(deliver));
}

void local_bus::close() {
  if (!self_.name.empty())
    exchange_->close(self_);
  self_ = {};
}

} // namespace rollcall::cluster
