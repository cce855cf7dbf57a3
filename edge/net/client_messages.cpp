// What other threads tell a loop, done.

#include "edge/net/client_connection.hpp"
#include "edge/net/client_loop.hpp"

#include <utility>

namespace rollcall::edge {

namespace {

// From this many members on, a frame gets a reference count of this loop's
// own, so that loops do not fight over the cache line.
constexpr std::size_t members_worth_a_count = 32;

} // namespace

void client_loop::take(deliver_message& message) {
  if (auto* client = find(message.slot))
    client->deliver(message.frame);
}

void client_loop::take(publish_message& message) {
  stats_.publishes.add();
  auto found = channels_.find(message.channel);
  if (found == channels_.end() || !message.frame)
    return;
  auto& members = found->second;
  auto frame = std::move(message.frame);
  if (core_.loops.size() > 1 && members.size() >= members_worth_a_count) {
    const auto* bytes = frame.get();
    frame = frame_ptr{bytes, [kept = std::move(frame)](const std::string*) {}};
  }
  // Backwards, because a slow client takes itself out and the last member
  // takes its place.
  for (auto i = members.size(); i-- > 0;)
    members[i]->publish(frame);
}

void client_loop::take(subscribe_message& message) {
  if (auto* client = find(message.slot))
    client->subscribe(message.channel, message.first);
}

void client_loop::take(unsubscribe_message& message) {
  if (auto* client = find(message.slot))
    client->unsubscribe(message.channel);
}

void client_loop::take(std::unique_ptr<watch_message>& message) {
  if (auto* client = find(message->slot)) {
    client->watch(*message);
    return;
  }
  // It went while the owner was being asked: without this the owner would
  // wait for somebody whom nobody watches.
  if (message->suspect_after > millis{0} && !stopping()) {
    auto* page = evidence_.enter(message->session);
    evidence_.add(page, message->connection, sign::closed, now_, now_);
    evidence_.leave(page);
  }
}

void client_loop::take(std::unique_ptr<close_message>& message) {
  if (auto* client = find(message->slot))
    client->close(message->code, message->reason, message->last);
}

void client_loop::take(std::unique_ptr<respond_message>& message) {
  if (auto* client = find(message->slot))
    client->respond(message->exchange, std::move(message->response));
}

void client_loop::take(stop_message&) {
  stop_all();
}

void client_loop::resynchronise(channel_id channel) {
  auto found = channels_.find(channel);
  if (found == channels_.end())
    return;
  auto& members = found->second;
  while (!members.empty()) {
    auto* client = members.back();
    client->lose_places();
    // Its queue may be empty: draining is what calls it back.
    mark_dirty(*client);
  }
}

void client_loop::stop_all() {
  if (stop_at_)
    return;
  stop_at_ = now_ + core_.config.shutdown_drain;
  listener_.reset();
  accept_again_.reset();
  for (auto& client : clients_)
    if (client && !client->dead())
      client->shut_down();
}

} // namespace rollcall::edge
