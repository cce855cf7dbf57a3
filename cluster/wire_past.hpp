#pragma once

// Questions about the past and about namespaces, and their answers, on the
// wire.

#include "actors/commands.hpp"
#include "actors/replies.hpp"
#include "cluster/wire_fields.hpp"

namespace rollcall::cluster::wire {

// -- questions ---------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, get_history_command>& value) {
  auto& [what, from, until, user, participant, bucket, newest, after, limit]
    = value;
  tuple<Io> in{io, 9, "get_history"};
  name(io, what, history_view::here, "what");
  io.time(from, "from");
  maybe(io, until, [&io](auto& x) { io.time(x, "until"); });
  id(io, user, "user");
  id(io, participant, "participant");
  io.time(bucket, "bucket");
  io.flag(newest, "newest_first");
  io.text(after, limits::cursor_bytes, "after");
  number(io, limit, "limit");
}

template <class Io>
void fields(Io& io, part<Io, get_audit_command>& value) {
  auto& [from, until, user, action, newest, after, limit] = value;
  tuple<Io> in{io, 7, "get_audit"};
  io.time(from, "from");
  maybe(io, until, [&io](auto& x) { io.time(x, "until"); });
  id(io, user, "user");
  io.text(action, limits::name_bytes, "action");
  io.flag(newest, "newest_first");
  io.text(after, limits::cursor_bytes, "after");
  number(io, limit, "limit");
}

template <class Io>
void fields(Io& io, part<Io, list_sessions_command>& value) {
  auto& [partition, kind, occupied, ended, mine, after, limit, upcoming, groups,
         in_groups]
    = value;
  tuple<Io> in{io, 10, 2, "list_sessions"};
  number(io, partition, "partition");
  maybe(io, kind, [&io](auto& x) { io.text(x, limits::id_bytes, "kind"); });
  maybe(io, occupied, [&io](auto& x) { io.flag(x, "occupied"); });
  maybe(io, ended, [&io](auto& x) { io.flag(x, "ended"); });
  io.flag(mine, "mine");
  id(io, after, "after");
  number(io, limit, "limit");
  io.flag(upcoming, "upcoming");
  if (in.has_next())
    io.flag(groups, "groups");
  if (in.has_next())
    maybe(io, in_groups, [&io](auto& all) {
      list(io, all, limits::list_groups, "in_groups",
           [&io](auto& x) { io.text(x, limits::id_bytes, "in_groups"); });
    });
}

template <class Io>
void fields(Io& io, part<Io, delete_command>&) {
  tuple<Io> in{io, 0, "delete"};
}

template <class Io>
void fields(Io& io, part<Io, erase_user_command>& value) {
  auto& [partition, user, after] = value;
  tuple<Io> in{io, 3, "erase_user"};
  number(io, partition, "partition");
  id(io, user, "user");
  io.text(after, limits::cursor_bytes, "after");
}

template <class Io>
void fields(Io& io, part<Io, forget_user_command>& value) {
  auto& [user] = value;
  tuple<Io> in{io, 1, "forget_user"};
  id(io, user, "user");
}

// -- answers -----------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, stay>& value) {
  auto& [user, participant, joined, from, until, reason, reconnections] = value;
  tuple<Io> in{io, 7, "stay"};
  id(io, user, "user");
  id(io, participant, "participant");
  fields(io, joined);
  io.time(from, "from");
  maybe(io, until, [&io](auto& x) { io.time(x, "until"); });
  name(io, reason, leave_reason::edge_lost, "reason");
  maybe(io, reconnections, [&io](auto& x) { number(io, x, "reconnections"); });
}

template <class Io>
void fields(Io& io, part<Io, person_history>& value) {
  auto& [user, participant, first, last, dwell, stays, reconnections, here]
    = value;
  tuple<Io> in{io, 8, "person"};
  id(io, user, "user");
  id(io, participant, "participant");
  io.time(first, "first_seen");
  io.time(last, "last_seen");
  io.time(dwell, "dwell");
  number(io, stays, "stays");
  number(io, reconnections, "reconnections");
  io.flag(here, "here");
}

template <class Io>
void fields(Io& io, part<Io, history_bucket>& value) {
  auto& [at, present, peak, joins, leaves, unique] = value;
  tuple<Io> in{io, 6, "bucket"};
  io.time(at, "at");
  number(io, present, "present");
  number(io, peak, "peak");
  number(io, joins, "joins");
  number(io, leaves, "leaves");
  number(io, unique, "unique");
}

