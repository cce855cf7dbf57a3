#pragma once

// Who sits at the boards of an edge. A board's client is present by the lease
// of its socket, which goes on when the socket is lost; whoever comes back has
// another socket and another lease. Unless the one before is continued or
// ended, it keeps its user there after they have left.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace rollcall::edge {

/// Thread-safe; shared by the board clients of an edge. Knows at most
/// limits::board_users users: the leases of others lapse by themselves.
class board_seats {
public:
  /// What a lost socket of the user has left behind, to be continued by the
  /// next join. It may have lapsed: then it names nobody, and does no harm.
  [[nodiscard]] std::optional<connection_id>
  left_behind(const session_key& board, const user_id& user) const;

  /// A socket of the user has joined; it has continued `old`, where there was
  /// one.
  void sit(const session_key& board, const user_id& user,
           const std::optional<connection_id>& old, millis now);

  /// A socket that sat is gone on purpose, or was put out.
  void stand(const session_key& board, const user_id& user);

  /// A socket that may have joined by `lease` was lost; `sat`: `sit` was called
  /// for it. True if another socket of the user goes on: the lease is to be
  /// ended. Otherwise it is left behind until `until`, in steady time.
  [[nodiscard]] bool lose(const session_key& board, const user_id& user,
                          const connection_id& lease, bool sat, millis now,
                          millis until);

private:
  using place = std::pair<session_key, user_id>;

  struct seat {
    /// Sockets that sit.
    std::size_t sockets = 0;
    std::optional<connection_id> left;
    millis until{0};
  };

  /// Nothing where there is no room.
  seat* at(const session_key& board, const user_id& user, millis now);
  void drop_empty(const place& where);

  mutable std::mutex mutex_;
  /// When it may next be looked for what has lapsed, should there be no room.
  millis next_sweep_{0};
  std::map<place, seat> seats_;
};

} // namespace rollcall::edge
