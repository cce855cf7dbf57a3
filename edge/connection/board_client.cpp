#include "edge/connection/board_client.hpp"

#include "actors/base/limits.hpp"
#include "edge/net/frame_codec.hpp"
#include "edge/protocol/board_words.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace rollcall::edge {

namespace {

void deliver(onlooker_ptr self, const std::string& payload) {
  auto& s = self->state;
  s.env->sink->deliver(s.seed.client, make_frame(dialect::json, payload));
}

// Not even its own word on who it is.
bool is_from(const onlooker_shell& s, const std::string& claims) {
  return claims == s.state->participant().str()
         || claims == s.state->token()->user.str();
}

void joined(onlooker_ptr self, const reply& answer) {
  auto& s = self->state;
  const auto& found = std::get<join_reply>(answer.body);
  s.joined = true;
  show(self, viewer_for(view::roster, found.rights, found.settings), answer.at);
}

// Clients of that system take whoever was not active for long for gone, and a
// beat is activity to them.
void tell_active(onlooker_ptr self) {
  auto& s = self->state;
  auto now = s.env->clock().steady;
  if (s.active_told && now < *s.active_told + limits::activity_every)
    return;
  s.active_told = now;
  caf::anon_send(s.env->router,
                 command_ptr{make_command(s, set_live_command{})});
}

/// The protocol's request with what only this side knows: which lease, and how
/// old.
command_body completed(const onlooker_shell& s, const session_request& asked,
                       millis said) {
  auto body = asked.body;
  if (auto* leave = std::get_if<leave_command>(&body))
    leave->lease = s.seed.id;
  else if (auto* renew = std::get_if<renew_command>(&body))
    renew->lease = s.seed.id;
  else if (auto* live = std::get_if<set_live_command>(&body))
    live->age = std::clamp(s.env->clock().wall - said, millis{0},
                           limits::live_backdate);
  return body;
}

} // namespace

void take_board_message(onlooker_ptr self, const client_request& asked) {
  auto& s = self->state;
  if (s.closing)
    return;
  if (s.state->token() == nullptr) {
    deliver(self, encode_board_error(
                    fail(errc::unauthenticated, "a token is needed")));
    return;
  }
  if (!is_from(s, asked.claims)) {
    deliver(self,
            encode_board_error(
              fail(errc::forbidden, "you may speak for yourself alone", "id")));
    return;
  }
  if (!s.state->begin_request()) {
    auto why = fail(errc::rate_limited, "too many unanswered requests");
    why.retry_after = millis{100};
    deliver(self, encode_board_error(why));
    return;
  }
  const auto* request = std::get_if<session_request>(&asked.body);
  if (request == nullptr) {
    ask_to_see(self, true);
    return;
  }
  command_ptr what = make_command(s, completed(s, *request, asked.said));
  self->request(s.env->router, s.env->request_timeout, what)
    .then(
      [self, what](const reply_ptr& answer) {
        auto& mine = self->state;
        mine.state->end_request();
        if (!answer->ok())
          deliver(self, encode_board_error(answer->error()));
        else if (std::holds_alternative<join_command>(what->body))
          joined(self, answer->value());
        else if (std::holds_alternative<leave_command>(what->body))
          mine.joined = false;
        else if (std::holds_alternative<renew_command>(what->body))
          tell_active(self);
      },
      [self](const caf::error&) {
        self->state.state->end_request();
        deliver(self, encode_board_error(
                        fail(errc::unavailable, "the session did not answer")));
      });
}

void take_board_removal(onlooker_ptr self, const removed_direct& why) {
  auto& s = self->state;
  s.joined = false;
  deliver(self, encode_board_left(s.state->participant(), why.reason,
                                  s.env->clock().wall));
  if (why.banned)
    close(self, close_code::banned);
  else if (why.reason == leave_reason::kicked)
    close(self, close_code::kicked);
}

void leave_board(onlooker_ptr self, bool goodbye) {
  auto& s = self->state;
  if (!s.joined || !goodbye)
    return;
  leave_command body;
  body.lease = s.seed.id;
  caf::anon_send(s.env->router, command_ptr{make_command(s, body)});
}

} // namespace rollcall::edge
