#pragma once

// The four workloads of one server, and the way to those of a cluster. Each
// leaves one JSON object of figures, or the reason why there are none.

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
  /// Of several nodes: how many rooms, and what their names begin with.
  std::size_t rooms = 1;
  std::string prefix = "room";
  /// Where observers sit.
  std::uint16_t observer_port = 0;
  /// Joins: what a joiner wants to see.
  std::string view = "none";
  /// Hold: members of a room, of which `parts` processes have an equal share;
  /// which of them we are.
  std::size_t room_size = 51;
  std::size_t parts = 1;
  std::size_t part = 0;
};

struct outcome {
  /// Empty, or what broke the gate: then no figure counts.
  std::string fault;
  std::map<std::string, double> figures;
  /// W2: CPU seconds of the server for each burst that counts.
  std::vector<double> bursts;
};

/// Milliseconds at rank `q` of `us`; reorders it.
[[nodiscard]] double quantile(std::vector<std::uint32_t>& us, double q);

[[nodiscard]] outcome run_plan(const plan& what, const dialect& language);

} // namespace rollcall::bench
