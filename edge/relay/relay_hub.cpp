#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/timer_wheel.hpp"
#include "edge/relay/announcements.hpp"
#include "edge/relay/relay_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rollcall::edge {

namespace {

struct relay_entry {
  relay_actor relay;
  std::uint64_t number = 0;
  /// Attach orders passed on to it.
  std::uint64_t orders = 0;
};

/// Who of ours is in a session.
struct local_people {
  /// With what their stays began, once their joins are answered.
  std::unordered_map<connection_id, version> who;
  /// How often it was told that nobody is left.
  std::uint32_t farewells = 0;
};

struct hub_shell {
  static inline const char* name = "relay_hub";

  relay_env env;
  std::unordered_map<session_key, relay_entry> relays;
  std::unordered_map<std::uint64_t, session_key> by_number;
  std::unordered_map<connection_id, connection_actor> connections;
  std::uint64_t last_number = 0;
  /// Ends of tokens and of patience; a second early or late is no matter.
  timer_wheel<connection_id> wheel{millis{250}};
  std::optional<millis> armed;
  /// Who of ours takes part where.
  std::unordered_map<session_key, local_people> joined;
  /// Which owners are still to be told who of ours is there.
  announcements turns{0, millis{0}};
  /// Until when a join may still happen there that nobody waits for; at most
  /// limits::doubted_sessions.
  std::unordered_map<session_key, millis> doubted;
  /// When the next look at them is due, where one is.
  std::optional<millis> look_due;
  millis next_round{0};
  /// The owner in force, as it was told.
  std::map<partition_id, ownership_ptr> owners;
};

using self_ptr = relay_hub_actor::stateful_pointer<hub_shell>;

template <class Message>
bool to_relay(self_ptr self, const session_key& session,
              const Message& message) {
  auto& s = self->state;
  auto at = s.relays.find(session);
  if (at == s.relays.end())
    return false;
  self->send(at->second.relay, message);
  return true;
}

// The word that a relay had gone was lost.
void take_batch(self_ptr self, const batch_ptr& x) {
  auto& s = self->state;
  if (!to_relay(self, x->session, x))
    self->send(s.env.router, std::make_shared<const note>(
                               note{x->session, s.env.self, unobserve_note{}}));
}

void attach(self_ptr self, const attach_order_ptr& order) {
  auto& s = self->state;
  auto& entry = s.relays[order->session];
  if (!entry.relay) {
    entry.number = ++s.last_number;
    s.by_number.emplace(entry.number, order->session);
    relay_hub_actor me = self;
    entry.relay
      = spawn_relay(self->system(), s.env, order->session, entry.number, me);
  }
  ++entry.orders;
  self->send(entry.relay, order);
}

void release(self_ptr self, const session_word& word) {
  auto& s = self->state;
  auto at = s.relays.find(word.session);
  // An order that crossed the relay's word keeps it alive.
  if (at == s.relays.end() || at->second.orders != word.orders)
    return;
  self->send(at->second.relay, atoms::stop::value);
  s.by_number.erase(at->second.number);
  s.relays.erase(at);
}

void arm(self_ptr self) {
  auto& s = self->state;
  auto next = s.wheel.next();
  if (!next || (s.armed && *s.armed <= *next))
    return;
  s.armed = next;
  self->delayed_send(self, later(*next - s.env.clock().steady, millis{0}),
                     atoms::wake::value);
}

void turn_wheel(self_ptr self) {
  auto& s = self->state;
  s.armed.reset();
  std::vector<connection_id> due;
  s.wheel.expire(s.env.clock().steady, due);
  for (const auto& id : due)
    if (auto at = s.connections.find(id); at != s.connections.end())
      self->send(at->second, atoms::wake::value);
  arm(self);
}

// Nothing is lost on the way to owners of one's own: they are told in rounds
// only of what they may do behind our back.
bool is_alone(const hub_shell& s) {
  return s.env.announce_every == millis{0};
}

// Earlier looks that are still under way find nothing due.
void look_again(self_ptr self, millis now) {
  auto& s = self->state;
  auto next = s.turns.next();
  if (is_alone(s) ? !s.doubted.empty() : !s.joined.empty() || !s.relays.empty())
    next = std::min(next.value_or(s.next_round), s.next_round);
  if (!next || (s.look_due && *s.look_due <= *next))
    return;
  s.look_due = next;
  self->delayed_send(self, later(*next - now, millis{0}),
                     atoms::announce::value);
}

void doubt(self_ptr self, const session_key& session) {
  auto& s = self->state;
  if (s.doubted.size() >= limits::doubted_sessions
      && !s.doubted.contains(session))
    return;
  auto now = s.env.clock().steady;
  if (is_alone(s) && s.doubted.empty())
    s.next_round = now + limits::doubt_told_every;
  s.doubted[session] = now + limits::join_doubt;
  look_again(self, now);
}

void take_presence(self_ptr self, const presence_order& order) {
  auto& s = self->state;
  if (order.joined) {
    auto& here = s.joined[order.session];
    bool fresh = here.who.insert_or_assign(order.connection, order.stay).second;
    here.farewells = 0;
    if (!fresh)
      return;
    auto now = s.env.clock().steady;
    s.turns.joined(partition_of(order.session, s.env.partitions), now);
    if (!s.look_due)
      s.next_round = now + s.env.announce_every;
    look_again(self, now);
    return;
  }
  auto at = s.joined.find(order.session);
  if (at == s.joined.end())
    return;
  at->second.who.erase(order.connection);
  if (order.in_doubt)
    doubt(self, order.session);
  // Nobody is left: that is told as well, should it not have been heard.
  if (at->second.who.empty() && is_alone(s)
      && !s.doubted.contains(order.session))
    s.joined.erase(at);
}

void announce_session(self_ptr self, const session_key& session,
                      const std::unordered_map<connection_id, version>& who) {
  auto& s = self->state;
  announce_note body;
  body.complete = who.size() <= limits::announced_connections;
  auto send = [&] {
    self->send(s.env.router,
               std::make_shared<const note>(note{session, s.env.self, body}));
    body.connections.clear();
    body.stays.clear();
  };
  for (const auto& [id, stay] : who) {
    body.connections.push_back(id);
    body.stays.push_back(stay);
    if (body.connections.size() == limits::announced_connections)
      send();
  }
  if (!body.connections.empty() || who.empty())
    send();
}

// A turn for everyone, and for every relay a look whether something is missing.
void start_round(self_ptr self, millis now) {
  auto& s = self->state;
  std::erase_if(s.doubted, [&](const auto& one) { return one.second <= now; });
  if (now < s.next_round)
    return;
  if (is_alone(s)) {
    s.next_round = now + limits::doubt_told_every;
    for (const auto& [session, until] : s.doubted)
      s.turns.call(partition_of(session, s.env.partitions), now);
    return;
  }
  s.next_round = now + s.env.announce_every;
  for (const auto& [session, who] : s.joined)
    s.turns.call(partition_of(session, s.env.partitions), now);
  for (const auto& [session, entry] : s.relays)
    if (auto at = s.owners.find(partition_of(session, s.env.partitions));
        at != s.owners.end())
      self->send(entry.relay, at->second);
}

void announce(self_ptr self) {
  auto& s = self->state;
  auto now = s.env.clock().steady;
  if (s.look_due && *s.look_due <= now)
    s.look_due.reset();
  start_round(self, now);
  auto turns = s.turns.take_due(now);
  for (auto at = s.joined.begin(); at != s.joined.end();) {
    bool due = turns.contains(partition_of(at->first, s.env.partitions));
    auto& [who, farewells] = at->second;
    if (due)
      announce_session(self, at->first, who);
    bool over = who.empty() && !s.doubted.contains(at->first)
                && (is_alone(s) || (due && ++farewells >= s.env.farewells));
    at = over ? s.joined.erase(at) : std::next(at);
  }
  look_again(self, now);
}

void take_ownership(self_ptr self, const ownership_ptr& now) {
  auto& s = self->state;
  s.owners[now->partition] = now;
  for (const auto& [session, entry] : s.relays)
    if (partition_of(session, s.env.partitions) == now->partition)
      self->send(entry.relay, now);
  if (now->epoch == 0)
    return;
  s.turns.owner_changed(now->partition, s.env.clock().steady);
  // A node that comes brings many at once: one look for all of them.
  look_again(self, s.env.clock().steady);
}

template <class Atom>
void turn_stale(self_ptr self, Atom word, bool stale) {
  auto& s = self->state;
  // For those that are still to be spawned.
  s.env.stale = stale;
  for (const auto& [session, entry] : s.relays)
    self->send(entry.relay, word);
}

relay_hub_actor::behavior_type hub_behavior(self_ptr self, relay_env env) {
  self->state.env = std::move(env);
  self->state.turns = announcements{self->state.env.announcements,
                                    self->state.env.announce_again};
  self->set_exit_handler([self](caf::exit_msg& end) {
    for (auto& [session, entry] : self->state.relays)
      self->send_exit(entry.relay, end.reason);
    for (auto& [id, who] : self->state.connections)
      self->send_exit(who, end.reason);
    self->quit(std::move(end.reason));
  });
  return {
    [self](const batch_ptr& x) { take_batch(self, x); },
    [self](const snapshot_ptr& x) { to_relay(self, x->session, x); },
    [self](const direct_ptr& x) {
      auto& s = self->state;
      auto at = s.connections.find(x->connection);
      if (at != s.connections.end())
        self->send(at->second, x);
    },
    [self](const attach_order_ptr& x) { attach(self, x); },
    [self](const detach_order_ptr& x) { to_relay(self, x->session, x); },
    [self](const resync_order& x) {
      auto& s = self->state;
      auto at = s.by_number.find(x.channel >> 8);
      if (at != s.by_number.end())
        to_relay(self, at->second, x);
    },
    [self](const connection_id& id, const connection_actor& who) {
      self->state.connections.insert_or_assign(id, who);
    },
    [self](const connection_id& id) {
      self->state.connections.erase(id);
      self->state.wheel.cancel(id);
    },
    [self](const presence_order_ptr& order) { take_presence(self, *order); },
    [self](const ownership_ptr& now) { take_ownership(self, now); },
    [self](atoms::detached word) { turn_stale(self, word, true); },
    [self](atoms::attached word) { turn_stale(self, word, false); },
    [self](atoms::announce) { announce(self); },
    [self](const wake_order& order) {
      self->state.wheel.schedule(order.connection, order.when);
      arm(self);
    },
    [self](atoms::wake) { turn_wheel(self); },
    [self](const session_word_ptr& word) { release(self, *word); },
    [self](atoms::inspect) -> inspection_ptr {
      auto& s = self->state;
      auto out = std::make_shared<inspection>();
      out->actor = "relay_hub";
      out->figures
        = {{"relays", static_cast<std::int64_t>(s.relays.size())},
           {"connections", static_cast<std::int64_t>(s.connections.size())}};
      return out;
    },
  };
}

} // namespace

relay_hub_actor spawn_relay_hub(caf::actor_system& system, relay_env env) {
  return system.spawn(hub_behavior, std::move(env));
}

} // namespace rollcall::edge
