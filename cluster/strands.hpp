#pragma once

// Work in many strands on few threads: within a strand one piece after the
// other, and no strand waits because others get no answer.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace rollcall::cluster {

/// At most `settings::threads` pieces of work go on at the same time; one that
/// takes longer than `stuck_after` waits for somebody else and counts no more:
/// another takes its place. So there may be as many threads as strands, but
/// not more than `threads_most`. They are made when they are needed and stay.
///
/// Thread-safe. Nothing is called under its lock.
class strands {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  struct settings {
    std::size_t threads = 8;
    std::size_t threads_most = limits::journal_threads;
    millis stuck_after = limits::journal_stuck_after;
    /// Pieces of one strand that wait.
    std::size_t queue = limits::journal_queue;
  };

  /// One of the two is called, once.
  struct work {
    std::function<void(steady_time until)> run;
    std::function<void(const failure&)> refuse;
  };

  /// What a strand does when nothing waits in it; whether it wants to be asked
  /// again. Called after each piece of its work, and by one thread at a time.
  using spare = std::function<bool(std::size_t strand, bool may_work)>;

  strands(const settings& how, std::size_t count, spare idle);

  strands(const strands&) = delete;
  strands& operator=(const strands&) = delete;

  ~strands();

  /// Runs `item` when those before it in its strand are done; refuses it if
  /// that is not within `patience`, or too many wait. `strand` is below the
  /// count.
  void submit(std::size_t strand, work item, millis patience);

  /// Refuses what waits and whatever comes, and waits for what goes on, which
  /// `interrupt` is to hasten. Idempotent.
  void end(const std::function<void()>& interrupt);

  /// How many there are now.
  [[nodiscard]] std::size_t threads() const;

private:
  struct waiting {
    work what;
    steady_time until;
  };

  struct line {
    std::deque<waiting> queue;
    /// Waits for a thread, or has one.
    bool busy = false;
  };

  struct worker {
    std::thread thread;
    /// Since when it is at a piece of work.
    std::optional<steady_time> since;
  };

  void add_worker();
  void serve(worker& me);
  [[nodiscard]] bool await_turn(std::unique_lock<std::mutex>& guard);
  [[nodiscard]] bool run_next(std::size_t number,
                              std::unique_lock<std::mutex>& guard);

  settings how_;
  spare idle_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<line> lines_;
  /// Strands with work and nobody at it.
  std::deque<std::size_t> ready_;
  std::list<worker> workers_;
  std::size_t resting_ = 0;
  bool ending_ = false;
};

} // namespace rollcall::cluster
