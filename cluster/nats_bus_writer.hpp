#pragma once

// The half of a `nats_bus` that writes.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/metrics.hpp"
#include "actors/ports.hpp"
#include "cluster/bus_queue.hpp"
#include "cluster/nats_handles.hpp"
#include "cluster/subjects.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// What a bus counts. Thread-safe, as counters are.
struct bus_figures {
  explicit bus_figures(metrics::registry& to)
    : sent(make(to, "sent")),
      received(make(to, "received")),
      dropped(make(to, "dropped")),
      refused(make(to, "refused")),
      bytes(to.make_counter("rollcall_bus_sent_bytes_total",
                            "Bytes of messages to other nodes")) {
    // nop
  }

  static metrics::counter& make(metrics::registry& to, const char* outcome) {
    return to.make_counter("rollcall_bus_messages_total",
                           "Messages between nodes, by what became of them",
                           {{"outcome", outcome}});
  }

  metrics::counter& sent;
  metrics::counter& received;
  metrics::counter& dropped;
  metrics::counter& refused;
  metrics::counter& bytes;
};

/// Encodes what is queued and publishes it, in chunks where it is too large
/// for the server or limits::node_chunk_bytes. What cannot be published is
/// dropped, and all that waits with it: the connection it was meant for is
/// gone. Lives on one thread; the queue, figures and connection outlive it.
class bus_writer {
public:
  bus_writer(bus_queue& queue, bus_figures& figures,
             nats_connection_handle* connection, subjects names, node_id self);

  /// Returns when the queue is closed and empty.
  void run();

private:
  void write(const queued_message& next);
  bool cut(const queued_message& next, const std::string& subject,
           std::size_t most);
  bool publish(const queued_message& next, const std::string& subject,
               std::string_view bytes);
  void refuse(const failure& why);
  void forget();
  std::size_t largest();
  const std::string& inbox_of(const node_id& node);

  bus_queue& queue_;
  bus_figures& figures_;
  nats_connection_handle* connection_;
  subjects names_;
  node_id self_;
  std::string everybody_;
  std::map<node_id, std::string> inboxes_;
  // The last message, encoded.
  node_message message_;
  millis encoded_at_ = never;
  std::string bytes_;
  std::uint64_t number_ = 0;
};

} // namespace rollcall::cluster
