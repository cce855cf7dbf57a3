#include "persistence/session_lister.hpp"

#include "actors/access.hpp"
#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <algorithm>

namespace rollcall {

namespace {

/// Behind every group's id and before every session's.
constexpr char after_groups = '\x02';

/// Where a walk begins.
struct list_place {
  partition_id partition = 0;
  const namespace_id& ns;
  const session_id& after;
};

std::size_t count_keys(store& from, const std::string& prefix,
                       std::size_t most) {
  std::size_t count = 0;
  (void)from.scan(prefix, [&](auto, auto) { return ++count < most; });
  return count;
}

kind_settings settings_of(std::span<const kind_settings> kinds,
                          const session_record& kept) {
  auto at = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) {
    return kind.kind == kept.kind;
  });
  return with_patch(at == kinds.end() ? kind_settings{} : *at, kept.overrides);
}

/// Calls `visit` for the sessions of a namespace behind `after`, or for its
/// groups alone, in the order of their keys. Ids of one size stand together,
/// groups first: the others are leapt over.
result<done> walk_ids(store& from, const list_place& where, bool groups,
                      const store::visitor& visit) {
  const auto whole = keys::prefix(where.partition, table::session, where.ns);
  auto start = where.after.empty()
                 ? std::string{}
                 : keys::of_session(where.partition, {where.ns, where.after});
  for (std::optional<std::string> leap{start}; leap;) {
    start = std::move(*leap);
    leap.reset();
    auto walked
      = from.walk(whole, start, walk_way::up, [&](auto key, auto value) {
          auto mark = key.substr(whole.size() + 1, 1);
          if (is_group(session_id{std::string{mark}}) == groups)
            return visit(key, value);
          leap = std::string{key.substr(0, whole.size() + 1)};
          if (groups)
            ++leap->back();
          else
            *leap += after_groups;
          return false;
        });
    if (!walked)
      return walked;
  }
  return done{};
}

class session_lister {
public:
  session_lister(store& from, std::span<const kind_settings> kinds,
                 const list_question& asked)
    : from_(from),
      kinds_(kinds),
      asked_(asked),
      partition_(asked.asked.partition) {
    out_.as_of = asked.now;
  }

  result<list_reply> run() {
    std::size_t looked_at = 0;
    std::optional<session_id> last;
    auto most
      = std::clamp<std::size_t>(asked_.asked.limit, 1, limits::list_page_items);
    auto visit = [&](auto key, auto value) {
      if (out_.sessions.size() == most || looked_at == limits::list_scan) {
        out_.reached = last;
        return false;
      }
      ++looked_at;
      // One that cannot be read is passed over: `verify` names it.
      if (auto rec = decode(key, value)) {
        const auto& kept = std::get<session_record>(*rec);
        consider(kept);
        last = kept.key.id;
      }
      return true;
    };
    auto walked = walk_ids(from_, {partition_, asked_.ns, asked_.asked.after},
                           asked_.asked.groups, visit);
    if (!walked)
      return walked.error();
    return std::move(out_);
  }

private:
  void consider(const session_record& kept) {
    const auto& wish = asked_.asked;
    if (kept.ended_at == deleted || (wish.kind && *wish.kind != kept.kind)
        || (wish.ended && *wish.ended != kept.ended_at.has_value())
        || (wish.upcoming && !is_upcoming(kept)))
      return;
    const auto& user = asked_.caller.user;
    bool creator = !user.empty() && kept.created_by == user;
    bool known
      = !user.empty() && has(keys::of_member(partition_, kept.key, user));
    auto settings = wish.groups ? group_kind() : settings_of(kinds_, kept);
    if (!creator && !shows_members(settings, known) && !is_public(settings))
      return;
    if (wish.mine && !creator && !known)
      return;
    bool occupied = has(keys::of_occupied(partition_, kept.key));
    if (wish.occupied && *wish.occupied != occupied)
      return;
    session_summary one;
    one.id = kept.key.id;
    one.kind = kept.kind;
    one.created_by = kept.created_by;
    one.created_at = kept.created_at;
    one.ended_at = kept.ended_at;
    one.access = to_string(settings.access);
    one.locked = settings.locked;
    one.present = occupied ? present_in(kept.key) : 0;
    one.members = static_cast<std::uint32_t>(
      count_keys(from_, keys::prefix(partition_, table::member, kept.key),
                 limits::list_members));
    one.is_member = known;
    one.starts_at = kept.starts_at;
    if (kept.group)
      one.name = kept.group->name;
    out_.sessions.push_back(std::move(one));
  }

