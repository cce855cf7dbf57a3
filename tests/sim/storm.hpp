#pragma once

// One random history of a cluster under random faults, and what must hold in
// it (design section 9). Everything follows from the seed.

#include "edge/relay/relay_state.hpp"
#include "sim/sim_crowd.hpp"
#include "sim/sim_ops.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rollcall::sim {

/// The kinds of trouble. A seed draws some of them.
enum class fault : std::uint8_t {
  /// A process ends at once.
  kill,
  /// A process ends in order.
  stop,
  /// A process ends between two things that belong together.
  crash_point,
  /// SIGSTOP, and SIGCONT later: the clock went on.
  pause,
  /// A machine is suspended: its clock stood.
  freeze,
  /// A node loses the bus and the journal.
  cut,
  /// It can still send, or still receive.
  one_way,
  /// Two sides; the journal is with one of them.
  split,
  /// The journal has no leader.
  outage,
  /// The journal's answers get lost.
  lost_acks,
  /// What the journal holds cannot be read.
  stall,
  /// Messages get lost.
  loss,
  /// Messages overtake each other.
  late,
  /// Messages come twice.
  twice,
  /// The wall clock of one node jumps.
  clock_step,
  /// The journal is away, and comes back without one stream, or its end.
  shorter,
};

inline constexpr std::size_t fault_count = 16;

[[nodiscard]] const char* to_string(fault what);

/// What was done, over one storm or many.
struct storm_totals {
  std::array<std::uint64_t, fault_count> faults{};
  std::uint64_t operations = 0;
  std::uint64_t durable = 0;
  std::uint64_t committed = 0;
  std::uint64_t repeated = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t frames = 0;
  /// Leaves of who was here all along, each with a join in the same push.
  std::uint64_t flaps = 0;
  /// Clients that a node sent away because they had seen more than it knew.
  std::uint64_t sent_elsewhere = 0;
  /// Clients that were shown less elsewhere than they had seen.
  std::uint64_t older = 0;
  std::uint64_t acks_lost = 0;
  std::uint64_t left_out = 0;
  sim_network::totals wire;

  void add(const storm_totals& other);
};

/// Bugs that tests plant to prove that the checks see them.
struct storm_bugs {
  planted_bugs node;
  shared_log::planted log;
  /// Drawn in every seed, where the bug shows in nothing else.
  std::optional<fault> needs;
};

class storm {
public:
  explicit storm(std::uint64_t seed, const storm_bugs& bugs = {});
  ~storm();

  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;

  void run();

  storm_totals made;
  /// What did not hold; the first few.
  std::vector<std::string> complaints;

private:
  /// What a node went through.
  struct health {
    /// Faults at work on it.
    int hurt = 0;
    /// When the last of them ended, or it was started.
    millis well_since{0};
    bool restart_planned = false;
  };

  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  bool chance(std::uint32_t one_in) {
    return pick(one_in) == 0;
  }

  millis now() const {
    return world_.now();
  }

  // What happens.
  void draw_faults(std::optional<fault> needed);
  void operate();
  void join_somewhere(std::size_t who);
  void harm();
  void start_fault(fault what, std::uint32_t n, millis lasts);
  void start_end(fault what, std::uint32_t n);
  void start_standstill(fault what, std::uint32_t n, millis lasts);
  void start_separation(fault what, std::uint32_t n, millis lasts);
  void start_journal_fault(fault what, millis lasts);
  void start_bus_fault(fault what, millis lasts);
  void shorten(partition_id partition);
  [[nodiscard]] bool is_safe(partition_id partition, epoch_t claim) const;
  void step_clock(std::uint32_t n, millis lasts);
  void hurt(std::uint32_t n, millis lasts, std::function<void()> heal);
  void later_on(millis lasts, std::function<void()> heal);
  void look_after_the_dead();
  void restart(std::uint32_t n);
  void calm();
  std::size_t alive() const;

  /// Prints a line where ROLLCALL_SIM_TRACE asks for it: it names a user.
  void trace(const std::string& what) const;
  void trace_snapshot(std::size_t n, const snapshot& whole) const;
  void trace_direct(std::size_t n, const direct& word) const;
  void trace_change(std::size_t n, const batch& of, const change& one) const;

  // What must hold.
  void complain(std::string what);
  void hear(std::size_t n, const node_message& told);
  void note_end(const std::string& session, const std::string& participant);
  void blame(const std::string& session, const seen_loss& loss,
             std::size_t viewer);
  bool is_well(const sim_client& one) const;
  bool sees_clearly(std::size_t n) const;
  std::size_t index_of(const sim_node* node) const;
  void check();
  void check_ownership();
  void check_disks();
  std::string how_far(sim_node& node, partition_id partition);
  void check_replicas();
  void check_clients();
  void check_routers();

  std::mt19937_64 random_;
  std::string traced_;
  sim_world world_;
  std::vector<fault> drawn_;
  std::vector<std::map<session_key, edge::relay_state>> replicas_;
  /// When a stay that nobody wanted was last heard to end, by session and
  /// participant.
  std::map<std::pair<std::string, std::string>, millis> ended_;
  std::vector<health> health_;
  /// Until when the bus may have lost what was said.
  millis bus_bad_until_{0};
  std::size_t active_ = 0;
  std::array<int, fault_count> going_on_{};
  std::vector<std::unique_ptr<sim_node>> nodes_;
  std::unique_ptr<sim_ops> ops_;
  /// Last, so that it ends first: it holds what lives in nodes.
  std::unique_ptr<sim_crowd> crowd_;
};

} // namespace rollcall::sim
