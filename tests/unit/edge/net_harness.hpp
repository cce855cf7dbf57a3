#pragma once

// A server in this process, and what it told its hooks.

#include "edge/net/server.hpp"
#include "unit/edge/net_client.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::edge::test {

/// Everything a server said, in order; thread-safe.
class net_record {
public:
  struct said {
    client_ref client;
    client_request_ptr what;
  };

  struct went {
    client_ref client;
    bool goodbye = false;
  };

  std::vector<accepted_client> accepted() const {
    std::lock_guard guard{mutex_};
    return accepted_;
  }

  std::vector<said> requests() const {
    std::lock_guard guard{mutex_};
    return requests_;
  }

  std::vector<went> gone() const {
    std::lock_guard guard{mutex_};
    return gone_;
  }

  std::vector<std::pair<channel_id, client_ref>> resyncs() const {
    std::lock_guard guard{mutex_};
    return resyncs_;
  }

  std::vector<note_ptr> notes() const {
    std::lock_guard guard{mutex_};
    return notes_;
  }

  /// All evidence so far, without regard to sessions.
  std::vector<evidence_item> signs() const {
    std::lock_guard guard{mutex_};
    std::vector<evidence_item> all;
    for (const auto& each : notes_)
      for (const auto& item : std::get<evidence>(each->body).items)
        all.push_back(item);
    return all;
  }

private:
  friend class net_harness;
  friend class recording_handler;

  mutable std::mutex mutex_;
  std::vector<accepted_client> accepted_;
  std::vector<said> requests_;
  std::vector<went> gone_;
  std::vector<std::pair<channel_id, client_ref>> resyncs_;
  std::vector<note_ptr> notes_;
};

/// Runs a server on a free port of loopback for the length of a test.
class net_harness {
public:
  explicit net_harness(server_config config = {}, server_hooks hooks = {});
  ~net_harness();

  /// A client whose upgrade went through, and the server's name for it.
  [[nodiscard]] net_client join(bool small_buffers = false);

  /// The client that joined last.
  [[nodiscard]] client_ref last() const {
    return record.accepted().back().client;
  }

  [[nodiscard]] net_client connect(bool tls = false) const {
    return net_client{sink->port(), tls};
  }

  [[nodiscard]] server_stats stats() const {
    return sink->stats();
  }

  net_record record;
  std::unique_ptr<server> sink;
  /// What `start` said.
  std::optional<failure> failed;
};

} // namespace rollcall::edge::test
