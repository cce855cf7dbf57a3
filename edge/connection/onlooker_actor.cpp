#include "edge/connection/onlooker_actor.hpp"

#include "edge/connection/board_client.hpp"
#include "edge/connection/onlooker_shell.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace rollcall::edge {

namespace {

/// Well below the leases that pages without a heartbeat get.
constexpr millis renew_every{5 * 60'000};

using self_ptr = onlooker_ptr;

close_code code_for(const failure& why) noexcept {
  switch (why.code) {
  case errc::not_found:
    return close_code::not_found;
  case errc::banned:
    return close_code::banned;
  case errc::token_expired:
    return close_code::token_expired;
  case errc::unavailable:
  case errc::rate_limited:
  case errc::internal:
    return close_code::overloaded;
  default:
    return close_code::unauthenticated;
  }
}

} // namespace

void close(onlooker_ptr self, close_code code) {
  auto& s = self->state;
  if (std::exchange(s.closing, true))
    return;
  s.env->sink->close(s.seed.client, static_cast<std::uint16_t>(code),
                     to_string(code), nullptr);
}

std::shared_ptr<command> make_command(onlooker_shell& s, command_body body) {
  auto out = std::make_shared<command>();
  out->session = s.state->key_of(s.seed.session);
  out->edge = s.env->self;
  out->connection = s.seed.id;
  out->caller = s.state->caller_for(s.seed.session);
  out->number = ++s.requests;
  out->request = to_string(s.seed.id) + '-' + std::to_string(out->number);
  out->body = std::move(body);
  return out;
}

void show(onlooker_ptr self, const viewer& who, version at_least) {
  auto& s = self->state;
  if (s.closing)
    return;
  s.shown = who;
  auto order = std::make_shared<attach_order>();
  order->session = s.state->key_of(s.seed.session);
  order->client = s.seed.client;
  order->wanted = who.wanted;
  order->rank = who.rank;
  order->shown = who.shown;
  order->at_least = at_least;
  order->words = s.seed.words;
  order->connection = s.seed.id;
  order->participant = s.state->participant();
  s.attached = true;
  self->send(s.env->hub, attach_order_ptr{std::move(order)});
}

namespace {

void attach(self_ptr self, const reply& answer, bool again) {
  auto& s = self->state;
  const auto& found = std::get<observe_reply>(answer.body);
  bool board = s.seed.words == vocabulary::board;
  if (board && !found.rights.has(capability::observe_roster)) {
    close(self, close_code::unauthenticated);
    return;
  }
  auto who = viewer_for(board ? view::roster : view::events, found.rights,
                        found.settings);
  if (again || !s.attached || canonical(who) != canonical(s.shown))
    show(self, who, answer.at);
}

// While it stands, so does what its user leased over HTTP.
void take_turn(self_ptr self) {
  auto& s = self->state;
  const auto* token = s.state->token();
  if (token == nullptr || s.closing)
    return;
  auto now = s.env->clock();
  if (token->expires_at <= now.wall) {
    close(self, close_code::token_expired);
    return;
  }
  // Those of a board beat themselves.
  if (s.seed.words == vocabulary::stream)
    caf::anon_send(s.env->router,
                   command_ptr{make_command(s, renew_command{})});
  auto next = std::min(token->expires_at - now.wall, renew_every);
  self->send(s.env->hub, wake_order{s.seed.id, now.steady + next});
}

} // namespace

void ask_to_see(onlooker_ptr self, bool again) {
  auto& s = self->state;
  self
    ->request(s.env->router, s.env->request_timeout,
              command_ptr{make_command(s, observe_command{})})
    .then(
      [self, again](const reply_ptr& answer) {
        if (again)
          self->state.state->end_request();
        if (answer->ok())
          attach(self, answer->value(), again);
        else
          close(self, code_for(answer->error()));
      },
      [self, again](const caf::error&) {
        if (again)
          self->state.state->end_request();
        close(self, close_code::overloaded);
      });
}

namespace {

void take_direct(self_ptr self, const direct& word) {
  auto& s = self->state;
  // What it may see may have changed.
  if (std::holds_alternative<recheck_direct>(word.body) && s.attached)
    ask_to_see(self, false);
  else if (const auto* removed = std::get_if<removed_direct>(&word.body);
           removed != nullptr && s.seed.words == vocabulary::board)
    take_board_removal(self, *removed);
}

void take_message(self_ptr self, const client_request& asked) {
  if (self->state.seed.words == vocabulary::board)
    take_board_message(self, asked);
}

void take_end(self_ptr self, bool goodbye) {
  auto& s = self->state;
  leave_board(self, goodbye);
  if (s.attached) {
    auto order = std::make_shared<detach_order>();
    order->session = s.state->key_of(s.seed.session);
    order->client = s.seed.client;
    self->send(s.env->hub, detach_order_ptr{std::move(order)});
  }
  self->send(s.env->hub, s.seed.id);
  self->quit();
}

inspection_ptr inspect(const onlooker_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = "onlooker";
  out->figures = {{"sessions", s.attached ? 1 : 0}};
  out->waiting_for = s.attached || s.closing ? "" : "the owner";
  return out;
}

connection_actor::behavior_type
onlooker_behavior(self_ptr self, std::shared_ptr<const connection_env> env,
                  onlooker_seed seed) {
  auto& s = self->state;
  s.env = std::move(env);
  s.seed = std::move(seed);
  s.state = std::make_unique<connection_state>(s.env->rules, s.seed.id);
  connection_actor me = self;
  self->send(s.env->hub, s.seed.id, me);
  result<done> known = done{};
  if (!s.seed.token.empty())
    known
      = s.state->identify(std::exchange(s.seed.token, {}), s.env->clock().wall);
  if (known) {
    take_turn(self);
    if (s.seed.words == vocabulary::stream)
      ask_to_see(self, false);
  } else {
    close(self, code_for(known.error()));
  }
  return {
    [self](const client_request_ptr& asked) { take_message(self, *asked); },
    [self](const direct_ptr& word) { take_direct(self, *word); },
    [self](client_gone end) { take_end(self, end.goodbye); },
    [self](atoms::wake) { take_turn(self); },
    [self](atoms::stop) { close(self, close_code::shutdown); },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

connection_actor spawn_onlooker(caf::actor_system& system,
                                std::shared_ptr<const connection_env> env,
                                onlooker_seed seed) {
  return system.spawn(onlooker_behavior, std::move(env), std::move(seed));
}

} // namespace rollcall::edge
