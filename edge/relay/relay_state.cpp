#include "edge/relay/relay_state.hpp"

#include "actors/rounds.hpp"
#include "edge/relay/replica_diff.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace rollcall::edge {

namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};

template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

} // namespace

bool relay_state::take(const snapshot& whole) {
  if (ready_ && whole.at <= current_.at)
    return false;
  ready_ = true;
  ring_.clear();
  in_order_.clear();
  joined_.clear();
  for (const auto& who : whole.participants)
    add(who);
  current_ = whole;
  current_.participants.clear();
  current_.participants.shrink_to_fit();
  return true;
}

batch_ptr relay_state::bridge(const snapshot& whole) {
  if (!ready_ || whole.at <= current_.at)
    return nullptr;
  auto leads
    = std::make_shared<const batch>(make_difference(make_snapshot(), whole));
  [[maybe_unused]] auto fate = take(leads);
  return leads;
}

batch_fate relay_state::take(const batch_ptr& next) {
  if (!ready_)
    return batch_fate::gap;
  if (next->to <= current_.at)
    return batch_fate::old;
  if (next->from != current_.at)
    return batch_fate::gap;
  for (const auto& one : next->changes)
    apply(one);
  current_.at = next->to;
  current_.present = next->present;
  current_.total = next->total;
  ring_.push(next);
  return batch_fate::applied;
}

snapshot relay_state::make_snapshot() const {
  snapshot out = current_;
  out.participants.reserve(in_order_.size());
  for (const auto& [joined, who] : in_order_)
    out.participants.push_back(who);
  return out;
}

batch relay_state::make_nothing() const {
  batch out;
  out.session = current_.session;
  out.from = out.to = current_.at;
  out.present = current_.present;
  out.total = current_.total;
  return out;
}

void relay_state::add(const participant_view& who) {
  in_order_.insert_or_assign(who.joined, who);
  joined_.insert_or_assign(who.participant, who.joined);
}

participant_view* relay_state::find(const participant_id& id) {
  auto at = joined_.find(id);
  return at == joined_.end() ? nullptr : &in_order_.at(at->second);
}

void relay_state::apply_round(const round_view& news) {
  auto at = std::lower_bound(
    current_.rounds.begin(), current_.rounds.end(), news.name,
    [](const auto& one, const auto& name) { return one.name < name; });
  if (at == current_.rounds.end() || at->name != news.name)
    current_.rounds.insert(at, news);
  else
    merge_news(*at, news);
}

void relay_state::apply_barrier(const barrier_change& x) {
  if (!x.participant || !current_.barrier) {
    current_.barrier = barrier_view{x.state};
    return;
  }
  auto& ready = current_.barrier->ready;
  auto at = std::lower_bound(ready.begin(), ready.end(), *x.participant);
  bool known = at != ready.end() && *at == *x.participant;
  if (x.ready && !known)
    ready.insert(at, *x.participant);
  else if (!x.ready && known)
    ready.erase(at);
}

void relay_state::apply(const change& one) {
  auto apply_live = [this](const live_change& x) {
    auto* who = find(x.participant);
    if (who == nullptr)
      return;
    for (const auto& [key, value] : x.live) {
      if (value)
        who->live.insert_or_assign(key, *value);
      else
        who->live.erase(key);
    }
  };
  auto show = [this](const participant_id& id, presence_state state,
                     std::optional<millis> expires) {
    if (auto* who = find(id)) {
      who->state = state;
      who->expires = expires;
    }
  };
  std::visit(overloaded{
               [this](const joined_change& x) { add(x.participant); },
               [&](const suspected_change& x) {
                 show(x.participant, presence_state::suspected, x.expires);
               },
               [&](const resumed_change& x) {
                 show(x.participant, presence_state::online, std::nullopt);
               },
               [this](const left_change& x) {
                 if (auto at = joined_.find(x.participant);
                     at != joined_.end()) {
                   in_order_.erase(at->second);
                   joined_.erase(at);
                 }
                 if (current_.barrier)
                   std::erase(current_.barrier->ready, x.participant);
               },
               apply_live,
               [this](const connection_change& x) {
                 if (auto* who = find(x.participant)) {
                   who->connections = x.connections;
                   who->facts = x.facts;
                 }
               },
               [this](const member_change& x) {
                 if (auto* who = find(x.participant);
                     who != nullptr && !x.has(member_key::ban)) {
                   who->role = x.role;
                   who->permissions = x.permissions;
                   if (x.has(member_key::name))
                     who->who.name = x.name;
                 }
               },
               [this](const host_change& x) { current_.host = x.host; },
               [this](const session_change& x) {
                 current_.settings = x.settings;
                 current_.ended = x.ended;
                 current_.starts_at = x.starts_at;
               },
               [this](const phase_change& x) { current_.phase = x.phase; },
               [this](const submission_change& x) { apply_round(x.round); },
               [this](const barrier_change& x) { apply_barrier(x); },
               [this](const activity_change& x) {
                 if (auto* who = find(x.participant))
                   who->last_active = x.last_active;
               },
             },
             one.body);
}

} // namespace rollcall::edge
