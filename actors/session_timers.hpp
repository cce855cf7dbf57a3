#pragma once

// The named deadlines of one session. They are wall times, since they outlive
// the process: what they hang on is in the records, and the partition's `due`
// index keeps the earliest.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace rollcall {

/// What happens at a deadline.
enum class timer_kind : std::uint8_t {
  /// An ended session is forgotten.
  erasure,
  /// A phase gives way to the next.
  phase,
  /// A barrier opens although somebody is not ready.
  barrier,
  /// A member is reminded of the start.
  reminder,
  /// The oldest entry of the event log is over its retention.
  events,
  /// A change of a group is to be told everywhere.
  group,
};

struct timer_name {
  timer_kind kind = timer_kind::erasure;
  /// Of a reminder; empty for the others.
  user_id user{};

  friend auto operator<=>(const timer_name&, const timer_name&) = default;
};

/// One deadline per name, in order. Owned by one session_state; holds at most
/// one for each kind and one for each member. Changes are O(log n).
class session_timers {
public:
  /// Sets the deadline of `name`, or (nothing) clears it.
  void set(const timer_name& name, std::optional<millis> wall);

  void clear() noexcept {
    at_.clear();
    order_.clear();
  }

  /// The earliest deadline, in wall time.
  [[nodiscard]] std::optional<millis> next() const;

  /// Takes out the earliest that is due at the wall time `now`.
  [[nodiscard]] std::optional<timer_name> take_due(millis now);

  [[nodiscard]] std::size_t size() const noexcept {
    return at_.size();
  }

private:
  std::map<timer_name, millis> at_;
  std::set<std::pair<millis, timer_name>> order_;
};

} // namespace rollcall
