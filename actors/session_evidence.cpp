// What happens to those present: what edges notice of them, and what time does.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <set>

namespace rollcall {

namespace {

/// Longer than two announcements are apart.
constexpr millis unnamed_grace{2'500};

/// An announcement that is under way for longer was lost.
constexpr millis announcement_transit{1'500};

/// Longer than two rounds in which relays ask again are apart.
constexpr millis observer_patience{12'000};

} // namespace

// -- what edges notice -------------------------------------------------------

void session_state::handle(const note& told, instant now) {
  acting_ = {};
  if (const auto* signs = std::get_if<evidence>(&told.body)) {
    take_evidence(*signs, now);
  } else if (std::holds_alternative<observe_note>(told.body)) {
    doubted_observers_.erase(told.edge);
    if (observers_.size() < limits::observers_per_session)
      observers_.insert(told.edge);
  } else if (std::holds_alternative<unobserve_note>(told.body)) {
    doubted_observers_.erase(told.edge);
    observers_.erase(told.edge);
  } else if (const auto* sockets = std::get_if<announce_note>(&told.body)) {
    take_announcement(told.edge, *sockets, now);
  } else if (std::holds_alternative<edge_lost_note>(told.body)) {
    lose_edge(told.edge, now);
    doubt_observer(told.edge, now);
  }
  idle_since_ = now.steady;
}

void session_state::take_evidence(const evidence& told, instant now) {
  for (const auto& item : told.items) {
    auto* who = roster_.find(item.connection);
    // Evidence names a connection: what it says of an old one cannot touch
    // the newer connection of the same user.
    if (who == nullptr)
      continue;
    auto& target = roster_.at(*who, item.connection);
    if (!target.has_edge())
      continue;
    auto age = later(item.age, millis{0});
    target.unconfirmed = false;
    switch (item.what) {
    case sign::silent:
      target.suspected = true;
      roster_.set_deadline(target, now.steady - age + settings_.timeout,
                           leave_reason::timeout);
      break;
    case sign::back:
      target.suspected = false;
      roster_.set_deadline(target, std::nullopt, leave_reason::timeout);
      break;
    case sign::closed:
      close_connection(*who, item.connection, leave_reason::network,
                       now.steady - age + settings_.drop_grace, now);
      continue;
    }
    show_presence(*who);
  }
}

void session_state::take_announcement(const node_id& edge,
                                      const announce_note& told, instant now) {
  for (std::size_t i = 0; i < told.connections.size(); ++i) {
    const auto& id = told.connections[i];
    auto* who = roster_.find(id);
    if (who == nullptr) {
      answer_unknown(id, edge);
      continue;
    }
    auto& target = roster_.at(*who, id);
    if (target.edge != edge || !target.has_edge())
      continue;
    // Its join brings the whole stay.
    if (i < told.stays.size() && is_before(*who, told.stays[i]))
      directs_.push_back({key_, id, edge, unknown_direct{}});
    else
      confirm(*who, target);
  }
  if (told.complete)
    doubt_unnamed(edge, told, now);
}

void session_state::answer_unknown(const connection_id& id,
                                   const node_id& edge) {
  auto before = std::find_if(dismissed_.begin(), dismissed_.end(),
                             [&](const auto& one) { return one.first == id; });
  if (before != dismissed_.end())
    directs_.push_back({key_, id, edge, removed_direct{before->second}});
  else if (record_ && !record_->ended_at)
    directs_.push_back({key_, id, edge, unknown_direct{}});
}

void session_state::confirm(participant& who, connection& target) {
  if (!target.unconfirmed)
    return;
  target.unconfirmed = false;
  target.suspected = false;
  roster_.set_deadline(target, std::nullopt, leave_reason::timeout);
  show_presence(who);
}

// A `closed` that was lost on its way must not leave a ghost. One who joined
// while the announcement was under way cannot be named by it.
void session_state::doubt_unnamed(const node_id& edge,
                                  const announce_note& told, instant now) {
  std::set<connection_id> named{told.connections.begin(),
                                told.connections.end()};
  auto until = now.steady + later(settings_.drop_grace, unnamed_grace);
  for (const auto& [joined, who] : roster_.in_order()) {
    bool touched = false;
    for (auto& item : who->connections) {
      if (item.edge != edge || !item.has_edge() || item.deadline
          || named.contains(item.id)
          || now.steady < item.entered + announcement_transit)
        continue;
      item.suspected = true;
      // As restored ones: the edge's word is enough to bring it back.
      item.unconfirmed = true;
      roster_.set_deadline(item, until, leave_reason::network);
      touched = true;
    }
    if (touched)
      show_presence(*who);
  }
}

void session_state::lose_edge(const node_id& edge, instant now) {
  for (const auto& [joined, who] : roster_.in_order()) {
    bool touched = false;
    for (auto& item : who->connections) {
      if (item.edge != edge || !item.has_edge() || item.deadline)
        continue;
      // An edge that is back in time brings it back.
      item.unconfirmed = true;
      // The join is a later sign of the edge than those its lease ran out on.
      if (now.steady < item.entered + limits::edge_lease) {
        roster_.set_deadline(item, item.entered + limits::edge_lease,
                             leave_reason::edge_lost);
        continue;
      }
      item.suspected = true;
      roster_.set_deadline(item, now.steady + settings_.drop_grace,
                           leave_reason::edge_lost);
      touched = true;
    }
    if (touched)
      show_presence(*who);
  }
}

// An edge that ended takes nothing back, and each time it starts it is another.
// One that was only silent goes on being told meanwhile.
void session_state::doubt_observer(const node_id& edge, instant now) {
  if (observers_.contains(edge))
    doubted_observers_.try_emplace(edge, now.steady + observer_patience);
}

void session_state::forget_observers(instant now) {
  std::erase_if(doubted_observers_, [&](const auto& one) {
    if (one.second > now.steady)
      return false;
    observers_.erase(one.first);
    return true;
  });
}

void session_state::expire(instant now) {
  acting_ = {};
  forget_observers(now);
  while (auto id = roster_.due(now.steady)) {
    auto& who = *roster_.find(*id);
    auto& item = roster_.at(who, *id);
    if (item.unconfirmed && !item.suspected) {
      // Nobody announced it in the confirm window: doubt it, do not end it.
      item.suspected = true;
      roster_.set_deadline(item, *item.deadline + settings_.drop_grace,
                           leave_reason::edge_lost);
      show_presence(who);
      continue;
    }
    if (outlasts(item)) {
      show_presence(who);
      continue;
    }
    // Its socket may stand after all: without a word the client would
    // believe to be present.
    tell_removed(item, item.reason);
    end_connection(who, *id, item.reason, now);
  }
  if (reclaim_until_ && *reclaim_until_ <= now.steady) {
    reclaim_until_.reset();
    queue_host_lapse();
    refresh_host();
  }
  while (!pending_.full())
    if (auto name = timers_.take_due(now.wall);
        name && name->kind == timer_kind::group)
      begin_telling(now);
    else if (name)
      queue_timer(*name);
    else
      break;
}

// -- the end of a connection -------------------------------------------------

// Whoever was restored with this connection may have another that was not
// kept, and its edge has not had the time yet to say so.
void session_state::close_connection(participant& who, const connection_id& id,
                                     leave_reason reason, millis until,
                                     instant now) {
  auto& target = roster_.at(who, id);
  if (target.entered == millis{0} && who.connections.size() == 1)
    until = std::max(until, confirmed_by_);
  if (until <= now.steady) {
    end_connection(who, id, reason, now);
    return;
  }
  target.unconfirmed = false;
  target.suspected = true;
  roster_.set_deadline(target, until, reason);
  show_presence(who);
}

void session_state::end_connection(participant& who, const connection_id& id,
                                   leave_reason reason, instant now) {
  if (who.connections.size() == 1) {
    remove_participant(who, reason, now);
    return;
  }
  roster_.remove_connection(who, id);
  show_presence(who);
}

void session_state::tell_removed(const connection& target, leave_reason reason,
                                 bool banned) {
  if (target.has_edge())
    directs_.push_back({key_, target.id, target.edge,
                        removed_direct{reason, banned, target.joined_by}});
}

void session_state::dismiss(const connection& target, leave_reason reason,
                            bool banned) {
  tell_removed(target, reason, banned);
  if (!target.has_edge())
    return;
  if (dismissed_.size() == limits::dismissed_per_session)
    dismissed_.pop_front();
  dismissed_.emplace_back(target.id, reason);
}

void session_state::remove_participant(participant& who, leave_reason reason,
                                       instant now) {
  note_leave(who, reason, now);
  if (departed_.contains(who.user)
      || departed_.size() < limits::departed_per_session) {
    auto& visits = departed_[who.user];
    visits = std::max(visits, who.reconnections) + 1;
  }
  live_at_.erase(&who);
  track_host_candidate(who, false);
  if (member(who.user) == nullptr)
    --present_strangers_;
  if (record_ && record_->appointed_host == who.user
      && settings_.host != host_policy::none
      && settings_.host_reclaim > millis{0})
    reclaim_until_ = now.steady + settings_.host_reclaim;
  auto public_id = who.public_id;
  rounds_.leave(public_id, role_of(who.user));
  roster_.remove(who);
  push_change(left_change{public_id, reason});
  publish_rounds();
  barrier_.forget(public_id);
  open_barrier_if_ready();
  refresh_host();
  if (roster_.empty())
    idle_since_ = now.steady;
}

shown_presence session_state::shown_of(const participant& who) {
  shown_presence out;
  out.connections = static_cast<std::uint32_t>(who.connections.size());
  out.suspected = std::all_of(who.connections.begin(), who.connections.end(),
                              [](const auto& c) { return c.suspected; });
  if (out.suspected) {
    out.expires = millis{0};
    for (const auto& item : who.connections)
      out.expires = later(*out.expires, item.deadline.value_or(millis{0}));
  }
  return out;
}

void session_state::show_presence(participant& who) {
  auto [suspected, expires, count] = shown_of(who);
  if (auto facts = facts_of(who);
      count != who.shown_connections || facts != who.shown_facts) {
    who.shown_connections = count;
    who.shown_facts = facts;
    push_change(connection_change{who.public_id, count, std::move(facts)});
  }
  if (suspected && (!who.shown_suspected || expires != who.shown_expires)) {
    who.shown_suspected = true;
    who.shown_expires = expires;
    push_change(suspected_change{who.public_id, *expires});
    see_at_barrier(who);
  } else if (!suspected && who.shown_suspected) {
    who.shown_suspected = false;
    who.shown_expires.reset();
    push_change(resumed_change{who.public_id});
    see_at_barrier(who);
  }
}

} // namespace rollcall
