#include "persistence/verify.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"
#include "persistence/verify_history.hpp"

#include <array>
#include <map>
#include <set>

namespace rollcall {

namespace {

// Mending one thing may bring another to light, and a round names only so
// many. This only ends a repair that does not converge.
constexpr int rounds_most = 1'024;

// Walks the store in key order. Within a partition the order of the tables
// lets the indexes be judged when their turn comes: sessions, members and
// pages are known by then.
class verifier {
public:
  explicit verifier(std::uint32_t partitions) : partitions_(partitions) {
    // nop
  }

  // Returns false when enough was found.
  bool visit(std::string_view key, std::string_view value) {
    auto parsed = keys::parse(key);
    auto partition = parsed ? parsed->partition : partition_;
    if (partition != partition_) {
      end_partition();
      partition_ = partition;
    }
    if (!parsed)
      set_aside(damage::bad_key, {}, 0, key, value, parsed.error().field);
    else
      check(*parsed, key, value);
    broken_off_ = found_.size() >= limits::verify_findings;
    return !broken_off_;
  }

  std::vector<finding> finish() {
    // Of a partition that was not read to its end nothing can be said.
    if (!broken_off_)
      end_partition();
    return std::move(found_);
  }

private:
  void check(const keys::parsed& key, std::string_view raw,
             std::string_view value) {
    switch (key.where) {
    case table::schema:
    case table::layout:
    case table::nodes:
    case table::set_aside:
      return;
    case table::checkpoint:
      if (auto at = decode_checkpoint(value); !at)
        add(damage::bad_checkpoint, raw, at.error().field, {});
      return;
    default:
      break;
    }
    auto home = partition_of(key.session, partitions_);
    if (home != key.partition) {
      set_aside(damage::wrong_partition, key.session, home, raw, value, {});
      return;
    }
    auto rec = decode(raw, value);
    if (!rec) {
      set_aside(damage::bad_record, key.session, home, raw, value,
                rec.error().field);
      return;
    }
    if (key.where != table::page)
      end_pages();
    std::visit([&](auto& one) { check_record(one, raw); }, *rec);
  }

  void check_record(session_record& rec, std::string_view key) {
    known_.insert(rec.key);
    records_.insert(rec.key);
    if (rec.ended_at)
      ended_.emplace(rec.key, *rec.ended_at);
    else if (rec.group && rec.group->untold_since())
      ended_.emplace(rec.key, *rec.group->untold_since());
    check_ops(rec, key);
    // The creator is host without having been there.
    if (rec.appointed_host && *rec.appointed_host != rec.created_by)
      strange_hosts_.insert_or_assign(rec.key, std::move(rec));
  }

  void check_record(member_record& rec, std::string_view key) {
    if (!records_.contains(rec.session)) {
      auto value = encoded(rec);
      if (!value.empty() && value.front().value)
        set_aside(damage::session_missing, rec.session, partition_, key,
                  *value.front().value, "session");
      return;
    }
    known_.insert(rec.session);
    clear_host(rec.session, rec.user);
    check_ops(rec, key);
  }

  void check_record(roster_page& page, std::string_view key) {
    if (page.entries.empty()) {
      add(damage::empty_page, key, {}, {{std::string{key}, std::nullopt}});
      return;
    }
    bool orphan = !records_.contains(page.session);
    if (orphan || ended_.contains(page.session)) {
      add(orphan ? damage::session_missing : damage::ended_occupied, key,
          "session", {{std::string{key}, std::nullopt}});
      return;
    }
    // Before whoever is named became a member, some had only been here.
    for (const auto& entry : page.entries)
      clear_host(page.session, entry.user);
    known_.insert(page.session);
    unmarked_.insert(page.session);
    paged_.insert(page.session);
    if (!pages_.empty() && pages_.front().session != page.session)
      end_pages();
    pages_.push_back(std::move(page));
  }

  void check_record(const occupied_mark& mark, std::string_view key) {
    unmarked_.erase(mark.session);
    if (!paged_.contains(mark.session))
      add(damage::occupied_stale, key, {}, {{std::string{key}, std::nullopt}});
  }