  [[nodiscard]] bool is_upcoming(const session_record& kept) const {
    return kept.starts_at && *kept.starts_at > asked_.now && !kept.ended_at;
  }

  // A member who may not enter any more sees nothing of the session either.
  [[nodiscard]] bool shows_members(const kind_settings& settings,
                                   bool known) const {
    if (!known || settings.access == access_mode::roles)
      return known && is_admitted(settings);
    return settings.access != access_mode::group || !asked_.asked.in_groups
           || is_admitted(settings);
  }

  // For those the session says nothing of.
  [[nodiscard]] bool is_public(const kind_settings& settings) const {
    const auto& caller = asked_.caller;
    if (caller.grants.has(capability::admin))
      return true;
    if (!is_admitted(settings))
      return false;
    return caller.user.empty()
             ? settings.anonymous_views
             : caller.grants.has(capability::observe_count)
                 || caller.grants.has(capability::observe_roster);
  }

  // By what is known of the caller, and not of the session.
  [[nodiscard]] bool is_admitted(const kind_settings& settings) const {
    const auto& caller = asked_.caller;
    switch (settings.access) {
    case access_mode::open:
      return true;
    case access_mode::roles:
      return !caller.user.empty() && !caller.role.empty()
             && has_name(settings.roles, caller.role);
    case access_mode::group:
      return !caller.user.empty()
             && (claims_group(settings, caller)
                 || (asked_.asked.in_groups
                     && has_name(*asked_.asked.in_groups, settings.group)));
    case access_mode::members:
    case access_mode::code:
      break;
    }
    return false;
  }

  [[nodiscard]] bool has(const std::string& key) {
    auto value = from_.get(key);
    return value && *value;
  }

  std::uint32_t present_in(const session_key& session) {
    std::uint32_t count = 0;
    (void)from_.scan(keys::prefix(partition_, table::page, session),
                     [&](auto key, auto value) {
                       if (auto rec = decode(key, value))
                         count += static_cast<std::uint32_t>(
                           std::get<roster_page>(*rec).entries.size());
                       return true;
                     });
    return count;
  }

  store& from_;
  std::span<const kind_settings> kinds_;
  const list_question& asked_;
  partition_id partition_;
  list_reply out_;
};

} // namespace

result<list_reply> list_sessions(store& from,
                                 std::span<const kind_settings> kinds,
                                 const list_question& asked) {
  return session_lister{from, kinds, asked}.run();
}

result<found_sessions> find_sessions_of(store& from,
                                        std::span<const kind_settings> kinds,
                                        const group_question& asked) {
  found_sessions out;
  std::size_t looked_at = 0;
  session_id last;
  auto concerned = [&](const session_key& session) {
    return asked.members.empty()
           || std::any_of(
             asked.members.begin(), asked.members.end(), [&](const auto& user) {
               auto kept
                 = from.get(keys::of_member(asked.partition, session, user));
               return kept && *kept;
             });
  };
  auto visit = [&](auto key, auto value) {
    if (looked_at++ == limits::list_scan
        || out.sessions.size() == limits::group_sessions) {
      out.next = last;
      return false;
    }
    auto rec = decode(key, value);
    if (!rec)
      return true;
    const auto& kept = std::get<session_record>(*rec);
    last = kept.key.id;
    auto settings = settings_of(kinds, kept);
    if (kept.ended_at != deleted && settings.access == access_mode::group
        && settings.group == asked.group && concerned(kept.key))
      out.sessions.push_back(kept.key);
    return true;
  };
  auto walked
    = walk_ids(from, {asked.partition, asked.ns, asked.after}, false, visit);
  if (!walked)
    return walked.error();
  return out;
}

} // namespace rollcall
