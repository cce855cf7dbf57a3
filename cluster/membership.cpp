#include "cluster/membership.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::cluster {

namespace {

/// The most that one heartbeat adds to the events.
constexpr std::size_t events_per_heartbeat = 4;

failure foreign(std::uint32_t theirs, std::uint32_t ours) {
  return fail(errc::conflict,
              "a node with " + std::to_string(theirs)
                + " partitions is not of this cluster, which has "
                + std::to_string(ours),
              "partitions");
}

failure clash(const std::string& name) {
  return fail(errc::conflict, "two living nodes have the name " + name, "node");
}

} // namespace

std::string_view to_string(peer_state state) noexcept {
  switch (state) {
  case peer_state::alive:
    return "alive";
  case peer_state::suspect:
    return "suspect";
  case peer_state::edge_lost:
    return "edge_lost";
  case peer_state::forgotten:
    return "forgotten";
  }
  return "unknown";
}

membership::membership(node_id self, config cfg)
  : self_(std::move(self)), config_(cfg) {
  // nop
}

// -- heartbeats of others ----------------------------------------------------

result<intake> membership::take(const heartbeat& word, millis now) {
  if (auto why = refuse(word))
    return *std::move(why);
  if (word.node.name == self_.name)
    return take_own_name(word, now);
  if (events_.size() + events_per_heartbeat > limits::membership_events)
    return fail(errc::unavailable, "too much has happened at once");
  auto* known = make_room(word.node);
  if (known == nullptr)
    return fail(errc::too_large, "the cluster has too many nodes", "node");
  return take_other(*known, word, now);
}

std::optional<failure> membership::refuse(const heartbeat& word) const {
  if (word.node.name.empty() || word.node.name.size() > limits::id_bytes)
    return fail(errc::bad_request, "a node needs a name of its own", "node");
  if (word.partitions != config_.partitions)
    return foreign(word.partitions, config_.partitions);
  if (word.number == 0)
    return fail(errc::bad_request, "heartbeats count from 1", "number");
  if (word.weight > limits::node_weight)
    return fail(errc::bad_request, "is too heavy", "weight");
  const auto is_foreign = [this](const held_partition& held) {
    return held.partition >= config_.partitions;
  };
  if (word.held.size() > config_.partitions
      || std::ranges::any_of(word.held, is_foreign))
    return fail(errc::bad_request, "there are fewer partitions", "held");
  return std::nullopt;
}

result<intake> membership::take_own_name(const heartbeat& word, millis now) {
  if (word.node == self_) {
    // Who speaks with our incarnation and is ahead of us is a copy of us.
    if (word.number > number_)
      return clash(self_.name);
    const auto sent
      = std::ranges::find(sent_, word.number, &sent_heartbeat::number);
    if (sent == sent_.end())
      return intake::ignored;
    if (!proof_ || sent->at - *proof_ > limits::suspect_after)
      lease_from_ = now + limits::lease_begins_after;
    proof_ = sent->at;
    if (echoes_ == 0 || sent->at - last_echo_ >= limits::heartbeat_every / 2) {
      ++echoes_;
      last_echo_ = sent->at;
    }
    sent_.erase(sent_.begin(), std::next(sent));
    return intake::echo;
  }
  const auto other = std::ranges::find(namesakes_, word.node.incarnation,
                                       &predecessor::incarnation);
  if (other == namesakes_.end()) {
    if (namesakes_.size() == limits::incarnations_remembered)
      namesakes_.pop_front();
    namesakes_.push_back({word.node.incarnation, word.number, now});
    return intake::ignored;
  }
  if (word.number <= other->number)
    return intake::ignored;
  other->number = word.number;
  // What we were before this start may still be on its way, but not for long.
  if (now - other->replaced >= limits::suspect_after)
    return clash(self_.name);
  return intake::ignored;
}

