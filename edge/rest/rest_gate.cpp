#include "edge/rest/rest_gate.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/answer_encoder.hpp"
#include "edge/rest/lease_id.hpp"
#include "edge/rest/session_code.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>

#include <string>
#include <utility>

namespace rollcall::edge {

namespace {

/// A request under way. Answers once: at the latest when nobody holds it any
/// more, for nobody will answer then.
class open_request {
public:
  open_request(exchange open, http_responder respond)
    : open_(std::move(open)), respond_(std::move(respond)) {
    // nop
  }

  open_request(const open_request&) = delete;
  open_request& operator=(const open_request&) = delete;

  ~open_request() {
    answer(problem(fail(errc::unavailable, "the node is going down")));
  }

  void answer(http_response response) {
    if (auto respond = std::exchange(respond_, nullptr))
      respond(finish(open_, std::move(response)));
  }

  rest_call call;
  session_order order;
  identity caller;
  namespace_id ns;
  /// The connection it is about, where it is about one.
  connection_id lease;
  /// See command::about.
  std::uint64_t about = 0;
  /// How many session ids were drawn.
  std::uint32_t draws = 0;
  /// What the first order of a route brought whose second is under way.
  reply_ptr first;

private:
  exchange open_;
  http_responder respond_;
};

using open_request_ptr = std::shared_ptr<open_request>;
using env_ptr = std::shared_ptr<const rest_env>;

command_ptr make_command(const rest_env& env, const open_request& asked) {
  auto out = std::make_shared<command>();
  out->session = {asked.ns, asked.order.session};
  out->edge = env.self;
  out->connection = asked.lease;
  out->caller = asked.caller;
  out->op = asked.call.op;
  out->expected = asked.call.expected;
  out->about = asked.about;
  out->request = asked.call.request;
  out->body = asked.order.body;
  return out;
}

/// What is asked and by whom, for an Idempotency-Key that comes again.
std::uint64_t digest_of(const http_request& request,
                        const connection_state& who) {
  if (!request.header("Idempotency-Key") || who.token() == nullptr)
    return 0;
  std::string text;
  for (auto part : {std::string_view{request.method}, request.path(),
                    std::string_view{who.token()->user.str()},
                    std::string_view{request.body}}) {
    text += std::to_string(part.size()) + ':';
    text += part;
  }
  const auto digest = sha256(text);
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i)
    out = out << 8 | digest[i];
  return out;
}

/// The same refusal in the words of HTTP.
failure for_http(failure why) {
  if (why.field == "op_id")
    why.field = "Idempotency-Key";
  if (why.field == "expected")
    why.field = "If-Match";
  if (why.field == "after")
    why.field = "cursor";
  return why;
}

/// Puts a session id where the client left it to us.
void draw_session(const rest_env& env, open_request& asked) {
  ++asked.draws;
  asked.order.session = session_id{
    asked.call.op.empty()
      ? draw_session_code()
      : session_code_for(env.rules->id_secret, asked.ns, asked.caller.user,
                         asked.call.op, asked.draws)};
}

/// Names the leased connection that the order is about.
void name_lease(const rest_env& env, open_request& asked) {
  auto& order = asked.order;
  if (!order.device)
    return;
  asked.lease = make_lease_id(env.rules->id_secret, {asked.ns, order.session},
                              asked.caller.user, *order.device);
  if (auto* leave = std::get_if<leave_command>(&order.body))
    leave->lease = asked.lease;
  else if (auto* renewal = std::get_if<renew_command>(&order.body))
    renewal->lease = asked.lease;
}

/// Whoever asks is there. Nobody waits for the answer.
void renew_leases(const rest_env& env, const open_request& asked) {
  if (!asked.order.renews || asked.caller.user.empty())
    return;
  auto renewal = std::make_shared<command>(*make_command(env, asked));
  renewal->body = renew_command{};
  caf::anon_send(env.router, command_ptr{std::move(renewal)});
}

/// Takes the next order of a route that has one.
bool go_on(open_request& asked, const reply_ptr& answer) {
  if (asked.call.to->then == nullptr || asked.first != nullptr)
    return false;
  asked.first = answer;
  asked.order = asked.call.to->then(asked.call);
  return true;
}

/// What has had an effect is not refused for what may not be shown of it.
bool is_done(const open_request& asked, const failure& why) {
  return asked.first != nullptr && why.code == errc::forbidden;
}

http_response encode(const rest_env& env, const open_request& asked,
                     const reply& found) {
  return asked.call.to->encode(
    {asked.call, asked.order, asked.caller, found, env.clock().steady});
}

void ask(caf::event_based_actor* self, const env_ptr& env,
         const open_request_ptr& asked) {
  self->request(env->router, env->request_timeout, make_command(*env, *asked))
    .then(
      [self, env, asked](const reply_ptr& answer) {
        if (answer->ok() && go_on(*asked, answer)) {
          ask(self, env, asked);
          return;
        }
        if (answer->ok()) {
          asked->answer(encode(*env, *asked, answer->value()));
          return;
        }
        if (is_done(*asked, answer->error())) {
          asked->answer(encode(*env, *asked, asked->first->value()));
          return;
        }
        if (asked->draws != 0 && asked->draws < limits::session_draws
            && answer->error().code == errc::conflict
            && answer->error().field == "session") {
          draw_session(*env, *asked);
          ask(self, env, asked);
          return;
        }
        asked->answer(problem(for_http(answer->error())));
      },
      [asked](const caf::error&) {
        asked->answer(
          problem(fail(errc::unavailable, "the owner did not answer")));
      });
}

void ask_everywhere(caf::event_based_actor* self, const env_ptr& env,
                    const open_request_ptr& asked) {
  auto order = std::make_shared<gather_order>();
  order->ns = asked->ns;
  order->caller = asked->caller;
  order->request = asked->call.request;
  order->what = *asked->order.everywhere;
  self
    ->request(env->gather, env->gather_timeout,
              gather_order_ptr{std::move(order)})
    .then(
      [asked](const gathered_ptr& answer) {
        if (!answer->ok()) {
          asked->answer(problem(for_http(answer->error())));
          return;
        }
        if (auto encode = asked->call.to->gathered; encode != nullptr) {
          asked->answer(encode(answer->value()));
          return;
        }
        http_response out;
        out.content_type = "application/json";
        out.body
          = encode_outcome(dialect::json, namespace_ack{answer->value()});
        out.body += '\n';
        asked->answer(std::move(out));
      },
      [asked](const caf::error&) {
        asked->answer(
          problem(fail(errc::unavailable, "the partitions did not answer")));
      });
}

} // namespace

