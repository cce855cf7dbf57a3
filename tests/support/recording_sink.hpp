#pragma once

// The client sockets of a test: keeps what each client would have received.

#include "actors/ports.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

/// `client_sink` in memory. Single-threaded: for actors under virtual time.
class recording_sink final : public client_sink {
public:
  void deliver(client_ref client, frame_ptr frame) override {
    frames[client].push_back(payload_of(*frame));
  }

  void subscribe(client_ref client, channel_id channel,
                 frame_ptr first) override {
    channels[channel].insert(client);
    deliver(client, std::move(first));
  }

  void unsubscribe(client_ref client, channel_id channel) override {
    channels[channel].erase(client);
  }

  void publish(channel_id channel, frame_ptr frame) override {
    ++publishes;
    for (auto client : channels[channel])
      deliver(client, frame);
  }

  void watch(client_ref client, connection_id, const session_key& session,
             millis suspect_after) override {
    watches[{client, session.id.str()}] = suspect_after;
  }

  void close(client_ref client, std::uint16_t code, std::string_view,
             frame_ptr last) override {
    deliver(client, std::move(last));
    closed[client] = code;
  }

  /// What a client received, and forgets it.
  std::vector<std::string> take(client_ref client) {
    return std::exchange(frames[client], {});
  }

  std::map<client_ref, std::vector<std::string>> frames;
  std::map<channel_id, std::set<client_ref>> channels;
  std::map<std::pair<client_ref, std::string>, millis> watches;
  std::map<client_ref, std::uint16_t> closed;
  std::size_t publishes = 0;

private:
  // Strips the server's frame header (RFC 6455, 5.2): never masked.
  static std::string payload_of(const std::string& frame) {
    auto length = static_cast<unsigned char>(frame[1]) & 0x7FU;
    std::size_t header = length == 126 ? 4 : length == 127 ? 10 : 2;
    return frame.substr(header);
  }
};

} // namespace rollcall::test