  void check_record(const due_mark& mark, std::string_view key) {
    if (!known_.contains(mark.session))
      add(damage::due_orphan, key, {}, {{std::string{key}, std::nullopt}});
    due_.insert(mark.session);
  }

  void check_record(const interval_record& closed, std::string_view key) {
    history_.check(closed, key, records_.contains(closed.session));
  }

  void check_record(const audit_record& entry, std::string_view key) {
    history_.check(entry, key, records_.contains(entry.session));
  }

  void check_record(const round_record& rec, std::string_view key) {
    if (!known_.contains(rec.session))
      add(damage::round_orphan, key, {}, {{std::string{key}, std::nullopt}});
    else
      rounds_.insert({rec.session, rec.name});
  }

  void check_record(submission_record& rec, std::string_view key) {
    if (!rounds_.contains({rec.session, rec.round}))
      add(damage::submission_orphan, key, {},
          {{std::string{key}, std::nullopt}});
    else
      check_ops(rec, key);
  }

  void check_record(const event_record& rec, std::string_view key) {
    if (!known_.contains(rec.session))
      add(damage::event_orphan, key, {}, {{std::string{key}, std::nullopt}});
  }

  void check_record(const ban_record& rec, std::string_view key) {
    if (!known_.contains(rec.session))
      add(damage::ban_orphan, key, {}, {{std::string{key}, std::nullopt}});
  }

  template <class Other>
  void check_record(const Other&, std::string_view) {
    // It decodes; nothing else is asked of it.
  }

  void tell_history(damage what, std::string_view key, const char* field,
                    const interval_record* mended) {
    if (mended != nullptr)
      add(what, key, field, encoded(*mended));
    else
      add(what, key, field, {{std::string{key}, std::nullopt}});
  }

  template <class Record>
  void check_ops(Record& rec, std::string_view key) {
    if (rec.ops.size() <= limits::op_ids_per_record)
      return;
    auto surplus = rec.ops.size() - limits::op_ids_per_record;
    rec.ops.erase(rec.ops.begin(),
                  rec.ops.begin() + static_cast<std::ptrdiff_t>(surplus));
    add(damage::too_many_ops, key, "ops", encoded(rec));
  }

  // The appointed host of the session is somebody who is known.
  void clear_host(const session_key& session, const user_id& user) {
    if (auto at = strange_hosts_.find(session);
        at != strange_hosts_.end() && *at->second.appointed_host == user)
      strange_hosts_.erase(at);
  }

  // All pages of one session are here: nobody may be on them twice.
  void end_pages() {
    std::map<user_id, std::size_t> keeper;
    for (std::size_t i = 0; i < pages_.size(); ++i)
      for (const auto& entry : pages_[i].entries) {
        auto [known, fresh] = keeper.emplace(entry.user, i);
        if (!fresh && pages_[known->second].at < pages_[i].at)
          known->second = i;
      }
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      auto& page = pages_[i];
      auto before = page.entries.size();
      std::set<user_id> seen;
      std::erase_if(page.entries, [&](const roster_entry& entry) {
        return keeper.at(entry.user) != i || !seen.insert(entry.user).second;
      });
      if (page.entries.size() != before)
        add(damage::duplicate_user,
            keys::of_page(partition_, page.session, page.number), "user",
            encoded(page));
    }
    pages_.clear();
  }

  void end_partition() {
    end_pages();
    for (const auto& session : unmarked_)
      add(damage::occupied_missing, keys::of_occupied(partition_, session), {},
          encoded(occupied_mark{session, true}));
    // Whoever is woken by it looks when it is time.
    for (const auto& [session, ended] : ended_)
      if (!due_.contains(session))
        add(damage::due_missing, keys::of_due(partition_, session), {},
            encoded(due_mark{session, ended}));
    for (auto& [session, rec] : strange_hosts_) {
      rec.appointed_host.reset();
      add(damage::host_stranger, keys::of_session(partition_, session),
          "appointed_host", encoded(rec));
    }
    strange_hosts_.clear();
    known_.clear();
    records_.clear();
    ended_.clear();
    due_.clear();
    rounds_.clear();
    paged_.clear();
    unmarked_.clear();
  }

