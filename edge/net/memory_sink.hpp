#pragma once

// A client_sink without sockets, for simulations and tests.

#include "actors/notes.hpp"
#include "actors/ports.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rollcall::edge {

/// Clients that read everything at once and never fall behind. Keeps what
/// each received until it is taken: at most `limits::write_queue_hard_bytes`
/// each, as a client that reads nothing would be cut at. Thread-safe.
class memory_sink final : public client_sink {
public:
  using notice = std::function<void(note_ptr)>;

  /// `node` signs the notes that go to `hand_over`; it may be empty.
  explicit memory_sink(node_id node = {}, notice hand_over = {})
    : node_(std::move(node)), hand_over_(std::move(hand_over)) {
    // nop
  }

  /// A new client.
  [[nodiscard]] client_ref connect();

  /// The client goes; without `goodbye` those who watch it are told.
  void disconnect(client_ref client, bool goodbye);

  /// The frames it received since it was asked last, as they were framed.
  [[nodiscard]] std::vector<frame_ptr> take(client_ref client);

  /// The code it was closed with, if it was.
  [[nodiscard]] std::optional<std::uint16_t> closed(client_ref client) const;

  void deliver(client_ref client, frame_ptr frame) override;
  void subscribe(client_ref client, channel_id channel,
                 frame_ptr first) override;
  void unsubscribe(client_ref client, channel_id channel) override;
  void publish(channel_id channel, frame_ptr frame) override;
  void watch(client_ref client, connection_id connection,
             const session_key& session, millis suspect_after) override;
  void close(client_ref client, std::uint16_t code, std::string_view reason,
             frame_ptr last) override;

private:
  struct client_state {
    bool here = true;
    std::optional<std::uint16_t> code;
    std::size_t bytes = 0;
    std::vector<frame_ptr> frames;
    std::set<std::pair<session_key, connection_id>> watches;
  };

  void push(client_state& client, const frame_ptr& frame);
  [[nodiscard]] client_state* find(client_ref client);
  [[nodiscard]] std::vector<note_ptr> leave(client_ref ref,
                                            client_state& client, bool report);
  [[nodiscard]] note_ptr loss(const session_key& session,
                              const connection_id& connection) const;
  void tell(const std::vector<note_ptr>& notes) const;

  const node_id node_;
  const notice hand_over_;
  mutable std::mutex mutex_;
  std::uint64_t last_slot_ = 0;
  std::map<client_ref, client_state> clients_;
  std::map<channel_id, std::set<client_ref>> channels_;
};

} // namespace rollcall::edge
