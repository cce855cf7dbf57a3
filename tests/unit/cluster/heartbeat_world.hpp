#pragma once

// Nodes that hear each other over a bus which loses, delays, doubles and
// reorders; they are paused, cut off and restarted. Time moves in steps of
// 10 ms, and only here.

#include "cluster/membership.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::cluster::test {

class heartbeat_world {
public:
  static constexpr millis step_size{10};

  /// Chances in percent.
  struct weather {
    int lost = 0;
    int doubled = 0;
    millis delay_max{0};
  };

  struct node {
    membership::config cfg;
    std::unique_ptr<membership> who;
    bool running = true;
    bool cut = false;
    millis paused_until{0};
    millis next_tick{0};
    /// What arrived while it was paused.
    std::vector<heartbeat> backlog;
    std::vector<membership_event> events;
  };

  /// Called after each `advance`, with what it returned.
  std::function<void(std::size_t, const std::vector<membership_event>&)>
    advanced;
  /// Called for each heartbeat that was taken as fresh.
  std::function<void(std::size_t, const heartbeat&)> heard;
  /// What a node says it holds.
  std::function<std::vector<held_partition>(std::size_t)> held;

  explicit heartbeat_world(std::uint64_t seed) : random_(seed) {
    // nop
  }

  std::size_t add(membership::config cfg = {}) {
    nodes_.emplace_back().cfg = cfg;
    start(nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  /// Starts the node under a new incarnation.
  void start(std::size_t i) {
    auto& n = nodes_[i];
    n.who = std::make_unique<membership>(
      node_id{"node" + std::to_string(i), random_()}, n.cfg);
    n.running = true;
    n.paused_until = now;
    n.next_tick = now + millis{pick(100)};
    n.backlog.clear();
  }

  void stop(std::size_t i) {
    nodes_[i].running = false;
    nodes_[i].backlog.clear();
  }

  void pause(std::size_t i, millis d) {
    nodes_[i].paused_until = now + d;
  }

  void run(millis d) {
    for (const auto end = now + d; now < end;)
      step();
  }

  void step() {
    now += step_size;
    deliver();
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      tick(i);
  }

  [[nodiscard]] bool is_up(std::size_t i) const {
    return nodes_[i].running && nodes_[i].paused_until <= now;
  }

  [[nodiscard]] node& at(std::size_t i) {
    return nodes_[i];
  }

  [[nodiscard]] membership& who(std::size_t i) {
    return *nodes_[i].who;
  }

  [[nodiscard]] std::size_t size() const {
    return nodes_.size();
  }

  [[nodiscard]] int pick(int below) {
    return static_cast<int>(random_() % static_cast<std::uint64_t>(below));
  }

  [[nodiscard]] bool chance(int percent) {
    return pick(100) < percent;
  }

  /// Sends on behalf of a node, through the weather.
  void broadcast(std::size_t from, const heartbeat& word) {
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      const auto copies = chance(sky.lost) ? 0 : chance(sky.doubled) ? 2 : 1;
      for (int i = 0; i < copies; ++i)
        in_flight_.push_back({now + delay(), from, to, word});
    }
  }

  weather sky;
  bool bus_down = false;
  /// Long after zero, as steady clocks are.
  millis now{1'000'000};

private:
  struct message {
    millis at{0};
    std::size_t from = 0;
    std::size_t to = 0;
    heartbeat word;
  };

  millis delay() {
    return millis{pick(static_cast<int>(sky.delay_max.count()) + 1)};
  }

  void deliver() {
    std::vector<message> later;
    auto due = std::exchange(in_flight_, {});
    for (auto& m : due) {
      if (m.at > now) {
        later.push_back(std::move(m));
        continue;
      }
      auto& n = nodes_[m.to];
      if (bus_down || n.cut || !n.running)
        continue;
      if (n.paused_until > now)
        n.backlog.push_back(std::move(m.word));
      else
        take(m.to, m.word);
    }
    for (auto& m : later)
      in_flight_.push_back(std::move(m));
  }

  void tick(std::size_t i) {
    auto& n = nodes_[i];
    if (!is_up(i) || n.next_tick > now)
      return;
    // After a pause either may come first.
    const auto timer_first = chance(50);
    if (!timer_first)
      drain(i);
    auto events = n.who->advance(now);
    n.events.insert(n.events.end(), events.begin(), events.end());
    if (advanced)
      advanced(i, events);
    if (timer_first)
      drain(i);
    const auto holds = held ? held(i) : std::vector<held_partition>{};
    if (auto word = n.who->due(now, holds); word && !n.cut && !bus_down)
      broadcast(i, *word);
    n.next_tick = later(n.next_tick + n.cfg.tick, now + step_size);
  }

  void drain(std::size_t i) {
    for (auto& word : std::exchange(nodes_[i].backlog, {}))
      take(i, word);
  }

  void take(std::size_t i, const heartbeat& word) {
    auto taken = nodes_[i].who->take(word, now);
    if (taken.ok() && *taken == intake::fresh && heard)
      heard(i, word);
  }

  std::mt19937_64 random_;
  std::vector<node> nodes_;
  std::vector<message> in_flight_;
};

} // namespace rollcall::cluster::test
