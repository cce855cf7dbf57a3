#pragma once

// What the server under test uses, read from outside it.

#include <cstdint>

#include <sys/types.h>

namespace rollcall::bench {

/// CPU seconds of `root` and all its living descendants so far, every thread
/// of them, in nanosecond resolution (their process CPU clocks, not ticks).
[[nodiscard]] double cpu_seconds(pid_t root);

/// CPU seconds of this process so far.
[[nodiscard]] double own_cpu_seconds();

struct memory_usage {
  /// Anonymous memory of the server's processes: resident less file-backed.
  std::int64_t user_bytes = 0;
  /// Data queued in all TCP sockets of this machine (/proc/net/sockstat).
  std::int64_t socket_bytes = 0;
  /// The kernel's slabs, where the sockets themselves live (/proc/meminfo).
  /// Both ends of a loopback connection count.
  std::int64_t slab_bytes = 0;
};

[[nodiscard]] memory_usage memory_of(pid_t root);

} // namespace rollcall::bench
