#pragma once

// Drives a session_state without CAF: builds commands, plays the store, folds
// what observers would see.

#include "actors/base/hash.hpp"
#include "actors/session_state.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::test {

inline constexpr const char* test_secret = "0123456789abcdef0123456789abcdef";

inline std::shared_ptr<const session_rules> make_rules() {
  auto rules = std::make_shared<session_rules>();
  rules->kinds.assign(preset_kinds().begin(), preset_kinds().end());
  rules->id_secret = test_secret;
  return rules;
}

inline session_key make_key(std::string id = "s1") {
  return {namespace_id{"default"}, session_id{std::move(id)}};
}

/// Keeps what a session asks to be kept, as the real store would give it back.
class kept_records {
public:
  void keep(const std::vector<record>& records) {
    for (const auto& one : records)
      keep(one);
  }

  void keep(const record& one) {
    if (const auto* session = std::get_if<session_record>(&one))
      session_ = *session;
    else if (const auto* known = std::get_if<member_record>(&one))
      members_[known->user] = *known;
    else if (const auto* erased = std::get_if<member_erased>(&one))
      members_.erase(erased->user);
    else if (const auto* ban = std::get_if<ban_record>(&one))
      bans_[ban->user] = *ban;
    else if (const auto* lifted = std::get_if<ban_erased>(&one))
      bans_.erase(lifted->user);
    else if (const auto* page = std::get_if<roster_page>(&one))
      pages_[page->number] = *page;
    else if (const auto* stay = std::get_if<interval_record>(&one))
      stays_[{stay->user, stay->joined}] = *stay;
    else if (const auto* entry = std::get_if<audit_record>(&one))
      audit_[entry->at] = *entry;
    else if (const auto* mark = std::get_if<occupied_mark>(&one))
      occupied_ = mark->occupied;
    else if (const auto* round = std::get_if<round_record>(&one))
      rounds_[round->name] = *round;
    else if (const auto* answer = std::get_if<submission_record>(&one))
      answers_[{answer->round, answer->user}] = *answer;
    else if (const auto* event = std::get_if<event_record>(&one))
      events_[event->at] = *event;
    else if (const auto* old = std::get_if<event_erased>(&one))
      events_.erase(old->at);
    else if (const auto* due = std::get_if<due_mark>(&one))
      due_ = due->at;
    else if (std::holds_alternative<session_erased>(one))
      *this = {};
  }

  [[nodiscard]] stored_session stored() const {
    stored_session out;
    out.session = session_;
    for (const auto& [user, known] : members_)
      out.members.push_back(known);
    for (const auto& [number, page] : pages_)
      if (!page.entries.empty())
        out.pages.push_back(page);
    for (const auto& [user, ban] : bans_)
      out.bans.push_back(ban);
    std::map<user_id, std::uint32_t> visits;
    for (const auto& [key, stay] : stays_)
      ++visits[key.first];
    out.departed.assign(visits.begin(), visits.end());
    for (const auto& [name, round] : rounds_)
      out.rounds.push_back(round);
    for (const auto& [key, answer] : answers_)
      out.submissions.push_back(answer);
    for (const auto& [at, entry] : events_)
      out.events.emplace_back(at, entry.when);
    out.due = due_;
    return out;
  }

  /// When the session wants to be activated without demand, in wall time.
  [[nodiscard]] std::optional<millis> due() const {
    return due_;
  }

  [[nodiscard]] const std::map<version, event_record>& events() const {
    return events_;
  }

  [[nodiscard]] bool occupied() const {
    return occupied_;
  }

  [[nodiscard]] const auto& stays() const {
    return stays_;
  }

  [[nodiscard]] const auto& audit() const {
    return audit_;
  }

private:
  std::optional<session_record> session_;
  std::map<user_id, member_record> members_;
  std::map<std::uint32_t, roster_page> pages_;
  std::map<user_id, ban_record> bans_;
  std::map<std::pair<user_id, version>, interval_record> stays_;
  std::map<version, audit_record> audit_;
  std::map<std::string, round_record> rounds_;
  std::map<std::pair<std::string, user_id>, submission_record> answers_;
  std::map<version, event_record> events_;
  std::optional<millis> due_;
  bool occupied_ = false;
};

