#pragma once

// The bus of several nodes under virtual time: messages travel for a while,
// get lost, come twice or late, and nodes can be cut off, one way or both.

#include "actors/ports.hpp"
#include "cluster/wire.hpp"
#include "sim/sim_life.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace rollcall::sim {

/// The wire between all nodes. One thread.
class sim_network {
public:
  sim_network(std::uint64_t seed, std::shared_ptr<sim_events> events)
    : random_(seed), events_(std::move(events)) {
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

  void open(const node_id& node, std::shared_ptr<sim_life> life,
            message_bus::receiver deliver) {
    inboxes_[node] = {std::move(life), std::move(deliver)};
  }

  void close(const node_id& node) {
    inboxes_.erase(node);
  }

  /// Cuts a node's way out, or its way in, or lets it through again. By name:
  /// it holds for whatever runs there.
  void cut(const std::string& node, bool out, bool in) {
    set(deaf_, node, in);
    set(dumb_, node, out);
  }

  /// Nodes on different sides do not hear each other.
  void split(std::map<std::string, int> sides) {
    sides_ = std::move(sides);
  }

  void send(const node_id& from, const node_id& to,
            const node_message& message) {
    send(from, to, seal(from, message));
  }

  void broadcast(const node_id& from, const node_message& message) {
    auto sealed = seal(from, message);
    sealed.to_all = true;
    for (const auto& [node, end] : std::map{inboxes_})
      send(from, node, sealed);
  }

  faults chances;
  totals count;

private:
  struct inbox {
    std::shared_ptr<sim_life> life;
    message_bus::receiver deliver;
  };

  /// Deadlines are each node's own: what has some travels as bytes.
  struct parcel {
    node_message plain;
    std::shared_ptr<const std::string> bytes;
    bool to_all = false;
  };

  parcel seal(const node_id& from, const node_message& message) const {
    bool has_deadlines
      = std::holds_alternative<batch_ptr>(message)
        || std::holds_alternative<snapshot_ptr>(message)
        || std::holds_alternative<routed_reply_ptr>(message)
        || std::holds_alternative<session_transfer_ptr>(message);
    auto at = inboxes_.find(from);
    if (!has_deadlines || at == inboxes_.end())
      return {message, nullptr, false};
    auto bytes
      = cluster::encode(message, from, at->second.life->clock().steady);
    return {message, std::make_shared<const std::string>(bytes.value()), false};
  }

  void send(const node_id& from, const node_id& to, const parcel& what) {
    ++count.sent;
    if (!passes(from, to, what)) {
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
    auto at = std::max(last, events_->now + millis{1 + pick(3)});
    if (from != to && hits(chances.late)) {
      ++count.late;
      at += millis{pick(800)};
    } else {
      last = at;
    }
    deliver_at(at, from, to, what);
    if (from != to && hits(chances.twice)) {
      ++count.twice;
      deliver_at(at + millis{pick(300)}, from, to, what);
    }
  }

  void deliver_at(millis when, const node_id& from, const node_id& to,
                  const parcel& what) {
    events_->at(when, [this, from, to, what] {
      if (!passes(from, to, what)) {
        ++count.cut;
        return;
      }
      auto at = inboxes_.find(to);
      if (at == inboxes_.end())
        return;
      const auto& [life, hear] = at->second;
      life->enter([life = life.get(), deliver = hear, from, what] {
        auto message = what.bytes
                         ? cluster::decode(*what.bytes, life->clock().steady)
                             .value()
                             .message
                         : what.plain;
        deliver(from, std::move(message));
      });
    });
  }

  // What a node tells itself alone does not leave it.
  [[nodiscard]] bool passes(const node_id& from, const node_id& to,
                            const parcel& what) const {
    if (from == to && !what.to_all)
      return true;
    return !dumb_.contains(from.name) && !deaf_.contains(to.name)
           && side(from) == side(to);
  }

  [[nodiscard]] int side(const node_id& node) const {
    auto at = sides_.find(node.name);
    return at == sides_.end() ? 0 : at->second;
  }

  static void set(std::set<std::string>& all, const std::string& one, bool in) {
    if (in)
      all.insert(one);
    else
      all.erase(one);
  }

  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  bool hits(std::uint32_t one_in) {
    return one_in != 0 && pick(one_in) == 0;
  }

  std::mt19937_64 random_;
  std::shared_ptr<sim_events> events_;
  std::map<node_id, inbox> inboxes_;
  std::set<std::string> deaf_;
  std::set<std::string> dumb_;
  std::map<std::string, int> sides_;
  std::map<std::pair<node_id, node_id>, millis> last_;
};

/// One node's end of the wire.
class sim_bus final : public message_bus {
public:
  sim_bus(std::shared_ptr<sim_network> wire, std::shared_ptr<sim_life> life)
    : wire_(std::move(wire)), life_(std::move(life)) {
    // nop
  }

  void send(const node_id& to, node_message message) override {
    if (!life_->alive)
      return;
    if (std::holds_alternative<batch_ptr>(message)
        && life_->hits(crash_point::on_send))
      return;
    wire_->send(self_, to, message);
  }

  void broadcast(node_message message) override {
    if (life_->alive)
      wire_->broadcast(self_, message);
  }

  void open(const node_id& self, receiver deliver) override {
    self_ = self;
    wire_->open(self, life_, std::move(deliver));
  }

  void close() override {
    wire_->close(self_);
  }

private:
  std::shared_ptr<sim_network> wire_;
  std::shared_ptr<sim_life> life_;
  node_id self_;
};

} // namespace rollcall::sim
