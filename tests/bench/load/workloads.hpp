#pragma once

// The four workloads. Each leaves one JSON object of figures, or the reason
// why there are none.

#include "tests/bench/load/dialect.hpp"
#include "tests/bench/load/swarm.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace rollcall::bench {

struct plan {
  std::string workload;
  std::uint16_t port = 0;
  /// The server, to read its CPU time and memory; 0 when nobody asks.
  pid_t server = 0;
  std::size_t members = 0;
  /// W4: the larger of the two sizes.
  std::size_t members_more = 0;
  std::size_t events = 0;
  std::size_t in_flight = 100;
  /// W1: members of the storm before, which is not counted.
  std::size_t warm_up = 0;
  std::chrono::milliseconds period{50};
  std::chrono::milliseconds settle{5000};
  std::chrono::seconds patience{300};
  /// Joins are not told (peers started with "quiet"), so none are waited for.
  bool quiet = false;
  /// Rooms already exist.
  bool prepared = false;
};

struct outcome {
  /// Empty, or what broke the gate: then no figure counts.
  std::string fault;
  std::map<std::string, double> figures;
  /// W2: CPU seconds of the server for each burst that counts.
  std::vector<double> bursts;
};

[[nodiscard]] outcome run_plan(const plan& what, const dialect& language);

} // namespace rollcall::bench
