#include "cluster/bus_queue.hpp"

#include "actors/base/limits.hpp"

#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::size_t message_base = 1'024;
constexpr std::size_t item_bytes = 64;
// With the strings and live keys that most have.
constexpr std::size_t change_bytes = 512;
constexpr std::size_t participant_bytes = 768;

std::size_t items_of(const batch& x) {
  return x.changes.size() * change_bytes;
}

std::size_t items_of(const snapshot& x) {
  return x.participants.size() * participant_bytes;
}

std::size_t items_of(const note& x) {
  if (const auto* told = std::get_if<evidence>(&x.body))
    return told->items.size() * item_bytes;
  if (const auto* told = std::get_if<announce_note>(&x.body))
    return told->connections.size() * item_bytes;
  return 0;
}

std::size_t items_of(const routed_reply& x) {
  if (!x.answer || !x.answer->ok())
    return 0;
  const auto& body = (*x.answer)->body;
  if (const auto* page = std::get_if<roster_reply>(&body))
    return page->participants.size() * participant_bytes;
  if (const auto* course = std::get_if<course_reply>(&body))
    return course->participants.size() * participant_bytes;
  return 0;
}

std::size_t items_of(const heartbeat& x) {
  return x.held.size() * item_bytes;
}

template <class Other>
std::size_t items_of(const Other&) {
  return 0;
}

} // namespace

std::size_t estimated_bytes(const node_message& message) {
  return std::visit(
    [](const auto& x) { return message_base + (x ? items_of(*x) : 0); },
    message);
}

bool bus_queue::push(std::optional<node_id> to, node_message message) {
  auto bytes = estimated_bytes(message);
  {
    std::lock_guard guard{mutex_};
    auto count = broadcasts_.size() + others_.size();
    // One message alone always fits.
    if (closed_ || count >= limits::bus_queue
        || (count > 0 && bytes_ + bytes > limits::bus_queue_bytes))
      return false;
    auto& into = to ? others_ : broadcasts_;
    into.push_back({std::move(to), std::move(message), generation_});
    bytes_ += bytes;
  }
  changed_.notify_one();
  return true;
}

std::optional<queued_message> bus_queue::pop() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] {
    return closed_ || !broadcasts_.empty() || !others_.empty();
  });
  if (auto out = take(broadcasts_))
    return out;
  return take(others_);
}

std::optional<queued_message> bus_queue::pop_broadcast() {
  std::lock_guard guard{mutex_};
  return take(broadcasts_);
}

std::optional<queued_message> bus_queue::take(lane& from) {
  if (from.empty())
    return std::nullopt;
  auto out = std::move(from.front());
  from.pop_front();
  bytes_ -= estimated_bytes(out.message);
  return out;
}

std::size_t bus_queue::next_generation() {
  lane broadcasts;
  lane others;
  std::lock_guard guard{mutex_};
  broadcasts.swap(broadcasts_);
  others.swap(others_);
  bytes_ = 0;
  ++generation_;
  return broadcasts.size() + others.size();
}

bool bus_queue::is_current(std::uint64_t generation) const {
  std::lock_guard guard{mutex_};
  return generation == generation_;
}

void bus_queue::close() {
  {
    std::lock_guard guard{mutex_};
    closed_ = true;
  }
  changed_.notify_all();
}

} // namespace rollcall::cluster
