#pragma once

// What a session has to say of its past and has not written yet: closed stays
// and audit entries. They ride with the roster pages, off the way of joins.

#include "actors/base/ids.hpp"
#include "actors/records.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// Who acts, for the audit entries of what follows from it. Nobody: time.
struct acting_as {
  user_id actor;
  std::string request;
};

/// Owned by one session_state. Bounded by limits::history_waiting: when the
/// journal is away for long, the oldest is given up, and counted.
class chronicle {
public:
  /// A number for the next audit entry: entries are numbered apart from
  /// revisions, as several may fall on one.
  [[nodiscard]] version next_number(version at);
  [[nodiscard]] revision_t last_number() const noexcept {
    return last_;
  }

  void add(interval_record closed);
  void add(audit_record entry);

  /// What rides with this write, oldest first; not while one is under way.
  [[nodiscard]] std::vector<record> take();
  void written(bool kept);

  /// Drops what names this user, written or not.
  void forget(const user_id& user);
  /// Drops everything: the session is being erased.
  void clear();

  [[nodiscard]] bool empty() const noexcept {
    return waiting_.empty() && in_flight_.empty();
  }

  /// Whether anything waits for the next write.
  [[nodiscard]] bool dirty() const noexcept {
    return !waiting_.empty();
  }

  /// Closed stays that may not be in the store yet.
  [[nodiscard]] std::vector<interval_record> unwritten_stays() const;

  /// What was given up.
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_;
  }

private:
  void bound();

  std::deque<record> waiting_;
  std::vector<record> in_flight_;
  revision_t last_ = 0;
  std::uint64_t lost_ = 0;
};

} // namespace rollcall
