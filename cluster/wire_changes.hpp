#pragma once

// What observers are sent, on the wire: batches and snapshots.

#include "cluster/wire_rounds.hpp"

namespace rollcall::cluster::wire {

// clang-format off
template <> struct tag<joined_change>     { static constexpr int value = 1; };
template <> struct tag<suspected_change>  { static constexpr int value = 2; };
template <> struct tag<resumed_change>    { static constexpr int value = 3; };
template <> struct tag<left_change>       { static constexpr int value = 4; };
template <> struct tag<live_change>       { static constexpr int value = 5; };
template <> struct tag<connection_change> { static constexpr int value = 6; };
template <> struct tag<member_change>     { static constexpr int value = 7; };
template <> struct tag<host_change>       { static constexpr int value = 8; };
template <> struct tag<session_change>    { static constexpr int value = 9; };
template <> struct tag<phase_change>      { static constexpr int value = 10; };
template <> struct tag<submission_change> { static constexpr int value = 11; };
template <> struct tag<barrier_change>    { static constexpr int value = 12; };
template <> struct tag<activity_change>   { static constexpr int value = 13; };
// clang-format on

template <class Io>
void fields(Io& io, part<Io, joined_change>& value) {
  auto& [participant, again] = value;
  tuple<Io> in{io, 2, "joined"};
  fields(io, participant);
  io.flag(again, "is_reconnection");
}

template <class Io>
void fields(Io& io, part<Io, suspected_change>& value) {
  auto& [participant, expires] = value;
  tuple<Io> in{io, 2, "suspected"};
  id(io, participant, "participant");
  io.deadline(expires, "expires");
}

template <class Io>
void fields(Io& io, part<Io, resumed_change>& value) {
  auto& [participant] = value;
  tuple<Io> in{io, 1, "resumed"};
  id(io, participant, "participant");
}

template <class Io>
void fields(Io& io, part<Io, left_change>& value) {
  auto& [participant, reason] = value;
  tuple<Io> in{io, 2, "left"};
  id(io, participant, "participant");
  name(io, reason, leave_reason::edge_lost, "reason");
}

template <class Io>
void fields(Io& io, part<Io, live_change>& value) {
  auto& [participant, live] = value;
  tuple<Io> in{io, 2, "live"};
  id(io, participant, "participant");
  fields(io, live);
}

template <class Io>
void fields(Io& io, part<Io, connection_change>& value) {
  auto& [participant, connections, facts] = value;
  tuple<Io> in{io, 3, 1, "connection"};
  id(io, participant, "participant");
  number(io, connections, "connections");
  if (in.has_next())
    connection_list(io, facts);
}

template <class Io>
void fields(Io& io, part<Io, member_change>& value) {
  auto& [participant, user, role, allowed, changed, is_member, is_banned,
         called]
    = value;
  tuple<Io> in{io, 8, 4, "member"};
  id(io, participant, "participant");
  id(io, user, "user");
  io.text(role, limits::name_bytes, "role");
  permissions(io, allowed);
  if (in.has_next())
    number(io, changed, "changed");
  if (in.has_next())
    io.flag(is_member, "is_member");
  if (in.has_next())
    io.flag(is_banned, "is_banned");
  if (in.has_next())
    io.text(called, limits::profile_field_bytes, "name");
}

template <class Io>
void fields(Io& io, part<Io, host_change>& value) {
  auto& [host] = value;
  tuple<Io> in{io, 1, "host"};
  maybe(io, host, [&io](auto& x) { id(io, x, "host"); });
}

template <class Io>
void fields(Io& io, part<Io, session_change>& value) {
  auto& [settings, ended, starts_at] = value;
  tuple<Io> in{io, 3, 1, "session"};
  fields(io, settings);
  io.flag(ended, "ended");
  if (in.has_next())
    some_time(io, starts_at, "starts_at");
}

template <class Io>
void fields(Io& io, part<Io, phase_change>& value) {
  auto& [phase] = value;
  tuple<Io> in{io, 1, "phase"};
  fields(io, phase);
}

template <class Io>
void fields(Io& io, part<Io, submission_change>& value) {
  auto& [round] = value;
  tuple<Io> in{io, 1, "submission"};
  fields(io, round);
}

template <class Io>
void fields(Io& io, part<Io, barrier_change>& value) {
  auto& [state, participant, ready] = value;
  tuple<Io> in{io, 3, "barrier"};
  fields(io, state);
  maybe(io, participant, [&io](auto& x) { id(io, x, "participant"); });
  io.flag(ready, "ready");
}

template <class Io>
void fields(Io& io, part<Io, activity_change>& value) {
  auto& [participant, last_active] = value;
  tuple<Io> in{io, 2, "activity"};
  id(io, participant, "participant");
  io.time(last_active, "last_active");
}

template <class Io>
void fields(Io& io, part<Io, change>& value) {
  auto& [rev, seen_by, present, total, body] = value;
  tuple<Io> in{io, 5, "changes"};
  number(io, rev, "rev");
  name(io, seen_by, audience::moderator, "audience");
  number(io, present, "present");
  number(io, total, "total");
  choice(io, body, "change");
}

template <class Io>
void fields(Io& io, part<Io, batch>& value) {
  auto& [session, from, to, present, total, changes] = value;
  tuple<Io> in{io, 6, "batch"};
  fields(io, session);
  fields(io, from);
  fields(io, to);
  number(io, present, "present");
  number(io, total, "total");
  list(io, changes, limits::changes_per_batch, "changes",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, snapshot>& value) {
  auto& [session, at, settings, ended, present, total, host, participants,
         starts_at, phase, barrier, rounds]
    = value;
  tuple<Io> in{io, 12, 4, "snapshot"};
  fields(io, session);
  fields(io, at);
  fields(io, settings);
  io.flag(ended, "ended");
  number(io, present, "present");
  number(io, total, "total");
  maybe(io, host, [&io](auto& x) { id(io, x, "host"); });
  list(io, participants, limits::participants_per_session, "participants",
       [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    some_time(io, starts_at, "starts_at");
  if (in.has_next())
    fields(io, phase);
  if (in.has_next())
    maybe(io, barrier, [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    list(io, rounds, limits::rounds_per_session, "rounds",
         [&io](auto& x) { fields(io, x); });
}

} // namespace rollcall::cluster::wire
