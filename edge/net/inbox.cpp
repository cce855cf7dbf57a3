#include "edge/net/inbox.hpp"

#include <utility>

namespace rollcall::edge {

bool inbox::post(loop_message message) {
  std::lock_guard guard{mutex_};
  if (closed_)
    return false;
  // The end of a loop must always get through.
  if (waiting_.messages.size() >= capacity_
      && !std::holds_alternative<stop_message>(message)) {
    ++overflows_;
    note_loss(message);
  } else {
    waiting_.messages.push_back(std::move(message));
  }
  return !std::exchange(woken_, true);
}

void inbox::note_loss(const loop_message& message) {
  if (const auto* published = std::get_if<publish_message>(&message))
    waiting_.lost_channels.insert(published->channel);
  else if (const auto* delivered = std::get_if<deliver_message>(&message))
    waiting_.lost_slots.insert(delivered->slot);
  else if (const auto* joined = std::get_if<subscribe_message>(&message))
    waiting_.lost_slots.insert(joined->slot);
  else if (const auto* left = std::get_if<unsubscribe_message>(&message))
    waiting_.lost_slots.insert(left->slot);
  else if (const auto* watched
           = std::get_if<std::unique_ptr<watch_message>>(&message))
    waiting_.lost_slots.insert((*watched)->slot);
  else if (const auto* closed
           = std::get_if<std::unique_ptr<close_message>>(&message))
    waiting_.lost_slots.insert((*closed)->slot);
  else if (const auto* answered
           = std::get_if<std::unique_ptr<respond_message>>(&message))
    waiting_.lost_slots.insert((*answered)->slot);
}

void inbox::drain(haul& into) {
  into.messages.clear();
  into.lost_slots.clear();
  into.lost_channels.clear();
  std::lock_guard guard{mutex_};
  std::swap(into, waiting_);
  woken_ = false;
}

bool inbox::pending() const {
  std::lock_guard guard{mutex_};
  return woken_;
}

void inbox::close() {
  haul last;
  std::lock_guard guard{mutex_};
  closed_ = true;
  std::swap(last, waiting_);
}

std::uint64_t inbox::overflows() const {
  std::lock_guard guard{mutex_};
  return overflows_;
}

} // namespace rollcall::edge
