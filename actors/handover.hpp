#pragma once

// What an owner gives the next one when it gives up a partition in order: all
// that is in its memory and not in the journal, so that nobody sees the change.
// What the journal keeps (record, members, closed stays) is not in here.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/roster.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rollcall {

/// A present user; what observers were told follows from it.
struct transferred_participant {
  user_id user;
  profile who;
  capability_set grants;
  version joined;
  /// Wall time.
  millis since{0};
  std::uint32_t reconnections = 0;
  /// Their deadlines travel as durations.
  std::vector<connection> connections;
  /// With the owner's stamps, which the next owner goes on from.
  std::map<std::string, live_entry> live;
  /// Wall time.
  millis last_active{0};
};

/// One session, as it was when its owner fell silent.
struct session_transfer {
  session_key session;
  /// The claim under which it was owned until now.
  epoch_t epoch = 0;
  /// What observers were told last; the next batch follows from it.
  version at;
  std::optional<millis> reclaim_until;
  /// At most limits::observers_per_session.
  std::vector<node_id> observers;
  /// In order of joining; at most limits::participants_per_session.
  std::vector<transferred_participant> participants;
  /// Who is ready at the barrier.
  std::vector<participant_id> ready{};
};

/// A partition is free: its owner has stopped, and said so of `sessions`
/// sessions before. To be claimed at once.
struct partition_transfer {
  partition_id partition = 0;
  epoch_t epoch = 0;
  std::uint32_t sessions = 0;
  /// Where the journal ended for its owner; zero if it could not tell. What
  /// was given holds only for a claim that follows it at once.
  position_t position = 0;
};

using session_transfer_ptr = std::shared_ptr<const session_transfer>;
using partition_transfer_ptr = std::shared_ptr<const partition_transfer>;

} // namespace rollcall
