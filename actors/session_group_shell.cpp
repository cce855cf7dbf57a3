// What a session asks its group, and what a group tells every partition.

#include "actors/base/limits.hpp"
#include "actors/session_shell.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace rollcall {

namespace {

/// How long one partition may take for one step of what it is told.
constexpr millis step_patience{15'000};

/// A refusal that a member of the session's group would not get; or that who
/// made the session, and may see it, may not enter it.
bool hangs_on_group(const command& asked, const result<reply>& outcome) {
  if (outcome)
    return std::holds_alternative<observe_command>(asked.body);
  switch (outcome.error().code) {
  case errc::not_found:
  case errc::not_invited:
  case errc::forbidden:
    return true;
  default:
    return false;
  }
}

command_ptr question_for(const session_shell& s, const command& asked,
                         const std::string& group) {
  auto out = std::make_shared<command>();
  out->session = {s.key.ns, place_of_group(group)};
  out->edge = asked.edge;
  // What a token allows elsewhere is not what makes a member.
  out->caller.user = asked.caller.user;
  out->caller.grants = default_grants;
  out->request = asked.request;
  out->body = get_group_command{};
  return out;
}

/// A command that waits for the group's word.
struct waiting_question {
  open_command what;
  /// What it is answered with if the user is no member.
  result<reply> otherwise;
  std::string group;
  std::uint32_t tries = 0;
};

using waiting_question_ptr = std::shared_ptr<waiting_question>;

void ask_group(session_ptr self, const waiting_question_ptr& question);

void give_up(session_ptr self, const waiting_question_ptr& question) {
  auto& outcome = question->otherwise;
  // Nobody is told for good what is not known.
  if (!outcome) {
    auto why = fail(errc::unavailable, "the group did not answer");
    why.retry_after = millis{1'000};
    outcome = why;
  }
  question->what.answer.deliver(share(outcome));
  settle(self);
}

void take_word(session_ptr self, const waiting_question_ptr& question,
               const result<reply>& word) {
  if (!word && word.error().code != errc::not_found) {
    give_up(self, question);
    return;
  }
  const auto* found = word ? std::get_if<group_reply>(&word->body) : nullptr;
  if (found == nullptr || !found->member) {
    question->what.answer.deliver(share(question->otherwise));
    settle(self);
    return;
  }
  auto again = std::make_shared<command>(*question->what.asked);
  again->caller.vouched = question->group;
  carry_out(self, {again, question->what.answer});
}

/// Whether the answer came too late to count.
bool end_wait(session_shell& s, std::uint64_t number) {
  auto at = s.at_group.find(number);
  bool overtaken = at->second.overtaken;
  s.at_group.erase(at);
  return overtaken;
}

void ask_group(session_ptr self, const waiting_question_ptr& question) {
  auto& s = self->state;
  if (s.at_group.size() >= limits::group_questions
      || question->tries++ >= limits::group_tries) {
    give_up(self, question);
    return;
  }
  const auto& asked = *question->what.asked;
  auto number = ++s.last_question;
  s.at_group.emplace(number, group_wait{asked.caller.user});
  self
    ->request(s.env.router, limits::group_patience,
              question_for(s, asked, question->group))
    .then(
      [self, question, number](const reply_ptr& word) {
        if (end_wait(self->state, number))
          ask_group(self, question);
        else
          take_word(self, question, *word);
      },
      [self, question, number](const caf::error&) {
        (void)end_wait(self->state, number);
        give_up(self, question);
      });
}

// -- telling -----------------------------------------------------------------

/// One round through all partitions.
struct telling {
  session_ptr self;
  settle_group_command word;
  partition_id next = 0;
  std::size_t in_flight = 0;
  bool settled = true;
};

using telling_ptr = std::shared_ptr<telling>;

command_ptr word_for(const session_shell& s, settle_group_command word) {
  auto out = std::make_shared<command>();
  out->session.ns = s.key.ns;
  out->caller.grants = {capability::admin};
  out->body = std::move(word);
  return out;
}

void tell_more(const telling_ptr& round);

void tell(const telling_ptr& round, partition_id partition, session_id after) {
  auto self = round->self;
  auto word = round->word;
  word.partition = partition;
  word.after = std::move(after);
  self
    ->request(self->state.env.router, step_patience,
              word_for(self->state, std::move(word)))
    .then(
      [round, partition](const reply_ptr& r) {
        const auto* step
          = r->ok() ? std::get_if<settled_reply>(&(*r)->body) : nullptr;
        round->settled &= step != nullptr && step->settled;
        if (step != nullptr && !step->next.empty()) {
          tell(round, partition, step->next);
          return;
        }
        --round->in_flight;
        tell_more(round);
      },
      [round](const caf::error&) {
        round->settled = false;
        --round->in_flight;
        tell_more(round);
      });
}

void tell_more(const telling_ptr& round) {
  auto self = round->self;
  auto& s = self->state;
  while (round->next < s.env.partitions
         && round->in_flight < limits::group_told_at_once) {
    ++round->in_flight;
    tell(round, round->next++, {});
  }
  if (round->in_flight > 0 || s.gone)
    return;
  s.state->told_everywhere(round->settled, s.env.clock());
  settle(self);
}

} // namespace

void answer_or_ask(session_ptr self, open_command what, result<reply> outcome) {
  auto& s = self->state;
  if (s.env.router && hangs_on_group(*what.asked, outcome))
    if (auto group = s.state->group_to_ask(what.asked->caller)) {
      ask_group(self,
                std::make_shared<waiting_question>(waiting_question{
                  std::move(what), std::move(outcome), std::move(*group)}));
      return;
    }
  what.answer.deliver(share(std::move(outcome)));
}

void overtake_questions(session_shell& s, const settle_group_command& told) {
  for (auto& [number, wait] : s.at_group)
    if (std::find(told.removed.begin(), told.removed.end(), wait.user)
        != told.removed.end())
      wait.overtaken = true;
}

void tell_partitions(session_ptr self) {
  auto& s = self->state;
  if (!s.env.router || s.gone || s.leaving)
    return;
  auto word = s.state->take_telling(s.env.clock());
  if (!word)
    return;
  auto round = std::make_shared<telling>();
  round->self = self;
  round->word = std::move(*word);
  tell_more(round);
}

} // namespace rollcall
