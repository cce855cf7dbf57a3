#include "persistence/store_reader.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
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

// Counts the stays of users; remembers the latest users only.
class stay_counter {
public:
  void add(const interval_record& stay) {
    auto& seen = users_[stay.user];
    seen.last = std::max(seen.last, stay.joined);
    ++seen.stays;
    if (users_.size() >= 2 * limits::departed_per_session)
      drop_oldest();
  }

  void forget(const user_id& user) {
    users_.erase(user);
  }

  std::vector<std::pair<user_id, std::uint32_t>> take() {
    drop_oldest();
    std::vector<std::pair<user_id, std::uint32_t>> out;
    out.reserve(users_.size());
    for (auto& [user, seen] : users_)
      out.emplace_back(user, seen.stays);
    std::sort(out.begin(), out.end());
    return out;
  }

private:
  struct count {
    version last;
    std::uint32_t stays = 0;
  };

  void drop_oldest() {
    if (users_.size() <= limits::departed_per_session)
      return;
    std::vector<std::pair<version, user_id>> order;
    order.reserve(users_.size());
    for (const auto& [user, seen] : users_)
      order.emplace_back(seen.last, user);
    auto surplus = users_.size() - limits::departed_per_session;
    auto last = order.begin() + static_cast<std::ptrdiff_t>(surplus);
    std::nth_element(order.begin(), last, order.end());
    for (auto it = order.begin(); it != last; ++it)
      users_.erase(it->second);
  }

  std::unordered_map<user_id, count> users_;
};

result<done> read_departed(store& from, partition_id partition,
                           const session_key& session, stored_session& out) {
  // A user who is here brings the count along in the roster entry.
  std::unordered_set<user_id> present;
  for (const auto& page : out.pages)
    for (const auto& entry : page.entries)
      present.insert(entry.user);
  stay_counter stays;
  auto read = read_records<interval_record>(
    from, keys::prefix(partition, table::interval, session),
    [&](const interval_record& stay) -> std::optional<failure> {
      if (!present.contains(stay.user))
        stays.add(stay);
      return std::nullopt;
    });
  if (!read)
    return read;
  out.departed = stays.take();
  return done{};
}

failure too_many(const char* what) {
  return fail(errc::internal, "a stored session is over its bound", what);
}

// Who answered what, and what happened of itself.
result<done> read_course(store& from, partition_id partition,
                         const session_key& session, stored_session& out) {
  using refusal = std::optional<failure>;
  auto rounds = read_records<round_record>(
    from, keys::prefix(partition, table::round, session),
    [&](round_record rec) -> refusal {
      out.rounds.push_back(std::move(rec));
      if (out.rounds.size() > limits::rounds_per_session)
        return too_many("rounds");
      return std::nullopt;
    });
  if (!rounds)
    return rounds;
  auto answers = read_records<submission_record>(
    from, keys::prefix(partition, table::submission, session),
    [&](submission_record rec) -> refusal {
      out.submissions.push_back(std::move(rec));
      if (out.submissions.size() > limits::answers_per_session)
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
  auto scanned
    = from.scan(keys::prefix(partition, table::due), [&](auto key, auto value) {
        auto rec = decode(key, value);
        if (const auto* mark = rec ? std::get_if<due_mark>(&*rec) : nullptr)
          out.emplace_back(mark->session, *mark->at);
        return out.size() < limits::sessions_per_partition;
      });
  if (!scanned)
    return scanned.error();
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
      if (out.members.size() > limits::members_per_session)
        return too_many("members");
      return std::nullopt;
    });
  if (!members)
    return members.error();
  auto bans = read_records<ban_record>(
    from, keys::prefix(partition, table::ban, session),
    [&](ban_record rec) -> refusal {
      out.bans.push_back(std::move(rec));
      if (out.bans.size() > limits::bans_per_session)
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
      if (present > limits::participants_per_session)
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
      if (out.size() > 2 * limits::events_per_session)
        return too_many("events");
      return std::nullopt;
    });
  if (!read)
    return read.error();
  return out;
}

result<std::vector<std::string>> read_keys(store& from, partition_id partition,
                                           const session_key& session) {
  static constexpr std::array tables
    = {table::session, table::member,     table::page,  table::occupied,
       table::due,     table::interval,   table::audit, table::ban,
       table::round,   table::submission, table::event, table::set_aside};
  std::vector<std::string> out;
  for (auto where : tables) {
    auto scanned
      = from.scan(keys::prefix(partition, where, session), [&](auto key, auto) {
          out.emplace_back(key);
          return out.size() <= limits::erase_keys;
        });
    if (!scanned)
      return scanned.error();
    if (out.size() > limits::erase_keys)
      return fail(errc::too_large, "the session has too many records to erase "
                                   "at once");
  }
  return out;
}

} // namespace rollcall
