#include "persistence/migrations.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rollcall {

namespace {

// Writes records that no journal knows, in bounded chunks.
class chunk_writer {
public:
  explicit chunk_writer(store& at) : at_(at) {
    // nop
  }

  result<done> add(encoded_record item) {
    chunk_.records.push_back(std::move(item));
    if (chunk_.records.size() < limits::group_commits)
      return done{};
    return finish();
  }

  result<done> finish() {
    if (chunk_.records.empty())
      return done{};
    auto written = at_.write({&chunk_, 1});
    chunk_.records.clear();
    return written;
  }

private:
  store& at_;
  applied_records chunk_{store_wide, {}, {}};
};

result<done> stamp(store& at, std::uint32_t schema) {
  chunk_writer out{at};
  if (auto added = out.add({keys::of_schema(), encode_schema(schema)}); !added)
    return added;
  return out.finish();
}

result<done> remove_table(store& at, table where) {
  chunk_writer out{at};
  for (partition_id p = 0; p < limits::partitions_max; ++p) {
    std::vector<std::string> keys;
    auto scanned = at.scan(keys::prefix(p, where), [&](auto key, auto) {
      keys.emplace_back(key);
      return true;
    });
    if (!scanned)
      return scanned;
    for (auto& key : keys)
      if (auto added = out.add({std::move(key), std::nullopt}); !added)
        return added;
  }
  return out.finish();
}

// -- 2: the occupied index ---------------------------------------------------

result<done> build_occupied(store& at) {
  // Marks that an undone rollback has left may be out of date by now.
  if (auto removed = remove_table(at, table::occupied); !removed)
    return removed;
  chunk_writer out{at};
  for (partition_id p = 0; p < limits::partitions_max; ++p) {
    std::set<session_key> occupied;
    auto scanned = at.scan(keys::prefix(p, table::page), [&](auto key, auto) {
      // A page is only stored while somebody is on it.
      if (auto parsed = keys::parse(key))
        occupied.insert(std::move(parsed->session));
      return true;
    });
    if (!scanned)
      return scanned;
    for (const auto& session : occupied) {
      auto mark = encode(occupied_mark{session, true}, p);
      if (!mark)
        return mark.error();
      if (auto added = out.add(std::move(mark->at(0))); !added)
        return added;
    }
  }
  return out.finish();
}

result<done> drop_occupied(store& at) {
  return remove_table(at, table::occupied);
}

// -- 3: stays know the earlier ones, entries what changed --------------------

// Rewrites the records of one table of all partitions, in key order and in
// bounded writes. `change` says whether it changed the record.
template <class Record, class Change>
result<done> rewrite_table(store& at, table where, Change change) {
  chunk_writer out{at};
  for (partition_id p = 0; p < limits::partitions_max; ++p) {
    std::string behind;
    for (bool more = true; more;) {
      std::vector<encoded_record> changed;
      std::size_t looked_at = 0;
      more = false;
      auto walked = at.walk(keys::prefix(p, where), behind, walk_way::up,
                            [&](auto key, auto value) {
                              if (looked_at++ == limits::group_commits) {
                                more = true;
                                return false;
                              }
                              behind = key;
                              // What cannot be read is for `verify`.
                              auto rec = decode(key, value);
                              if (!rec || !change(std::get<Record>(*rec)))
                                return true;
                              if (auto again = encode(*rec, p))
                                changed.push_back(std::move(again->at(0)));
                              return true;
                            });
      if (!walked)
        return walked;
      for (auto& item : changed)
        if (auto added = out.add(std::move(item)); !added)
          return added;
      if (auto written = out.finish(); !written)
        return written;
    }
  }
  return out.finish();
}

result<done> count_stays(store& at) {
  session_key session;
  // Users of one session at a time.
  std::map<user_id, std::uint32_t> before;
  return rewrite_table<interval_record>(
    at, table::interval, [&](interval_record& closed) {
      if (closed.session != session) {
        session = closed.session;
        before.clear();
      }
      auto& count = before[closed.user];
      // A stay that knows may follow others that were swept.
      bool known = closed.reconnections.has_value();
      count = std::max(count, closed.reconnections.value_or(0));
      closed.reconnections = count++;
      return !known;
    });
}

result<done> forget_counts(store& at) {
  auto counts = rewrite_table<interval_record>(
    at, table::interval, [](interval_record& closed) {
      return std::exchange(closed.reconnections, std::nullopt).has_value();
    });
  if (!counts)
    return counts;
  return rewrite_table<audit_record>(at, table::audit, [](audit_record& entry) {
    bool words = !entry.before.empty() || !entry.after.empty();
    entry.before.clear();
    entry.after.clear();
    return words;
  });
}

constexpr std::array steps = {
  migration{2, "occupied_index", &build_occupied, &drop_occupied},
  migration{3, "stays_know_the_earlier", &count_stays, &forget_counts, true},
};

static_assert(steps.back().to == schema_current);

failure too_new(std::uint32_t schema) {
  return fail(errc::conflict,
              "the store has schema " + std::to_string(schema)
                + ", and this build knows up to "
                + std::to_string(schema_current)
                + ": start the build that wrote it, or migrate the store back "
                  "with that build first");
}

result<bool> is_empty(store& at) {
  bool empty = true;
  auto scanned = at.scan("", [&](auto, auto) {
    empty = false;
    return false;
  });
  if (!scanned)
    return scanned.error();
  return empty;
}

result<done> apply_step(store& at, const migration& step) {
  if (auto applied = step.apply(at); !applied)
    return applied;
  log(log_level::info, "schema", "migrated",
      {{"to", step.to}, {"name", step.name}});
  return stamp(at, step.to);
}

result<done> undo_step(store& at, const migration& step) {
  log(log_level::info, "schema", "rolls_back",
      {{"from", step.to}, {"name", step.name}});
  if (step.number_last) {
    if (auto undone = step.rollback(at); !undone)
      return undone;
    return stamp(at, step.to - 1);
  }
  if (auto stamped = stamp(at, step.to - 1); !stamped)
    return stamped;
  return step.rollback(at);
}

} // namespace

std::span<const migration> migrations() {
  return steps;
}

result<std::optional<std::uint32_t>> read_schema(store& at) {
  auto value = at.get(keys::of_schema());
  if (!value)
    return value.error();
  if (!*value)
    return std::optional<std::uint32_t>{};
  auto schema = decode_schema(**value);
  if (!schema)
    return schema.error();
  return std::optional<std::uint32_t>{*schema};
}

result<done> migrate(store& at) {
  return migrate_to(at, schema_current);
}

result<done> migrate_to(store& at, std::uint32_t schema) {
  if (schema == 0 || schema > schema_current)
    return fail(errc::bad_request, "there is no such schema", "schema");
  auto stored = read_schema(at);
  if (!stored)
    return stored.error();
  if (!*stored) {
    auto empty = is_empty(at);
    if (!empty)
      return empty.error();
    if (!*empty)
      return fail(errc::internal,
                  "the store has records but no schema number: it is damaged "
                  "or not ours; put back a copy, or begin with an empty one");
    return stamp(at, schema);
  }
  if (**stored > schema_current || **stored == 0)
    return too_new(**stored);
  for (const auto& step : steps)
    if (step.to > **stored && step.to <= schema)
      if (auto applied = apply_step(at, step); !applied)
        return applied;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    if (step->to <= **stored && step->to > schema)
      if (auto undone = undo_step(at, *step); !undone)
        return undone;
  return done{};
}

} // namespace rollcall
