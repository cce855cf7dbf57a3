#pragma once

// How a node learns that it is to end.

#include <csignal>

namespace rollcall::edge {

/// SIGINT and SIGTERM, waited for instead of handled. One for a process, made
/// in `main` before any thread.
class shutdown_signal {
public:
  /// Blocks the signals in this thread and all it starts; ignores SIGPIPE.
  shutdown_signal();

  /// Returns when the process is to end; false when that is nobody's wish but
  /// the node cannot go on (`give_up`).
  [[nodiscard]] bool wait() const;

  /// The same while something else is waited for: whether the process is to
  /// end already. Then `wait` is not told again.
  [[nodiscard]] bool came() const;

  /// From any thread, once there is a `shutdown_signal`: ends `wait`.
  static void give_up();

private:
  sigset_t set_{};
};

} // namespace rollcall::edge
