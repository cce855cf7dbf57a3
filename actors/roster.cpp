#include "actors/roster.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <cassert>

namespace rollcall {

namespace {

constexpr std::size_t page_room(std::uint32_t number) {
  return number == 0 ? limits::first_page_participants
                     : limits::page_participants;
}

roster_entry entry_of(const participant& who) {
  roster_entry entry;
  entry.user = who.user;
  entry.who = who.who;
  entry.joined = who.joined;
  entry.since = who.since;
  entry.reconnections = who.reconnections;
  entry.grants = who.grants;
  for (const auto& item : who.connections)
    entry.connections.push_back(
      {item.id, item.edge, item.source, item.lease, item.facts, item.by_group});
  return entry;
}

} // namespace

void begin_lease(connection& target, const kind_settings& settings,
                 instant now) {
  auto quiet = std::min(settings.suspect_after, target.lease);
  target.suspected = false;
  target.lease_tail = target.lease - quiet;
  target.deadline = now.steady + quiet;
  target.reason = leave_reason::timeout;
}

participant* roster::find(const user_id& user) {
  auto at = by_user_.find(user);
  return at == by_user_.end() ? nullptr : at->second.get();
}

const participant* roster::find(const user_id& user) const {
  auto at = by_user_.find(user);
  return at == by_user_.end() ? nullptr : at->second.get();
}

participant* roster::find(const connection_id& id) {
  auto at = by_connection_.find(id);
  return at == by_connection_.end() ? nullptr : at->second;
}

const participant* roster::find(const participant_id& id) const {
  auto at = by_public_id_.find(id);
  return at == by_public_id_.end() ? nullptr : at->second;
}

participant& roster::add(participant who) {
  return restore(std::move(who), free_page());
}

participant& roster::restore(participant who, std::uint32_t page) {
  assert(find(who.user) == nullptr);
  auto owned = std::make_unique<participant>(std::move(who));
  auto& added = *owned;
  added.page = page;
  by_user_.emplace(added.user, std::move(owned));
  link(added);
  return added;
}

void roster::link(participant& who) {
  order_.emplace(who.joined, &who);
  by_public_id_.emplace(who.public_id, &who);
  for (const auto& item : who.connections) {
    by_connection_.emplace(item.id, &who);
    if (item.deadline)
      deadlines_.emplace(*item.deadline, item.id);
  }
  if (pages_.size() <= who.page)
    pages_.resize(who.page + 1);
  auto& page = pages_[who.page];
  page.push_back(&who);
  if (page.size() >= page_room(who.page))
    open_pages_.erase(who.page);
  else
    open_pages_.insert(who.page);
}

std::uint32_t roster::free_page() {
  if (!open_pages_.empty())
    return *open_pages_.begin();
  return static_cast<std::uint32_t>(pages_.size());
}

void roster::remove(const participant& who) {
  for (const auto& item : who.connections) {
    if (item.deadline)
      deadlines_.erase({*item.deadline, item.id});
    by_connection_.erase(item.id);
  }
  mark_dirty(who);
  std::erase(pages_[who.page], &who);
  open_pages_.insert(who.page);
  order_.erase(who.joined);
  by_public_id_.erase(who.public_id);
  auto user = who.user;
  by_user_.erase(user);
}

void roster::add_connection(participant& who, connection added) {
  by_connection_.emplace(added.id, &who);
  if (added.deadline)
    deadlines_.emplace(*added.deadline, added.id);
  who.connections.push_back(std::move(added));
  mark_dirty(who);
}

void roster::remove_connection(participant& who, const connection_id& id) {
  auto& found = at(who, id);
  if (found.deadline)
    deadlines_.erase({*found.deadline, id});
  by_connection_.erase(id);
  std::erase_if(who.connections, [&](const auto& c) { return c.id == id; });
  mark_dirty(who);
}

connection& roster::at(participant& who, const connection_id& id) {
  auto found = std::find_if(who.connections.begin(), who.connections.end(),
                            [&](const auto& c) { return c.id == id; });
  assert(found != who.connections.end());
  return *found;
}

void roster::set_deadline(connection& target, std::optional<millis> deadline,
                          leave_reason reason) {
  if (target.deadline)
    deadlines_.erase({*target.deadline, target.id});
  target.deadline = deadline;
  target.reason = reason;
  if (deadline)
    deadlines_.emplace(*deadline, target.id);
}

std::optional<connection_id> roster::due(millis now) const {
  if (deadlines_.empty() || deadlines_.begin()->first > now)
    return std::nullopt;
  return deadlines_.begin()->second;
}

std::optional<millis> roster::next_deadline() const {
  if (deadlines_.empty())
    return std::nullopt;
  return deadlines_.begin()->first;
}

void roster::hold_others(const node_id& self, millis until) {
  std::vector<connection_id> early;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline >= until)
      break;
    if (at(*by_connection_.at(id), id).edge != self)
      early.push_back(id);
  }
  for (const auto& id : early) {
    auto& target = at(*by_connection_.at(id), id);
    set_deadline(target, until, target.reason);
  }
}

void roster::shift_deadlines(millis by) {
  std::set<std::pair<millis, connection_id>> shifted;
  for (const auto& [deadline, id] : deadlines_) {
    at(*by_connection_.at(id), id).deadline = deadline + by;
    shifted.emplace(deadline + by, id);
  }
  deadlines_ = std::move(shifted);
}

std::vector<roster_page> roster::take_pages(const session_key& session,
                                            version at) {
  std::vector<roster_page> out;
  for (auto number : dirty_) {
    roster_page page{session, number, at, {}};
    for (const auto* who : pages_[number])
      page.entries.push_back(entry_of(*who));
    out.push_back(std::move(page));
  }
  dirty_.clear();
  return out;
}

void roster::pages_lost(std::span<const std::uint32_t> numbers) {
  dirty_.insert(numbers.begin(), numbers.end());
}

std::vector<connection_facts> facts_of(const participant& who) {
  std::vector<connection_facts> out;
  bool any = false;
  for (const auto& item : who.connections) {
    any = any || item.facts != connection_facts{};
    out.push_back(item.facts);
  }
  if (!any)
    out.clear();
  return out;
}

participant_view view_of(const participant& who, const member_record* member) {
  participant_view out;
  out.participant = who.public_id;
  out.user = who.user;
  out.who = who.who;
  if (member != nullptr) {
    out.role = member->role;
    out.permissions = member->permissions;
  }
  out.state
    = who.shown_suspected ? presence_state::suspected : presence_state::online;
  if (who.shown_suspected)
    out.expires = who.shown_expires;
  out.since = who.since;
  out.joined = who.joined;
  out.connections = who.shown_connections;
  out.reconnections = who.reconnections;
  out.last_active = who.last_active;
  out.facts = who.shown_facts;
  for (const auto& [key, entry] : who.live)
    if (entry.value)
      out.live.emplace(key, *entry.value);
  return out;
}

} // namespace rollcall