result<intake> membership::take_other(record& known, const heartbeat& word,
                                      millis now) {
  auto& current = known.is;
  if (word.node == current.node) {
    if (word.number <= current.number)
      return intake::ignored;
    refresh(known, word, now);
    return intake::fresh;
  }
  const auto earlier = std::ranges::find(known.earlier, word.node.incarnation,
                                         &predecessor::incarnation);
  if (earlier != known.earlier.end()) {
    if (word.number <= earlier->number)
      return intake::ignored;
    earlier->number = word.number;
    // Incarnations have no order: the one that goes on speaking when the other
    // has long been silent was the later one after all.
    if (current.state == peer_state::alive
        || current.state == peer_state::suspect) {
      if (now - earlier->replaced >= limits::suspect_after)
        return clash(current.node.name);
      return intake::ignored;
    }
    known.earlier.erase(earlier);
  }
  replace(known, word, now);
  refresh(known, word, now);
  return intake::fresh;
}

membership::record* membership::make_room(const node_id& node) {
  if (const auto at = peers_.find(node.name); at != peers_.end())
    return &at->second;
  // One of limits::nodes is us.
  if (peers_.size() + 1 >= limits::nodes) {
    auto oldest = peers_.end();
    for (auto at = peers_.begin(); at != peers_.end(); ++at)
      if (at->second.is.state == peer_state::forgotten
          && (oldest == peers_.end()
              || at->second.heard < oldest->second.heard))
        oldest = at;
    if (oldest == peers_.end())
      return nullptr;
    peers_.erase(oldest);
  }
  auto& added = peers_[node.name];
  added.is.node = node;
  added.is.state = peer_state::forgotten;
  return &added;
}

void membership::replace(record& known, const heartbeat& word, millis now) {
  auto& old = known.is;
  const auto was = old.state;
  if (old.edge && (was == peer_state::alive || was == peer_state::suspect))
    events_.emplace_back(edge_lost{old.node});
  if (was != peer_state::forgotten)
    events_.emplace_back(node_forgotten{old.node});
  if (known.earlier.size() == limits::incarnations_remembered)
    known.earlier.pop_front();
  known.earlier.push_back({old.node.incarnation, old.number, now});
  old.node = word.node;
  old.state = peer_state::forgotten;
}

void membership::refresh(record& known, const heartbeat& word, millis now) {
  auto& current = known.is;
  if (current.state == peer_state::forgotten)
    events_.emplace_back(node_up{current.node});
  else if (current.state != peer_state::alive)
    events_.emplace_back(node_back{current.node});
  current.state = peer_state::alive;
  current.core = word.core;
  current.edge = word.edge;
  current.leaving = word.leaving;
  current.aside = word.aside;
  current.weight = word.weight;
  current.number = word.number;
  current.up = word.up;
  known.heard = now;
  known.echoes = echoes_;
}

// -- judgement ---------------------------------------------------------------

std::vector<membership_event> membership::advance(millis now) {
  if (!began_)
    began_ = now;
  discount(now);
  for (auto& [name, known] : peers_)
    judge(known, now);
  judge_self(now);
  judge_view(now);
  advanced_ = now;
  return std::exchange(events_, {});
}

void membership::discount(millis now) {
  const auto before = advanced_.value_or(now);
  millis lost{0};
  if (now - before > config_.tick + limits::stall_after)
    lost = now - before - config_.tick;
  const auto was_deaf = deaf_;
  deaf_ = !proof_ || now - *proof_ >= limits::deaf_after;
  if (deaf_)
    lost = later(lost, now - (was_deaf ? before : *proof_));
  // What we saw before is no news after the pause.
  if (deaf_ || lost > millis{0})
    seen_since_ = now;
  if (lost == millis{0})
    return;
  for (auto& [name, known] : peers_)
    known.heard = std::min(known.heard + lost, now);
}

void membership::judge(record& known, millis now) {
  auto& current = known.is;
  current.silent = later(now - known.heard, millis{0});
  if (current.state == peer_state::alive
      && current.silent >= limits::suspect_after
      && echoes_ - known.echoes >= limits::suspect_echoes) {
    current.state = peer_state::suspect;
    events_.emplace_back(node_suspect{current.node});
  }
  if (current.state == peer_state::suspect
      && current.silent >= limits::edge_lease) {
    current.state = peer_state::edge_lost;
    if (current.edge)
      events_.emplace_back(edge_lost{current.node});
  }
  if (current.state == peer_state::edge_lost
      && current.silent >= limits::forget_after) {
    current.state = peer_state::forgotten;
    events_.emplace_back(node_forgotten{current.node});
  }
}

