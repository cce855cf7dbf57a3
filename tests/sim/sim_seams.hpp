#pragma once

// A simulated node's disk and its clients' sockets: real ones of the tests,
// which end where the node dies.

#include "edge/protocol/json_codec.hpp"
#include "persistence/memory_store.hpp"
#include "sim/sim_life.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace rollcall::sim {

/// A node's way to its disk.
class sim_store final : public store {
public:
  sim_store(std::shared_ptr<memory_store> disk, std::shared_ptr<sim_life> life)
    : disk_(std::move(disk)), life_(std::move(life)) {
    // nop
  }

  result<done> write(std::span<const applied_records> groups) override {
    if (!life_->alive || life_->hits(crash_point::before_write))
      return fail(errc::unavailable, "the node is dead");
    auto written = disk_->write(groups);
    (void)life_->hits(crash_point::after_write);
    return written;
  }

  result<checkpoint> where(partition_id partition) override {
    return disk_->where(partition);
  }

  result<std::optional<std::string>> get(std::string_view key) override {
    return disk_->get(key);
  }

  result<done> scan(std::string_view prefix, const visitor& visit) override {
    return disk_->scan(prefix, visit);
  }

  result<done> walk(std::string_view prefix, std::string_view start,
                    walk_way way, const visitor& visit) override {
    return disk_->walk(prefix, start, way, visit);
  }

private:
  std::shared_ptr<memory_store> disk_;
  std::shared_ptr<sim_life> life_;
};

/// The sockets of a node. What they are sent arrives at once, decoded.
class sim_sink final : public client_sink {
public:
  using receiver = std::function<void(client_ref, const edge::value&)>;

  sim_sink(std::shared_ptr<sim_life> life, receiver hear)
    : life_(std::move(life)), hear_(std::move(hear)) {
    // nop
  }

  void deliver(client_ref client, frame_ptr frame) override {
    if (!life_->alive || life_->hits(crash_point::on_frame) || !hear_)
      return;
    if (frame != last_) {
      decoded_ = edge::decode_json(payload_of(*frame)).value();
      last_ = std::move(frame);
    }
    hear_(client, decoded_);
  }

  void subscribe(client_ref client, channel_id channel,
                 frame_ptr first) override {
    channels_[channel].insert(client);
    deliver(client, std::move(first));
  }

  void unsubscribe(client_ref client, channel_id channel) override {
    channels_[channel].erase(client);
  }

  void publish(channel_id channel, frame_ptr frame) override {
    for (auto client : std::set{channels_[channel]})
      deliver(client, frame);
  }

  void watch(client_ref, connection_id, const session_key&, millis) override {
    // Silence is told by those who simulate the sockets.
  }

  void close(client_ref client, std::uint16_t, std::string_view,
             frame_ptr last) override {
    deliver(client, std::move(last));
  }

private:
  // Strips the server's frame header (RFC 6455, 5.2): never masked.
  static std::string payload_of(const std::string& frame) {
    auto length = static_cast<unsigned char>(frame[1]) & 0x7FU;
    std::size_t header = length == 126 ? 4 : length == 127 ? 10 : 2;
    return frame.substr(header);
  }

  std::shared_ptr<sim_life> life_;
  receiver hear_;
  std::map<channel_id, std::set<client_ref>> channels_;
  frame_ptr last_;
  edge::value decoded_;
};

} // namespace rollcall::sim
