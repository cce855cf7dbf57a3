#include "actors/audit_words.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <set>

namespace rollcall {

namespace {

std::set<std::string_view> words_of(std::string_view text) {
  std::set<std::string_view> out;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    if (end > 0)
      out.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string lacking(const std::set<std::string_view>& from,
                    const std::set<std::string_view>& other) {
  std::string out;
  for (auto word : from) {
    if (other.contains(word))
      continue;
    if (out.size() + word.size() + 1 > limits::audit_text_bytes)
      break;
    if (!out.empty())
      out += ' ';
    out += word;
  }
  return out;
}

void put(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty())
    out += ' ';
  out.append(name).append("=");
  // A word is a word: nothing in a value may end it.
  for (char c : value)
    out += c == ' ' ? '_' : c;
}

// Ids are told apart by more than what `put` leaves of them.
std::string spelled(const user_id& user) {
  std::string out;
  for (char c : user.str())
    if (c == ' ')
      out += "%20";
    else if (c == '_')
      out += "%5F";
    else if (c == '%')
      out += "%25";
    else
      out += c;
  return out;
}

template <class Name>
void put_name(std::string& out, std::string_view name,
              const std::optional<Name>& value) {
  if (value)
    put(out, name, to_string(*value));
}

void put_flag(std::string& out, std::string_view name,
              std::optional<bool> value) {
  if (value)
    put(out, name, *value ? "true" : "false");
}

void put_time(std::string& out, std::string_view name,
              std::optional<millis> value) {
  if (value)
    put(out, name, std::to_string(value->count()));
}

void put_number(std::string& out, std::string_view name,
                std::optional<std::uint32_t> value) {
  if (value)
    put(out, name, std::to_string(*value));
}

void put_text(std::string& out, std::string_view name,
              const std::optional<std::string>& value) {
  if (value)
    put(out, name, *value);
}

void put_settings(std::string& out, const settings_patch& set) {
  put_name(out, "membership", set.membership);
  put_name(out, "access", set.access);
  put_name(out, "host_policy", set.host);
  put_name(out, "identity", set.identity);
  put_name(out, "duplicates", set.duplicates);
  put_number(out, "capacity", set.capacity);
  put_flag(out, "locked", set.locked);
  put_flag(out, "anonymous_views", set.anonymous_views);
  put_time(out, "beat_ms", set.beat);
  put_time(out, "suspect_after_ms", set.suspect_after);
  put_time(out, "timeout_ms", set.timeout);
  put_time(out, "drop_grace_ms", set.drop_grace);
  put_time(out, "host_reclaim_ms", set.host_reclaim);
  put_text(out, "group", set.group);
  if (set.roles)
    for (const auto& role : *set.roles)
      put(out, "admits", role);
  put_text(out, "default_role", set.default_role);
  put_flag(out, "gated_media", set.gated_media);
  put_number(out, "live_rate", set.live_rate);
  put_number(out, "live_burst", set.live_burst);
  put_flag(out, "own_names", set.own_names);
}

void put_course(std::string& out, const session_record& kept) {
  const auto& phase = kept.phase;
  if (!phase.name.empty())
    put(out, "phase", phase.name);
  if (!phase.status.empty())
    put(out, "status", phase.status);
  put_time(out, "phase_until", phase.until);
  if (!phase.next.empty())
    put(out, "next_phase", phase.next);
  if (!kept.barrier)
    return;
  put(out, "barrier", kept.barrier->name);
  put_time(out, "barrier_until", kept.barrier->until);
  if (kept.barrier->opened_at)
    put(out, "opened", kept.barrier->timed_out ? "late" : "ready");
}

} // namespace

std::string describe(const member_record& known) {
  std::string out;
  put(out, "role", known.role);
  for (const auto& name : known.permissions)
    put(out, "permission", name);
  // Names of people are for those who see the roster.
  if (known.own_name)
    put(out, "own_name", "true");
  if (known.remind.enabled)
    put_time(out, "remind_ms", known.remind.lead);
  return out;
}

std::string describe(const session_record& kept) {
  std::string out;
  if (kept.group)
    put(out, "name", kept.group->name);
  else
    put(out, "kind", kept.kind);
  put_settings(out, kept.overrides);
  put_time(out, "starts_at", kept.starts_at);
  if (kept.appointed_host)
    put(out, "host", spelled(*kept.appointed_host));
  put_course(out, kept);
  if (kept.ended_at)
    put(out, "ended", *kept.ended_at == deleted ? "deleted" : "true");
  return out;
}

std::string describe(const ban_record& ban) {
  std::string out;
  put(out, "banned", "true");
  put_time(out, "until", ban.until);
  if (!ban.reason.empty())
    put(out, "reason", ban.reason);
  return out;
}

std::string describe(const round_record& round) {
  std::string out;
  put(out, "open", round.closed_at ? "false" : "true");
  put(out, "results", to_string(round.rules.results));
  put(out, "progress", to_string(round.rules.progress));
  put(out, "revise", round.rules.revise ? "true" : "false");
  for (const auto& role : round.rules.roles)
    put(out, "role", role);
  return out;
}

bool names_user(std::string_view words, const user_id& user) {
  std::string wanted;
  put(wanted, "host", spelled(user));
  // As entries were written before ids were spelled.
  std::string early;
  put(early, "host", user.str());
  auto all = words_of(words);
  return all.contains(wanted) || all.contains(early);
}

std::string subject_of(const record& one) {
  std::string out;
  if (const auto* round = std::get_if<round_record>(&one))
    put(out, "round", round->name);
  return out;
}

std::pair<std::string, std::string> changed_words(std::string_view before,
                                                  std::string_view after) {
  auto old_words = words_of(before);
  auto new_words = words_of(after);
  return {lacking(old_words, new_words), lacking(new_words, old_words)};
}

} // namespace rollcall