void membership::judge_self(millis now) {
  const auto attached = !is_detached(now);
  if (attached == attached_)
    return;
  attached_ = attached;
  if (attached)
    events_.emplace_back(went_attached{});
  else
    events_.emplace_back(went_detached{});
}

void membership::judge_view(millis now) {
  auto seen = cores(peer_state::alive);
  if (!advanced_ || seen != seen_) {
    seen_ = std::move(seen);
    seen_since_ = now;
  }
  settled_ = attached_ && now - seen_since_ >= limits::view_settles_after;
  if (!settled_ || (view_.number > 0 && view_.members == seen_))
    return;
  ++view_.number;
  view_.members = seen_;
  events_.emplace_back(view_changed{view_.number});
}

// -- our own heartbeats ------------------------------------------------------

std::optional<heartbeat> membership::due(millis now,
                                         std::span<const held_partition> held) {
  const auto wait = hurried(now).value_or(next_heartbeat_ - now);
  if (number_ > 0 && wait > millis{0})
    return std::nullopt;
  // Keeps the pace although the ticks of the caller do not divide it.
  next_heartbeat_ += limits::heartbeat_every;
  if (number_ == 0 || hurry_ || next_heartbeat_ <= now)
    next_heartbeat_ = now + limits::heartbeat_every;
  last_heartbeat_ = now;
  hurry_ = false;
  heartbeat word;
  word.node = self_;
  word.number = ++number_;
  word.core = config_.core;
  word.edge = config_.edge;
  word.leaving = leaving_;
  word.aside = aside_;
  word.weight = config_.weight;
  word.partitions = config_.partitions;
  word.held.assign(held.begin(), held.end());
  if (sent_.size() == limits::heartbeats_in_flight)
    sent_.pop_front();
  sent_.push_back({number_, now});
  return word;
}

void membership::hurry() noexcept {
  hurry_ = true;
}

std::optional<millis> membership::hurried(millis now) const noexcept {
  if (!hurry_)
    return std::nullopt;
  auto earliest
    = std::min(last_heartbeat_ + limits::heartbeat_spacing, next_heartbeat_);
  return later(earliest - now, millis{0});
}

void membership::leave() noexcept {
  leaving_ = true;
  hurry_ = true;
}

void membership::stand_aside(bool aside) noexcept {
  hurry_ = hurry_ || aside != aside_;
  aside_ = aside;
}

// -- looking -----------------------------------------------------------------

bool membership::is_detached(millis now) const noexcept {
  return !proof_ || now - *proof_ > limits::detached_after;
}

millis membership::lease(millis now) const noexcept {
  return proof_ && lease_from_ <= now ? *proof_ + limits::suspect_after
                                      : millis{0};
}

bool membership::is_alive(const node_id& node) const {
  if (node == self_)
    return true;
  const auto at = peers_.find(node.name);
  return at != peers_.end() && at->second.is.node == node
         && at->second.is.state == peer_state::alive;
}

bool membership::is_warm(const node_id& node, millis now) const {
  const auto at = peers_.find(node.name);
  if (at == peers_.end() || at->second.is.up == millis{0})
    return true;
  const auto all_are_new = !began_ || now - *began_ < limits::warm_after;
  return all_are_new || at->second.is.up >= limits::warm_after;
}

std::vector<core_node> membership::cores(peer_state worst) const {
  std::vector<core_node> out;
  out.reserve(peers_.size() + 1);
  if (config_.core && !leaving())
    out.push_back({self_, config_.weight});
  for (const auto& [name, known] : peers_)
    if (known.is.state <= worst && known.is.core && !known.is.leaving
        && !known.is.aside)
      out.push_back({known.is.node, known.is.weight});
  std::ranges::sort(out, {}, &core_node::node);
  return out;
}

std::vector<core_node> membership::known_cores() const {
  return cores(peer_state::edge_lost);
}

std::vector<peer> membership::peers() const {
  std::vector<peer> out;
  out.reserve(peers_.size());
  for (const auto& [name, known] : peers_)
    if (known.is.state != peer_state::forgotten)
      out.push_back(known.is);
  return out;
}

} // namespace rollcall::cluster
