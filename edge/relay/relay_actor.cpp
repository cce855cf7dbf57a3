#include "edge/relay/relay_actor.hpp"

#include "edge/net/frame_codec.hpp"
#include "edge/protocol/close_codes.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/relay/relay_state.hpp"
#include "edge/relay/succession.hpp"
#include "edge/relay/wording.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rollcall::edge {

namespace {

struct audience_group {
  variant_key key;
  std::set<client_ref> clients;
  /// The snapshot as bytes, for everyone who attaches at the same version.
  frame_ptr cached;
  version cached_at;
};

struct waiting_attach {
  attach_order_ptr order;
  /// Until when a replica that is behind the client may catch up.
  millis until{0};
};

/// One who is attached here, to be told when what it may see may have changed.
struct watcher {
  connection_id connection;
  participant_id participant;
};

/// What rights hang on beside the facts of a member.
struct standing_rules {
  kind_settings settings;
  std::optional<participant_id> host;
};

struct relay_shell {
  static inline const char* name = "relay";

  relay_env env;
  session_key session;
  std::uint64_t number = 0;
  relay_hub_actor hub;
  relay_state replica;
  succession next;
  std::map<std::uint64_t, audience_group> groups;
  /// All clients of the groups.
  std::map<client_ref, watcher> watchers;
  std::unordered_map<participant_id, std::set<client_ref>> by_participant;
  std::optional<standing_rules> rules;
  /// The newest change of anybody's rights.
  version rights_at;
  /// Attachments that wait until the replica is fresh enough.
  std::vector<waiting_attach> waiting;
  std::size_t clients = 0;
  /// The new owner was asked, when the time of those it lacks was up, whether
  /// it still is one.
  bool probing = false;
  std::uint64_t orders = 0;
  bool asked = false;
  std::optional<millis> wake_at;
  millis empty_since{0};
  std::int64_t batches = 0;
  std::int64_t encodings = 0;
};

using self_ptr = relay_actor::stateful_pointer<relay_shell>;

channel_id channel_of(const relay_shell& s, std::uint64_t code) {
  return s.number << 8 | code;
}

void wake_in(self_ptr self, millis delay) {
  auto& s = self->state;
  auto when = s.env.clock().steady + delay;
  if (s.wake_at && *s.wake_at <= when)
    return;
  s.wake_at = when;
  self->delayed_send(self, delay, atoms::wake::value);
}

void observe(self_ptr self, std::optional<version> have) {
  auto& s = self->state;
  observe_note wish;
  wish.have = have;
  self->send(s.env.router,
             std::make_shared<const note>(note{s.session, s.env.self, wish}));
}

void observe(self_ptr self) {
  auto& s = self->state;
  std::optional<version> have;
  if (s.replica.ready())
    have = s.next.open() ? s.next.at() : s.replica.at();
  observe(self, have);
}

// Where something is known to be missing: again and again until it comes.
void ask_owner(self_ptr self) {
  auto& s = self->state;
  s.asked = true;
  observe(self);
  wake_in(self, s.env.ask_again);
}

said_at now_of(const relay_shell& s) {
  return {s.env.clock(), s.env.stale};
}

frame_ptr why_frame(relay_shell& s, const audience_group& group,
                    std::string_view why) {
  ++s.encodings;
  return frame_of(group.key, s.replica.make_snapshot(), why, now_of(s));
}

const frame_ptr& snapshot_frame(relay_shell& s, audience_group& group) {
  if (!group.cached || group.cached_at != s.replica.at()) {
    group.cached = why_frame(s, group, "attached");
    group.cached_at = s.replica.at();
  }
  return group.cached;
}

frame_ptr first_frame(relay_shell& s, audience_group& group,
                      const attach_order& order) {
  if (order.rights_changed)
    return why_frame(s, group, "rights_changed");
  if (!order.since)
    return snapshot_frame(s, group);
  auto missed = s.replica.missed(*order.since);
  if (!missed)
    return why_frame(
      s, group,
      order.since->epoch != s.replica.at().epoch ? "epoch_changed" : "too_old");
  if (missed->empty())
    missed->push_back(std::make_shared<const batch>(s.replica.make_nothing()));
  ++s.encodings;
  return frame_of(group.key, std::span<const batch_ptr>{*missed}, now_of(s));
}

void drop_client(relay_shell& s, client_ref client) {
  for (auto at = s.groups.begin(); at != s.groups.end();) {
    if (at->second.clients.erase(client) != 0) {
      --s.clients;
      s.env.sink->unsubscribe(client, channel_of(s, at->first));
    }
    at = at->second.clients.empty() ? s.groups.erase(at) : std::next(at);
  }
  auto who = s.watchers.find(client);
  if (who == s.watchers.end())
    return;
  if (auto own = s.by_participant.find(who->second.participant);
      own != s.by_participant.end()) {
    own->second.erase(client);
    if (own->second.empty())
      s.by_participant.erase(own);
  }
  s.watchers.erase(who);
}

void recheck(self_ptr self, const watcher& who) {
  auto& s = self->state;
  direct word;
  word.session = s.session;
  word.connection = who.connection;
  word.edge = s.env.self;
  word.body = recheck_direct{};
  self->send(s.hub,
             direct_ptr{std::make_shared<const direct>(std::move(word))});
}

void attach_now(self_ptr self, const attach_order& order) {
  auto& s = self->state;
  drop_client(s, order.client);
  variant_key key{order.language,
                  canonical({order.wanted, order.rank, order.shown}),
                  order.words};
  auto& group = s.groups[key.code()];
  group.key = key;
  group.clients.insert(order.client);
  ++s.clients;
  auto& who = s.watchers[order.client];
  who = {order.connection, order.participant};
  // What was changed while the order was under way it does not know of.
  if (order.at_least < s.rights_at)
    recheck(self, who);
  s.by_participant[order.participant].insert(order.client);
  s.env.sink->subscribe(order.client, channel_of(s, key.code()),
                        first_frame(s, group, order));
}

// A client that was elsewhere may have seen more than this node has heard of:
// what it is shown must not go back. Where this node hears the others and it
// does not catch up, the version is of an earlier life of the session.
bool is_fresh_enough(const relay_shell& s, const waiting_attach& one) {
  const auto& order = *one.order;
  if (!s.replica.ready() || order.at_least > s.replica.at())
    return false;
  return !order.since || *order.since <= s.replica.at()
         || (!s.env.stale && one.until <= s.env.clock().steady);
}

// Another edge may have what this node lacks.
void turn_away(const relay_shell& s, const attach_order& order) {
  auto code = close_code::overloaded;
  frame_ptr last;
  if (order.words == vocabulary::native)
    last = make_frame(order.language, encode_bye(order.language, code));
  s.env.sink->close(order.client, static_cast<std::uint16_t>(code),
                    to_string(code), std::move(last));
}

void attach_waiting(self_ptr self) {
  auto& s = self->state;
  std::vector<waiting_attach> still;
  for (auto& one : std::exchange(s.waiting, {})) {
    if (is_fresh_enough(s, one))
      attach_now(self, *one.order);
    else if (s.env.stale && one.until <= s.env.clock().steady)
      turn_away(s, *one.order);
    else
      still.push_back(std::move(one));
  }
  s.waiting = std::move(still);
}

void check_empty(self_ptr self) {
  auto& s = self->state;
  if (s.clients > 0 || !s.waiting.empty())
    return;
  s.empty_since = s.env.clock().steady;
  wake_in(self, s.env.linger);
}

void publish_to_groups(relay_shell& s, const batch& next) {
  auto now = now_of(s);
  for (auto& [code, group] : s.groups) {
    ++s.encodings;
    if (auto frame = frame_of(group.key, next, now))
      s.env.sink->publish(channel_of(s, code), std::move(frame));
  }
}

void recheck(self_ptr self, const participant_id& who) {
  auto& s = self->state;
  if (auto own = s.by_participant.find(who); own != s.by_participant.end())
    for (const auto& client : own->second)
      recheck(self, s.watchers.at(client));
}

bool admits_alike(const kind_settings& a, const kind_settings& b) {
  return a.access == b.access && a.group == b.group && a.roles == b.roles
         && a.identity == b.identity && a.anonymous_views == b.anonymous_views;
}

void recheck_all(self_ptr self) {
  auto& s = self->state;
  s.rights_at = s.replica.at();
  for (const auto& [client, who] : s.watchers)
    recheck(self, who);
}

// Rights were looked up when a client attached. Whoever may see more or less
// by this batch asks again.
void recheck_rights(self_ptr self, const batch& next) {
  auto& s = self->state;
  const auto& head = s.replica.head();
  standing_rules now{head.settings, head.host};
  auto before = std::exchange(s.rules, now);
  if (before && !admits_alike(before->settings, now.settings)) {
    recheck_all(self);
    return;
  }
  if (before && before->host != now.host) {
    s.rights_at = next.to;
    if (before->host)
      recheck(self, *before->host);
    if (now.host)
      recheck(self, *now.host);
  }
  for (const auto& one : next.changes)
    if (const auto* changed = std::get_if<member_change>(&one.body)) {
      s.rights_at = next.to;
      recheck(self, changed->participant);
    }
}

void publish(self_ptr self, const batch& next) {
  auto& s = self->state;
  s.asked = false;
  ++s.batches;
  publish_to_groups(s, next);
  recheck_rights(self, next);
  attach_waiting(self);
}

void turn_stale(relay_shell& s, bool stale) {
  if (std::exchange(s.env.stale, stale) == stale || !s.replica.ready())
    return;
  for (auto& [code, group] : s.groups)
    group.cached.reset();
  publish_to_groups(s, s.replica.make_nothing());
}

// Who waits is not to be judged by what was before.
void wait_anew(self_ptr self) {
  auto& s = self->state;
  for (auto& one : s.waiting)
    one.until = s.env.clock().steady + s.env.ask_again;
  if (!s.waiting.empty())
    ask_owner(self);
}

// Across a repaired gap, or to a new owner: clients who follow are told what
// really changed, and nothing else. That somebody was taken out of the
// session's group is in no snapshot.
void follow(self_ptr self, const snapshot& whole) {
  auto& s = self->state;
  auto before = s.replica.ready() ? s.replica.at() : whole.at;
  if (auto leads = s.replica.bridge(whole))
    publish(self, *leads);
  else if (s.replica.take(whole)) {
    s.rules = standing_rules{whole.settings, whole.host};
    attach_waiting(self);
  }
  if (before < s.replica.at() && whole.settings.access == access_mode::group)
    recheck_all(self);
}

void follow_when_complete(self_ptr self) {
  auto& s = self->state;
  auto now = s.env.clock().steady;
  if (s.next.all_back()) {
    s.probing = false;
    follow(self, s.next.release());
  } else if (now < s.next.until()) {
    wake_in(self, s.next.until() - now);
  } else {
    // Who should come back can only do so where there is an owner.
    if (!std::exchange(s.probing, true))
      observe(self, std::nullopt);
    wake_in(self, s.env.ask_again);
  }
}

void take_batch(self_ptr self, const batch_ptr& next) {
  auto& s = self->state;
  auto fate = s.next.open() ? s.next.take(next) : s.replica.take(next);
  if (s.next.open() && fate == batch_fate::applied) {
    s.asked = false;
    follow_when_complete(self);
    return;
  }
  switch (fate) {
  case batch_fate::old:
    return;
  case batch_fate::gap:
    if (!s.asked)
      ask_owner(self);
    return;
  case batch_fate::applied:
    break;
  }
  publish(self, *next);
}

void take_snapshot(self_ptr self, const snapshot& whole) {
  auto& s = self->state;
  s.asked = false;
  auto now = s.env.clock().steady;
  bool vain = s.probing && s.next.open() && whole.at.epoch == s.next.at().epoch;
  s.probing = false;
  if (vain) {
    (void)s.next.hold(s.replica, whole, now, s.env.succession);
    follow(self, s.next.release());
    return;
  }
  if (s.next.hold(s.replica, whole, now, s.env.succession))
    follow_when_complete(self);
  else
    follow(self, whole);
}

void resync(self_ptr self, const resync_order& order) {
  auto& s = self->state;
  auto at = s.groups.find(order.channel & 0xFF);
  if (at == s.groups.end() || !at->second.clients.contains(order.client))
    return;
  s.env.sink->subscribe(order.client, order.channel,
                        why_frame(s, at->second, "slow_reader"));
}

void take_wake(self_ptr self) {
  auto& s = self->state;
  auto now = s.env.clock().steady;
  if (s.wake_at && now < *s.wake_at)
    return;
  s.wake_at.reset();
  if (s.next.open()) {
    s.probing = false;
    follow_when_complete(self);
  }
  attach_waiting(self);
  bool unmet = !s.waiting.empty() || (s.asked && s.clients > 0);
  if (unmet) {
    ask_owner(self);
    return;
  }
  if (s.clients > 0 || !s.waiting.empty())
    return;
  auto end = s.empty_since + s.env.linger;
  if (now < end) {
    wake_in(self, end - now);
    return;
  }
  self->send(s.hub,
             std::make_shared<const session_word>(session_word{
               s.session, session_word::kind::idle, millis{0}, s.orders}));
}

inspection_ptr inspect(self_ptr self) {
  auto& s = self->state;
  auto out = std::make_shared<inspection>();
  out->actor = "relay";
  out->figures = {
    {"clients", static_cast<std::int64_t>(s.clients)},
    {"waiting", static_cast<std::int64_t>(s.waiting.size())},
    {"groups", static_cast<std::int64_t>(s.groups.size())},
    {"batches", s.batches},
    {"encodings", s.encodings},
    {"rev", static_cast<std::int64_t>(s.replica.at().rev)},
  };
  out->waiting_for = s.asked ? "the owner" : "";
  return out;
}

relay_actor::behavior_type relay_behavior(self_ptr self, relay_env env,
                                          session_key session,
                                          std::uint64_t number,
                                          relay_hub_actor hub) {
  auto& s = self->state;
  s.env = std::move(env);
  s.session = std::move(session);
  s.number = number;
  s.hub = std::move(hub);
  ask_owner(self);
  return {
    [self](const batch_ptr& next) { take_batch(self, next); },
    [self](const snapshot_ptr& whole) { take_snapshot(self, *whole); },
    [self](const attach_order_ptr& order) {
      auto& st = self->state;
      ++st.orders;
      st.waiting.push_back({order, st.env.clock().steady + st.env.ask_again});
      attach_waiting(self);
      if (!st.waiting.empty() && !st.asked)
        wake_in(self, st.env.ask_again);
    },
    [self](const detach_order_ptr& order) {
      auto& st = self->state;
      std::erase_if(st.waiting, [&](const auto& waiting) {
        return waiting.order->client == order->client;
      });
      drop_client(st, order->client);
      check_empty(self);
    },
    [self](const resync_order& order) { resync(self, order); },
    [self](atoms::wake) { take_wake(self); },
    [self](const ownership_ptr& now) {
      if (now->epoch == 0)
        return;
      // An answer to what was asked of the one before may never come.
      if (now->epoch != self->state.replica.at().epoch)
        ask_owner(self);
      else
        observe(self);
    },
    [self](atoms::detached) {
      // After a pause it may be over in a moment.
      wait_anew(self);
      turn_stale(self->state, true);
    },
    [self](atoms::attached) {
      turn_stale(self->state, false);
      wait_anew(self);
    },
    [self](atoms::stop) {
      auto& st = self->state;
      self->send(st.env.router, std::make_shared<const note>(note{
                                  st.session, st.env.self, unobserve_note{}}));
      self->quit();
    },
    [self](atoms::inspect) { return inspect(self); },
  };
}

} // namespace

relay_actor spawn_relay(caf::actor_system& system, const relay_env& env,
                        const session_key& session, std::uint64_t number,
                        const relay_hub_actor& hub) {
  return system.spawn(relay_behavior, env, session, number, hub);
}

} // namespace rollcall::edge
