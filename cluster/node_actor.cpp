#include "cluster/node_actor.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/arrivals.hpp"
#include "cluster/form_agreement.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/placement.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::cluster {

namespace {

constexpr std::size_t recent_most = 32;
// A join that was on its way when its edge was lost may come after the word
// of it: owners are told again, for longer than any command travels.
constexpr millis tell_lost_again{2'500};
constexpr std::uint32_t tell_lost_times = 6;
constexpr millis said_again{60'000};

/// A partition actor of ours, from its claim to its end.
struct held_slot {
  partition_actor actor;
  /// Zero until the claim is in force.
  epoch_t epoch = 0;
  bool ending = false;
};

struct lost_edge {
  node_id node;
  millis next{0};
  std::uint32_t left = tell_lost_times;
};

struct node_shell {
  static inline const char* name = "node";

  node_env env;
  std::unique_ptr<membership> nodes;
  std::unique_ptr<claim_planner> planner;
  std::unique_ptr<wall_clocks> clocks;
  std::unique_ptr<form_agreement> forms;
  std::shared_ptr<hearing> heard;
  /// Steady time of the last claim that found no journal.
  std::optional<millis> journal_missed;
  /// What the store was told to write.
  std::uint32_t form = 0;
  /// Steady.
  millis started{0};
  /// What was said of clocks, and when.
  clock_verdict said;
  millis said_at{0};
  std::map<partition_id, held_slot> held;
  /// What the router was told last.
  std::vector<ownership> told;
  /// At most limits::nodes.
  std::deque<lost_edge> lost;
  arrivals arrived;
  /// Set while we go: when we stop to look for heirs.
  std::optional<millis> stop_by;
  bool speak_due = false;
  bool ready_told = false;
  std::vector<std::string> recent;
  std::int64_t claims = 0;
  std::int64_t losses = 0;
  std::int64_t given = 0;
  std::int64_t taken = 0;

  void remember(std::string what) {
    if (recent.size() == recent_most)
      recent.erase(recent.begin());
    recent.push_back(std::move(what));
  }
};

using self_ptr = node_actor::stateful_pointer<node_shell>;

void note_event(node_shell& s, const char* event, std::string_view who) {
  log(log_level::info, "node", event, {{"node", who}});
  s.remember(std::string{event} + ' ' + std::string{who});
}

// -- who owns what -----------------------------------------------------------

void tell_owner(self_ptr self, partition_id partition) {
  auto& s = self->state;
  auto slot = s.held.find(partition);
  bool ours
    = slot != s.held.end() && slot->second.epoch != 0 && !slot->second.ending;
  ownership now;
  now.partition = partition;
  if (ours) {
    now.owner = s.env.self;
    now.epoch = slot->second.epoch;
  } else if (auto known = s.planner->owner_of(partition);
             known && known->node != s.env.self) {
    now.owner = known->node;
    now.epoch = known->epoch;
  }
  auto& before = s.told[partition];
  if (before.owner == now.owner && before.epoch == now.epoch)
    return;
  before = now;
  auto shared = std::make_shared<const ownership>(now);
  self->send(s.env.router, shared,
             ours ? slot->second.actor : partition_actor{});
  if (s.env.owner_changed)
    s.env.owner_changed(shared);
}

void tell_all(self_ptr self) {
  for (partition_id p = 0; p < self->state.told.size(); ++p)
    tell_owner(self, p);
}

// Sockets that were here all along are told again to every owner: while we
// heard nothing, they may have counted as lost.
void announce_all(self_ptr self) {
  auto& s = self->state;
  if (!s.env.owner_changed)
    return;
  for (const auto& known : s.told)
    if (known.epoch != 0)
      s.env.owner_changed(std::make_shared<const ownership>(known));
}

std::vector<held_partition> held_now(const node_shell& s) {
  std::vector<held_partition> out;
  // Until it is down: who claims earlier fences its last writes.
  for (const auto& [partition, slot] : s.held)
    if (slot.epoch != 0)
      out.push_back(
        {partition, slot.epoch, slot.epoch / epoch_generation_unit, 0, 0});
  if (s.env.book)
    s.env.book->complete(out);
  return out;
}

void speak(self_ptr self) {
  auto& s = self->state;
  auto now = s.env.sessions.clock();
  auto word = s.nodes->due(now.steady, held_now(s));
  if (!word)
    return;
  word->wall = now.wall;
  word->up = later(now.steady - s.started, millis{1});
  word->reads = record_form;
  s.env.sessions.bus->broadcast(
    std::make_shared<const heartbeat>(std::move(*word)));
}

// As soon as words may follow one another; the next turn may be late. What was
// said meanwhile may have moved that moment, and the timer may be early.
void speak_soon(self_ptr self) {
  auto& s = self->state;
  speak(self);
  auto wait = s.nodes->hurried(s.env.sessions.clock().steady);
  if (!wait || std::exchange(s.speak_due, true))
    return;
  self->delayed_send(self, later(*wait, millis{1}), atoms::announce::value);
}

// -- our partitions ----------------------------------------------------------

void give_partition(self_ptr self, const release& order) {
  auto& s = self->state;
  auto at = s.held.find(order.partition);
  if (at == s.held.end() || at->second.ending)
    return;
  ++s.given;
  at->second.ending = true;
  // The router first: what comes from now on waits there for the heir.
  tell_owner(self, order.partition);
  self->send(at->second.actor, hand_over_order{order.to});
}

void end_partition(self_ptr self, partition_id partition, bool in_order) {
  auto& s = self->state;
  auto at = s.held.find(partition);
  if (at == s.held.end() || (at->second.ending && in_order))
    return;
  at->second.ending = true;
  if (in_order)
    self->send(at->second.actor, atoms::stop::value);
  else
    self->send(at->second.actor, atoms::yield::value);
  tell_owner(self, partition);
}

void claim(self_ptr self, partition_id partition, arrivals::sessions given = {},
           position_t given_at = 0) {
  auto& s = self->state;
  partition_env env;
  env.given = std::move(given);
  env.given_at = given_at;
  env.sessions = s.env.sessions;
  env.retention = s.env.retention;
  env.sweep_every = s.env.sweep_every;
  env.partition = partition;
  env.self = s.env.self;
  node_actor me = self;
  env.tell = [me](const partition_word& word) { caf::anon_send(me, word); };
  auto actor = spawn_partition(self->system(), std::move(env));
  self->monitor(actor);
  s.held[partition] = {actor, 0, false};
  ++s.claims;
}

void take_word(self_ptr self, const partition_word& word) {
  auto& s = self->state;
  auto at = s.held.find(word.partition);
  if (at == s.held.end())
    return;
  switch (word.what) {
  case partition_word::kind::opened:
    at->second.epoch = word.epoch;
    if (!s.planner->claimed(word.partition, word.epoch)) {
      end_partition(self, word.partition, false);
      return;
    }
    tell_owner(self, word.partition);
    // Routers wait for it.
    s.nodes->hurry();
    speak_soon(self);
    break;
  case partition_word::kind::refused:
    // It ends itself; `down` follows.
    if (word.journal_away)
      s.journal_missed = s.env.sessions.clock().steady;
    break;
  case partition_word::kind::fenced:
    ++s.losses;
    s.remember("fenced in partition " + std::to_string(word.partition));
    end_partition(self, word.partition, false);
    break;
  }
}

void partition_down(self_ptr self, const caf::down_msg& down) {
  auto& s = self->state;
  auto at = std::find_if(s.held.begin(), s.held.end(), [&](const auto& one) {
    return one.second.actor.address() == down.source;
  });
  if (at == s.held.end())
    return;
  auto partition = at->first;
  s.held.erase(at);
  s.planner->lost(partition);
  tell_owner(self, partition);
  s.nodes->hurry();
  if (s.stop_by && s.held.empty())
    self->quit();
}

// The owner has stopped: nobody serves the partition until we do.
void take_partition(self_ptr self, const partition_transfer& word) {
  auto& s = self->state;
  auto given = s.arrived.release(word.partition, word.epoch);
  if (given.size() != word.sessions)
    log(log_level::warn, "node", "handover_incomplete",
        {{"partition", word.partition},
         {"missing", word.sessions - given.size()}});
  auto now = s.env.sessions.clock().steady;
  if (!s.env.cluster.core || s.held.contains(word.partition)
      || !s.planner->offered(*s.nodes, word.partition, word.epoch, now))
    return;
  ++s.taken;
  claim(self, word.partition, std::move(given), word.position);
}

// -- the clock ---------------------------------------------------------------

void take_event(self_ptr self, const membership_event& event) {
  auto& s = self->state;
  std::visit(
    [&](const auto& what) {
      using type = std::decay_t<decltype(what)>;
      if constexpr (std::is_same_v<type, node_up>) {
        note_event(s, "node_up", what.node.name);
        self->send(s.env.router, edge_here{what.node});
      } else if constexpr (std::is_same_v<type, node_suspect>)
        note_event(s, "node_suspect", what.node.name);
      else if constexpr (std::is_same_v<type, node_back>) {
        note_event(s, "node_back", what.node.name);
        self->send(s.env.router, edge_here{what.node});
      } else if constexpr (std::is_same_v<type, node_forgotten>) {
        note_event(s, "node_forgotten", what.node.name);
        // Of a node without clients this is the only word.
        self->send(s.env.router, edge_gone{what.node});
      } else if constexpr (std::is_same_v<type, edge_lost>) {
        note_event(s, "edge_lost", what.node.name);
        if (s.lost.size() == limits::nodes)
          s.lost.pop_front();
        s.lost.push_back({what.node, millis{0}, tell_lost_times});
      } else if constexpr (std::is_same_v<type, went_detached>) {
        note_event(s, "detached", s.env.self.name);
        if (s.env.detached)
          s.env.detached(true);
      } else if constexpr (std::is_same_v<type, went_attached>) {
        note_event(s, "attached", s.env.self.name);
        if (s.env.detached)
          s.env.detached(false);
        announce_all(self);
      }
    },
    event);
}

void tell_lost(self_ptr self, millis now) {
  auto& s = self->state;
  for (auto& one : s.lost) {
    // Back after all: it has announced its own.
    if (s.nodes->is_alive(one.node))
      one.left = 0;
    if (one.left == 0 || now < one.next)
      continue;
    self->send(s.env.router, edge_gone{one.node});
    one.next = now + tell_lost_again;
    --one.left;
  }
  std::erase_if(s.lost, [](const auto& one) { return one.left == 0; });
}

void tell_book(const node_shell& s, millis now) {
  std::vector<partition_id> ours;
  for (const auto& [partition, slot] : s.held)
    ours.push_back(partition);
  s.env.book->set_duty(ours, s.nodes->known_cores(),
                       !s.nodes->is_detached(now));
}

// Whoever we could give our partitions to is gone, or has not taken them.
bool nobody_takes_over(const node_shell& s, millis now) {
  const auto& others = s.nodes->view().members;
  bool alone
    = s.nodes->settled()
      && std::none_of(others.begin(), others.end(), [&](const core_node& one) {
           return one.node != s.env.self;
         });
  return alone || s.nodes->is_detached(now) || now >= *s.stop_by;
}

void end_all(self_ptr self) {
  std::vector<partition_id> all;
  for (const auto& [partition, slot] : self->state.held)
    all.push_back(partition);
  for (auto partition : all)
    end_partition(self, partition, true);
}

// One line when it begins, changes or ends, and now and then while it lasts.
void judge_clocks(node_shell& s) {
  auto now = s.env.sessions.clock();
  const auto& found = s.clocks->judge(now, now.steady - s.started);
  s.nodes->stand_aside(found.stand_aside);
  if (s.env.clocks)
    s.env.clocks(found);
  const auto is_news = found.stand_aside != s.said.stand_aside
                       || found.differs_from != s.said.differs_from;
  const auto is_right = found.differs_from.empty() && !found.stand_aside;
  if (!is_news && (is_right || now.steady < s.said_at + said_again))
    return;
  s.said = found;
  s.said_at = now.steady;
  if (is_right) {
    note_event(s, "clock_agrees", s.env.self.name);
    return;
  }
  auto why = fail(errc::conflict, to_string(found));
  s.remember(why.message);
  log(found.stand_aside ? log_level::error : log_level::warn, "node",
      "clock_differs", {{"why", why}});
}

void tell_form(self_ptr self, millis now) {
  auto& s = self->state;
  auto form = s.forms->in_force(now);
  if (!s.env.cluster.core || std::exchange(s.form, form) == form)
    return;
  log(log_level::info, "node", "record_form", {{"form", form}});
  self->send(s.env.sessions.store, atoms::form::value, form);
}

void turn(self_ptr self) {
  auto& s = self->state;
  judge_clocks(s);
  auto now = s.env.sessions.clock().steady;
  tell_form(self, now);
  for (const auto& event : s.nodes->advance(now))
    take_event(self, event);
  bool detached = s.nodes->is_detached(now);
  if (detached)
    s.heard->deaf(now + limits::heard_again);
  bool journal_away
    = s.journal_missed && now - *s.journal_missed < limits::journal_missed;
  self->send(s.env.router,
             owner_lease{s.nodes->lease(now), detached, journal_away});
  tell_lost(self, now);
  s.arrived.expire(now);
  if (s.stop_by && nobody_takes_over(s, now)) {
    end_all(self);
  } else if (s.env.cluster.core) {
    auto steps = s.planner->plan(*s.nodes, now);
    for (auto partition : steps.claims)
      claim(self, partition);
    for (const auto& one : steps.releases)
      give_partition(self, one);
  }
  tell_all(self);
  if (s.env.book)
    tell_book(s, now);
  speak(self);
  if (!s.ready_told && s.nodes->settled()) {
    s.ready_told = true;
    if (s.env.ready)
      s.env.ready();
  }
}

void take_heartbeat(self_ptr self, const heartbeat& word) {
  auto& s = self->state;
  auto now = s.env.sessions.clock().steady;
  auto taken = s.nodes->take(word, now);
  if (!taken) {
    log(log_level::warn, "node", "heartbeat_refused",
        {{"node", word.node.name}, {"why", taken.error()}});
    return;
  }
  if (*taken != intake::fresh)
    return;
  s.clocks->heard(word, s.env.sessions.clock());
  s.forms->heard(word, now);
  if (s.env.book && s.env.book->heard(word, now))
    self->send(s.env.sessions.store, std::make_shared<const known_nodes>(
                                       known_nodes{s.env.book->known()}));
  for (auto partition : s.planner->heard(word)) {
    ++s.losses;
    end_partition(self, partition, false);
  }
  for (const auto& one : word.held)
    if (one.partition < s.told.size())
      tell_owner(self, one.partition);
}

void stop(self_ptr self) {
  auto& s = self->state;
  s.stop_by = s.env.sessions.clock().steady + limits::drain_patience;
  s.nodes->leave();
  if (s.held.empty()) {
    speak(self);
    self->quit();
    return;
  }
  turn(self);
}

inspection_ptr inspect(const node_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = "node";
  std::int64_t owned = 0;
  for (const auto& [partition, slot] : s.held)
    owned += slot.epoch != 0 && !slot.ending ? 1 : 0;
  out->figures = {
    {"peers", static_cast<std::int64_t>(s.nodes->peers().size())},
    {"view", static_cast<std::int64_t>(s.nodes->view().number)},
    {"view_nodes", static_cast<std::int64_t>(s.nodes->view().members.size())},
    {"settled", s.nodes->settled() ? 1 : 0},
    {"owned", owned},
    {"claiming_or_ending", static_cast<std::int64_t>(s.held.size()) - owned},
    {"claims", s.claims},
    {"losses", s.losses},
    {"given", s.given},
    {"taken", s.taken},
    {"record_form", static_cast<std::int64_t>(s.form)},
  };
  out->recent = s.recent;
  out->waiting_for = s.nodes->settled() ? "" : "a settled view";
  return out;
}

node_actor::behavior_type node_behavior(self_ptr self, node_env env) {
  auto& s = self->state;
  s.env = std::move(env);
  s.heard = std::make_shared<hearing>(s.env.self);
  s.env.sessions.heard = s.heard;
  s.nodes = std::make_unique<membership>(s.env.self, s.env.cluster);
  s.planner = std::make_unique<claim_planner>(
    s.env.self, s.env.cluster.partitions, s.env.seed);
  s.clocks = std::make_unique<wall_clocks>(s.env.self, s.env.cluster.core);
  s.started = s.env.sessions.clock().steady;
  s.forms = std::make_unique<form_agreement>(record_form, s.started);
  s.told.resize(s.env.cluster.partitions);
  for (partition_id p = 0; p < s.told.size(); ++p)
    s.told[p].partition = p;
  self->set_down_handler(
    [self](const caf::down_msg& down) { partition_down(self, down); });
  self->set_exit_handler([self](caf::exit_msg& end) {
    for (const auto& [partition, slot] : self->state.held)
      self->send(slot.actor, atoms::yield::value);
    self->quit(std::move(end.reason));
  });
  self->send(self, atoms::wake::value);
  return {
    [self](const heartbeat_ptr& word) { take_heartbeat(self, *word); },
    [self](const partition_word& word) { take_word(self, word); },
    [self](const session_transfer_ptr& given) {
      auto& st = self->state;
      auto partition = partition_of(given->session, st.env.cluster.partitions);
      st.arrived.take(partition, given, st.env.sessions.clock().steady);
    },
    [self](const partition_transfer_ptr& word) { take_partition(self, *word); },
    [self](atoms::announce) {
      self->state.speak_due = false;
      speak_soon(self);
    },
    [self](atoms::wake) {
      turn(self);
      self->delayed_send(self, self->state.env.cluster.tick,
                         atoms::wake::value);
    },
    [self](atoms::stop) { stop(self); },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

node_actor spawn_node(caf::actor_system& system, node_env env) {
  return system.spawn(node_behavior, std::move(env));
}

} // namespace rollcall::cluster