  std::vector<encoded_record> encoded(const record& value) const {
    auto out = encode(value, partition_);
    return out ? std::move(*out) : std::vector<encoded_record>{};
  }

  void set_aside(damage what, const session_key& session, partition_id home,
                 std::string_view key, std::string_view value,
                 std::string field) {
    add(what, key, std::move(field),
        {{std::string{key}, std::nullopt},
         {keys::of_set_aside(home, session, key), std::string{value}}});
  }

  void add(damage what, std::string_view key, std::string field,
           std::vector<encoded_record> mend) {
    found_.push_back(
      {what, partition_, std::string{key}, std::move(field), std::move(mend)});
  }

  std::uint32_t partitions_;
  partition_id partition_ = 0;
  /// Sessions of the partition of which anything is known.
  std::set<session_key> known_;
  /// Those with a record, those that are to be woken with the time of it (they
  /// have ended, or groups have something to tell), and those that are due.
  std::set<session_key> records_;
  std::map<session_key, millis> ended_;
  std::set<session_key> due_;
  /// Sessions whose appointed host has not been found among their members.
  std::map<session_key, session_record> strange_hosts_;
  history_checker history_{[this](damage what, std::string_view key,
                                  const char* field,
                                  const interval_record* mended) {
    tell_history(what, key, field, mended);
  }};
  std::set<std::pair<session_key, std::string>> rounds_;
  /// Sessions with roster pages, and those of them not yet seen in the index.
  std::set<session_key> paged_;
  std::set<session_key> unmarked_;
  /// The pages of the session being read.
  std::vector<roster_page> pages_;
  std::vector<finding> found_;
  bool broken_off_ = false;
};

result<std::size_t> mend(store& at, const std::vector<finding>& found) {
  std::size_t mended = 0;
  applied_records chunk{store_wide, {}, {}};
  std::size_t bytes = 0;
  auto write = [&]() -> result<done> {
    if (chunk.records.empty())
      return done{};
    auto written = at.write({&chunk, 1});
    chunk.records.clear();
    bytes = 0;
    return written;
  };
  for (const auto& one : found) {
    if (one.mend.empty())
      continue;
    ++mended;
    // One finding is mended whole or not at all.
    for (const auto& item : one.mend) {
      bytes += item.key.size() + (item.value ? item.value->size() : 0);
      chunk.records.push_back(item);
    }
    if (bytes >= limits::group_bytes)
      if (auto written = write(); !written)
        return written.error();
  }
  if (auto written = write(); !written)
    return written.error();
  return mended;
}

} // namespace

std::string_view to_string(damage what) noexcept {
  static constexpr std::array<std::string_view, 22> names = {
    "bad_key",        "bad_record",     "bad_checkpoint",    "wrong_partition",
    "empty_page",     "duplicate_user", "occupied_missing",  "occupied_stale",
    "due_orphan",     "too_many_ops",   "session_missing",   "due_missing",
    "ended_occupied", "stay_reversed",  "stay_overlap",      "wrong_count",
    "history_orphan", "round_orphan",   "submission_orphan", "event_orphan",
    "ban_orphan",     "host_stranger",
  };
  auto index = static_cast<std::size_t>(what);
  return index < names.size() ? names[index] : "bad_record";
}

result<std::vector<finding>> verify(store& at, std::uint32_t partitions) {
  if (partitions == 0 || partitions > limits::partitions_max)
    return fail(errc::bad_request, "there is no such number of partitions",
                "partitions");
  verifier out{partitions};
  auto scanned
    = at.scan("", [&](auto key, auto value) { return out.visit(key, value); });
  if (!scanned)
    return scanned.error();
  return out.finish();
}

result<repair_report> repair(store& at, std::uint32_t partitions) {
  repair_report out;
  for (int round = 0; round < rounds_most; ++round) {
    auto found = verify(at, partitions);
    if (!found)
      return found.error();
    auto mended = mend(at, *found);
    if (!mended)
      return mended.error();
    out.mended += *mended;
    out.left = std::move(*found);
    if (*mended == 0)
      break;
  }
  return out;
}

} // namespace rollcall
