#include "sim/client_model.hpp"

#include <utility>

namespace rollcall::sim {

namespace {

std::string text_of(const edge::value& of, const char* key) {
  const auto* found = of.find(key);
  const auto* text = found != nullptr ? found->get_if<std::string>() : nullptr;
  return text != nullptr ? *text : std::string{};
}

std::int64_t number_of(const edge::value& of, const char* key) {
  const auto* found = of.find(key);
  const auto* number
    = found != nullptr ? found->get_if<std::int64_t>() : nullptr;
  return number != nullptr ? *number : -1;
}

version version_of(const edge::value& of, const char* key) {
  const auto* found = of.find(key);
  const auto* pair
    = found != nullptr ? found->get_if<edge::value::array>() : nullptr;
  if (pair == nullptr || pair->size() != 2)
    return {};
  return {static_cast<epoch_t>(*(*pair)[0].get_if<std::int64_t>()),
          static_cast<revision_t>(*(*pair)[1].get_if<std::int64_t>())};
}

std::string plain(const edge::value& of) {
  if (const auto* x = of.get_if<std::int64_t>())
    return std::to_string(*x);
  if (const auto* x = of.get_if<std::string>())
    return *x;
  if (const auto* x = of.get_if<bool>())
    return *x ? "true" : "false";
  return {};
}

void overlay(std::map<std::string, std::string>& live, const edge::value* on) {
  const auto* keys = on != nullptr ? on->get_if<edge::value::map>() : nullptr;
  if (keys == nullptr)
    return;
  for (const auto& [key, content] : *keys) {
    if (content.is_null())
      live.erase(key);
    else
      live[key] = plain(content);
  }
}

} // namespace

client_model::row client_model::row_of(const edge::value& who) const {
  row out;
  out.known_since = now_;
  out.user = text_of(who, "user");
  out.role = text_of(who, "role");
  out.state = text_of(who, "state");
  out.connections = number_of(who, "connections");
  overlay(out.live, who.find("live"));
  return out;
}

void client_model::take(const edge::value& push, millis now) {
  now_ = now;
  if (text_of(push, "push") == "snapshot")
    take_snapshot(push);
  else
    take_changes(push);
  fresh_ = false;
}

void client_model::reconnect(bool resumes) {
  fresh_ = true;
  if (!resumes) {
    ready_ = false;
    at_ = {};
  }
}

void client_model::take_snapshot(const edge::value& push) {
  auto at = version_of(push, "at");
  if (ready_ && at < at_) {
    if (fresh_ && push.find("stale") == nullptr)
      ++older;
    else
      complain("a snapshot (" + text_of(push, "why") + ") goes back to "
               + std::to_string(at.epoch) + '/' + std::to_string(at.rev));
  }
  auto before = text();
  bool same = ready_ && at == at_;
  ready_ = true;
  at_ = at;
  rows_.clear();
  host_ = text_of(push, "host");
  for (const auto& who :
       *push.find("participants")->get_if<edge::value::array>())
    if (!rows_.emplace(text_of(who, "participant_id"), row_of(who)).second)
      complain("somebody is in a snapshot twice");
  take_counts(push, "a snapshot");
  if (same && before != text())
    complain("a snapshot differs from what was folded: [" + before + "] ["
             + text() + ']');
}

void client_model::take_changes(const edge::value& push) {
  if (!ready_) {
    complain("changes without anything to change");
    return;
  }
  if (version_of(push, "from") != at_) {
    complain("changes from elsewhere");
    return;
  }
  auto to = version_of(push, "to");
  if (to < at_)
    complain("changes go back");
  at_ = to;
  for (const auto& one : *push.find("changes")->get_if<edge::value::array>())
    take_change(one);
  take_counts(push, "changes");
  for (auto& loss : losses)
    loss.back = rows_.contains(loss.participant);
}

void client_model::take_change(const edge::value& one) {
  auto type = text_of(one, "type");
  if (type == "joined") {
    take_joined(one);
  } else if (type == "left") {
    auto id = text_of(one, "participant_id");
    if (const auto* who = known(one, "leaves")) {
      losses.push_back(
        {id, text_of(one, "reason"), at_, who->known_since, false});
      rows_.erase(id);
    }
    take_counts(one, "a leave");
  } else if (type == "suspected") {
    if (auto* who = known(one, "is suspected"))
      who->state = "suspected";
  } else if (type == "resumed") {
    if (auto* who = known(one, "is back"))
      who->state = "online";
  } else if (type == "live") {
    if (auto* who = known(one, "has live state"))
      overlay(who->live, one.find("live"));
  } else if (type == "connection") {
    if (auto* who = known(one, "has connections"))
      who->connections = number_of(one, "connections");
  } else if (type == "member") {
    auto who = rows_.find(text_of(one, "participant_id"));
    if (who != rows_.end())
      who->second.role = text_of(one, "role");
  } else if (type == "host") {
    host_ = text_of(one, "host");
  }
}

void client_model::take_joined(const edge::value& one) {
  const auto& who = *one.find("participant");
  if (!rows_.emplace(text_of(who, "participant_id"), row_of(who)).second)
    complain("somebody who is here joins");
  take_counts(one, "a join");
}

void client_model::take_counts(const edge::value& message, const char* where) {
  if (number_of(message, "present") != static_cast<std::int64_t>(rows_.size()))
    complain(std::string{"the count in "} + where + " differs from the roster");
  total_ = number_of(message, "total");
  if (total_ < number_of(message, "present"))
    complain(std::string{"the total in "} + where + " is below the count");
}

client_model::row* client_model::known(const edge::value& one,
                                       const char* what) {
  auto at = rows_.find(text_of(one, "participant_id"));
  if (at != rows_.end())
    return &at->second;
  complain(std::string{"somebody unknown "} + what);
  return nullptr;
}

void client_model::complain(const std::string& what) {
  complaints.push_back(what + " (at " + std::to_string(at_.epoch) + '/'
                       + std::to_string(at_.rev) + ')');
}

std::string client_model::text() const {
  std::string out = "host " + host_ + " total " + std::to_string(total_);
  for (const auto& [id, who] : rows_) {
    out += "; " + who.user + ' ' + who.role + ' ' + who.state + ' '
           + std::to_string(who.connections);
    for (const auto& [key, content] : who.live)
      out += ' ' + key + '=' + content;
  }
  return out;
}

} // namespace rollcall::sim
