#include "persistence/store_reader.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "actors/history.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

namespace rollcall {

namespace {

// Decodes everything under a prefix and hands each record to `each`, which
// may refuse it.
template <class Record, class Each>
result<done> read_records(store& from, const std::string& prefix, Each each) {
  std::optional<failure> bad;
  auto scanned = from.scan(prefix, [&](auto key, auto value) {
    auto rec = decode(key, value);
    if (!rec)
      bad = rec.error();
    else
      bad = each(std::get<Record>(std::move(*rec)));
    return !bad;
  });
  if (!scanned)
    return scanned;
  if (bad)
    return *bad;
  return done{};
}

// Looks at the newest stays alone: each knows how many there were before it,
// and a session's past has no end.
result<done> read_departed(store& from, partition_id partition,
                           const session_key& session, stored_session& out) {
  // A user who is here brings the count along in the roster entry.
  std::unordered_set<user_id> present;
  for (const auto& page : out.pages)
    for (const auto& entry : page.entries)
      present.insert(entry.user);
  std::optional<failure> bad;
  std::size_t looked_at = 0;
  std::vector<stay> stays;
  auto read = from.walk(keys::prefix(partition, table::interval, session), {},
                        walk_way::down, [&](auto key, auto value) {
                          auto rec = decode(key, value);
                          if (!rec) {
                            bad = rec.error();
                            return false;
                          }
                          auto& closed = std::get<interval_record>(*rec);
                          if (!present.contains(closed.user))
                            stays.push_back({std::move(closed.user),
                                             {},
                                             closed.joined,
                                             closed.from,
                                             closed.until,
                                             closed.reason,
                                             closed.reconnections});
                          return ++looked_at < limits::departed_scan;
                        });
  if (!read)
    return read;
  if (bad)
    return *bad;
  out.departed = visits_of(stays, limits::departed_per_session);
  return done{};
}

failure too_many(const char* what) {
  return fail(errc::internal, "a stored session is over its bound", what);
}

// Operations under way at the same time may have gone over a bound together:
// what was committed must be read again.
constexpr std::size_t with_slack(std::size_t bound) {
  return 2 * bound;
}

// Who answered what, and what happened of itself.
result<done> read_course(store& from, partition_id partition,
                         const session_key& session, stored_session& out) {
  using refusal = std::optional<failure>;
  auto rounds = read_records<round_record>(
    from, keys::prefix(partition, table::round, session),
    [&](round_record rec) -> refusal {
      out.rounds.push_back(std::move(rec));
      if (out.rounds.size() > with_slack(limits::rounds_per_session))
        return too_many("rounds");
      return std::nullopt;
    });
  if (!rounds)
    return rounds;
  auto answers = read_records<submission_record>(
    from, keys::prefix(partition, table::submission, session),
    [&](submission_record rec) -> refusal {
      out.submissions.push_back(std::move(rec));
      if (out.submissions.size() > with_slack(limits::answers_per_session))
        return too_many("submissions");
      return std::nullopt;
    });
  if (!answers)
    return answers;
  auto events = read_events(from, partition, session, {});
  if (!events)
    return events.error();
  for (const auto& entry : *events)
    out.events.emplace_back(entry.at, entry.when);
  auto key = keys::of_due(partition, session);
  auto value = from.get(key);
  if (!value)
    return value.error();
  if (*value)
    // An entry that cannot be read is passed over: `verify` names it.
    if (auto rec = decode(key, **value))
      out.due = std::get<due_mark>(*rec).at;
  return done{};
}

} // namespace

result<std::vector<session_key>> read_occupied(store& from,
                                               partition_id partition) {
  std::vector<session_key> out;
  auto scanned
    = from.scan(keys::prefix(partition, table::occupied), [&](auto key, auto) {
        if (auto parsed = keys::parse(key))
          out.push_back(std::move(parsed->session));
        return out.size() < limits::sessions_per_partition;
      });
  if (!scanned)
    return scanned.error();
  return out;
}

result<std::vector<std::pair<session_key, millis>>>
read_due(store& from, partition_id partition) {
  std::vector<std::pair<session_key, millis>> out;
  std::size_t left_out = 0;
  // A heap: the latest of them is in front.
  auto sooner
    = [](const auto& a, const auto& b) { return a.second < b.second; };
  auto take = [&](const due_mark& mark) {
    if (out.size() == limits::sessions_per_partition) {
      ++left_out;
      if (*mark.at >= out.front().second)
        return;
      std::pop_heap(out.begin(), out.end(), sooner);
      out.pop_back();
    }
    out.emplace_back(mark.session, *mark.at);
    std::push_heap(out.begin(), out.end(), sooner);
  };
  auto scanned
    = from.scan(keys::prefix(partition, table::due), [&](auto key, auto value) {
        auto rec = decode(key, value);
        if (const auto* mark = rec ? std::get_if<due_mark>(&*rec) : nullptr)
          take(*mark);
        return true;
      });
  if (!scanned)
    return scanned.error();
  if (left_out > 0)
    log(log_level::warn, "store", "due_over_bound",
        {{"partition", partition},
         {"sessions", out.size()},
         {"left_to_sweeps", left_out}});
  return out;
}

result<stored_session> read_session(store& from, partition_id partition,
                                    const session_key& session) {
  using refusal = std::optional<failure>;
  stored_session out;
  auto key = keys::of_session(partition, session);
  auto value = from.get(key);
  if (!value)
    return value.error();
  if (*value) {
    auto rec = decode(key, **value);
    if (!rec)
      return rec.error();
    out.session = std::get<session_record>(std::move(*rec));
  }
  auto members = read_records<member_record>(
    from, keys::prefix(partition, table::member, session),
    [&](member_record rec) -> refusal {
      out.members.push_back(std::move(rec));
      if (out.members.size() > with_slack(limits::members_per_session))
        return too_many("members");
      return std::nullopt;
    });
  if (!members)
    return members.error();
  auto bans = read_records<ban_record>(
    from, keys::prefix(partition, table::ban, session),
    [&](ban_record rec) -> refusal {
      out.bans.push_back(std::move(rec));
      if (out.bans.size() > with_slack(limits::bans_per_session))
        return too_many("bans");
      return std::nullopt;
    });
  if (!bans)
    return bans.error();
  std::size_t present = 0;
  auto pages = read_records<roster_page>(
    from, keys::prefix(partition, table::page, session),
    [&](roster_page page) -> refusal {
      present += page.entries.size();
      out.pages.push_back(std::move(page));
      if (present > with_slack(limits::participants_per_session))
        return too_many("participants");
      return std::nullopt;
    });
  if (!pages)
    return pages.error();
  if (auto read = read_departed(from, partition, session, out); !read)
    return read.error();
  if (auto read = read_course(from, partition, session, out); !read)
    return read.error();
  return out;
}

result<std::vector<event_record>> read_events(store& from,
                                              partition_id partition,
                                              const session_key& session,
                                              version after) {
  std::vector<event_record> out;
  auto read = read_records<event_record>(
    from, keys::prefix(partition, table::event, session),
    [&](event_record rec) -> std::optional<failure> {
      if (rec.at > after)
        out.push_back(std::move(rec));
      if (out.size() > with_slack(limits::events_per_session))
        return too_many("events");
      return std::nullopt;
    });
  if (!read)
    return read.error();
  return out;
}

result<session_keys> read_keys(store& from, partition_id partition,
                               const session_key& session, std::size_t most) {
  // What says that there is something to erase goes last.
  static constexpr std::array last
    = {table::occupied, table::session, table::due};
  session_keys out;
  auto read = [&](table where) -> result<done> {
    return from.scan(keys::prefix(partition, where, session),
                     [&](auto key, auto) {
                       if (out.keys.size() == most) {
                         out.more = true;
                         return false;
                       }
                       out.keys.emplace_back(key);
                       return true;
                     });
  };
  for (auto where : keys::tables_of_sessions()) {
    if (std::find(last.begin(), last.end(), where) != last.end())
      continue;
    if (auto scanned = read(where); !scanned)
      return scanned.error();
  }
  for (auto where : last)
    if (auto scanned = read(where); !scanned)
      return scanned.error();
  return out;
}

} // namespace rollcall
