// Rounds: what is asked of those present, and what they answer.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

failure no_such_round() {
  return fail(errc::not_found, "there is no such round", "round");
}

} // namespace

const std::string& session_state::role_of(const user_id& user) const {
  static const std::string none;
  const auto* known = member(user);
  return known != nullptr ? known->role : none;
}

participant_id session_state::id_of(const identity& caller) const {
  return caller.participant.empty() ? public_id(caller.user)
                                    : caller.participant;
}

// -- decided -----------------------------------------------------------------

std::optional<failure>
session_state::prepare_round(durable_op& op, const open_round_command& body,
                             instant now) {
  if (!rights_of(op.asked->caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not open rounds");
  if (rounds_.find(body.round) != nullptr)
    return fail(errc::conflict, "there is a round of that name", "round");
  if (rounds_.size() >= limits::rounds_per_session)
    return fail(errc::too_large, "the session has too many rounds", "round");
  if (auto good = check(body.rules.schema); !good)
    return good.error();
  if (auto good = check_answerable(body.rules.schema); !good)
    return good.error();
  if (body.rules.roles.size() > limits::roles_per_round)
    return fail(errc::bad_request, "has more than 8 roles", "roles");
  auto kept = *record_;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(
    round_record{key_, body.round, body.rules, now.wall, {}, kept.at});
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_close(durable_op& op, const close_round_command& body,
                             instant now) {
  if (!rights_of(op.asked->caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not close rounds");
  const auto* found = rounds_.find(body.round);
  if (found == nullptr)
    return no_such_round();
  if (found->record.closed_at)
    return fail(errc::conflict, "the round is closed", "round");
  auto kept = *record_;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  auto round = found->record;
  round.closed_at = now.wall;
  round.at = kept.at;
  op.records.emplace_back(std::move(round));
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_submission(durable_op& op, const submit_command& body,
                                  instant now) {
  const auto& caller = op.asked->caller;
  const auto* here = roster_.find(caller.user);
  if (here == nullptr)
    return fail(errc::forbidden, "only those present may answer", "session");
  if (!rights_of(caller).has(capability::publish))
    return fail(errc::forbidden, "the token does not allow to publish");
  const auto* found = rounds_.find(body.round);
  if (found == nullptr)
    return no_such_round();
  if (found->record.closed_at)
    return fail(errc::conflict, "the round is closed", "round");
  if (!rounds::eligible(found->record, role_of(caller.user)))
    return fail(errc::forbidden, "the round is not for your role", "round");
  const auto* old = rounds_.answer_of(body.round, here->public_id);
  if (old != nullptr && !found->record.rules.revise)
    return fail(errc::conflict, "you have answered already", "round");
  // Who may not be told who somebody is must not learn it by trying.
  bool by_user = shows_users(*op.asked);
  auto find
    = [&, this](std::string_view name) -> std::optional<participant_id> {
    if (const auto* who = roster_.find(participant_id{std::string{name}}))
      return who->public_id;
    user_id user{std::string{name}};
    if (!by_user && user != caller.user)
      return std::nullopt;
    if (const auto* who = roster_.find(user))
      return who->public_id;
    if (const auto* known = member(user))
      return public_id(known->user);
    return std::nullopt;
  };
  auto answer
    = validate(found->record.rules.schema, body.answer, here->public_id, find);
  if (!answer)
    return answer.error();
  auto more = rounds::growth_of(size_of(*answer), old);
  more += answers_coming_;
  if (auto room = rounds_.room_for(more); !room)
    return room.error();
  submission_record kept;
  kept.session = key_;
  kept.round = body.round;
  kept.user = caller.user;
  kept.answer = std::move(*answer);
  kept.when = now.wall;
  kept.at = at();
  if (old != nullptr) {
    kept.revisions = old->revisions + 1;
    kept.ops = old->ops;
  }
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

// -- effect ------------------------------------------------------------------

void session_state::apply_round(const round_record& kept) {
  bool fresh = rounds_.find(kept.name) == nullptr;
  rounds_.take(kept);
  if (fresh)
    for (const auto& [joined, who] : roster_.in_order())
      rounds_.enter(kept.name, who->public_id, role_of(who->user));
}

void session_state::apply_submission(const submission_record& kept) {
  auto* here = roster_.find(kept.user);
  if (here != nullptr)
    note_activity(*here, kept.when);
  rounds_.take(kept, here != nullptr ? here->public_id : public_id(kept.user),
               here != nullptr, role_of(kept.user));
}

// Answers are only ever added to what observers know: they start over by
// counts, which name nobody.
void session_state::forget_answers(const user_id& user) {
  const auto* here = roster_.find(user);
  auto id = here != nullptr ? here->public_id : public_id(user);
  publish_rounds();
  for (const auto& name : rounds_.forget(id, here != nullptr, role_of(user))) {
    auto now = rounds::view_of(*rounds_.find(name));
    round_at_.erase(name);
    auto counts = now;
    counts.progress = progress_policy::counts;
    counts.participants.clear();
    push_change(submission_change{std::move(counts)});
    if (now.progress == progress_policy::named)
      push_change(submission_change{std::move(now)});
  }
}

void session_state::recount_rounds() {
  rounds_.recount();
  for (const auto& [joined, who] : roster_.in_order())
    rounds_.enter(who->public_id, role_of(who->user));
  rounds_.forget_news();
}

// A round's news of one tick are one change, wherever in it they came.
void session_state::publish_rounds() {
  for (auto& news : rounds_.take_news()) {
    auto at = round_at_.find(news.name);
    if (at != round_at_.end()) {
      merge_news(std::get<submission_change>(changes_[at->second].body).round,
                 news);
      continue;
    }
    auto name = news.name;
    push_change(submission_change{std::move(news)});
    round_at_.emplace(std::move(name), changes_.size() - 1);
  }
}

// -- the question ------------------------------------------------------------

std::vector<participant_id>
session_state::answered_here(std::string_view round) const {
  std::vector<participant_id> out;
  for (const auto& [joined, who] : roster_.in_order())
    if (rounds_.answer_of(round, who->public_id) != nullptr)
      out.push_back(who->public_id);
  std::sort(out.begin(), out.end());
  return out;
}

result<reply> session_state::get_round(const command& asked,
                                       const get_round_command& body) const {
  const auto& caller = asked.caller;
  if (hidden_from(caller))
    return fail(errc::not_found, "there is no such session", "session");
  auto rights = rights_of(caller);
  bool moderates = rights.has(capability::moderate);
  if (!rights.has(capability::observe_roster)
      || (settings_.identity == identity_mode::count_only && !moderates))
    return fail(errc::forbidden, "rounds are not shown to you");
  const auto* found = rounds_.find(body.round);
  if (found == nullptr)
    return no_such_round();
  const auto& rules = found->record.rules;
  round_reply page;
  page.round = rounds::view_of(*found);
  page.schema = rules.schema;
  page.visible = moderates || rules.results == results_policy::live
                 || (rules.results == results_policy::after_close
                     && found->record.closed_at);
  bool named = moderates || settings_.identity == identity_mode::named;
  auto own = id_of(caller);
  auto limit = std::min<std::size_t>(body.limit, limits::answers_page);
  std::size_t bytes = 0;
  auto from = body.after ? found->answers.upper_bound(*body.after)
                         : found->answers.begin();
  for (; from != found->answers.end(); ++from) {
    const auto& [who, kept] = *from;
    if (!page.visible && who != own)
      continue;
    if (page.answers.size() == limit || bytes > limits::answers_page_bytes) {
      page.next = page.answers.back().participant;
      break;
    }
    bytes += size_of(kept.answer);
    page.answers.push_back({who, named ? kept.user : user_id{}, kept.answer,
                            kept.when, kept.revisions});
  }
  auto out = answer(ack_level::accepted);
  out.body = std::move(page);
  return out;
}

} // namespace rollcall
