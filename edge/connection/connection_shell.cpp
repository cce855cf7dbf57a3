#include "edge/connection/connection_shell.hpp"

#include "edge/net/frame_codec.hpp"
#include "edge/protocol/push_encoder.hpp"

#include <caf/send.hpp>

#include <utility>

namespace rollcall::edge {

void deliver(connection_ptr self, const std::string& payload) {
  auto& s = self->state;
  s.env->sink->deliver(s.client, make_frame(s.language, payload));
}

void close(connection_ptr self, close_code code) {
  auto& s = self->state;
  if (s.closing)
    return;
  s.closing = true;
  s.env->sink->close(s.client, static_cast<std::uint16_t>(code),
                     to_string(code),
                     make_frame(s.language, encode_bye(s.language, code)));
}

std::shared_ptr<command>
make_command(connection_ptr self, const session_id& session, command_body body,
             op_id op, std::optional<connection_id> as, std::string code) {
  auto& s = self->state;
  auto out = std::make_shared<command>();
  out->session = s.state->key_of(session);
  out->edge = s.env->self;
  out->connection = as.value_or(s.state->id());
  out->caller = s.state->caller_for(session, std::move(code));
  out->op = std::move(op);
  out->number = ++s.requests;
  out->request = to_string(s.state->id()) + '-' + std::to_string(out->number);
  out->body = std::move(body);
  return out;
}

void order_attach(connection_ptr self, const session_id& session,
                  const viewer& who, std::optional<version> since,
                  version at_least, bool rights_changed) {
  auto& s = self->state;
  auto& here = s.state->sessions()[session];
  here.attached = true;
  here.shown = who;
  auto order = std::make_shared<attach_order>();
  order->session = s.state->key_of(session);
  order->client = s.client;
  order->language = s.language;
  order->wanted = who.wanted;
  order->rank = who.rank;
  order->shown = who.shown;
  order->since = since;
  order->at_least = at_least;
  order->connection = s.state->id();
  order->participant = s.state->participant();
  order->rights_changed = rights_changed;
  self->send(s.env->hub, attach_order_ptr{std::move(order)});
}

void order_detach(connection_ptr self, const session_id& session) {
  auto& s = self->state;
  auto order = std::make_shared<detach_order>();
  order->session = s.state->key_of(session);
  order->client = s.client;
  self->send(s.env->hub, detach_order_ptr{std::move(order)});
}

void tell_presence(connection_ptr self, const session_id& session,
                   bool joined) {
  auto& s = self->state;
  bool news
    = joined ? s.named.insert(session).second : s.named.erase(session) != 0;
  if (!news)
    return;
  bool in_doubt = !joined && s.in_doubt.erase(session) != 0;
  self->send(s.env->hub,
             std::make_shared<const presence_order>(presence_order{
               s.state->key_of(session), s.state->id(), joined, {}, in_doubt}));
}

// -- joins on their way ------------------------------------------------------

void begin_join(connection_ptr self, const session_id& session) {
  tell_presence(self, session, true);
  ++self->state.joining[session].count;
}

bool end_join(connection_ptr self, const session_id& session) {
  auto& s = self->state;
  auto at = s.joining.find(session);
  bool unwanted = at->second.taken_back || s.gone;
  if (--at->second.count == 0)
    s.joining.erase(at);
  return unwanted;
}

// A socket that was lost ends the stay as it would have ended it a moment
// later: the loop no longer knows the client, and reports it as closed.
void undo_join(connection_ptr self, const session_id& session,
               millis suspect_after) {
  auto& s = self->state;
  if (!s.gone || s.gone->goodbye) {
    leave_again(self, session);
    return;
  }
  s.env->sink->watch(s.client, s.state->id(), s.state->key_of(session),
                     suspect_after);
}

void drop_join(connection_ptr self, const session_id& session, bool in_doubt) {
  auto& s = self->state;
  if (in_doubt && s.named.contains(session))
    s.in_doubt.insert(session);
  const auto& all = s.state->sessions();
  auto at = all.find(session);
  bool stands = at != all.end() && at->second.joined;
  if (!s.gone && !stands && !s.joining.contains(session))
    tell_presence(self, session, false);
}

bool may_still_happen(const failure& why) noexcept {
  return why.code == errc::unavailable || why.code == errc::internal;
}

void quit_if_done(connection_ptr self) {
  auto& s = self->state;
  if (!s.gone || !s.joining.empty())
    return;
  for (const auto& session : std::set<session_id>{s.named})
    tell_presence(self, session, false);
  self->send(s.env->hub, s.state->id());
  self->quit();
}

void tell_stay(connection_ptr self, const session_id& session, version stay) {
  auto& s = self->state;
  s.named.insert(session);
  presence_order order{s.state->key_of(session), s.state->id(), true, stay};
  self->send(s.env->hub,
             std::make_shared<const presence_order>(std::move(order)));
}

void forget_session(connection_ptr self, const session_id& session) {
  auto& s = self->state;
  tell_presence(self, session, false);
  s.env->sink->watch(s.client, s.state->id(), s.state->key_of(session),
                     millis{0});
  if (s.state->sessions().erase(session) != 0)
    order_detach(self, session);
}

// An answer that was lost may let a join happen once more, after the leave.
void leave_again(connection_ptr self, const session_id& session) {
  caf::anon_send(self->state.env->router,
                 command_ptr{make_command(self, session, leave_command{})});
}

// -- what the client may see -------------------------------------------------

namespace {

// Without access there is nothing to see; that is no reason to close, but for a
// ban.
void cut_off(connection_ptr self, const session_id& session,
             const failure& why) {
  auto& s = self->state;
  auto at = s.state->sessions().find(session);
  if (at == s.state->sessions().end())
    return;
  if (at->second.joined)
    leave_again(self, session);
  direct word;
  word.session = s.state->key_of(session);
  word.body = removed_direct{leave_reason::kicked, why.code == errc::banned};
  forget_session(self, session);
  deliver(self, encode_direct(s.language, word));
  if (why.code == errc::banned && s.state->sessions().empty())
    close(self, close_code::banned);
}

/// How often an owner that cannot answer is asked again what we may see.
constexpr int recheck_tries = 3;

void recheck(connection_ptr self, const session_id& session, int tries) {
  auto& s = self->state;
  auto at = s.state->sessions().find(session);
  if (s.closing || at == s.state->sessions().end() || !at->second.attached
      || at->second.hidden)
    return;
  self
    ->request(s.env->router, s.env->request_timeout,
              command_ptr{make_command(self, session, observe_command{})})
    .then(
      [self, session, tries](const reply_ptr& answer) {
        auto& all = self->state.state->sessions();
        auto here = all.find(session);
        if (here == all.end() || !here->second.attached)
          return;
        if (!answer->ok()) {
          if (!is_retryable(answer->error().code))
            cut_off(self, session, answer->error());
          else if (tries > 1)
            recheck(self, session, tries - 1);
          return;
        }
        const auto& found = std::get<observe_reply>((*answer)->body);
        auto wanted = here->second.shown.wanted;
        if (wanted == view::roster
            && !found.rights.has(capability::observe_roster)) {
          cut_off(self, session, fail(errc::forbidden, "no view is left"));
          return;
        }
        auto who = viewer_for(wanted, found.rights, found.settings);
        if (canonical(who) != canonical(here->second.shown))
          order_attach(self, session, who, {}, (*answer)->at, true);
      },
      [self, session, tries](const caf::error&) {
        if (tries > 1)
          recheck(self, session, tries - 1);
      });
}

} // namespace

void recheck(connection_ptr self, const session_id& session) {
  recheck(self, session, recheck_tries);
}

} // namespace rollcall::edge
