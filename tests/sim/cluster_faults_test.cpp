// Random clusters under random faults, from seeds: nodes that are killed,
// stopped and cut off, a journal without a leader, a bus that loses, repeats
// and delays. After the faults everyone must agree on who is here, and nobody
// whose own side was well may have been missed meanwhile.

#include "sim/sim_crowd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

using namespace rollcall;
using namespace rollcall::sim;

namespace {

std::uint64_t from_env(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// How often each kind of trouble was made.
struct trouble {
  std::uint64_t kills = 0;
  std::uint64_t stops = 0;
  std::uint64_t cuts = 0;
  std::uint64_t outages = 0;
  std::uint64_t lossy = 0;
  std::uint64_t operations = 0;
  sim_network::totals wire;
};

constexpr int session_count = 5;
constexpr std::size_t client_count = 40;
constexpr millis storm_lasts{60'000};
// Leases, confirm windows and the grace of `stage`, one after the other.
constexpr millis quiet_lasts{60'000};

/// One random history of a cluster.
class storm {
public:
  explicit storm(std::uint64_t seed)
    : random_(seed), world_(seed), crowd_(world_) {
    auto count = 3 + pick(3);
    for (std::uint32_t n = 0; n < count; ++n)
      nodes_.push_back(std::make_unique<sim_node>(
        world_, "n" + std::to_string(n),
        [this, n](const node_message& told) { hear(n, told); }));
    replicas_.resize(count);
    well_since_.resize(count);
    cut_.resize(count);
    for (std::size_t n = 0; n < client_count; ++n)
      crowd_.add("u" + std::to_string(n),
                 "s" + std::to_string(n % session_count));
    world_.advance(millis{4'000});
  }

  void run() {
    auto end = world_.fixture.now().steady + storm_lasts;
    while (world_.fixture.now().steady < end) {
      world_.advance(millis{20 + pick(180)});
      mend();
      operate();
      operate();
      operate();
      if (chance(25))
        harm();
      if (chance(10))
        crowd_.retry();
    }
    calm();
    check();
  }

  trouble made;
  std::vector<std::string> complaints;

private:
  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  bool chance(std::uint32_t one_in) {
    return pick(one_in) == 0;
  }

  millis now() const {
    return world_.fixture.now().steady;
  }

  // -- clients ---------------------------------------------------------------

  void operate() {
    auto who = pick(client_count);
    auto& one = crowd_.clients[who];
    ++made.operations;
    if (!one.connection) {
      auto& node = *nodes_[pick(static_cast<std::uint32_t>(nodes_.size()))];
      if (node.running()) {
        crowd_.join(who, node);
        joined_at_[who] = now();
      }
      return;
    }
    switch (pick(8)) {
    case 0:
      crowd_.leave(who);
      break;
    case 1:
      crowd_.drop(who);
      break;
    default:
      if (!one.wants)
        crowd_.drop(who);
      else
        crowd_.publish(who, static_cast<std::int64_t>(made.operations));
      break;
    }
  }

  /// Connected where nothing was done to its edge since it joined.
  bool is_well(std::size_t who) const {
    const auto& one = crowd_.clients[who];
    if (!one.wants || !one.connection || !one.accepted)
      return false;
    for (std::size_t n = 0; n < nodes_.size(); ++n)
      if (nodes_[n].get() == one.at)
        return nodes_[n]->running() && !cut_[n]
               && well_since_[n] <= *one.accepted;
    return false;
  }

  // -- trouble ---------------------------------------------------------------

  void harm() {
    auto n = pick(static_cast<std::uint32_t>(nodes_.size()));
    auto& node = *nodes_[n];
    auto later_by = millis{500 + pick(9'500)};
    switch (pick(5)) {
    case 0:
    case 1:
      if (!node.running() || running() <= 1)
        return;
      if (chance(2)) {
        ++made.kills;
        node.crash();
      } else {
        ++made.stops;
        node.stop();
      }
      crowd_.lose(node);
      restart_at_[n] = now() + later_by;
      break;
    case 2:
      if (!node.running() || cut_[n])
        return;
      ++made.cuts;
      node.cut(true);
      cut_[n] = true;
      heal_at_[n] = now() + later_by;
      break;
    case 3:
      ++made.outages;
      world_.log->works = false;
      journal_back_ = now() + later_by;
      break;
    default:
      ++made.lossy;
      world_.wire->chances = {5 + pick(40), 10 + pick(40), 5 + pick(40)};
      calm_wire_ = now() + later_by;
      break;
    }
  }

  std::size_t running() const {
    return static_cast<std::size_t>(
      std::count_if(nodes_.begin(), nodes_.end(),
                    [](const auto& node) { return node->running(); }));
  }

  void mend() {
    for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
      if (restart_at_.contains(n) && restart_at_[n] <= now())
        restart(n);
      if (heal_at_.contains(n) && heal_at_[n] <= now())
        heal(n);
    }
    if (journal_back_ <= now())
      world_.log->works = true;
    if (calm_wire_ <= now())
      world_.wire->chances = {};
  }

  void restart(std::uint32_t n) {
    restart_at_.erase(n);
    heal_at_.erase(n);
    cut_[n] = false;
    replicas_[n].clear();
    nodes_[n]->start();
    well_since_[n] = now();
  }

  void heal(std::uint32_t n) {
    heal_at_.erase(n);
    cut_[n] = false;
    if (!nodes_[n]->running())
      return;
    nodes_[n]->cut(false);
    well_since_[n] = now();
  }

  void calm() {
    for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
      if (!nodes_[n]->running())
        restart(n);
      if (cut_[n])
        heal(n);
    }
    world_.log->works = true;
    world_.wire->chances = {};
    for (auto left = quiet_lasts; left > millis{0}; left -= millis{5'000}) {
      world_.advance(millis{5'000});
      crowd_.retry();
    }
    made.wire = world_.wire->count;
  }

  // -- checks ----------------------------------------------------------------

  void complain(std::string what) {
    if (complaints.size() < 20)
      complaints.push_back(std::to_string(now().count())
                           + " ms: " + std::move(what));
  }

  void hear(std::size_t n, const node_message& told) {
    if (const auto* next = std::get_if<batch_ptr>(&told)) {
      auto& replica = replicas_[n][(*next)->session];
      if (replica.take(*next) != edge::batch_fate::applied)
        return;
      for (const auto& one : (*next)->changes) {
        if (const auto* left = std::get_if<left_change>(&one.body))
          if (left->reason == leave_reason::network
              || left->reason == leave_reason::timeout
              || left->reason == leave_reason::edge_lost)
            blame((*next)->session, *left, {(*next)->to.epoch, one.rev});
      }
    } else if (const auto* whole = std::get_if<snapshot_ptr>(&told)) {
      (void)replicas_[n][(*whole)->session].take(**whole);
    }
  }

  // What is told late may be of a time before the join.
  void blame(const session_key& session, const left_change& left, version at) {
    for (std::size_t who = 0; who < crowd_.clients.size(); ++who) {
      const auto& one = crowd_.clients[who];
      if (one.session == session.id.str() && is_well(who)
          && one.accepted_at < at
          && test::session_harness::id_of(one.user) == left.participant)
        complain("false leave of " + one.user + " from " + one.session + ": "
                 + std::string{to_string(left.reason)});
    }
  }

  std::string roster(std::size_t n, const std::string& session) {
    std::set<std::string> users;
    auto whole = replicas_[n][{namespace_id{"default"}, session_id{session}}]
                   .make_snapshot();
    for (const auto& who : whole.participants)
      if (!users.insert(who.user.str()).second)
        complain("twice in " + session + ": " + who.user.str());
    if (whole.present != whole.participants.size())
      complain("counts of " + session + " differ from its roster");
    std::string out;
    for (const auto& user : users)
      out += user + ' ';
    return out;
  }

  void check() {
    std::int64_t owned = 0;
    for (auto& node : nodes_)
      owned += node->figure("owned");
    if (owned != sim_partitions)
      complain(std::to_string(owned) + " partitions are owned");
    for (int s = 0; s < session_count; ++s) {
      auto name = "s" + std::to_string(s);
      std::string expected;
      for (const auto& user : crowd_.expected(name))
        expected += user + ' ';
      for (std::size_t n = 0; n < nodes_.size(); ++n) {
        if (!crowd_.is_observed(name, *nodes_[n]))
          continue;
        auto seen = roster(n, name);
        if (seen != expected)
          complain(name + " at node " + std::to_string(n) + ": [" + seen
                   + "], not [" + expected + "]");
      }
    }
  }

  std::mt19937_64 random_;
  sim_world world_;
  std::vector<std::map<session_key, edge::relay_state>> replicas_;
  sim_crowd crowd_;
  std::map<std::size_t, millis> joined_at_;
  std::vector<millis> well_since_;
  std::map<std::uint32_t, millis> restart_at_;
  std::map<std::uint32_t, millis> heal_at_;
  std::vector<bool> cut_;
  millis journal_back_{0};
  millis calm_wire_{0};
  /// Last: as they end they still tell.
  std::vector<std::unique_ptr<sim_node>> nodes_;
};

TEST(ClusterStorm, LeavesEveryoneAgreed) {
  auto first = from_env("ROLLCALL_SEED", 1);
  auto count = from_env("ROLLCALL_SEEDS", 40);
  trouble all;
  for (auto seed = first; seed < first + count; ++seed) {
    storm one{seed};
    one.run();
    for (const auto& what : one.complaints)
      ADD_FAILURE() << what << "\nreplay with ROLLCALL_SEED=" << seed
                    << " ROLLCALL_SEEDS=1";
    all.kills += one.made.kills;
    all.stops += one.made.stops;
    all.cuts += one.made.cuts;
    all.outages += one.made.outages;
    all.lossy += one.made.lossy;
    all.operations += one.made.operations;
    all.wire.sent += one.made.wire.sent;
    all.wire.lost += one.made.wire.lost;
    all.wire.twice += one.made.wire.twice;
    all.wire.late += one.made.wire.late;
    all.wire.cut += one.made.wire.cut;
    if (HasFailure())
      return;
  }
  std::printf(
    "%llu clusters: %llu operations, %llu nodes killed, %llu stopped, "
    "%llu cut off, %llu outages of the journal, %llu spells of a bad "
    "bus\n",
    static_cast<unsigned long long>(count),
    static_cast<unsigned long long>(all.operations),
    static_cast<unsigned long long>(all.kills),
    static_cast<unsigned long long>(all.stops),
    static_cast<unsigned long long>(all.cuts),
    static_cast<unsigned long long>(all.outages),
    static_cast<unsigned long long>(all.lossy));
  std::printf("messages: %llu sent, %llu lost, %llu doubled, %llu late, %llu "
              "cut off\n",
              static_cast<unsigned long long>(all.wire.sent),
              static_cast<unsigned long long>(all.wire.lost),
              static_cast<unsigned long long>(all.wire.twice),
              static_cast<unsigned long long>(all.wire.late),
              static_cast<unsigned long long>(all.wire.cut));
}

} // namespace
