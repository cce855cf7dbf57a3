#pragma once

// What a client makes of the frames it is sent: the roster of one session,
// folded as docs/protocol.md says, and everything that was wrong on the way.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "edge/protocol/value.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::sim {

/// Somebody was shown as gone.
struct seen_loss {
  std::string participant;
  std::string reason;
  version at;
  /// Since when this client knew of the stay that ended.
  millis known_since{0};
  /// The same push shows another stay.
  bool back = false;
};

/// One client's replica of one session. A push is folded change by change and
/// checked after each.
class client_model {
public:
  struct row {
    std::string user;
    std::string role;
    std::string state;
    std::int64_t connections = 0;
    millis known_since{0};
    std::map<std::string, std::string> live;
  };

  /// Takes a `snapshot` or `changes` push. Anything that breaks a promise of
  /// the protocol is added to `complaints`.
  void take(const edge::value& push, millis now);

  /// A new socket. Unless it resumes it knows nothing of what was before; what
  /// it does know never goes back.
  void reconnect(bool resumes);

  /// Whether it knows something, and nothing has come on this socket yet.
  [[nodiscard]] bool resumes() const {
    return ready_ && fresh_;
  }

  /// Everything it knows, in one order for all: equal versions must have
  /// equal texts.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool ready() const {
    return ready_;
  }

  [[nodiscard]] version at() const {
    return at_;
  }

  [[nodiscard]] const std::map<std::string, row>& rows() const {
    return rows_;
  }

  /// Snapshots on a new socket that were older than what was known before, of
  /// nodes that did not know that they are cut off: NATS itself was split.
  std::uint64_t older = 0;
  std::vector<std::string> complaints;
  std::vector<seen_loss> losses;

private:
  void take_snapshot(const edge::value& push);
  void take_changes(const edge::value& push);
  void take_change(const edge::value& one);
  void take_joined(const edge::value& one);
  void take_counts(const edge::value& message, const char* where);
  void complain(const std::string& what);
  row row_of(const edge::value& who) const;
  row* known(const edge::value& one, const char* what);

  bool ready_ = false;
  millis now_{0};
  /// Nothing has come on this socket yet.
  bool fresh_ = true;
  version at_;
  std::int64_t total_ = 0;
  std::string host_;
  std::map<std::string, row> rows_;
};

} // namespace rollcall::sim
