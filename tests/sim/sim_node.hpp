#pragma once

// One whole node of a simulated cluster: the same actors as rollcalld, over a
// wire, a journal and a disk of the simulation.

#include "cluster/node_actor.hpp"
#include "cluster/router_actor.hpp"
#include "cluster/standby_actor.hpp"
#include "edge/connection/connection_actor.hpp"
#include "edge/relay/relay_actor.hpp"
#include "edge/relay/relay_state.hpp"
#include "persistence/layout.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "persistence/store_actor.hpp"
#include "sim/shared_journal.hpp"
#include "sim/sim_bus.hpp"
#include "support/actor_fixture.hpp"
#include "support/recording_sink.hpp"
#include "support/session_harness.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::sim {

inline constexpr std::uint32_t sim_partitions = 32;

/// What all nodes of a simulation share.
struct sim_world {
  explicit sim_world(std::uint64_t seed)
    : wire(std::make_shared<sim_network>(seed)) {
    // nop
  }

  /// Lets time pass for all nodes and the wire between them.
  void advance(millis span) {
    for (auto left = span; left > millis{0}; left -= step) {
      fixture.advance(step, step);
      wire->run(fixture.now().steady);
      fixture.drain();
    }
  }

  static constexpr millis step{5};

  test::actor_fixture fixture;
  std::shared_ptr<sim_network> wire;
  std::shared_ptr<shared_log> log = std::make_shared<shared_log>();
};

class sim_node {
public:
  /// Called with everything that the edge of this node is told.
  using observer = std::function<void(const node_message&)>;

  sim_node(sim_world& world, std::string name, observer watch)
    : world_(world), name_(std::move(name)), watch_(std::move(watch)) {
    start();
  }

  ~sim_node() {
    if (running())
      stop();
  }

  sim_node(const sim_node&) = delete;
  sim_node& operator=(const sim_node&) = delete;

