#include "actors/chronicle.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <set>

namespace rollcall {

namespace {

bool names(const record& one, const user_id& user) {
  if (const auto* closed = std::get_if<interval_record>(&one))
    return closed->user == user;
  const auto& entry = std::get<audit_record>(one);
  return entry.actor == user || entry.target == user;
}

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

} // namespace

version chronicle::next_number(version at) {
  last_ = std::max(at.rev, last_ + 1);
  return {at.epoch, last_};
}

void chronicle::add(interval_record closed) {
  waiting_.emplace_back(std::move(closed));
  bound();
}

void chronicle::add(audit_record entry) {
  waiting_.emplace_back(std::move(entry));
  bound();
}

void chronicle::bound() {
  if (waiting_.size() <= limits::history_waiting)
    return;
  waiting_.pop_front();
  ++lost_;
}

std::vector<record> chronicle::take() {
  auto count = std::min(waiting_.size(), limits::history_per_write);
  auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  in_flight_.assign(std::make_move_iterator(waiting_.begin()),
                    std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return in_flight_;
}

void chronicle::written(bool kept) {
  if (!kept)
    waiting_.insert(waiting_.begin(),
                    std::make_move_iterator(in_flight_.begin()),
                    std::make_move_iterator(in_flight_.end()));
  in_flight_.clear();
}

void chronicle::forget(const user_id& user) {
  auto named = [&](const record& one) { return names(one, user); };
  std::erase_if(waiting_, named);
  std::erase_if(in_flight_, named);
}

void chronicle::clear() {
  waiting_.clear();
  in_flight_.clear();
}

std::vector<interval_record> chronicle::unwritten_stays() const {
  std::vector<interval_record> out;
  auto add_from = [&](const auto& records) {
    for (const auto& one : records)
      if (const auto* closed = std::get_if<interval_record>(&one))
        out.push_back(*closed);
  };
  add_from(in_flight_);
  add_from(waiting_);
  return out;
}

std::string describe(const member_record& known) {
  std::string out;
  put(out, "role", known.role);
  for (const auto& name : known.permissions)
    put(out, "permission", name);
  return out;
}

std::string describe(const session_record& kept) {
  std::string out;
  const auto& set = kept.overrides;
  put(out, "kind", kept.kind);
  put_name(out, "membership", set.membership);
  put_name(out, "access", set.access);
  put_name(out, "host_policy", set.host);
  put_name(out, "identity", set.identity);
  put_name(out, "duplicates", set.duplicates);
  if (set.capacity)
    put(out, "capacity", std::to_string(*set.capacity));
  put_flag(out, "locked", set.locked);
  put_flag(out, "anonymous_views", set.anonymous_views);
  put_time(out, "beat_ms", set.beat);
  put_time(out, "suspect_after_ms", set.suspect_after);
  put_time(out, "timeout_ms", set.timeout);
  put_time(out, "drop_grace_ms", set.drop_grace);
  put_time(out, "host_reclaim_ms", set.host_reclaim);
  if (kept.appointed_host)
    put(out, "host", kept.appointed_host->str());
  if (kept.ended_at)
    put(out, "ended", *kept.ended_at == deleted ? "deleted" : "true");
  return out;
}

std::pair<std::string, std::string> changed_words(std::string_view before,
                                                  std::string_view after) {
  auto old_words = words_of(before);
  auto new_words = words_of(after);
  return {lacking(old_words, new_words), lacking(new_words, old_words)};
}

} // namespace rollcall
