#include "edge/net/memory_sink.hpp"

#include "actors/base/limits.hpp"
#include "edge/net/frame_codec.hpp"

#include <memory>
#include <utility>

namespace rollcall::edge {

client_ref memory_sink::connect() {
  std::lock_guard guard{mutex_};
  const client_ref ref{0, ++last_slot_};
  clients_[ref];
  return ref;
}

void memory_sink::disconnect(client_ref client, bool goodbye) {
  std::vector<note_ptr> notes;
  {
    std::lock_guard guard{mutex_};
    if (auto* known = find(client))
      notes = leave(client, *known, !goodbye);
  }
  tell(notes);
}

std::vector<frame_ptr> memory_sink::take(client_ref client) {
  std::lock_guard guard{mutex_};
  const auto found = clients_.find(client);
  if (found == clients_.end())
    return {};
  found->second.bytes = 0;
  return std::exchange(found->second.frames, {});
}

std::optional<std::uint16_t> memory_sink::closed(client_ref client) const {
  std::lock_guard guard{mutex_};
  const auto found = clients_.find(client);
  return found == clients_.end() ? std::nullopt : found->second.code;
}

void memory_sink::deliver(client_ref client, frame_ptr frame) {
  std::lock_guard guard{mutex_};
  if (auto* known = find(client))
    push(*known, frame);
}

void memory_sink::subscribe(client_ref client, channel_id channel,
                            frame_ptr first) {
  std::lock_guard guard{mutex_};
  auto* known = find(client);
  if (known == nullptr)
    return;
  push(*known, first);
  channels_[channel].insert(client);
}

void memory_sink::unsubscribe(client_ref client, channel_id channel) {
  std::lock_guard guard{mutex_};
  const auto found = channels_.find(channel);
  if (found == channels_.end())
    return;
  found->second.erase(client);
  if (found->second.empty())
    channels_.erase(found);
}

void memory_sink::publish(channel_id channel, frame_ptr frame) {
  std::lock_guard guard{mutex_};
  const auto found = channels_.find(channel);
  if (found == channels_.end())
    return;
  for (const auto& member : found->second)
    if (auto* known = find(member))
      push(*known, frame);
}

void memory_sink::watch(client_ref client, connection_id connection,
                        const session_key& session, millis suspect_after) {
  std::vector<note_ptr> notes;
  {
    std::lock_guard guard{mutex_};
    auto* known = find(client);
    if (suspect_after <= millis{0}) {
      if (known != nullptr)
        known->watches.erase({session, connection});
    } else if (known != nullptr) {
      known->watches.emplace(session, connection);
    } else {
      notes.push_back(loss(session, connection));
    }
  }
  tell(notes);
}

void memory_sink::close(client_ref client, std::uint16_t code,
                        std::string_view reason, frame_ptr last) {
  std::vector<note_ptr> notes;
  {
    std::lock_guard guard{mutex_};
    auto* known = find(client);
    if (known == nullptr)
      return;
    push(*known, last);
    push(*known, make_close_frame(code, reason));
    known->code = code;
    notes = leave(client, *known, true);
  }
  tell(notes);
}

void memory_sink::push(client_state& client, const frame_ptr& frame) {
  if (!frame || client.bytes + frame->size() > limits::write_queue_hard_bytes)
    return;
  client.bytes += frame->size();
  client.frames.push_back(frame);
}

memory_sink::client_state* memory_sink::find(client_ref client) {
  const auto found = clients_.find(client);
  return found != clients_.end() && found->second.here ? &found->second
                                                       : nullptr;
}

std::vector<note_ptr> memory_sink::leave(client_ref ref, client_state& client,
                                         bool report) {
  client.here = false;
  for (auto i = channels_.begin(); i != channels_.end();) {
    i->second.erase(ref);
    i = i->second.empty() ? channels_.erase(i) : std::next(i);
  }
  std::vector<note_ptr> notes;
  if (report)
    for (const auto& [session, connection] : client.watches)
      notes.push_back(loss(session, connection));
  client.watches.clear();
  return notes;
}

note_ptr memory_sink::loss(const session_key& session,
                           const connection_id& connection) const {
  return std::make_shared<const note>(
    note{session, node_, evidence{{{connection, sign::closed, millis{0}}}}});
}

void memory_sink::tell(const std::vector<note_ptr>& notes) const {
  if (hand_over_)
    for (const auto& each : notes)
      hand_over_(each);
}

} // namespace rollcall::edge
