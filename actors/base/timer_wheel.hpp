#pragma once

// Deadlines by key, for those who own many of them (a partition's sessions,
// an io loop's sockets) and have one real timer.

#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rollcall {

/// Keeps one deadline per key. Deadlines are steady times, rounded up to the
/// granularity: a key never expires early, and late by less than one tick
/// (plus the time until somebody calls `expire`).
///
/// Ordered by a tree rather than by slots, so that a jump of the clock costs
/// nothing and `next` is exact. All operations are O(log n); one that moves
/// a deadline reuses its node, and one that stays within the tick touches no
/// order at all. Holds exactly the keys its owner scheduled: the owner's own
/// bound on them is the bound of this. Not thread-safe; no clock inside.
template <class Key, class Hash = std::hash<Key>>
class timer_wheel {
public:
  /// `granularity` below one millisecond counts as one.
  explicit timer_wheel(millis granularity)
    : granularity_(later(granularity, millis{1})) {
    // nop
  }

  /// Copies of an iterator map would point into the original.
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  timer_wheel(timer_wheel&&) = default;
  timer_wheel& operator=(timer_wheel&&) = default;
  ~timer_wheel() = default;

  /// Sets the deadline of `key`, in place of an earlier one. A `deadline` of
  /// `never` cancels.
  void schedule(const Key& key, millis deadline) {
    if (deadline > never - granularity_) {
      cancel(key);
      return;
    }
    const auto tick = tick_of(deadline);
    auto [entry, is_new] = entries_.try_emplace(key);
    if (is_new) {
      entry->second = order_.emplace(tick, key);
      return;
    }
    if (entry->second->first == tick)
      return;
    auto node = order_.extract(entry->second);
    node.key() = tick;
    entry->second = order_.insert(std::move(node));
  }

  /// Forgets `key`; says whether it had a deadline.
  bool cancel(const Key& key) {
    auto entry = entries_.find(key);
    if (entry == entries_.end())
      return false;
    order_.erase(entry->second);
    entries_.erase(entry);
    return true;
  }

  /// Removes every key whose deadline has come at the steady time `now` and
  /// appends it to `out`, in order of (rounded) deadlines, at most `limit` of
  /// them. Returns how many. What is beyond the limit stays due.
  std::size_t expire(millis now, std::vector<Key>& out,
                     std::size_t limit = SIZE_MAX) {
    std::size_t count = 0;
    while (count < limit && !order_.empty()
           && order_.begin()->first * granularity_ <= now) {
      auto first = order_.begin();
      entries_.erase(first->second);
      out.push_back(std::move(first->second));
      order_.erase(first);
      ++count;
    }
    return count;
  }

  /// When `expire` will next have something to say; nothing when empty.
  [[nodiscard]] std::optional<millis> next() const {
    if (order_.empty())
      return std::nullopt;
    return order_.begin()->first * granularity_;
  }

  [[nodiscard]] bool contains(const Key& key) const {
    return entries_.contains(key);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return entries_.size();
  }

  [[nodiscard]] bool empty() const noexcept {
    return entries_.empty();
  }

  [[nodiscard]] millis granularity() const noexcept {
    return granularity_;
  }

private:
  using tick_type = millis::rep;
  using order_type = std::multimap<tick_type, Key>;

  [[nodiscard]] tick_type tick_of(millis deadline) const noexcept {
    const auto whole = deadline / granularity_;
    return deadline % granularity_ > millis{0} ? whole + 1 : whole;
  }

  millis granularity_;
  order_type order_;
  std::unordered_map<Key, typename order_type::iterator, Hash> entries_;
};

} // namespace rollcall
