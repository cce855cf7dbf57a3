#pragma once

// Who may not be in a session. Plain state of one session, kept as one record
// each; a ban that is over counts for nothing and needs no timer.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/records.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace rollcall {

/// The bans of one session, at most limits::bans_per_session. Owned by its
/// session_state.
class ban_list {
public:
  void put(ban_record kept);
  void erase(const user_id& user);

  void clear() {
    by_user_.clear();
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return by_user_.size();
  }

  /// The ban of that user, if it is in force at that wall time.
  [[nodiscard]] const ban_record* find(const user_id& user, millis wall) const;

  /// The same, over or not.
  [[nodiscard]] const ban_record* kept(const user_id& user) const;

  /// Users whose ban is over, at most so many.
  [[nodiscard]] std::vector<user_id> over(millis wall, std::size_t most) const;

  /// The bans in force after that user, in order of ids, at most so many.
  [[nodiscard]] std::vector<const ban_record*>
  page(const user_id& after, millis wall, std::size_t most) const;

private:
  std::map<user_id, ban_record> by_user_;
};

} // namespace rollcall
