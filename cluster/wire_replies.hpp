#pragma once

// What sessions answer, on the wire.

#include "actors/replies.hpp"
#include "cluster/wire_past.hpp"
#include "cluster/wire_rounds.hpp"

namespace rollcall::cluster::wire {

// clang-format off
template <> struct tag<history_reply> { static constexpr int value = 40; };
template <> struct tag<audit_reply>   { static constexpr int value = 41; };
template <> struct tag<list_reply>    { static constexpr int value = 42; };
template <> struct tag<erase_reply>   { static constexpr int value = 43; };
template <> struct tag<join_reply>    { static constexpr int value = 2; };
template <> struct tag<roster_reply>  { static constexpr int value = 3; };
template <> struct tag<observe_reply> { static constexpr int value = 4; };
template <> struct tag<round_reply>   { static constexpr int value = 5; };
template <> struct tag<renew_reply>   { static constexpr int value = 20; };
template <> struct tag<leave_reply>   { static constexpr int value = 70; };
template <> struct tag<course_reply>  { static constexpr int value = 23; };
template <> struct tag<members_reply> { static constexpr int value = 21; };
template <> struct tag<bans_reply>    { static constexpr int value = 22; };
template <> struct tag<group_reply>   { static constexpr int value = 65; };
template <> struct tag<settled_reply> { static constexpr int value = 66; };
// clang-format on

template <class Io>
void fields(Io& io, part<Io, join_reply>& value) {
  auto& [participant, settings, admitted, rights, lease] = value;
  tuple<Io> in{io, 5, 1, "join"};
  id(io, participant, "participant");
  fields(io, settings);
  fields(io, admitted);
  fields(io, rights);
  if (in.has_next())
    maybe(io, lease, [&io](auto& x) { io.time(x, "lease"); });
}

template <class Io>
void fields(Io& io, part<Io, renew_reply>& value) {
  auto& [lease] = value;
  tuple<Io> in{io, 1, "renew"};
  io.time(lease, "lease");
}

template <class Io>
void fields(Io& io, part<Io, roster_reply>& value) {
  auto& [participants, next] = value;
  tuple<Io> in{io, 2, "roster"};
  list(io, participants, limits::participants_per_session, "participants",
       [&io](auto& x) { fields(io, x); });
  maybe(io, next, [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, observe_reply>& value) {
  auto& [settings, rights, ended, host, created, member, here, changed,
         starts_at]
    = value;
  tuple<Io> in{io, 9, 7, "observe"};
  fields(io, settings);
  fields(io, rights);
  if (in.has_next())
    io.flag(ended, "ended");
  if (in.has_next())
    maybe(io, host, [&io](auto& x) { id(io, x, "host"); });
  if (in.has_next())
    io.time(created, "created");
  if (in.has_next())
    io.flag(member, "member");
  if (in.has_next())
    io.flag(here, "here");
  if (in.has_next())
    fields(io, changed);
  if (in.has_next())
    some_time(io, starts_at, "starts_at");
}

template <class Io>
void fields(Io& io, part<Io, leave_reply>& value) {
  auto& [participant, leaves] = value;
  tuple<Io> in{io, 2, "leave"};
  id(io, participant, "participant");
  number(io, leaves, "leaves");
}

template <class Io>
void fields(Io& io, part<Io, answer_view>& value) {
  auto& [participant, user, answer, when, revisions] = value;
  tuple<Io> in{io, 5, "answers"};
  id(io, participant, "participant");
  id(io, user, "user");
  fields(io, answer);
  io.time(when, "when");
  number(io, revisions, "revisions");
}

template <class Io>
void fields(Io& io, part<Io, round_reply>& value) {
  auto& [round, rules, visible, answers, next] = value;
  tuple<Io> in{io, 5, "round"};
  fields(io, round);
  schema(io, rules);
  io.flag(visible, "visible");
  list(io, answers, limits::answers_page, "answers",
       [&io](auto& x) { fields(io, x); });
  maybe(io, next, [&io](auto& x) { id(io, x, "next"); });
}

template <class Io>
void fields(Io& io, part<Io, reminder_view>& value) {
  auto& [enabled, lead] = value;
  tuple<Io> in{io, 2, "remind"};
  io.flag(enabled, "enabled");
  io.time(lead, "lead");
}

template <class Io>
void fields(Io& io, part<Io, member_view>& value) {
  auto& [participant, user, who, role, allowed, status, admitted_at, changed,
         remind]
    = value;
  tuple<Io> in{io, 9, 2, "members"};
  id(io, participant, "participant");
  id(io, user, "user");
  fields(io, who);
  io.text(role, limits::name_bytes, "role");
  permissions(io, allowed);
  name(io, status, member_status::removed, "status");
  io.time(admitted_at, "admitted_at");
  if (in.has_next())
    fields(io, changed);
  if (in.has_next())
    maybe(io, remind, [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, course_reply>& value) {
  auto& [starts_at, phase, barrier, rounds, participants] = value;
  tuple<Io> in{io, 5, "course"};
  some_time(io, starts_at, "starts_at");
  fields(io, phase);
  maybe(io, barrier, [&io](auto& x) { fields(io, x); });
  list(io, rounds, limits::rounds_per_session, "rounds",
       [&io](auto& x) { fields(io, x); });
  list(io, participants, limits::roster_page_items, "participants",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, members_reply>& value) {
  auto& [members, next] = value;
  tuple<Io> in{io, 2, "members"};
  list(io, members, limits::roster_page_items, "members",
       [&io](auto& x) { fields(io, x); });
  id(io, next, "next");
}

template <class Io>
void fields(Io& io, part<Io, ban_view>& value) {
  auto& [participant, user, until, by, when, reason] = value;
  tuple<Io> in{io, 6, "bans"};
  id(io, participant, "participant");
  id(io, user, "user");
  maybe(io, until, [&io](auto& x) { io.time(x, "until"); });
  id(io, by, "by");
  io.time(when, "when");
  io.text(reason, limits::reason_bytes, "reason");
}

template <class Io>
void fields(Io& io, part<Io, bans_reply>& value) {
  auto& [bans, next] = value;
  tuple<Io> in{io, 2, "bans"};
  list(io, bans, limits::roster_page_items, "bans",
       [&io](auto& x) { fields(io, x); });
  id(io, next, "next");
}

template <class Io>
void fields(Io& io, part<Io, group_reply>& value) {
  auto& [called, creator, created_at, is_member, role, created] = value;
  tuple<Io> in{io, 6, "group"};
  io.text(called, limits::id_bytes, "name");
  id(io, creator, "created_by");
  io.time(created_at, "created_at");
  io.flag(is_member, "is_member");
  io.text(role, limits::name_bytes, "role");
  io.flag(created, "created");
}

template <class Io>
void fields(Io& io, part<Io, settled_reply>& value) {
  auto& [settled, next] = value;
  tuple<Io> in{io, 2, "settled"};
  io.flag(settled, "settled");
  id(io, next, "next");
}

template <class Io>
void fields(Io& io, part<Io, reply>& value) {
  auto& [level, at, present, total, body] = value;
  tuple<Io> in{io, 5, "reply"};
  name(io, level, ack_level::committed, "level");
  fields(io, at);
  number(io, present, "present");
  number(io, total, "total");
  choice(io, body, "reply");
}

template <class Io>
void fields(Io& io, part<Io, failure>& value) {
  auto& [code, message, field, retry_after] = value;
  tuple<Io> in{io, 4, "failure"};
  name(io, code, errc::precondition_failed, "code");
  if constexpr (Io::reading)
    if (code == errc{})
      io.refuse(errc::bad_request, "is not a code", "code");
  io.text(message, limits::failure_bytes, "message");
  io.text(field, limits::failure_bytes, "field");
  maybe(io, retry_after, [&io](auto& x) { io.time(x, "retry_after"); });
}

/// `[ok, reply or failure]`.
template <class Io>
void fields(Io& io, part<Io, result<reply>>& value) {
  tuple<Io> in{io, 2, "answer"};
  bool good = value.ok();
  io.flag(good, "answer");
  if constexpr (Io::reading) {
    if (good) {
      fields(io, *value);
    } else {
      failure why;
      fields(io, why);
      value = result<reply>{std::move(why)};
    }
  } else if (good) {
    fields(io, *value);
  } else {
    fields(io, value.error());
  }
}

} // namespace rollcall::cluster::wire
