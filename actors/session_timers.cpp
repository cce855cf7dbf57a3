#include "actors/session_timers.hpp"

namespace rollcall {

void session_timers::set(const timer_name& name, std::optional<millis> wall) {
  auto at = at_.find(name);
  if (at != at_.end()) {
    if (wall == at->second)
      return;
    order_.erase({at->second, name});
    if (!wall) {
      at_.erase(at);
      return;
    }
    at->second = *wall;
  } else if (wall) {
    at_.emplace(name, *wall);
  } else {
    return;
  }
  order_.emplace(*wall, name);
}

std::optional<millis> session_timers::next() const {
  if (order_.empty())
    return std::nullopt;
  return order_.begin()->first;
}

std::optional<timer_name> session_timers::take_due(millis now) {
  if (order_.empty() || order_.begin()->first > now)
    return std::nullopt;
  auto name = order_.begin()->second;
  order_.erase(order_.begin());
  at_.erase(name);
  return name;
}

} // namespace rollcall
