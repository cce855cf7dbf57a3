#pragma once

// A node without an edge, in virtual time, for the tests of its partition.

#include "actors/base/limits.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/router_actor.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/store_actor.hpp"
#include "support/actor_fixture.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

/// A session that says something over it fails, `left` times.
class breaking_bus final : public message_bus {
public:
  breaking_bus(std::shared_ptr<message_bus> to, int& left)
    : to_(std::move(to)), left_(left) {
    // nop
  }

  void send(const node_id& to, node_message message) override {
    if (left_ > 0) {
      --left_;
      throw std::runtime_error("planted");
    }
    to_->send(to, std::move(message));
  }

  void broadcast(node_message message) override {
    to_->broadcast(std::move(message));
  }

  void open(const node_id& self, receiver deliver) override {
    to_->open(self, std::move(deliver));
  }

  void close() override {
    to_->close();
  }

private:
  std::shared_ptr<message_bus> to_;
  int& left_;
};

/// Store, one partition, router; we are the edge.
class partition_world : public ::testing::Test {
protected:
  void SetUp() override {
    start();
  }

  void TearDown() override {
    stop();
  }

  void start() {
    bus = std::make_shared<cluster::local_bus>(
      std::make_shared<cluster::local_exchange>());
    bus->open(edge, [this](const node_id&, node_message message) {
      if (auto* next = std::get_if<batch_ptr>(&message))
        batches.emplace_back(fixture.now().steady, *next);
      else if (auto* whole = std::get_if<snapshot_ptr>(&message))
        snapshots.push_back(*whole);
      else if (auto* word = std::get_if<direct_ptr>(&message))
        directs.push_back(*word);
    });
    store_config how;
    how.detached = false;
    how.metrics = &figures;
    auto order = distant ? distant : std::make_shared<embedded_journal>(disk);
    store = spawn_store(fixture.system(), disk, order, how);
    cluster::partition_env env;
    env.sessions.rules = make_rules();
    env.sessions.store = store;
    env.sessions.bus = std::make_shared<breaking_bus>(bus, breaks);
    env.sessions.clock = [this] {
      auto now = fixture.now();
      return instant{now.steady, now.wall + wall_step};
    };
    env.self = {"node1", ++incarnation};
    env.ready = [this](const result<epoch_t>& epoch) { ready = epoch; };
    env.claimed_anew = [this](epoch_t epoch) { claims.push_back(epoch); };
    partition = cluster::spawn_partition(fixture.system(), env);
    router = cluster::spawn_router(fixture.system(), {partition});
    fixture.advance(millis{10});
  }

  void stop() {
    if (partition) {
      caf::anon_send(partition, atoms::stop::value);
      fixture.drain();
      partition = nullptr;
    }
    fixture.drop(router);
    fixture.drop(store);
    bus->close();
  }

  /// Everything in memory is gone, as after kill -9.
  void crash() {
    bus->close();
    disk->crash();
    auto kept = std::make_shared<memory_store>(*disk);
    stop();
    disk = kept;
    batches.clear();
    snapshots.clear();
    start();
  }

  result<reply> run(const std::string& user, std::uint64_t connection,
                    command_body body, std::string op = {}) {
    auto asked = maker.make(user, connection, std::move(body), std::move(op));
    reply_ptr got;
    caf::scoped_actor self{fixture.system()};
    auto id = self->request(router, std::chrono::minutes{60}, asked);
    for (int i = 0; i < 100 && !self->has_next_message(); ++i)
      fixture.advance(millis{5});
    if (!self->has_next_message())
      return fail(errc::internal, "no answer in 500 ms");
    id.receive([&](const reply_ptr& answer) { got = answer; },
               [](const caf::error&) {});
    return got ? *got : result<reply>{fail(errc::internal, "an error")};
  }

  void tell(note_body body) {
    caf::anon_send(router, note_ptr{std::make_shared<const note>(
                             note{maker.key(), edge, std::move(body)})});
    fixture.drain();
  }

  void notice(std::uint64_t connection, sign what, millis age = {}) {
    evidence told;
    told.items.push_back({{7, connection}, what, age});
    tell(told);
  }

  std::int64_t figure(const char* name) {
    auto seen = fixture.ask<inspection_ptr>(partition, atoms::inspect::value);
    return seen ? (*seen)->figures.at(name) : -1;
  }

  actor_fixture fixture;
  session_harness maker;
  metrics::registry figures;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  /// Without one the store is its own journal.
  std::shared_ptr<journal> distant;
  /// So many of the next words of a session make it fail.
  int breaks = 0;
  /// The claims that followed on a failure.
  std::vector<epoch_t> claims;
  /// How far somebody has set the wall clock forward.
  millis wall_step{0};
  std::shared_ptr<message_bus> bus;
  node_id edge{"node1", 1};
  std::uint64_t incarnation = 0;
  store_actor store;
  partition_actor partition;
  router_actor router;
  std::optional<result<epoch_t>> ready;
  std::vector<std::pair<millis, batch_ptr>> batches;
  std::vector<snapshot_ptr> snapshots;
  std::vector<direct_ptr> directs;
};

} // namespace rollcall::test
