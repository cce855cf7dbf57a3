// What a group says to its sessions: that they are to go, or that somebody is
// no member any more. It says so until nothing is left to do.

#include "actors/base/limits.hpp"
#include "cluster/partition_shell.hpp"

#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace rollcall::cluster {

namespace {

using promise = caf::typed_response_promise<reply_ptr>;

/// Sessions that are told at the same time.
constexpr std::size_t told_most = 64;

/// One step under way.
struct settling {
  partition_ptr self;
  promise answer;
  std::vector<session_key> sessions;
  /// What they are told. A session that only hears who is to leave need not
  /// be kept awake for it.
  command_body word;
  bool as_it_is = false;
  std::size_t next = 0;
  std::size_t in_flight = 0;
  settled_reply found{true, {}};
};

using settling_ptr = std::shared_ptr<settling>;

command_ptr word_for(const settling& step, const session_key& session) {
  auto out = std::make_shared<command>();
  out->session = session;
  out->edge = step.self->state.env.self;
  out->caller.grants = {capability::admin};
  out->body = step.word;
  return out;
}

void tell_more(const settling_ptr& step);

void told(const settling_ptr& step, const result<reply>& r) {
  --step->in_flight;
  const auto* here = r ? std::get_if<settled_reply>(&r->body) : nullptr;
  // What is gone by now has gone; what was deleted just now is looked for
  // once more.
  bool settled
    = here != nullptr ? here->settled : !r && r.error().code == errc::not_found;
  step->found.settled &= settled;
  tell_more(step);
}

void tell(const settling_ptr& step, const session_key& session) {
  auto self = step->self;
  ++step->in_flight;
  auto use = [step](const reply_ptr& r) { told(step, *r); };
  auto lost = [step](const caf::error&) {
    told(step, fail(errc::unavailable, "a session did not answer"));
  };
  auto at = self->state.slots.find(session);
  if (!step->as_it_is || at == self->state.slots.end()) {
    partition_actor me = self;
    self->request(me, limits::routed_patience, word_for(*step, session))
      .then(use, lost);
    return;
  }
  if (at->second.session) {
    self
      ->request(at->second.session, limits::routed_patience,
                word_for(*step, session))
      .then(use, lost);
    return;
  }
  --step->in_flight;
  step->found.settled = false;
}

void tell_more(const settling_ptr& step) {
  while (step->next < step->sessions.size() && step->in_flight < told_most)
    tell(step, step->sessions[step->next++]);
  if (step->in_flight > 0)
    return;
  step->answer.deliver(
    answer_with(step->self->state, step->found, ack_level::accepted));
}

using use_sessions
  = std::function<void(const settling_ptr&, const result<store_findings>&)>;

/// Asks the store for the group's sessions, for those with one of these
/// members or for all; `use` makes a step of them, which is then gone through.
void find_sessions(partition_ptr self, const command& asked, promise answer,
                   std::vector<user_id> members, use_sessions use) {
  const auto& body = std::get<settle_group_command>(asked.body);
  group_question question{self->state.env.partition, asked.session.ns,
                          body.group, body.after, std::move(members)};
  ask_history(self, std::move(question),
              [self, answer, use](const result<store_findings>& found) {
                auto step = std::make_shared<settling>();
                step->self = self;
                step->answer = answer;
                use(step, found);
                if (step->answer.pending())
                  tell_more(step);
              });
}

void delete_sessions(partition_ptr self, const command& asked, promise answer) {
  find_sessions(
    self, asked, std::move(answer), {},
    [](const settling_ptr& step, const result<store_findings>& found) {
      if (!found) {
        step->answer.deliver(refuse_with(found.error()));
        return;
      }
      const auto& those = std::get<found_sessions>(*found);
      step->word = delete_command{};
      step->found = {those.sessions.empty(), those.next};
      step->sessions = those.sessions;
    });
}

// Whoever is here, or looks on, keeps a session awake; a member may be
// nowhere. Those awake are told whatever the store says.
void put_out(partition_ptr self, const command_ptr& asked, promise answer) {
  const auto& body = std::get<settle_group_command>(asked->body);
  find_sessions(
    self, *asked, std::move(answer), body.removed,
    [asked](const settling_ptr& step, const result<store_findings>& found) {
      const auto& s = step->self->state;
      const auto& told = std::get<settle_group_command>(asked->body);
      std::set<session_key> sessions;
      step->word = told;
      step->as_it_is = true;
      step->found.settled
        = found.ok() && s.loading == 0 && s.to_activate.empty();
      if (found) {
        const auto& those = std::get<found_sessions>(*found);
        step->found.next = those.next;
        sessions.insert(those.sessions.begin(), those.sessions.end());
      }
      if (told.after.empty())
        for (const auto& [key, slot] : s.slots)
          if (key.ns == asked->session.ns && !is_group(key.id))
            sessions.insert(key);
      step->sessions.assign(sessions.begin(), sessions.end());
    });
}

} // namespace

void settle_group(partition_ptr self, const command_ptr& asked,
                  promise answer) {
  if (!asked->caller.grants.has(capability::admin))
    answer.deliver(refuse_with(fail(errc::forbidden, "groups alone say this")));
  else if (std::get<settle_group_command>(asked->body).deleted)
    delete_sessions(self, *asked, std::move(answer));
  else
    put_out(self, asked, std::move(answer));
}

} // namespace rollcall::cluster
