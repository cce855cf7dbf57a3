#include "cluster/router_actor.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace rollcall::cluster {

namespace {

using promise = caf::typed_response_promise<reply_ptr>;

constexpr millis sweep_every{250};

/// What waits for an owner: in the order it came.
struct held_item {
  command_ptr asked;
  promise answer;
  note_ptr told;
  millis until{0};
};

struct route {
  partition_actor here;
  node_id owner;
  epoch_t epoch = 0;
  std::deque<held_item> held;

  bool known() const {
    return epoch != 0 || here;
  }
};

/// A command that another node is to answer.
struct sent_command {
  held_item item;
  partition_id partition = 0;
};

struct router_shell {
  static inline const char* name = "router";

  router_env env;
  std::vector<route> routes;
  std::map<std::uint64_t, sent_command> sent;
  /// The other nodes that are heard; at most limits::nodes.
  std::set<node_id> edges;
  owner_lease lease;
  std::uint64_t last_ticket = 0;
  std::size_t held = 0;
  bool sweeping = false;
  std::int64_t commands = 0;
  std::int64_t notes = 0;
  std::int64_t forwarded = 0;
};

using self_ptr = router_actor::stateful_pointer<router_shell>;

reply_ptr refusal(const char* message, const char* field = "") {
  auto why = fail(errc::unavailable, message, field);
  return std::make_shared<const result<reply>>(std::move(why));
}

bool says_not_owner(const reply_ptr& answer) {
  return !answer->ok() && answer->error().code == errc::unavailable
         && answer->error().field == not_owner_field;
}

/// Whether a second delivery does no harm: its effect is that of the first.
bool may_repeat(const command& asked) {
  return !asked.op.empty() || std::holds_alternative<join_command>(asked.body)
         || std::holds_alternative<leave_command>(asked.body)
         || std::holds_alternative<set_live_command>(asked.body)
         || std::holds_alternative<set_ready_command>(asked.body)
         || std::holds_alternative<get_round_command>(asked.body)
         || std::holds_alternative<get_roster_command>(asked.body)
         || std::holds_alternative<observe_command>(asked.body)
         || std::holds_alternative<get_history_command>(asked.body)
         || std::holds_alternative<get_audit_command>(asked.body)
         || std::holds_alternative<list_sessions_command>(asked.body)
         || std::holds_alternative<erase_user_command>(asked.body)
         || std::holds_alternative<put_group_command>(asked.body)
         || std::holds_alternative<get_group_command>(asked.body)
         || std::holds_alternative<settle_group_command>(asked.body);
}

partition_id partition_for(const router_shell& s, const command& asked) {
  auto count = static_cast<partition_id>(s.routes.size());
  // Some commands are about a whole partition, which they name.
  if (const auto* x = std::get_if<list_sessions_command>(&asked.body))
    return std::min(x->partition, count - 1);
  if (const auto* x = std::get_if<erase_user_command>(&asked.body))
    return std::min(x->partition, count - 1);
  if (const auto* x = std::get_if<settle_group_command>(&asked.body))
    return std::min(x->partition, count - 1);
  return partition_of(asked.session, count);
}

partition_id partition_for(const router_shell& s, const session_key& session) {
  return partition_of(session, static_cast<std::uint32_t>(s.routes.size()));
}

// After a pause the clock is ahead of all that was said.
bool is_sure(const router_shell& s) {
  return s.env.clock().steady < s.lease.until;
}

bool may_be_wrong(const router_shell& s) {
  return s.lease.detached || s.lease.journal_away;
}

// A node that is cut off cannot know that something does not exist.
reply_ptr nothing_for_good(const reply_ptr& answer) {
  if (answer->ok() || is_retryable(answer->error().code))
    return answer;
  return refusal("the node is cut off from the others");
}

// Whoever has seen a later epoch knows that this node owns it no more. In its
// own epoch nobody else can have shown more than it knows.
bool is_behind(const router_shell& s, const route& to, const command& asked) {
  return to.here && !is_sure(s) && asked.seen && asked.seen->epoch > to.epoch;
}

void start_sweep(self_ptr self) {
  auto& s = self->state;
  if (s.sweeping || (s.held == 0 && s.sent.empty()))
    return;
  s.sweeping = true;
  self->delayed_send(self, sweep_every, atoms::wake::value);
}

void hold(self_ptr self, route& to, held_item item) {
  auto& s = self->state;
  if (to.held.size() >= limits::held_per_partition) {
    if (item.asked)
      item.answer.deliver(refusal("too many requests wait for an owner"));
    return;
  }
  to.held.push_back(std::move(item));
  ++s.held;
  start_sweep(self);
}

void forward(self_ptr self, partition_id partition, held_item item) {
  auto& s = self->state;
  const auto& to = s.routes[partition];
  if (s.sent.size() >= limits::routed_commands) {
    item.answer.deliver(refusal("too many requests to other nodes"));
    return;
  }
  auto ticket = ++s.last_ticket;
  auto message = std::make_shared<routed_command>();
  message->ticket = ticket;
  message->asked = item.asked;
  s.sent.emplace(ticket, sent_command{std::move(item), partition});
  ++s.forwarded;
  s.env.bus->send(to.owner, routed_command_ptr{std::move(message)});
  start_sweep(self);
}

void dispatch(self_ptr self, partition_id partition, held_item item) {
  auto& s = self->state;
  auto& to = s.routes[partition];
  // Nobody overtakes those who wait.
  if (!to.known() || !to.held.empty()
      || (to.here && item.asked && !s.lease.detached && !is_sure(s))) {
    hold(self, to, std::move(item));
  } else if (!item.asked) {
    if (to.here)
      self->send(to.here, item.told);
    else
      s.env.bus->send(to.owner, item.told);
  } else if (is_behind(s, to, *item.asked)) {
    item.answer.deliver(
      refusal("the node is cut off, and others know more of the session",
              behind_field));
  } else if (to.here) {
    auto asked = item.asked;
    // What is left of its patience: it may have waited already.
    auto left = later(item.until - s.env.clock().steady, millis{1});
    auto shared = std::make_shared<held_item>(std::move(item));
    self->request(to.here, left, asked)
      .then(
        [self, partition, shared](const reply_ptr& r) {
          if (says_not_owner(r))
            hold(self, self->state.routes[partition], std::move(*shared));
          else
            shared->answer.deliver(
              may_be_wrong(self->state) ? nothing_for_good(r) : r);
        },
        [self, partition, shared](const caf::error&) {
          if (may_repeat(*shared->asked))
            hold(self, self->state.routes[partition], std::move(*shared));
          else
            shared->answer.deliver(refusal("the owner went away"));
        });
  } else {
    forward(self, partition, std::move(item));
  }
}

caf::result<reply_ptr> take_command(self_ptr self, const command_ptr& asked) {
  auto& s = self->state;
  ++s.commands;
  auto partition = partition_for(s, *asked);
  // A node alone has one owner for good.
  if (s.env.bus == nullptr && s.routes[partition].here)
    return self->delegate(s.routes[partition].here, asked);
  auto answer = self->make_response_promise<reply_ptr>();
  if (s.env.bus == nullptr) {
    answer.deliver(refusal("the partition is about to start"));
    return answer;
  }
  dispatch(
    self, partition,
    {asked, answer, nullptr, s.env.clock().steady + limits::routed_patience});
  return answer;
}

void take_note(self_ptr self, const note_ptr& told) {
  auto& s = self->state;
  ++s.notes;
  const auto partition = partition_for(s, told->session);
  const auto& to = s.routes[partition];
  // The list of an edge that ended meanwhile would keep its connections for
  // good, and one that goes on from here is older than what the edge has told
  // the owner since. Whoever lives is heard in a moment, and tells again.
  if (std::holds_alternative<announce_note>(told->body) && s.env.bus
      && told->edge != s.env.self
      && (!to.here || !s.edges.contains(told->edge)))
    return;
  if (to.here)
    self->send(to.here, told);
  else
    dispatch(
      self, partition,
      {nullptr, {}, told, s.env.clock().steady + limits::routed_patience});
}

// Another node asks. A node that does not own the partition says so: only the
// asker may look further, so no command can travel in a circle.
void take_routed(self_ptr self, const routed_from& from) {
  auto& s = self->state;
  auto reply = [self, node = from.node,
                ticket = from.asked->ticket](const reply_ptr& answer) {
    auto message = std::make_shared<routed_reply>();
    message->ticket = ticket;
    message->answer = answer;
    self->state.env.bus->send(node, routed_reply_ptr{std::move(message)});
  };
  auto partition = partition_for(s, *from.asked->asked);
  const auto& to = s.routes[partition];
  if (!to.here || !is_sure(s)) {
    reply(refusal("this node does not own the session", not_owner_field));
    return;
  }
  self->request(to.here, limits::routed_patience, from.asked->asked)
    .then([reply](const reply_ptr& answer) { reply(answer); },
          [reply, asked = from.asked->asked](const caf::error&) {
            reply(refusal("the owner went away",
                          may_repeat(*asked) ? not_owner_field : ""));
          });
  // Of an edge that ended before it was ever heard here nobody would say so.
  const auto& asked = *from.asked->asked;
  if (std::holds_alternative<join_command>(asked.body)
      && !s.edges.contains(asked.edge))
    self->send(to.here, note_ptr{std::make_shared<const note>(
                          note{asked.session, asked.edge, edge_lost_note{}})});
}

void take_answer(self_ptr self, const routed_reply& got) {
  auto& s = self->state;
  auto at = s.sent.find(got.ticket);
  if (at == s.sent.end())
    return;
  auto sent = std::move(at->second);
  s.sent.erase(at);
  // Whoever the owner is now, heartbeats will tell.
  if (says_not_owner(got.answer))
    hold(self, s.routes[sent.partition], std::move(sent.item));
  else
    sent.item.answer.deliver(got.answer);
}

// What came back from an owner stands behind younger ones: each has a patience
// of its own, and nothing is done for whoever was refused.
void drop_overdue(self_ptr self, partition_id partition) {
  auto& s = self->state;
  auto now = s.env.clock().steady;
  auto& held = s.routes[partition].held;
  s.held -= std::erase_if(held, [&](held_item& item) {
    if (item.until > now)
      return false;
    if (item.asked)
      item.answer.deliver(refusal("nobody owns the session"));
    return true;
  });
}

void flush_held(self_ptr self, partition_id partition) {
  auto& s = self->state;
  drop_overdue(self, partition);
  auto waiting = std::exchange(s.routes[partition].held, {});
  s.held -= waiting.size();
  for (auto& item : waiting)
    dispatch(self, partition, std::move(item));
}

// What was sent to the owner before may have had its effect or not.
void recall(self_ptr self, partition_id partition) {
  auto& s = self->state;
  for (auto at = s.sent.begin(); at != s.sent.end();) {
    if (at->second.partition != partition) {
      ++at;
      continue;
    }
    auto item = std::move(at->second.item);
    at = s.sent.erase(at);
    if (may_repeat(*item.asked))
      hold(self, s.routes[partition], std::move(item));
    else
      item.answer.deliver(refusal("the owner changed: it may have happened"));
  }
}

void take_ownership(self_ptr self, const ownership& now,
                    const partition_actor& here) {
  auto& s = self->state;
  if (now.partition >= s.routes.size())
    return;
  auto& to = s.routes[now.partition];
  bool moved = to.owner != now.owner || to.epoch != now.epoch;
  to.here = here;
  to.owner = now.owner;
  to.epoch = now.epoch;
  if (moved)
    recall(self, now.partition);
  if (to.known())
    flush_held(self, now.partition);
}

void sweep(self_ptr self) {
  auto& s = self->state;
  s.sweeping = false;
  auto now = s.env.clock().steady;
  for (partition_id p = 0; p < s.routes.size(); ++p) {
    auto& to = s.routes[p];
    if (to.held.empty())
      continue;
    drop_overdue(self, p);
    // Somebody said it was not the owner, and the news has not changed.
    if (to.known())
      flush_held(self, p);
  }
  for (auto at = s.sent.begin(); at != s.sent.end();) {
    if (at->second.item.until > now) {
      ++at;
      continue;
    }
    at->second.item.answer.deliver(refusal("the owner did not answer"));
    at = s.sent.erase(at);
  }
  start_sweep(self);
}

inspection_ptr inspect(const router_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = "router";
  std::int64_t here = 0;
  std::int64_t elsewhere = 0;
  for (const auto& to : s.routes) {
    here += to.here ? 1 : 0;
    elsewhere += !to.here && to.known() ? 1 : 0;
  }
  out->figures
    = {{"commands", s.commands},
       {"notes", s.notes},
       {"forwarded", s.forwarded},
       {"waiting_for_owner", static_cast<std::int64_t>(s.held)},
       {"waiting_for_answer", static_cast<std::int64_t>(s.sent.size())},
       {"partitions_here", here},
       {"partitions_elsewhere", elsewhere},
       {"partitions", static_cast<std::int64_t>(s.routes.size())}};
  out->waiting_for = s.held > 0 ? "an owner" : "";
  return out;
}

router_actor::behavior_type
router_behavior(self_ptr self, router_env env,
                std::vector<partition_actor> local) {
  auto& s = self->state;
  s.env = std::move(env);
  s.routes.resize(local.empty() ? s.env.partitions : local.size());
  for (std::size_t p = 0; p < local.size(); ++p)
    s.routes[p].here = std::move(local[p]);
  return {
    [self](const command_ptr& asked) { return take_command(self, asked); },
    [self](const note_ptr& told) { take_note(self, told); },
    [self](const routed_from_ptr& from) { take_routed(self, *from); },
    [self](const routed_reply_ptr& got) { take_answer(self, *got); },
    [self](const ownership_ptr& now, const partition_actor& here) {
      take_ownership(self, *now, here);
    },
    [self](const edge_gone& gone) {
      self->state.edges.erase(gone.edge);
      for (const auto& to : self->state.routes)
        if (to.here)
          self->send(to.here, gone);
    },
    [self](const edge_here& here) {
      if (self->state.edges.size() < limits::nodes)
        self->state.edges.insert(here.edge);
    },
    [self](const owner_lease& now) { self->state.lease = now; },
    [self](atoms::wake) { sweep(self); },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

router_actor spawn_router(caf::actor_system& system,
                          std::vector<partition_actor> local) {
  return system.spawn(router_behavior, router_env{}, std::move(local));
}

router_actor spawn_router(caf::actor_system& system, router_env env) {
  return system.spawn(router_behavior, std::move(env),
                      std::vector<partition_actor>{});
}

} // namespace rollcall::cluster
