#include "actors/base/limits.hpp"
#include "cluster/partition_shell.hpp"

#include <utility>

namespace rollcall::cluster {

void tell_node(const partition_shell& s, partition_word::kind what,
               bool journal_away) {
  if (s.env.tell)
    s.env.tell({s.env.partition, what, s.epoch, journal_away});
}

reply_ptr refusal(errc code, const char* message) {
  return std::make_shared<const result<reply>>(fail(code, message));
}

namespace {

// Where others may own the partition, whoever asked may ask them.
reply_ptr refusal_of_leaving(const partition_shell& s) {
  return std::make_shared<const result<reply>>(
    fail(errc::unavailable, "the node is shutting down",
         s.env.tell ? not_owner_field : ""));
}

} // namespace

void refuse(waiting_item& item, errc code, const char* message) {
  if (auto* x = std::get_if<waiting_command>(&item))
    x->answer.deliver(refusal(code, message));
}

void refuse_leaving(const partition_shell& s, waiting_item& item) {
  if (auto* x = std::get_if<waiting_command>(&item))
    x->answer.deliver(refusal_of_leaving(s));
}

namespace {

void refuse_waiting(partition_ptr self) {
  auto& s = self->state;
  for (auto& item : std::exchange(s.before_open, {}))
    refuse_leaving(s, item);
  for (auto& [key, from] : s.slots)
    for (auto& item : std::exchange(from.queue, {}))
      refuse_leaving(s, item);
}

} // namespace

void end_sessions(partition_ptr self) {
  for (auto& [key, from] : self->state.slots)
    if (from.session)
      self->send_exit(from.session, caf::exit_reason::kill);
}

void quit_when_empty(partition_ptr self) {
  auto& s = self->state;
  if (s.shutting_down && s.slots.empty())
    self->quit();
}

void shut_down(partition_ptr self) {
  auto& s = self->state;
  s.shutting_down = true;
  refuse_waiting(self);
  for (auto at = s.slots.begin(); at != s.slots.end();) {
    auto& session = at->second.session;
    if (session)
      self->send_exit(session, caf::exit_reason::user_shutdown);
    at = session ? std::next(at) : s.slots.erase(at);
  }
  quit_when_empty(self);
}

// A word from the sessions would only contradict the owner in force.
void yield(partition_ptr self) {
  self->state.shutting_down = true;
  refuse_waiting(self);
  end_sessions(self);
  self->quit();
}

namespace {

void set_free(partition_ptr self, position_t position) {
  auto& s = self->state;
  auto word = std::make_shared<partition_transfer>();
  word->partition = s.env.partition;
  word->epoch = s.epoch;
  word->sessions = s.given;
  word->position = position;
  s.env.sessions.bus->send(*s.heir, partition_transfer_ptr{std::move(word)});
  end_sessions(self);
  self->quit();
}

void given_one(partition_ptr self) {
  auto& s = self->state;
  if (--s.to_give > 0)
    return;
  self
    ->request(s.env.sessions.store, limits::session_gives_within,
              atoms::where::value, s.env.partition)
    .then(
      [self](const followed_ptr& at) {
        set_free(self, *at ? (*at)->position : 0);
      },
      [self](const caf::error&) { set_free(self, 0); });
}

} // namespace

void give_up(partition_ptr self, const node_id& heir) {
  auto& s = self->state;
  if (s.shutting_down)
    return;
  s.shutting_down = true;
  s.heir = heir;
  refuse_waiting(self);
  // One more than there are sessions: it ends here if there is none.
  s.to_give = 1;
  for (auto& [key, from] : s.slots) {
    if (from.at != session_slot::phase::active)
      continue;
    ++s.to_give;
    self
      ->request(from.session, limits::session_gives_within,
                atoms::hand_over::value)
      .then(
        [self](const session_transfer_ptr& all) {
          auto& st = self->state;
          st.env.sessions.bus->send(*st.heir, all);
          ++st.given;
          given_one(self);
        },
        [self](const caf::error&) { given_one(self); });
  }
  given_one(self);
}

} // namespace rollcall::cluster
