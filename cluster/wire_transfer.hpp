#pragma once

// What an owner gives the next one, on the wire.

#include "actors/handover.hpp"
#include "cluster/wire_fields.hpp"

namespace rollcall::cluster::wire {

template <class Io>
void fields(Io& io, part<Io, connection>& value) {
  // `entered` is a time of one node's clock, and long ago for another; what is
  // `proven` each owner finds out for itself.
  auto& [id, edge, source, suspected, unconfirmed, deadline, reason, entered,
         lease, lease_tail, facts, joined_by, by_group, proven]
    = value;
  static_cast<void>(entered);
  static_cast<void>(proven);
  tuple<Io> in{io, 12, 5, "connections"};
  fields(io, id);
  fields(io, edge);
  name(io, source, connection_source::external, "source");
  io.flag(suspected, "suspected");
  io.flag(unconfirmed, "unconfirmed");
  maybe(io, deadline, [&io](auto& x) { io.deadline(x, "deadline"); });
  name(io, reason, leave_reason::edge_lost, "reason");
  if (in.has_next())
    io.time(lease, "lease");
  if (in.has_next())
    io.time(lease_tail, "lease_tail");
  if (in.has_next())
    wire::fields(io, facts);
  if (in.has_next())
    number(io, joined_by, "joined_by");
  if (in.has_next())
    io.flag(by_group, "by_group");
}

template <class Io>
void fields(Io& io, part<Io, live_entry>& value) {
  auto& [content, stamp] = value;
  tuple<Io> in{io, 2, "live"};
  maybe(io, content, [&io](auto& x) { fields(io, x); });
  io.time(stamp, "stamp");
}

template <class Io>
void fields(Io& io, part<Io, transferred_participant>& value) {
  auto& [user, who, grants, joined, since, reconnections, connections, live,
         last_active]
    = value;
  tuple<Io> in{io, 9, 1, "participants"};
  id(io, user, "user");
  fields(io, who);
  fields(io, grants);
  fields(io, joined);
  io.time(since, "since");
  number(io, reconnections, "reconnections");
  list(io, connections, limits::connections_per_participant, "connections",
       [&io](auto& x) { fields(io, x); });
  keyed(io, live, limits::live_keys, "live", [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    io.time(last_active, "last_active");
}

template <class Io>
void fields(Io& io, part<Io, session_transfer>& value) {
  auto& [session, epoch, at, reclaim_until, observers, participants, ready]
    = value;
  tuple<Io> in{io, 7, 1, "session"};
  fields(io, session);
  number(io, epoch, "epoch");
  fields(io, at);
  maybe(io, reclaim_until, [&io](auto& x) { io.deadline(x, "reclaim_until"); });
  list(io, observers, limits::observers_per_session, "observers",
       [&io](auto& x) { fields(io, x); });
  list(io, participants, limits::participants_per_session, "participants",
       [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    list(io, ready, limits::participants_per_session, "ready",
         [&io](auto& x) { id(io, x, "ready"); });
}

template <class Io>
void fields(Io& io, part<Io, partition_transfer>& value) {
  auto& [partition, epoch, sessions, position] = value;
  tuple<Io> in{io, 4, "partition"};
  number(io, partition, "partition", limits::partitions_max - 1);
  number(io, epoch, "epoch");
  number(io, sessions, "sessions");
  number(io, position, "position");
}

} // namespace rollcall::cluster::wire