  void start() {
    self_ = {name_, ++incarnation_};
    bus_ = std::make_shared<sim_bus>(world_.wire);
    book_ = std::make_shared<cluster::copy_book>(cluster::copy_book::config{
      name_, sim_partitions, accept_loss, read_nodes(*disk_).value()});
    order_ = std::make_shared<shared_journal>(
      world_.log, [this](partition_id p) { return disk_->where(p).value(); },
      [this](partition_id p) { return book_->copies(p); });
    store_config how;
    how.detached = false;
    how.metrics = &figures_;
    auto& system = world_.fixture.system();
    store_ = spawn_store(system, disk_, order_, how);
    clock_fn clock = [this] { return world_.fixture.now(); };
    router
      = cluster::spawn_router(system, {sim_partitions, self_, bus_, clock});
    edge::relay_env relays;
    relays.router = router;
    relays.sink = sink;
    relays.self = self_;
    relays.clock = clock;
    relays.partitions = sim_partitions;
    relays.announce_every = millis{5'000};
    hub = edge::spawn_relay_hub(system, relays);
    start_node(clock);
    start_standby(clock);
    start_edge(clock);
  }

  /// In order, as on SIGTERM. Says how long its partitions took to go.
  millis stop() {
    caf::anon_send(node_, atoms::stop::value);
    millis took{0};
    while (figure("owned") >= 0 && took < millis{15'000}) {
      world_.advance(millis{50});
      took += millis{50};
    }
    shut();
    return took;
  }

  /// As kill -9: nothing of what it does from here on reaches anybody, and its
  /// disk has what was synced.
  void crash() {
    cut(true);
    bus_->close();
    disk_->crash();
    auto kept = std::make_shared<memory_store>(*disk_);
    shut();
    disk_ = kept;
  }

  [[nodiscard]] bool running() const {
    return static_cast<bool>(node_);
  }

  /// Cuts it off from the others and from the journal.
  void cut(bool off) {
    world_.wire->cut(self_, off);
    order_->cut = off;
  }

  [[nodiscard]] const node_id& self() const {
    return self_;
  }

  [[nodiscard]] std::shared_ptr<const edge::connection_env> edge_env() const {
    return edge_;
  }

  /// What its disk holds of a partition, without the checkpoint.
  [[nodiscard]] std::map<std::string, std::string>
  content(partition_id partition) {
    std::map<std::string, std::string> out;
    (void)read_partition(*disk_, partition, [&](auto key, auto value) {
      out.emplace(key, value);
      return true;
    });
    return out;
  }

  [[nodiscard]] std::int64_t figure(const std::string& name) {
    auto told
      = world_.fixture.ask<inspection_ptr>(node_, atoms::inspect::value);
    return told ? (*told)->figures.at(name) : -1;
  }

  /// Adopts its copies at its next start, whatever is missing.
  bool accept_loss = false;
  router_actor router;
  relay_hub_actor hub;
  std::shared_ptr<test::recording_sink> sink
    = std::make_shared<test::recording_sink>();

private:
  void start_node(const clock_fn& clock) {
    cluster::node_env env;
    env.self = self_;
    env.cluster.partitions = sim_partitions;
    env.sessions.rules = rules_;
    env.sessions.store = store_;
    env.sessions.bus = bus_;
    env.sessions.clock = clock;
    env.router = router;
    env.book = book_;
    env.seed = std::hash<std::string>{}(name_) + incarnation_;
    env.owner_changed
      = [to = hub](const ownership_ptr& now) { caf::anon_send(to, now); };
    env.detached = [to = hub](bool off) {
      off ? caf::anon_send(to, atoms::detached::value)
          : caf::anon_send(to, atoms::attached::value);
    };
    node_ = cluster::spawn_node(world_.fixture.system(), env);
    bus_->open(self_,
               [this, node = node_](const node_id& from, node_message message) {
                 take(node, from, std::move(message));
               });
  }

  void start_standby(const clock_fn& clock) {
    cluster::standby_env env;
    env.partitions = sim_partitions;
    env.store = store_;
    env.node = node_;
    env.order = order_;
    env.book = book_;
    env.where = [this](partition_id p) { return disk_->where(p); };
    env.content = [this](partition_id p) -> journal::content {
      return [this, p](const auto& visit) {
        return read_partition(*disk_, p, visit);
      };
    };
    env.clock = clock;
    env.detached = false;
    standby_ = cluster::spawn_standby(world_.fixture.system(), std::move(env));
  }

  void take(const node_actor& node, const node_id& from, node_message message) {
    if (auto* beat = std::get_if<heartbeat_ptr>(&message)) {
      caf::anon_send(node, *beat);
    } else if (auto* given = std::get_if<session_transfer_ptr>(&message)) {
      caf::anon_send(node, *given);
    } else if (auto* free = std::get_if<partition_transfer_ptr>(&message)) {
      caf::anon_send(node, *free);
    } else if (auto* asked = std::get_if<routed_command_ptr>(&message)) {
      caf::anon_send(
        router, std::make_shared<const routed_from>(routed_from{from, *asked}));
    } else if (auto* answer = std::get_if<routed_reply_ptr>(&message)) {
      caf::anon_send(router, *answer);
    } else if (auto* told = std::get_if<note_ptr>(&message)) {
      caf::anon_send(router, *told);
    } else {
      watch_(message);
      if (auto* next = std::get_if<batch_ptr>(&message))
        caf::anon_send(hub, *next);
      else if (auto* whole = std::get_if<snapshot_ptr>(&message))
        caf::anon_send(hub, *whole);
      else
        caf::anon_send(hub, std::get<direct_ptr>(message));
    }
  }

  void start_edge(const clock_fn& clock) {
    edge::token_config tokens;
    tokens.keys.push_back(key());
    auto verifier = edge::token_verifier::make(tokens);
    auto shared = std::make_shared<edge::connection_env>();
    shared->rules = std::make_shared<edge::connection_rules>(
      edge::connection_rules{*verifier, test::test_secret});
    shared->router = router;
    shared->hub = hub;
    shared->sink = sink;
    shared->self = self_;
    shared->clock = clock;
    edge_ = shared;
  }

  void shut() {
    bus_->close();
    caf::anon_send(standby_, atoms::stop::value);
    world_.fixture.drain();
    world_.fixture.drop(standby_);
    world_.fixture.drop(node_);
    world_.fixture.drop(hub);
    world_.fixture.drop(router);
    caf::anon_send(store_, atoms::stop::value);
    world_.fixture.drain();
    store_ = nullptr;
    edge_ = nullptr;
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
  metrics::registry figures_;
  std::shared_ptr<const session_rules> rules_ = test::make_rules();
  std::shared_ptr<memory_store> disk_ = std::make_shared<memory_store>();
  std::shared_ptr<sim_bus> bus_;
  std::shared_ptr<shared_journal> order_;
  store_actor store_;
  node_actor node_;
  std::shared_ptr<cluster::copy_book> book_;
  standby_actor standby_;
  std::shared_ptr<const edge::connection_env> edge_;
};

} // namespace rollcall::sim
