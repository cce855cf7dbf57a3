#include "tests/support/session_harness.hpp"

#include "actors/base/hash.hpp"

namespace rollcall::test {

std::shared_ptr<const session_rules> make_rules() {
  auto rules = std::make_shared<session_rules>();
  rules->kinds.assign(preset_kinds().begin(), preset_kinds().end());
  rules->id_secret = test_secret;
  return rules;
}

void kept_records::keep(const std::vector<record>& records) {
  for (const auto& one : records)
    keep(one);
}

void kept_records::keep(const record& one) {
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

stored_session kept_records::stored() const {
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

session_harness::session_harness(session_key key) : key_(std::move(key)) {
  activate();
}

session_harness::session_harness(session_harness&&) noexcept = default;

session_harness&
session_harness::operator=(session_harness&&) noexcept = default;

session_harness::~session_harness() = default;

void session_harness::activate() {
  ++epoch;
  state = std::make_unique<session_state>(make_rules(), key_, epoch,
                                          kept.stored(), now);
}

command_ptr session_harness::make(const std::string& user,
                                  std::uint64_t connection, command_body body,
                                  std::string op) const {
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

result<reply> session_harness::run(const command_ptr& asked) {
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

result<reply> session_harness::run(const std::string& user,
                                   std::uint64_t connection, command_body body,
                                   std::string op) {
  return run(make(user, connection, std::move(body), std::move(op)));
}

result<reply> session_harness::create(std::string kind, settings_patch settings,
                                      const std::string& owner) {
  return run(owner, 9'999, create_command{std::move(kind), settings});
}

result<reply> session_harness::join(const std::string& user,
                                    std::uint64_t connection,
                                    std::optional<std::uint64_t> resumes) {
  join_command body;
  if (resumes)
    body.resumes = connection_id{7, *resumes};
  return run(user, connection, body);
}

void session_harness::notice(std::uint64_t connection, sign what, millis age) {
  evidence told;
  told.items.push_back({{7, connection}, what, age});
  state->handle(note{key_, edge, told}, now);
}

void session_harness::tell(note_body body) {
  state->handle(note{key_, edge, std::move(body)}, now);
}

void session_harness::advance(millis span, millis step) {
  auto end = now.steady + span;
  while (now.steady < end) {
    now = now + step;
    state->expire(now);
  }
}

void session_harness::pump(const result<position_t>& outcome) {
  while (auto batch = state->next_batch(now)) {
    if (outcome)
      kept.keep(batch->records);
    state->committed(batch->number, outcome, now);
  }
}

void session_harness::keep_pages() {
  auto records = state->take_pages();
  if (records.empty())
    return;
  kept.keep(records);
  state->pages_written(true);
}

std::vector<late_answer> session_harness::take_late() {
  return state->take_answers();
}

std::vector<change> session_harness::changes() {
  auto batch = state->take_batch();
  return batch ? batch->changes : std::vector<change>{};
}

snapshot session_harness::look() {
  (void)state->take_batch();
  return state->make_snapshot();
}

participant_id session_harness::id_of(const std::string& user) {
  return make_participant_id(test_secret, namespace_id{"default"},
                             user_id{user});
}

} // namespace rollcall::test
