#pragma once

// A whole node in a simulation: the actors of `rollcalld` on a thread shared
// with the other nodes, each under a clock of its own, over the simulated bus
// and journal.

#include "cluster/node_actor.hpp"
#include "cluster/router_actor.hpp"
#include "cluster/standby_actor.hpp"
#include "edge/connection/connection_actor.hpp"
#include "edge/relay/relay_actor.hpp"
#include "persistence/store_actor.hpp"
#include "sim/shared_journal.hpp"
#include "sim/sim_bus.hpp"
#include "sim/sim_seams.hpp"
#include "support/actor_fixture.hpp"
#include "support/session_harness.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rollcall::sim {

inline constexpr std::uint32_t sim_partitions = 32;
/// The wall time at which a simulation begins.
inline constexpr millis time_of_day{1'700'000'000'000};

class sim_node;

/// Bugs of a node, to prove that the checks see them.
struct planted_bugs {
  /// A restart is not told from what ran before.
  bool reuses_incarnation = false;
  /// Restored connections are doubted at once.
  bool skips_confirm_window = false;
  /// The lease of an edge runs while this node hears nothing at all.
  bool counts_deaf_time = false;
};

/// What all nodes of a simulation share.
struct sim_world {
  explicit sim_world(std::uint64_t seed)
    : events(std::make_shared<sim_events>()),
      wire(std::make_shared<sim_network>(seed, events)),
      random(seed + 1) {
    // nop
  }

  /// Lets time pass for the wire, the journal and all nodes.
  void advance(millis span);

  [[nodiscard]] millis now() const {
    return events->now;
  }

  static constexpr millis step{5};

  std::shared_ptr<sim_events> events;
  std::shared_ptr<sim_network> wire;
  std::shared_ptr<shared_log> log = std::make_shared<shared_log>();
  std::mt19937_64 random;
  planted_bugs bugs;
  std::vector<sim_node*> nodes;
};

class sim_node {
public:
  /// Called with everything that the edge of this node is told.
  using observer = std::function<void(const node_message&)>;
  /// Called with the answer to a question, should one come.
  using answered = std::function<void(const result<reply>&)>;

  sim_node(sim_world& world, std::string name, observer watch);
  ~sim_node();

  sim_node(const sim_node&) = delete;
  sim_node& operator=(const sim_node&) = delete;

  // -- its life --------------------------------------------------------------

  void start();

  /// In order, as on SIGTERM; gone when its partitions have gone.
  void stop();

  /// Says how long that took.
  millis stop_and_wait();

  /// As kill -9: nothing of what it does from here on reaches anybody, and its
  /// disk has what was synced.
  void crash();

  /// The next time it comes to that point, it dies there.
  void crash_at(crash_point where) {
    life_->trap = where;
  }

  [[nodiscard]] crash_point trap() const {
    return life_->trap;
  }

  /// As SIGSTOP: nothing runs, and when it goes on its clock has jumped.
  void pause() {
    life_->standing = true;
    frozen_ = false;
  }

  /// As a machine that is suspended: its clock stands as well.
  void freeze() {
    life_->standing = true;
    frozen_ = true;
  }

  void resume();

  [[nodiscard]] bool running() const {
    return static_cast<bool>(node_);
  }

  /// Whether it runs, or stands still, under this incarnation; not when it has
  /// just died.
  [[nodiscard]] bool alive() const {
    return running() && life_->alive && !stopping_since_;
  }

  [[nodiscard]] bool standing() const {
    return life_->standing;
  }

  /// Time passes for it: called by the world.
  void turn(millis span);

  // -- what it is part of ----------------------------------------------------

  /// Cuts it off from the others and from the journal, or lets it in again.
  void cut(bool off) {
    cut(off, off);
  }

  void cut(bool out, bool in) {
    world_.wire->cut(name_, out, in);
    out_ = out;
    in_ = in;
    cut_journal();
  }

  /// The journal is on the other side of a split.
  void lose_journal(bool lost) {
    far_ = lost;
    cut_journal();
  }

  void step_wall_clock(millis by) {
    wall_offset_ += by;
  }

  // -- questions -------------------------------------------------------------

  [[nodiscard]] const node_id& self() const {
    return self_;
  }

  [[nodiscard]] std::shared_ptr<const edge::connection_env> edge_env() const {
    return edge_;
  }

  [[nodiscard]] instant now() const {
    return {fixture.now().steady, time_of_day + world_.now() + wall_offset_};
  }

  [[nodiscard]] std::int64_t figure(const std::string& name) {
    auto told = fixture.ask<inspection_ptr>(node_, atoms::inspect::value);
    return told ? (*told)->figures.at(name) : -1;
  }

  /// The epoch under which it said last that it owns a partition; zero: not.
  [[nodiscard]] epoch_t holds(partition_id partition) const {
    for (const auto& one : held_)
      if (one.partition == partition)
        return one.epoch;
    return 0;
  }

  [[nodiscard]] inspection_ptr look_at_router() {
    return fixture.ask<inspection_ptr>(router, atoms::inspect::value)
      .value_or(nullptr);
  }

  [[nodiscard]] memory_store& disk() {
    return *disk_;
  }

  /// What its disk holds of a partition, without the checkpoint.
  [[nodiscard]] std::map<std::string, std::string>
  content(partition_id partition);

  /// Asks the router, as a server would that has a client of its own.
  void ask(command_ptr what, answered then);

  /// Told what a client of this node is sent.
  sim_sink::receiver hear_frame;

  /// Adopts its copies at its next start, whatever is missing.
  bool accept_loss = false;
  router_actor router;
  relay_hub_actor hub;
  test::actor_fixture fixture;

private:
  void start_node(const clock_fn& clock);
  void start_standby(const clock_fn& clock);
  void start_edge(const clock_fn& clock);
  void take(const node_id& from, node_message message);
  void count_leases();
  void look_for_the_end();
  void reap();
  void shut();

  void cut_journal() {
    if (!order_)
      return;
    order_->no_way_out = out_ || far_;
    order_->no_way_in = in_ || far_;
  }

public:
  static edge::signing_key key() {
    return {
      {}, namespace_id{"default"}, edge::algorithm::hs256, test::test_secret};
  }

private:
  sim_world& world_;
  std::string name_;
  observer watch_;
  std::uint64_t incarnation_ = 0;
  node_id self_;
  std::shared_ptr<sim_life> life_ = std::make_shared<sim_life>();
  metrics::registry figures_;
  std::shared_ptr<memory_store> disk_ = std::make_shared<memory_store>();
  std::shared_ptr<sim_bus> bus_;
  std::shared_ptr<shared_journal> order_;
  std::shared_ptr<sim_sink> sink_;
  store_actor store_;
  history_actor past_;
  node_actor node_;
  std::shared_ptr<cluster::copy_book> book_;
  standby_actor standby_;
  std::shared_ptr<const edge::connection_env> edge_;
  std::vector<caf::actor> askers_;
  std::optional<millis> stopping_since_;
  millis next_look_{0};
  bool frozen_ = false;
  millis missed_{0};
  millis wall_offset_{0};
  bool out_ = false;
  bool in_ = false;
  bool far_ = false;
  std::vector<held_partition> held_;
  /// For `counts_deaf_time`.
  std::map<node_id, millis> heard_;
};

} // namespace rollcall::sim