template <class Io>
void fields(Io& io, part<Io, history_summary>& value) {
  auto& [from, until, stays, unique, peak, peak_at, joins, leaves,
         reconnections, dwell, first, last, reasons, timeline]
    = value;
  tuple<Io> in{io, 20, "summary"};
  auto time = [&io](auto& field, const char* called) {
    maybe(io, field, [&](auto& x) { io.time(x, called); });
  };
  io.time(from, "from");
  io.time(until, "until");
  number(io, stays, "stays");
  number(io, unique, "unique");
  number(io, peak, "peak");
  time(peak_at, "peak_at");
  number(io, joins, "joins");
  number(io, leaves, "leaves");
  number(io, reconnections, "reconnections");
  io.time(dwell, "dwell");
  time(first, "first_seen");
  time(last, "last_seen");
  for (auto& count : reasons)
    number(io, count, "reasons");
  list(io, timeline, limits::history_buckets, "timeline",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, history_reply>& value) {
  auto& [what, as_of, covers_from, stays, people, summary, next] = value;
  tuple<Io> in{io, 7, "history"};
  name(io, what, history_view::here, "what");
  io.time(as_of, "as_of");
  maybe(io, covers_from, [&io](auto& x) { io.time(x, "covers_from"); });
  list(io, stays, limits::history_page_items, "stays",
       [&io](auto& x) { fields(io, x); });
  list(io, people, limits::history_page_items, "people",
       [&io](auto& x) { fields(io, x); });
  maybe(io, summary, [&io](auto& x) { fields(io, x); });
  io.text(next, limits::cursor_bytes, "next");
}

template <class Io>
void fields(Io& io, part<Io, audit_record>& value) {
  auto& [session, at, when, actor, action, target, request, before, after]
    = value;
  tuple<Io> in{io, 9, "entry"};
  fields(io, session);
  fields(io, at);
  io.time(when, "when");
  id(io, actor, "actor");
  io.text(action, limits::id_bytes, "action");
  id(io, target, "target");
  io.text(request, limits::id_bytes, "request");
  io.text(before, limits::audit_text_bytes, "before");
  io.text(after, limits::audit_text_bytes, "after");
}

template <class Io>
void fields(Io& io, part<Io, audit_reply>& value) {
  auto& [as_of, entries, next] = value;
  tuple<Io> in{io, 3, "audit"};
  io.time(as_of, "as_of");
  list(io, entries, limits::history_page_items, "entries",
       [&io](auto& x) { fields(io, x); });
  io.text(next, limits::cursor_bytes, "next");
}

template <class Io>
void fields(Io& io, part<Io, session_summary>& value) {
  auto& [session, kind, creator, created_at, ended_at, access, locked, present,
         members, mine, starts_at, called]
    = value;
  tuple<Io> in{io, 12, 1, "session"};
  id(io, session, "session");
  io.text(kind, limits::id_bytes, "kind");
  id(io, creator, "created_by");
  io.time(created_at, "created_at");
  maybe(io, ended_at, [&io](auto& x) { io.time(x, "ended_at"); });
  io.text(access, limits::name_bytes, "access");
  io.flag(locked, "locked");
  number(io, present, "present");
  number(io, members, "members");
  io.flag(mine, "is_member");
  maybe(io, starts_at, [&io](auto& x) { io.time(x, "starts_at"); });
  if (in.has_next())
    io.text(called, limits::id_bytes, "name");
}

template <class Io>
void fields(Io& io, part<Io, list_reply>& value) {
  auto& [as_of, sessions, reached] = value;
  tuple<Io> in{io, 3, "list"};
  io.time(as_of, "as_of");
  list(io, sessions, limits::list_page_items, "sessions",
       [&io](auto& x) { fields(io, x); });
  maybe(io, reached, [&io](auto& x) { id(io, x, "reached"); });
}

template <class Io>
void fields(Io& io, part<Io, erase_reply>& value) {
  auto& [sessions, records, next] = value;
  tuple<Io> in{io, 3, "erased"};
  number(io, sessions, "sessions");
  number(io, records, "records");
  io.text(next, limits::cursor_bytes, "next");
}

} // namespace rollcall::cluster::wire
