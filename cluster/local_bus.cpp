#include "cluster/local_bus.hpp"

#include <utility>
#include <vector>

namespace rollcall::cluster {

void local_exchange::deliver(const node_id& from, const node_id& to,
                             node_message message) {
  std::shared_ptr<inbox> at;
  {
    std::lock_guard guard{mutex_};
    auto found = inboxes_.find(to);
    if (found == inboxes_.end())
      return;
    at = found->second;
    ++at->calls;
  }
  // Outside the lock: the receiver may send.
  at->deliver(from, std::move(message));
  std::lock_guard guard{mutex_};
  if (--at->calls == 0)
    quiet_.notify_all();
}

void local_exchange::deliver_to_all(const node_id& from,
                                    const node_message& message) {
  std::vector<node_id> all;
  {
    std::lock_guard guard{mutex_};
    for (const auto& [node, at] : inboxes_)
      all.push_back(node);
  }
  for (const auto& node : all)
    deliver(from, node, message);
}

void local_exchange::open(const node_id& self, message_bus::receiver deliver) {
  auto fresh = std::make_shared<inbox>();
  fresh->deliver = std::move(deliver);
  std::lock_guard guard{mutex_};
  inboxes_[self] = std::move(fresh);
}

void local_exchange::close(const node_id& self) {
  std::unique_lock guard{mutex_};
  auto found = inboxes_.find(self);
  if (found == inboxes_.end())
    return;
  auto at = found->second;
  inboxes_.erase(found);
  quiet_.wait(guard, [&] { return at->calls == 0; });
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

void local_bus::broadcast(node_message message) {
  exchange_->deliver_to_all(self_, message);
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