rest_gate::rest_gate(caf::actor_system& system, rest_env env)
  : system_(system),
    env_(std::make_shared<const rest_env>(std::move(env))),
    run_(random_u64()) {
  // nop
}

bool rest_gate::take(const std::shared_ptr<const http_request>& request,
                     http_responder respond) {
  if (!is_rest_path(request->path()))
    return false;
  connection_id name{run_, ++last_request_};
  auto open = open_exchange(env_->frame, *request, to_string(name));
  auto decided = admit(env_->frame, open, *request);
  auto asked
    = std::make_shared<open_request>(std::move(open), std::move(respond));
  if (auto* response = std::get_if<http_response>(&decided)) {
    asked->answer(std::move(*response));
    return true;
  }
  auto& admitted = std::get<admitted_call>(decided);
  connection_state who{env_->rules, name};
  if (!admitted.token.empty())
    if (auto known = who.identify(admitted.token, env_->clock().wall); !known) {
      asked->answer(problem(known.error()));
      return true;
    }
  if (auto local = admitted.call.to->local; local != nullptr) {
    auto answer = local(admitted.call,
                        {who.caller_for({}), who.ns(), env_->rules->id_secret});
    asked->answer(answer ? std::move(*answer) : problem(answer.error()));
    return true;
  }
  auto order = admitted.call.to->decode(admitted.call);
  if (!order) {
    asked->answer(problem(order.error()));
    return true;
  }
  asked->about = digest_of(*request, who);
  asked->call = std::move(admitted.call);
  asked->order = std::move(*order);
  asked->ns = who.ns();
  if (asked->call.to->draws_session && asked->order.session.empty()) {
    asked->caller = who.caller_for({});
    draw_session(*env_, *asked);
  }
  asked->caller = who.caller_for(asked->order.session, asked->call.code);
  name_lease(*env_, *asked);
  renew_leases(*env_, *asked);
  system_.spawn([env = env_, asked](caf::event_based_actor* self) {
    if (asked->order.everywhere)
      ask_everywhere(self, env, asked);
    else
      ask(self, env, asked);
  });
  return true;
}

} // namespace rollcall::edge
