#pragma once

// What sessions are asked, told and answer, on the wire.

#include "actors/commands.hpp"
#include "cluster/wire_fields.hpp"

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
template <> struct tag<renew_command>         { static constexpr int value = 20; };

template <> struct tag<done>          { static constexpr int value = 1; };
template <> struct tag<join_reply>    { static constexpr int value = 2; };
template <> struct tag<roster_reply>  { static constexpr int value = 3; };
template <> struct tag<observe_reply> { static constexpr int value = 4; };
template <> struct tag<renew_reply>   { static constexpr int value = 20; };
template <> struct tag<leave_reply>   { static constexpr int value = 70; };

template <> struct tag<evidence>       { static constexpr int value = 1; };
template <> struct tag<observe_note>   { static constexpr int value = 2; };
template <> struct tag<unobserve_note> { static constexpr int value = 3; };
template <> struct tag<announce_note>  { static constexpr int value = 4; };
template <> struct tag<edge_lost_note> { static constexpr int value = 5; };

template <> struct tag<removed_direct> { static constexpr int value = 1; };
template <> struct tag<unknown_direct> { static constexpr int value = 2; };
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
  auto& [resumes, live, create_kind, admitted, lease] = value;
  tuple<Io> in{io, 5, 1, "join"};
  maybe(io, resumes, [&io](auto& x) { fields(io, x); });
  fields(io, live);
  maybe(io, create_kind,
        [&io](auto& x) { io.text(x, limits::id_bytes, "create"); });
  maybe(io, admitted, [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    maybe(io, lease, [&io](auto& x) { io.time(x, "lease"); });
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
void fields(Io& io, part<Io, observe_command>&) {
  tuple<Io> in{io, 0, "observe"};
}

template <class Io>
void fields(Io& io, part<Io, create_command>& value) {
  auto& [kind, settings] = value;
  tuple<Io> in{io, 2, "create"};
  io.text(kind, limits::id_bytes, "kind");
  fields(io, settings);
}

template <class Io>
void fields(Io& io, part<Io, configure_command>& value) {
  auto& [settings] = value;
  tuple<Io> in{io, 1, "configure"};
  fields(io, settings);
}

template <class Io>
void fields(Io& io, part<Io, end_command>&) {
  tuple<Io> in{io, 0, "end"};
}

template <class Io>
void fields(Io& io, part<Io, set_member_command>& value) {
  auto& [user, participant, role, allowed] = value;
  tuple<Io> in{io, 4, "set_member"};
  id(io, user, "user");
  id(io, participant, "participant");
  maybe(io, role, [&io](auto& x) { io.text(x, limits::name_bytes, "role"); });
  maybe(io, allowed, [&io](auto& x) { permissions(io, x); });
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
void fields(Io& io, part<Io, command>& value) {
  // `seen` is for the node of the caller alone.
  auto& [session, edge, connection, caller, op, request, body, about, order,
         seen]
    = value;
  static_cast<void>(seen);
  tuple<Io> in{io, 9, 2, "command"};
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
}

// -- replies -----------------------------------------------------------------

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
  auto& [settings, rights, ended, host, created, member, here] = value;
  tuple<Io> in{io, 7, 5, "observe"};
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
}

template <class Io>
void fields(Io& io, part<Io, leave_reply>& value) {
  auto& [participant, leaves] = value;
  tuple<Io> in{io, 2, "leave"};
  id(io, participant, "participant");
  number(io, leaves, "leaves");
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
  name(io, code, errc::internal, "code");
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
  auto& [connections, complete] = value;
  tuple<Io> in{io, 2, "announce"};
  list(io, connections, limits::connections_per_note, "connections",
       [&io](auto& x) { fields(io, x); });
  io.flag(complete, "complete");
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
  auto& [reason] = value;
  tuple<Io> in{io, 1, "removed"};
  name(io, reason, leave_reason::edge_lost, "reason");
}

template <class Io>
void fields(Io& io, part<Io, unknown_direct>&) {
  tuple<Io> in{io, 0, "unknown"};
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
