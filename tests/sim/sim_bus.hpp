#pragma once

// The bus of several nodes under virtual time: messages travel for a while,
// get lost, come twice or late, and nodes can be cut off.

#include "actors/base/instant.hpp"
#include "actors/ports.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace rollcall::sim {

/// The wire between all nodes. One thread; `run` delivers what is due.
class sim_network {
public:
  explicit sim_network(std::uint64_t seed) : random_(seed) {
    // nop
  }

  /// Each message has a chance of one in so many; zero: never.
  struct faults {
    std::uint32_t lost = 0;
    std::uint32_t twice = 0;
    std::uint32_t late = 0;
  };

  struct totals {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::uint64_t twice = 0;
    std::uint64_t late = 0;
    std::uint64_t cut = 0;
  };

  void open(const node_id& node, message_bus::receiver deliver) {
    inboxes_[node] = std::move(deliver);
  }

  void close(const node_id& node) {
    inboxes_.erase(node);
  }

  /// Cuts a node off, or lets it in again.
  void cut(const node_id& node, bool off) {
    if (off)
      cut_.insert(node);
    else
      cut_.erase(node);
  }

  void send(const node_id& from, const node_id& to,
            const node_message& message) {
    ++count.sent;
    if (cut_.contains(from) || cut_.contains(to)) {
      ++count.cut;
      return;
    }
    if (from != to && hits(chances.lost)) {
      ++count.lost;
      return;
    }
    // Per pair the order is kept, as one connection keeps it, except for what
    // is made late on purpose.
    auto& last = last_[{from, to}];
    auto at = std::max(last, now + millis{1 + pick(3)});
    if (from != to && hits(chances.late)) {
      ++count.late;
      at += millis{pick(800)};
    } else {
      last = at;
    }
    flight_.emplace(at, parcel{from, to, message});
    if (from != to && hits(chances.twice)) {
      ++count.twice;
      flight_.emplace(at + millis{pick(300)}, parcel{from, to, message});
    }
  }

  void broadcast(const node_id& from, const node_message& message) {
    for (const auto& [node, inbox] : std::map{inboxes_})
      send(from, node, message);
  }

  void run(millis until) {
    now = until;
    while (!flight_.empty() && flight_.begin()->first <= now) {
      auto next = std::move(flight_.begin()->second);
      flight_.erase(flight_.begin());
      if (cut_.contains(next.from) || cut_.contains(next.to)) {
        ++count.cut;
        continue;
      }
      if (auto at = inboxes_.find(next.to); at != inboxes_.end()) {
        auto deliver = at->second;
        deliver(next.from, std::move(next.message));
      }
    }
  }

  faults chances;
  totals count;
  millis now{0};

private:
  struct parcel {
    node_id from;
    node_id to;
    node_message message;
  };

  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  bool hits(std::uint32_t one_in) {
    return one_in != 0 && pick(one_in) == 0;
  }

  std::mt19937_64 random_;
  std::map<node_id, message_bus::receiver> inboxes_;
  std::set<node_id> cut_;
  std::multimap<millis, parcel> flight_;
  std::map<std::pair<node_id, node_id>, millis> last_;
};

/// One node's end of the wire.
class sim_bus final : public message_bus {
public:
  explicit sim_bus(std::shared_ptr<sim_network> wire) : wire_(std::move(wire)) {
    // nop
  }

  void send(const node_id& to, node_message message) override {
    wire_->send(self_, to, message);
  }

  void broadcast(node_message message) override {
    wire_->broadcast(self_, message);
  }

  void open(const node_id& self, receiver deliver) override {
    self_ = self;
    wire_->open(self, std::move(deliver));
  }

  void close() override {
    wire_->close(self_);
  }

private:
  std::shared_ptr<sim_network> wire_;
  node_id self_;
};

} // namespace rollcall::sim
