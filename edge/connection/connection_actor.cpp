#include "edge/connection/connection_actor.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/connection/connection_shell.hpp"
#include "edge/net/frame_codec.hpp"
#include "edge/protocol/answer_encoder.hpp"
#include "edge/protocol/push_encoder.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <variant>

namespace rollcall::edge {

namespace {

using self_ptr = connection_ptr;

template <class Ack>
void acknowledge(self_ptr self, const request_id& id, const Ack& what) {
  if (wants_answer(id))
    deliver(self, encode_ack(self->state.language, id, what));
}

void refuse(self_ptr self, const request_id& id, const failure& why) {
  if (wants_answer(id))
    deliver(self, encode_error(self->state.language, id, why));
}

// -- who ---------------------------------------------------------------------

void welcome(self_ptr self, const request_id& id) {
  auto& s = self->state;
  auto now = s.env->clock();
  welcome_push out;
  out.re = id;
  out.connection = s.state->id();
  out.resume = s.state->resume_key();
  out.beat = s.env->beat;
  out.node = s.env->self.name;
  if (const auto* token = s.state->token()) {
    out.user = token->user;
    out.participant = s.state->participant();
    out.expires_in = later(token->expires_at - now.wall, millis{0});
  }
  out.frame_bytes = limits::frame_bytes;
  out.sessions = limits::attachments_per_connection;
  out.requests_per_second = s.env->requests_per_second;
  deliver(self, encode_welcome(s.language, out));
}

void wake_in(self_ptr self, millis delay) {
  auto& s = self->state;
  self->send(s.env->hub,
             wake_order{s.state->id(), s.env->clock().steady + delay});
}

void watch_expiry(self_ptr self) {
  auto& s = self->state;
  if (const auto* token = s.state->token())
    wake_in(self, later(token->expires_at - s.env->clock().wall, millis{0}));
}

void hello(self_ptr self, const request_id& id, const hello_request& body) {
  auto& s = self->state;
  if (body.token.empty()) {
    s.state->stay_anonymous();
  } else if (auto known = s.state->identify(body.token, s.env->clock().wall);
             !known) {
    refuse(self, id, known.error());
    close(self, known.error().code == errc::token_expired
                  ? close_code::token_expired
                  : close_code::unauthenticated);
    return;
  } else {
    watch_expiry(self);
  }
  if (!body.resume.empty())
    if (auto old = s.state->continue_from(body.resume); !old) {
      refuse(self, id, old.error());
      return;
    }
  welcome(self, id);
}

void refresh(self_ptr self, const request_id& id, const refresh_request& body) {
  auto& s = self->state;
  auto now = s.env->clock();
  if (s.state->token() == nullptr) {
    refuse(self, id, fail(errc::unauthenticated, "say hello first"));
    return;
  }
  if (auto known = s.state->identify(body.token, now.wall); !known) {
    refuse(self, id, known.error());
    return;
  }
  watch_expiry(self);
  acknowledge(self, id, refresh_ack{s.state->token()->expires_at - now.wall});
}

// -- where -------------------------------------------------------------------

void take_direct(self_ptr self, const direct& word);

// A new owner may not know yet of a join that the one before accepted; it is
// about to be told. That is no fault of the client's.
failure as_seen_here(const connection_shell& s, const command_ptr& asked,
                     const failure& why) {
  const auto& all = s.state->sessions();
  auto at = all.find(asked->session.id);
  if (why.code != errc::conflict || at == all.end() || !at->second.joined
      || (!std::holds_alternative<set_live_command>(asked->body)
          && !std::holds_alternative<set_ready_command>(asked->body)))
    return why;
  auto out = fail(errc::unavailable, "the session has a new owner");
  out.retry_after = millis{100};
  return out;
}

// Another edge may know what this one lacks. Where the client is in other
// sessions it goes on, and asks again.
void send_elsewhere(self_ptr self, const failure& why) {
  auto& s = self->state;
  if (why.code == errc::unavailable && why.field == behind_field
      && s.state->sessions().empty())
    close(self, close_code::overloaded);
}

// Asks the owner; `use` gets the reply if it is not a refusal, `refused`
// whether what was asked may happen all the same.
void ask(self_ptr self, const request_id& id, const command_ptr& asked,
         std::function<void(const reply&)> use,
         std::function<void(bool)> refused = {}) {
  auto& s = self->state;
  if (!s.state->begin_request()) {
    auto why = fail(errc::rate_limited, "too many unanswered requests");
    why.retry_after = millis{100};
    if (refused)
      refused(false);
    refuse(self, id, why);
    return;
  }
  self->request(s.env->router, s.env->request_timeout, asked)
    .then(
      [self, id, asked, use, refused](const reply_ptr& answer) {
        self->state.state->end_request();
        if (answer->ok()) {
          use(answer->value());
          return;
        }
        if (refused)
          refused(may_still_happen(answer->error()));
        refuse(self, id, as_seen_here(self->state, asked, answer->error()));
        send_elsewhere(self, answer->error());
      },
      [self, id, refused](const caf::error&) {
        self->state.state->end_request();
        if (refused)
          refused(true);
        refuse(self, id, fail(errc::unavailable, "the owner did not answer"));
      });
}

void attach(self_ptr self, const request_id& id, const attach_request& body) {
  auto& s = self->state;
  if (auto room = s.state->room_for(body.session); !room) {
    refuse(self, id, room.error());
    return;
  }
  auto asked = make_command(self, body.session, observe_command{body.hidden},
                            {}, {}, body.code);
  asked->seen = body.since;
  ask(self, id, asked, [self, id, body](const reply& answer) {
    const auto& found = std::get<observe_reply>(answer.body);
    if (body.wanted == view::roster
        && !found.rights.has(capability::observe_roster)) {
      refuse(
        self, id,
        fail(errc::forbidden, "the token does not allow this view", "view"));
      return;
    }
    auto who = viewer_for(body.wanted, found.rights, found.settings);
    acknowledge(self, id, attach_ack{body.session, granted_view(who)});
    order_attach(self, body.session, who, body.since, answer.at);
    auto& here = self->state.state->sessions()[body.session];
    here.hidden = body.hidden;
    here.code = body.code;
  });
}

void detach(self_ptr self, const request_id& id, const detach_request& body) {
  auto& s = self->state;
  auto at = s.state->sessions().find(body.session);
  if (at != s.state->sessions().end() && at->second.attached) {
    at->second.attached = false;
    order_detach(self, body.session);
    if (!at->second.joined)
      s.state->sessions().erase(at);
  }
  acknowledge(self, id, detach_ack{body.session});
}

void joined(self_ptr self, const session_request& body, std::uint64_t number,
            const reply& answer) {
  auto& s = self->state;
  const auto& found = std::get<join_reply>(answer.body);
  auto& here = s.state->sessions()[body.session];
  here.joined = true;
  here.admitted = found.admitted;
  here.facts = std::get<join_command>(body.body).facts;
  here.code = body.code;
  here.hidden = false;
  here.joined_by = std::max(here.joined_by, number);
  // An earlier try may have been refused after this one was sent.
  tell_stay(self, body.session, found.admitted.joined);
  s.env->sink->watch(s.client, s.state->id(), s.state->key_of(body.session),
                     found.settings.suspect_after);
  if (body.wanted)
    order_attach(self, body.session,
                 viewer_for(*body.wanted, found.rights, found.settings),
                 body.since, answer.at);
}

// Whether a join that was asked later has been answered: the owner passes a
// leave over, however late it comes, and a removal is of the stay before.
bool is_in_again(connection_shell& s, const session_id& session,
                 std::uint64_t left_by) {
  const auto& all = s.state->sessions();
  auto at = all.find(session);
  return at != all.end() && at->second.joined && at->second.joined_by > left_by;
}

// A view that asks for the caller's own rank: what a roster page may show is
// the owner's decision, taken before it answers.
constexpr viewer as_given{view::roster, audience::moderator,
                          identity_mode::named};

bool is_about_leases(const command_body& body) {
  if (const auto* join = std::get_if<join_command>(&body))
    return join->lease.has_value();
  if (const auto* leave = std::get_if<leave_command>(&body))
    return leave->lease.has_value();
  return std::holds_alternative<renew_command>(body);
}

// A leased connection is not this socket: nothing is watched or announced, and
// it goes on when the socket is gone.
void lease_op(self_ptr self, const request_id& id,
              const session_request& body) {
  std::optional<connection_id> made;
  if (std::holds_alternative<join_command>(body.body))
    made = connection_id{random_u64(), random_u64()};
  auto asked
    = make_command(self, body.session, body.body, body.op, made, body.code);
  asked->about = self->state.state->about(body);
  ask(self, id, asked, [self, id, body, made](const reply& answer) {
    acknowledge(self, id,
                session_ack{body.session, answer, as_given,
                            self->state.env->clock().steady, made});
  });
}

void session_op(self_ptr self, const request_id& id,
                const session_request& body) {
  auto& s = self->state;
  auto work = body.body;
  if (is_about_leases(work)) {
    lease_op(self, id, body);
    return;
  }
  if (auto* x = std::get_if<join_command>(&work)) {
    if (auto room = s.state->room_for(body.session); !room) {
      refuse(self, id, room.error());
      return;
    }
    x->resumes = s.state->resumes();
  }
  bool leaves = std::holds_alternative<leave_command>(work);
  bool joins = std::holds_alternative<join_command>(work);
  if (joins) {
    begin_join(self, body.session);
    s.joining[body.session].taken_back = false;
  } else if (auto at = s.joining.find(body.session);
             leaves && at != s.joining.end()) {
    at->second.taken_back = true;
  }
  auto asked
    = make_command(self, body.session, std::move(work), body.op, {}, body.code);
  asked->about = s.state->about(body);
  if (joins)
    asked->seen = body.since;
  ask(
    self, id, asked,
    [self, id, body, leaves, joins,
     number = asked->number](const reply& answer) {
      acknowledge(self, id,
                  session_ack{body.session, answer, as_given,
                              self->state.env->clock().steady});
      const auto* found = std::get_if<join_reply>(&answer.body);
      bool unwanted = joins && end_join(self, body.session);
      if (unwanted && found != nullptr)
        undo_join(self, body.session, found->settings.suspect_after);
      else if (found != nullptr)
        joined(self, body, number, answer);
      else if (leaves && !is_in_again(self->state, body.session, number))
        forget_session(self, body.session);
      quit_if_done(self);
    },
    [self, joins, session = body.session](bool in_doubt) {
      if (joins)
        (void)end_join(self, session);
      drop_join(self, session, joins && in_doubt);
      quit_if_done(self);
    });
}

// Asks all partitions. Rights count as far as the token gives them for every
// session.
void namespace_op(self_ptr self, const request_id& id,
                  const namespace_request& body) {
  auto& s = self->state;
  // There are few for all clients of the node.
  if (s.gathers >= limits::gathers_per_connection
      || !s.state->begin_request()) {
    auto why = fail(errc::rate_limited, "too many unanswered requests");
    why.retry_after = millis{100};
    refuse(self, id, why);
    return;
  }
  ++s.gathers;
  auto order = std::make_shared<gather_order>();
  order->ns = s.state->key_of(session_id{}).ns;
  order->caller = s.state->caller_for(session_id{});
  order->request
    = to_string(s.state->id()) + '-' + std::to_string(++s.requests);
  order->what = body.what;
  self
    ->request(s.env->gather, s.env->gather_timeout,
              gather_order_ptr{std::move(order)})
    .then(
      [self, id](const gathered_ptr& answer) {
        self->state.state->end_request();
        --self->state.gathers;
        if (answer->ok())
          acknowledge(self, id, namespace_ack{answer->value()});
        else
          refuse(self, id, answer->error());
      },
      [self, id](const caf::error&) {
        self->state.state->end_request();
        --self->state.gathers;
        refuse(self, id,
               fail(errc::unavailable, "the partitions did not answer"));
      });
}

void take_request(self_ptr self, const client_request& asked) {
  auto& s = self->state;
  if (s.closing)
    return;
  const auto& id = asked.id;
  if (const auto* greeting = std::get_if<hello_request>(&asked.body)) {
    hello(self, id, *greeting);
    return;
  }
  if (!s.state->greeted()) {
    refuse(self, id, fail(errc::unauthenticated, "say hello first"));
    return;
  }
  if (const auto* renewal = std::get_if<refresh_request>(&asked.body))
    refresh(self, id, *renewal);
  else if (const auto* wish = std::get_if<attach_request>(&asked.body))
    attach(self, id, *wish);
  else if (const auto* end = std::get_if<detach_request>(&asked.body))
    detach(self, id, *end);
  else if (std::holds_alternative<heartbeat_request>(asked.body))
    acknowledge(self, id, heartbeat_ack{});
  else if (s.state->token() == nullptr)
    refuse(self, id, fail(errc::unauthenticated, "a token is needed", "token"));
  else if (const auto* op = std::get_if<session_request>(&asked.body))
    session_op(self, id, *op);
  else if (const auto* all = std::get_if<namespace_request>(&asked.body))
    namespace_op(self, id, *all);
}

// The answer to a join that the edge has repeated.
void rejoined(self_ptr self, const session_id& session,
              const result<reply>& answer) {
  auto& s = self->state;
  bool unwanted = end_join(self, session);
  if (!answer.ok()) {
    drop_join(self, session, may_still_happen(answer.error()));
    if (s.gone || is_retryable(answer.error().code))
      return;
    direct word;
    word.session = s.state->key_of(session);
    word.body = removed_direct{leave_reason::edge_lost};
    take_direct(self, word);
    return;
  }
  const auto& all = s.state->sessions();
  auto at = all.find(session);
  const auto* found = std::get_if<join_reply>(&answer->body);
  if (found != nullptr && (unwanted || at == all.end() || !at->second.joined))
    undo_join(self, session, found->settings.suspect_after);
}

// An owner that knows of another stay has the last word.
void take_stay(self_ptr self, const command& asked, const reply& answer) {
  auto& all = self->state.state->sessions();
  auto at = all.find(asked.session.id);
  const auto* found = std::get_if<join_reply>(&answer.body);
  if (found == nullptr || at == all.end() || !at->second.joined
      || at->second.joined_by != asked.number)
    return;
  at->second.admitted = found->admitted;
  tell_stay(self, asked.session.id, found->admitted.joined);
}

// Its owner was lost before it kept the join, or missed that we are here.
void join_again(self_ptr self, const session_id& session) {
  auto& s = self->state;
  auto at = s.state->sessions().find(session);
  if (s.closing || at == s.state->sessions().end() || !at->second.joined)
    return;
  join_command body;
  body.admitted = at->second.admitted;
  body.facts = at->second.facts;
  auto asked = make_command(self, session, std::move(body));
  // A leave that the client has asked for since is still the later one.
  asked->number = at->second.joined_by;
  begin_join(self, session);
  self->request(s.env->router, s.env->request_timeout, command_ptr{asked})
    .then(
      [self, session, asked](const reply_ptr& answer) {
        if (answer->ok())
          take_stay(self, *asked, answer->value());
        rejoined(self, session, *answer);
        quit_if_done(self);
      },
      [self, session](const caf::error&) {
        (void)end_join(self, session);
        drop_join(self, session, true);
        quit_if_done(self);
      });
}

// What the session lets us do has changed, so may what we are shown.
void take_direct(self_ptr self, const direct& word) {
  auto& s = self->state;
  if (std::holds_alternative<recheck_direct>(word.body)) {
    recheck(self, word.session.id);
    return;
  }
  if (std::holds_alternative<unknown_direct>(word.body)) {
    join_again(self, word.session.id);
    return;
  }
  if (std::holds_alternative<reminder_direct>(word.body)) {
    deliver(self, encode_direct(s.language, word));
    return;
  }
  const auto& removed = std::get<removed_direct>(word.body);
  // It comes by another way than answers do.
  if (removed.joined_by != 0
      && is_in_again(s, word.session.id, removed.joined_by))
    return;
  forget_session(self, word.session.id);
  deliver(self, encode_direct(s.language, word));
  if (!s.state->sessions().empty())
    return;
  if (removed.banned)
    close(self, close_code::banned);
  else if (removed.reason == leave_reason::kicked)
    close(self, close_code::kicked);
  else if (removed.reason == leave_reason::replaced)
    close(self, close_code::replaced);
}

void take_wake(self_ptr self) {
  auto& s = self->state;
  if (!s.state->greeted()) {
    close(self, close_code::unauthenticated);
    return;
  }
  const auto* token = s.state->token();
  if (token == nullptr)
    return;
  if (token->expires_at <= s.env->clock().wall)
    close(self, close_code::token_expired);
  else
    watch_expiry(self);
}

void take_end(self_ptr self, client_gone end) {
  auto& s = self->state;
  if (s.gone)
    return;
  s.gone = end;
  s.closing = true;
  for (const auto& [session, where] : s.state->sessions()) {
    if (where.joined && end.goodbye)
      caf::anon_send(s.env->router,
                     command_ptr{make_command(self, session, leave_command{})});
    order_detach(self, session);
  }
  s.state->sessions().clear();
  for (const auto& session : std::set<session_id>{s.named})
    if (!s.joining.contains(session))
      tell_presence(self, session, false);
  quit_if_done(self);
}

inspection_ptr inspect(self_ptr self) {
  auto& s = self->state;
  auto out = std::make_shared<inspection>();
  out->actor = "connection";
  out->figures
    = {{"sessions", static_cast<std::int64_t>(s.state->sessions().size())},
       {"requests", static_cast<std::int64_t>(s.requests)}};
  out->waiting_for = s.state->greeted() ? "" : "hello";
  return out;
}

connection_actor::behavior_type
connection_behavior(self_ptr self, std::shared_ptr<const connection_env> env,
                    connection_seed seed) {
  auto& s = self->state;
  s.env = std::move(env);
  s.client = seed.client;
  s.language = seed.language;
  s.state = std::make_unique<connection_state>(s.env->rules, seed.id);
  connection_actor me = self;
  self->send(s.env->hub, seed.id, me);
  if (seed.token.empty()) {
    wake_in(self, limits::hello_timeout);
  } else if (s.state->identify(seed.token, s.env->clock().wall)) {
    watch_expiry(self);
    welcome(self, {});
  } else {
    close(self, close_code::unauthenticated);
  }
  return {
    [self](const client_request_ptr& asked) { take_request(self, *asked); },
    [self](const direct_ptr& word) { take_direct(self, *word); },
    [self](client_gone end) { take_end(self, end); },
    [self](atoms::wake) { take_wake(self); },
    [self](atoms::stop) { close(self, close_code::shutdown); },
    [self](atoms::inspect) { return inspect(self); },
  };
}

} // namespace

connection_actor spawn_connection(caf::actor_system& system,
                                  std::shared_ptr<const connection_env> env,
                                  connection_seed seed) {
  return system.spawn(connection_behavior, std::move(env), std::move(seed));
}

} // namespace rollcall::edge
