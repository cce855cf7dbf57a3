#include "cluster/nats_bus_writer.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/chunks.hpp"
#include "cluster/wire.hpp"

#include <nats/nats.h>

#include <algorithm>
#include <utility>

namespace rollcall::cluster {

namespace {

// No server that takes less is of use; one says what it takes when it connects.
constexpr std::int64_t least_payload = 4'096;

} // namespace

bus_writer::bus_writer(bus_queue& queue, bus_figures& figures,
                       nats_connection_handle* connection, subjects names,
                       node_id self)
  : queue_(queue),
    figures_(figures),
    connection_(connection),
    names_(std::move(names)),
    self_(std::move(self)),
    everybody_(names_.everybody()) {
  // nop
}

void bus_writer::run() {
  while (auto next = queue_.pop())
    write(*next);
}

void bus_writer::write(const queued_message& next) {
  if (!queue_.is_current(next.generation))
    return figures_.dropped.add();
  // One message to many nodes is encoded once.
  auto now = system_now().steady;
  if (next.message != message_ || now != encoded_at_) {
    auto bytes = encode(next.message, self_, now);
    if (!bytes)
      return refuse(bytes.error());
    bytes_ = std::move(*bytes);
    message_ = next.message;
    encoded_at_ = now;
  }
  auto most = largest();
  const auto& subject = next.to ? inbox_of(*next.to) : everybody_;
  bool good = bytes_.size() <= most ? publish(next, subject, bytes_)
                                    : cut(next, subject, most);
  (good ? figures_.sent : figures_.dropped).add();
  // A large message is not kept for the sake of the next.
  if (bytes_.size() > limits::node_chunk_bytes)
    forget();
}

bool bus_writer::cut(const queued_message& next, const std::string& subject,
                     std::size_t most) {
  // Broadcasts are written in between, and would replace it.
  auto whole = std::move(bytes_);
  forget();
  chunk_cutter cutter{whole, self_, ++number_, most};
  while (auto chunk = cutter.next()) {
    if (!publish(next, subject, *chunk))
      return false;
    if (!next.to)
      continue;
    while (auto urgent = queue_.pop_broadcast())
      write(*urgent);
  }
  return true;
}

bool bus_writer::publish(const queued_message& next, const std::string& subject,
                         std::string_view bytes) {
  if (!queue_.is_current(next.generation))
    return false;
  auto status = natsConnection_Publish(
    connection_, subject.c_str(), bytes.data(), static_cast<int>(bytes.size()));
  if (status == NATS_OK) {
    figures_.bytes.add(bytes.size());
    return true;
  }
  // Whatever else waits was meant for the connection that is gone.
  figures_.dropped.add(queue_.next_generation());
  log(log_level::warn, "bus", "dropped",
      {{"why", std::string_view{natsStatus_GetText(status)}}});
  return false;
}

void bus_writer::refuse(const failure& why) {
  figures_.dropped.add();
  log(log_level::error, "bus", "cannot_write",
      {{"field", why.field}, {"why", why.message}});
}

void bus_writer::forget() {
  bytes_ = {};
  message_ = {};
  encoded_at_ = never;
}

std::size_t bus_writer::largest() {
  auto most = natsConnection_GetMaxPayload(connection_);
  return std::clamp(static_cast<std::size_t>(std::max(most, least_payload)),
                    std::size_t{1}, limits::node_chunk_bytes);
}

const std::string& bus_writer::inbox_of(const node_id& node) {
  auto found = inboxes_.find(node);
  if (found != inboxes_.end())
    return found->second;
  if (inboxes_.size() >= limits::nodes)
    inboxes_.clear();
  return inboxes_.emplace(node, names_.node_inbox(node)).first->second;
}

} // namespace rollcall::cluster
