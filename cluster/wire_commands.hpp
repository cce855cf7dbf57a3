#pragma once

// What sessions are asked, told and answer, on the wire.

#include "actors/commands.hpp"
#include "actors/notes.hpp"
#include "cluster/wire_past.hpp"
#include "cluster/wire_replies.hpp"
#include "cluster/wire_rounds.hpp"

namespace rollcall::cluster::wire {

// clang-format off
template <> struct tag<join_command>          { static constexpr int value = 1; };
template <> struct tag<leave_command>         { static constexpr int value = 2; };
template <> struct tag<set_live_command>      { static constexpr int value = 3; };
template <> struct tag<get_roster_command>    { static constexpr int value = 4; };
template <> struct tag<observe_command>       { static constexpr int value = 5; };
template <> struct tag<create_command>        { static constexpr int value = 6; };
template <> struct tag<configure_command>     { static constexpr int value = 7; };
template <> struct tag<end_command>           { static constexpr int value = 8; };
template <> struct tag<set_member_command>    { static constexpr int value = 9; };
template <> struct tag<kick_command>          { static constexpr int value = 10; };
template <> struct tag<transfer_host_command> { static constexpr int value = 11; };
template <> struct tag<set_phase_command>     { static constexpr int value = 12; };
template <> struct tag<open_round_command>    { static constexpr int value = 13; };
template <> struct tag<close_round_command>   { static constexpr int value = 14; };
template <> struct tag<submit_command>        { static constexpr int value = 15; };
template <> struct tag<get_round_command>     { static constexpr int value = 16; };
template <> struct tag<start_barrier_command> { static constexpr int value = 17; };
template <> struct tag<set_ready_command>     { static constexpr int value = 18; };
template <> struct tag<set_reminder_command>  { static constexpr int value = 19; };
template <> struct tag<renew_command>         { static constexpr int value = 20; };
template <> struct tag<invite_command>        { static constexpr int value = 21; };
template <> struct tag<uninvite_command>      { static constexpr int value = 22; };
template <> struct tag<withdraw_command>      { static constexpr int value = 23; };
template <> struct tag<ban_command>           { static constexpr int value = 24; };
template <> struct tag<unban_command>         { static constexpr int value = 25; };
template <> struct tag<get_course_command>    { static constexpr int value = 28; };
template <> struct tag<get_members_command>   { static constexpr int value = 26; };
template <> struct tag<get_bans_command>      { static constexpr int value = 27; };

template <> struct tag<set_name_command>      { static constexpr int value = 60; };

template <> struct tag<get_history_command>   { static constexpr int value = 40; };
template <> struct tag<get_audit_command>     { static constexpr int value = 41; };
template <> struct tag<list_sessions_command> { static constexpr int value = 42; };
template <> struct tag<delete_command>        { static constexpr int value = 43; };
template <> struct tag<erase_user_command>    { static constexpr int value = 44; };
template <> struct tag<forget_user_command>   { static constexpr int value = 45; };

template <> struct tag<put_group_command>    { static constexpr int value = 65; };
template <> struct tag<get_group_command>    { static constexpr int value = 66; };
template <> struct tag<settle_group_command> { static constexpr int value = 67; };


template <> struct tag<done>          { static constexpr int value = 1; };

template <> struct tag<evidence>       { static constexpr int value = 1; };
template <> struct tag<observe_note>   { static constexpr int value = 2; };
template <> struct tag<unobserve_note> { static constexpr int value = 3; };
template <> struct tag<announce_note>  { static constexpr int value = 4; };
template <> struct tag<edge_lost_note> { static constexpr int value = 5; };

template <> struct tag<removed_direct>  { static constexpr int value = 1; };
template <> struct tag<unknown_direct>  { static constexpr int value = 2; };
template <> struct tag<reminder_direct> { static constexpr int value = 3; };
template <> struct tag<recheck_direct> { static constexpr int value = 20; };
// clang-format on

// -- commands ----------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, admission>& value) {
  auto& [joined, since, reconnections] = value;
  tuple<Io> in{io, 3, "admitted"};
  fields(io, joined);
  io.time(since, "since");
  number(io, reconnections, "reconnections");
}

