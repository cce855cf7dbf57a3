#pragma once

// Whose wall clock is wrong: what one node makes of the wall times that others
// put into their heartbeats. Pure; owned by the node actor, called on its
// thread only.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/nodes.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::cluster {

/// What is to be said and done about clocks.
struct clock_verdict {
  /// Ours is the one that is wrong: we own nothing until it is right.
  bool stand_aside = false;
  /// Whose clocks ours differs from, in order of their names.
  std::vector<std::string> differs_from;
  /// By how much, from the furthest of all that are heard; positive if that
  /// one is ahead of ours.
  millis difference{0};

  friend bool operator==(const clock_verdict&, const clock_verdict&) = default;
};

/// For people: what is wrong and what to do; empty when all agree.
[[nodiscard]] std::string to_string(const clock_verdict& verdict);

/// Compares our wall clock with those of the others.
///
/// Clocks agree when they differ by no more than limits::clocks_differ. The
/// largest set of core nodes that agree with one of them is right, and of
/// several as large that of the node that has been up longest (so of two nodes
/// the later one is wrong). Who does not agree with it stands aside. Those who
/// do so already have no voice, nor have nodes that serve clients only: some
/// core node always stays.
///
/// A heartbeat that was late, on its way or because we slept, looks like a
/// clock that is behind. So of the last limits::clock_samples of a node the
/// one that shows its clock furthest ahead counts, and what is found must last
/// for limits::clocks_settle; only in its first moments, before it owns
/// anything, a node goes by what it finds at once.
class wall_clocks {
public:
  /// `core`: whether we may own partitions.
  wall_clocks(node_id self, bool core);

  /// Takes in a heartbeat that `membership::take` called fresh. One of a node
  /// that says nothing of its clock is passed over.
  void heard(const heartbeat& word, instant now);

  /// To be asked now and then. Who was not heard for limits::suspect_after is
  /// left out. `up` is how long we have been up.
  [[nodiscard]] const clock_verdict& judge(instant now, millis up);

private:
  struct other {
    node_id node;
    /// Its clock minus ours; the youngest at the back.
    std::deque<millis> ahead;
    millis heard{0};
    millis up{0};
    /// Its clock has a voice: it may own partitions and does not stand aside.
    bool counts = false;
  };

  /// A clock that has a voice.
  struct voice {
    std::string name;
    millis ahead{0};
    /// Steady time of its start, on our clock.
    millis since{0};
  };

  [[nodiscard]] static bool is_known(const other& one, millis now);
  [[nodiscard]] std::vector<voice> voices(millis now, millis up) const;
  [[nodiscard]] clock_verdict compare(millis now, millis up) const;

  node_id self_;
  bool core_;
  /// By name; at most limits::nodes.
  std::map<std::string, other> others_;
  clock_verdict verdict_;
  /// Since when it would be another one.
  std::optional<millis> other_since_;
};

} // namespace rollcall::cluster
