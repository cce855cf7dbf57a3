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

session_key board_of(const onlooker_shell& s) {
  return s.state->key_of(s.seed.session);
}

const user_id& user_of(const onlooker_shell& s) {
  return s.state->token()->user;
}

void joined(onlooker_ptr self, const command& asked, const reply& answer) {
  auto& s = self->state;
  const auto& found = std::get<join_reply>(answer.body);
  if (!std::exchange(s.joined, true))
    s.env->seats->sit(board_of(s), user_of(s),
                      std::get<join_command>(asked.body).resumes,
                      s.env->clock().steady);
  s.lasts = found.settings.timeout;
  show(self, viewer_for(view::roster, found.rights, found.settings), answer.at);
}

void stand(onlooker_shell& s) {
  if (std::exchange(s.joined, false))
    s.env->seats->stand(board_of(s), user_of(s));
}

void end_lease(onlooker_ptr self) {
  auto& s = self->state;
  leave_command body;
  body.lease = s.seed.id;
  caf::anon_send(s.env->router, command_ptr{make_command(s, body)});
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

bool is_join(const command& asked) {
  return std::holds_alternative<join_command>(asked.body);
}

void answered(onlooker_ptr self, const command& asked, const reply& answer) {
  if (is_join(asked))
    joined(self, asked, answer);
  else if (std::holds_alternative<leave_command>(asked.body))
    stand(self->state);
  else if (std::holds_alternative<renew_command>(asked.body))
    tell_active(self);
}

/// The protocol's request with what only this side knows: which lease, which
/// one before, and how old.
command_body completed(const onlooker_shell& s, const session_request& asked,
                       millis said) {
  auto body = asked.body;
  if (auto* join = std::get_if<join_command>(&body); join && !s.joined)
    join->resumes = s.env->seats->left_behind(board_of(s), user_of(s));
  else if (auto* leave = std::get_if<leave_command>(&body))
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
  s.joining += is_join(*what) ? 1 : 0;
  auto ended = [self, what] {
    self->state.state->end_request();
    self->state.joining -= is_join(*what) ? 1 : 0;
  };
  self->request(s.env->router, s.env->request_timeout, what)
    .then(
      [self, what, ended](const reply_ptr& answer) {
        ended();
        if (answer->ok())
          answered(self, *what, answer->value());
        else
          deliver(self, encode_board_error(answer->error()));
      },
      [self, ended](const caf::error&) {
        ended();
        deliver(self, encode_board_error(
                        fail(errc::unavailable, "the session did not answer")));
      });
}

void take_board_removal(onlooker_ptr self, const removed_direct& why) {
  auto& s = self->state;
  stand(s);
  deliver(self, encode_board_left(s.state->participant(), why.reason,
                                  s.env->clock().wall));
  if (why.banned)
    close(self, close_code::banned);
  else if (why.reason == leave_reason::kicked)
    close(self, close_code::kicked);
}

void leave_board(onlooker_ptr self, bool goodbye) {
  auto& s = self->state;
  if (!s.joined && s.joining == 0)
    return;
  if (goodbye) {
    stand(s);
    end_lease(self);
    return;
  }
  auto now = s.env->clock().steady;
  // Another socket of the user's goes on: this lease would only outlive it.
  if (s.env->seats->lose(board_of(s), user_of(s), s.seed.id, s.joined, now,
                         now + s.lasts))
    end_lease(self);
}

} // namespace rollcall::edge