/// One session under test, with a clock and a store at hand.
class session_harness {
public:
  explicit session_harness(session_key key = make_key())
    : key_(std::move(key)) {
    activate();
  }

  /// A new owner takes over: only what was kept survives.
  void activate() {
    ++epoch;
    state = std::make_unique<session_state>(make_rules(), key_, epoch,
                                            kept.stored(), now);
  }

  command_ptr make(const std::string& user, std::uint64_t connection,
                   command_body body, std::string op = {}) const {
    auto out = std::make_shared<command>();
    out->session = key_;
    out->edge = edge;
    out->connection = {7, connection};
    out->caller.user = user_id{user};
    out->caller.who.name = user;
    out->caller.participant = id_of(user);
    out->caller.grants = grants;
    out->op = op_id{std::move(op)};
    out->body = std::move(body);
    return out;
  }

  /// Runs a command to its end; the store answers at once.
  result<reply> run(const command_ptr& asked) {
    auto outcome = state->handle(asked, now);
    result<reply> answer = fail(errc::internal, "no answer");
    if (auto* direct_answer = std::get_if<result<reply>>(&outcome))
      answer = *direct_answer;
    pump();
    if (auto* waiting = std::get_if<ticket>(&outcome))
      for (auto& late : take_late())
        if (late.to == *waiting)
          answer = late.answer;
    return answer;
  }

  result<reply> run(const std::string& user, std::uint64_t connection,
                    command_body body, std::string op = {}) {
    return run(make(user, connection, std::move(body), std::move(op)));
  }

  /// Creates the session as `owner`.
  result<reply> create(std::string kind, settings_patch settings = {},
                       const std::string& owner = "owner") {
    return run(owner, 9'999, create_command{std::move(kind), settings});
  }

  result<reply> join(const std::string& user, std::uint64_t connection,
                     std::optional<std::uint64_t> resumes = {}) {
    join_command body;
    if (resumes)
      body.resumes = connection_id{7, *resumes};
    return run(user, connection, body);
  }

  void notice(std::uint64_t connection, sign what, millis age = {}) {
    evidence told;
    told.items.push_back({{7, connection}, what, age});
    state->handle(note{key_, edge, told}, now);
  }

  void tell(note_body body) {
    state->handle(note{key_, edge, std::move(body)}, now);
  }

  /// Lets time pass in small steps, doing what falls due.
  void advance(millis span, millis step = millis{100}) {
    auto end = now.steady + span;
    while (now.steady < end) {
      now = now + step;
      state->expire(now);
    }
  }

  /// Commits what waits; `outcome` is the journal's word on all of it.
  void pump(const result<position_t>& outcome = position_t{1}) {
    while (auto batch = state->next_batch(now)) {
      if (outcome)
        kept.keep(batch->records);
      state->committed(batch->number, outcome, now);
    }
  }

  void keep_pages() {
    auto records = state->take_pages();
    if (records.empty())
      return;
    kept.keep(records);
    state->pages_written(true);
  }

  std::vector<late_answer> take_late() {
    return state->take_answers();
  }

  /// The changes since the last call, as one list.
  std::vector<change> changes() {
    auto batch = state->take_batch();
    return batch ? batch->changes : std::vector<change>{};
  }

  snapshot look() {
    (void)state->take_batch();
    return state->make_snapshot();
  }

  static participant_id id_of(const std::string& user) {
    return make_participant_id(test_secret, namespace_id{"default"},
                               user_id{user});
  }

  const session_key& key() const {
    return key_;
  }

  instant now{millis{1'000'000}, millis{1'700'000'000'000}};
  epoch_t epoch = 0;
  node_id edge{"node1", 1};
  capability_set grants = default_grants | capability_set{capability::create};
  kept_records kept;
  std::unique_ptr<session_state> state;

private:
  session_key key_;
};

template <class T>
const T* find_change(const std::vector<change>& changes) {
  for (const auto& one : changes)
    if (const auto* body = std::get_if<T>(&one.body))
      return body;
  return nullptr;
}

template <class T>
std::size_t count_changes(const std::vector<change>& changes) {
  std::size_t count = 0;
  for (const auto& one : changes)
    count += std::holds_alternative<T>(one.body) ? 1 : 0;
  return count;
}

} // namespace rollcall::test
