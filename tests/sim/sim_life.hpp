#pragma once

// What all parts of one started node share: whether it lives, stands still,
// or is to die at a certain point; and what is to happen when.

#include "actors/base/instant.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace rollcall::sim {

/// What happens outside all nodes, in order of time. One thread.
class sim_events {
public:
  void at(millis when, std::function<void()> what) {
    due_.emplace(std::max(when, now), std::move(what));
  }

  /// Does everything due by then.
  void run(millis until) {
    while (!due_.empty() && due_.begin()->first <= until) {
      now = std::max(now, due_.begin()->first);
      auto what = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      what();
    }
    now = until;
  }

  /// Time as nobody in particular sees it.
  millis now{0};

private:
  std::multimap<millis, std::function<void()>> due_;
};

/// Where a node can be made to die: between any two things of which others,
/// or its own disk, see only one.
enum class crash_point : std::uint8_t {
  none,
  /// An append is decided, the journal never hears of it.
  before_append,
  /// The journal has it, the answer never comes.
  in_append,
  /// The answer is here, the disk has nothing.
  before_write,
  /// The disk has it, nobody was answered.
  after_write,
  /// The first word of a change is about to leave.
  on_send,
  /// A frame is about to reach a client.
  on_frame,
};

inline constexpr std::uint32_t crash_points = 6;

/// One incarnation of a node. Bus, journal, disk and sockets ask it before
/// they let anything through.
struct sim_life {
  bool alive = true;
  /// Stopped or frozen: what comes in waits in the kernel.
  bool standing = false;
  crash_point trap = crash_point::none;
  std::vector<std::function<void()>> backlog;
  std::function<instant()> clock;

  /// Dies here if it was told to.
  bool hits(crash_point here) {
    if (alive && trap == here)
      alive = false;
    return !alive;
  }

  /// Hands something in from outside.
  void enter(std::function<void()> what) {
    if (!alive)
      return;
    if (standing)
      backlog.push_back(std::move(what));
    else
      what();
  }
};

} // namespace rollcall::sim