template <class Io>
void fields(Io& io, part<Io, join_command>& value) {
  auto& [resumes, live, create_kind, admitted, lease, facts] = value;
  tuple<Io> in{io, 6, 2, "join"};
  maybe(io, resumes, [&io](auto& x) { fields(io, x); });
  fields(io, live);
  maybe(io, create_kind,
        [&io](auto& x) { io.text(x, limits::id_bytes, "create"); });
  maybe(io, admitted, [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    maybe(io, lease, [&io](auto& x) { io.time(x, "lease"); });
  if (in.has_next())
    fields(io, facts);
}

template <class Io>
void fields(Io& io, part<Io, leave_command>& value) {
  auto& [lease, every_lease] = value;
  tuple<Io> in{io, 2, 2, "leave"};
  if (in.has_next())
    maybe(io, lease, [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    io.flag(every_lease, "every_lease");
}

template <class Io>
void fields(Io& io, part<Io, renew_command>& value) {
  auto& [lease] = value;
  tuple<Io> in{io, 1, "renew"};
  maybe(io, lease, [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, set_live_command>& value) {
  auto& [live, age] = value;
  tuple<Io> in{io, 2, "set_live"};
  fields(io, live);
  io.time(age, "age");
}

template <class Io>
void fields(Io& io, part<Io, get_roster_command>& value) {
  auto& [after, limit, only] = value;
  tuple<Io> in{io, 3, 1, "get_roster"};
  maybe(io, after, [&io](auto& x) { fields(io, x); });
  number(io, limit, "limit");
  if (in.has_next())
    maybe(io, only, [&io](auto& x) { io.text(x, limits::id_bytes, "only"); });
}

template <class Io>
void fields(Io& io, part<Io, observe_command>& value) {
  auto& [hidden] = value;
  tuple<Io> in{io, 1, 1, "observe"};
  if (in.has_next())
    io.flag(hidden, "hidden");
}

template <class Io>
void fields(Io& io, part<Io, create_command>& value) {
  auto& [kind, settings, starts_at] = value;
  tuple<Io> in{io, 3, 1, "create"};
  io.text(kind, limits::id_bytes, "kind");
  fields(io, settings);
  if (in.has_next())
    some_time(io, starts_at, "starts_at");
}

template <class Io>
void fields(Io& io, part<Io, configure_command>& value) {
  auto& [settings, starts_at] = value;
  tuple<Io> in{io, 2, 1, "configure"};
  fields(io, settings);
  // `[start]`, where there may be none; nil leaves it as it is.
  if (in.has_next())
    maybe(io, starts_at, [&io](auto& x) {
      tuple<Io> wish{io, 1, "starts_at"};
      some_time(io, x, "starts_at");
    });
}

template <class Io>
void fields(Io& io, part<Io, end_command>&) {
  tuple<Io> in{io, 0, "end"};
}

template <class Io>
void fields(Io& io, part<Io, set_member_command>& value) {
  auto& [user, participant, role, allowed, give, take] = value;
  tuple<Io> in{io, 6, 2, "set_member"};
  id(io, user, "user");
  id(io, participant, "participant");
  maybe(io, role, [&io](auto& x) { io.text(x, limits::name_bytes, "role"); });
  maybe(io, allowed, [&io](auto& x) { permissions(io, x); });
  if (in.has_next())
    permissions(io, give);
  if (in.has_next())
    permissions(io, take);
}

template <class Io>
void fields(Io& io, part<Io, invite_command>& value) {
  auto& [user, role] = value;
  tuple<Io> in{io, 2, "invite"};
  id(io, user, "user");
  maybe(io, role, [&io](auto& x) { io.text(x, limits::name_bytes, "role"); });
}

template <class Io>
void fields(Io& io, part<Io, uninvite_command>& value) {
  auto& [user, participant] = value;
  tuple<Io> in{io, 2, "uninvite"};
  id(io, user, "user");
  id(io, participant, "participant");
}

template <class Io>
void fields(Io& io, part<Io, withdraw_command>&) {
  tuple<Io> in{io, 0, "withdraw"};
}

template <class Io>
void fields(Io& io, part<Io, set_name_command>& value) {
  auto& [wanted] = value;
  tuple<Io> in{io, 1, "set_name"};
  maybe(io, wanted,
        [&io](auto& x) { io.text(x, limits::profile_field_bytes, "name"); });
}

template <class Io>
void fields(Io& io, part<Io, ban_command>& value) {
  auto& [user, participant, lasts, reason] = value;
  tuple<Io> in{io, 4, "ban"};
  id(io, user, "user");
  id(io, participant, "participant");
  maybe(io, lasts, [&io](auto& x) { io.time(x, "lasts"); });
  io.text(reason, limits::reason_bytes, "reason");
}

template <class Io>
void fields(Io& io, part<Io, unban_command>& value) {
  auto& [user, participant] = value;
  tuple<Io> in{io, 2, "unban"};
  id(io, user, "user");
  id(io, participant, "participant");
}

template <class Io>
void fields(Io& io, part<Io, get_course_command>& value) {
  auto& [people] = value;
  tuple<Io> in{io, 1, "get_course"};
  io.flag(people, "people");
}

template <class Io>
void fields(Io& io, part<Io, get_members_command>& value) {
  auto& [after, limit, only] = value;
  tuple<Io> in{io, 3, 1, "get_members"};
  id(io, after, "after");
  number(io, limit, "limit");
  if (in.has_next())
    maybe(io, only, [&io](auto& x) { id(io, x, "only"); });
}

template <class Io>
void fields(Io& io, part<Io, get_bans_command>& value) {
  auto& [after, limit] = value;
  tuple<Io> in{io, 2, "get_bans"};
  id(io, after, "after");
  number(io, limit, "limit");
}

template <class Io>
void fields(Io& io, part<Io, kick_command>& value) {
  auto& [user, participant] = value;
  tuple<Io> in{io, 2, "kick"};
  id(io, user, "user");
  id(io, participant, "participant");
}

template <class Io>
void fields(Io& io, part<Io, transfer_host_command>& value) {
  auto& [user, participant] = value;
  tuple<Io> in{io, 2, "transfer_host"};
  id(io, user, "user");
  id(io, participant, "participant");
}

template <class Io>
void fields(Io& io, part<Io, set_phase_command>& value) {
  auto& [phase, status, duration, next] = value;
  auto some_name = [&io](auto& field, const char* called) {
    maybe(io, field, [&](auto& x) { io.text(x, limits::name_bytes, called); });
  };
  tuple<Io> in{io, 4, "set_phase"};
  some_name(phase, "phase");
  some_name(status, "status");
  some_time(io, duration, "duration");
  io.text(next, limits::name_bytes, "next");
}

template <class Io>
void fields(Io& io, part<Io, open_round_command>& value) {
  auto& [round, rules] = value;
  tuple<Io> in{io, 2, "open_round"};
  io.text(round, limits::name_bytes, "round");
  fields(io, rules);
}

template <class Io>
void fields(Io& io, part<Io, close_round_command>& value) {
  auto& [round] = value;
  tuple<Io> in{io, 1, "close_round"};
  io.text(round, limits::name_bytes, "round");
}

template <class Io>
void fields(Io& io, part<Io, submit_command>& value) {
  auto& [round, answer] = value;
  tuple<Io> in{io, 2, "submit"};
  io.text(round, limits::name_bytes, "round");
  fields(io, answer);
}

template <class Io>
void fields(Io& io, part<Io, get_round_command>& value) {
  auto& [round, after, limit] = value;
  tuple<Io> in{io, 3, "get_round"};
  io.text(round, limits::name_bytes, "round");
  maybe(io, after, [&io](auto& x) { id(io, x, "after"); });
  number(io, limit, "limit");
}

template <class Io>
void fields(Io& io, part<Io, start_barrier_command>& value) {
  auto& [barrier, timeout] = value;
  tuple<Io> in{io, 2, "start_barrier"};
  io.text(barrier, limits::name_bytes, "barrier");
  some_time(io, timeout, "timeout");
}

template <class Io>
void fields(Io& io, part<Io, set_ready_command>& value) {
  auto& [ready] = value;
  tuple<Io> in{io, 1, "set_ready"};
  io.flag(ready, "ready");
}

template <class Io>
void fields(Io& io, part<Io, set_reminder_command>& value) {
  auto& [enabled, lead] = value;
  tuple<Io> in{io, 2, "set_reminder"};
  io.flag(enabled, "enabled");
  io.time(lead, "lead");
}

template <class Io>
void fields(Io& io, part<Io, put_group_command>& value) {
  auto& [called] = value;
  tuple<Io> in{io, 1, "put_group"};
  io.text(called, limits::id_bytes, "name");
}

template <class Io>
void fields(Io& io, part<Io, get_group_command>&) {
  tuple<Io> in{io, 0, "get_group"};
}

template <class Io>
void fields(Io& io, part<Io, settle_group_command>& value) {
  auto& [partition, group, removes_all, removed, after] = value;
  tuple<Io> in{io, 5, "settle_group"};
  number(io, partition, "partition");
  io.text(group, limits::id_bytes, "group");
  io.flag(removes_all, "deleted");
  list(io, removed, limits::group_removals, "removed",
       [&io](auto& x) { id(io, x, "removed"); });
  id(io, after, "after");
}

template <class Io>
void fields(Io& io, part<Io, precondition>& value) {
  auto& [of_member, at] = value;
  tuple<Io> in{io, 2, "expected"};
  io.flag(of_member, "of_member");
  maybe(io, at, [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, command>& value) {
  // `seen` is for the node of the caller alone.
  auto& [session, edge, connection, caller, op, request, body, about, order,
         seen, expected]
    = value;
  static_cast<void>(seen);
  tuple<Io> in{io, 10, 3, "command"};
  fields(io, session);
  fields(io, edge);
  fields(io, connection);
  fields(io, caller);
  id(io, op, "op", limits::op_id_bytes);
  io.text(request, limits::id_bytes, "request");
  choice(io, body, "command");
  if (in.has_next())
    number(io, about, "about");
  if (in.has_next())
    number(io, order, "number");
  if (in.has_next())
    maybe(io, expected, [&io](auto& x) { fields(io, x); });
}

// -- notes -------------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, evidence_item>& value) {
  auto& [connection, what, age] = value;
  tuple<Io> in{io, 3, "evidence"};
  fields(io, connection);
  name(io, what, sign::closed, "sign");
  io.time(age, "age");
}

template <class Io>
void fields(Io& io, part<Io, evidence>& value) {
  auto& [items] = value;
  tuple<Io> in{io, 1, "evidence"};
  list(io, items, limits::connections_per_note, "evidence",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, observe_note>& value) {
  auto& [have] = value;
  tuple<Io> in{io, 1, "observe"};
  maybe(io, have, [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, unobserve_note>&) {
  tuple<Io> in{io, 0, "unobserve"};
}

template <class Io>
void fields(Io& io, part<Io, announce_note>& value) {
  auto& [connections, complete, stays] = value;
  tuple<Io> in{io, 3, 1, "announce"};
  list(io, connections, limits::connections_per_note, "connections",
       [&io](auto& x) { fields(io, x); });
  io.flag(complete, "complete");
  if (in.has_next())
    list(io, stays, limits::connections_per_note, "stays",
         [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, edge_lost_note>&) {
  tuple<Io> in{io, 0, "edge_lost"};
}

template <class Io>
void fields(Io& io, part<Io, note>& value) {
  auto& [session, edge, body] = value;
  tuple<Io> in{io, 3, "note"};
  fields(io, session);
  fields(io, edge);
  choice(io, body, "note");
}

// -- to one connection -------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, removed_direct>& value) {
  auto& [reason, banned, joined_by] = value;
  tuple<Io> in{io, 3, 2, "removed"};
  name(io, reason, leave_reason::edge_lost, "reason");
  if (in.has_next())
    io.flag(banned, "banned");
  if (in.has_next())
    number(io, joined_by, "joined_by");
}

template <class Io>
void fields(Io& io, part<Io, unknown_direct>&) {
  tuple<Io> in{io, 0, "unknown"};
}

template <class Io>
void fields(Io& io, part<Io, reminder_direct>& value) {
  auto& [starts_at, late] = value;
  tuple<Io> in{io, 2, "reminder"};
  io.time(starts_at, "starts_at");
  io.flag(late, "late");
}

template <class Io>
void fields(Io& io, part<Io, recheck_direct>&) {
  tuple<Io> in{io, 0, "recheck"};
}

template <class Io>
void fields(Io& io, part<Io, direct>& value) {
  auto& [session, connection, edge, body] = value;
  tuple<Io> in{io, 4, "direct"};
  fields(io, session);
  fields(io, connection);
  fields(io, edge);
  choice(io, body, "direct");
}

} // namespace rollcall::cluster::wire
