#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <msgpack.hpp>

#include <exception>
#include <limits>

namespace rollcall {

namespace {

using msgpack::type::object_type;

// More than a sound record remembers: `verify` must be able to read, and
// `repair` to trim, what a fault has let grow.
constexpr std::size_t ops_most = 4 * limits::op_ids_per_record;
constexpr std::size_t edges_most
  = limits::page_participants * limits::connections_per_participant;

failure refuse(const char* message, const char* field) {
  return fail(errc::internal, message, field);
}

// Walks one array. The first thing that is wrong sticks in `fault`, and from
// there on every answer is empty.
class walker {
public:
  using fault = std::optional<failure>;

  walker(const msgpack::object* items, std::size_t size, fault& bad)
    : next_(items), left_(size), bad_(bad) {
    // nop
  }

  // The next item, an array of `size`.
  walker tuple(std::size_t size, const char* field) {
    return tuple(size, 0, field);
  }

  // The same, with up to `later` more that were added later.
  walker tuple(std::size_t size, std::size_t later, const char* field) {
    auto out = list(size + later, field);
    if (out.left_ < size)
      out.wrong("an array has the wrong length", field);
    return out;
  }

  // The next item, an array of at most `most`.
  walker list(std::size_t most, const char* field) {
    const auto* item = take(object_type::ARRAY, field);
    if (!item)
      return {nullptr, 0, bad_};
    if (item->via.array.size > most) {
      wrong("an array is over its bound", field);
      return {nullptr, 0, bad_};
    }
    return {item->via.array.ptr, item->via.array.size, bad_};
  }

  [[nodiscard]] std::size_t left() const noexcept {
    return bad_ ? 0 : left_;
  }

  template <class UInt>
  UInt number(const char* field,
              std::uint64_t most = std::numeric_limits<UInt>::max()) {
    const auto* item = take(object_type::POSITIVE_INTEGER, field);
    if (item && item->via.u64 > most)
      wrong("a number is out of range", field);
    return item && !bad_ ? static_cast<UInt>(item->via.u64) : UInt{};
  }

  template <class Enum>
  Enum name(const char* field, Enum last) {
    return static_cast<Enum>(
      number<std::uint8_t>(field, static_cast<std::uint8_t>(last)));
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
  datum tree(const char* field, std::size_t depth = 0) {
    datum out;
    if (depth > limits::answer_depth) {
      wrong("a tree is too deep", field);
    } else if (next_is(object_type::ARRAY)) {
      auto items = list(limits::answer_bytes, field);
      auto& all = out.what.emplace<datum::list>();
      while (items.left() > 0)
        all.push_back(items.tree(field, depth + 1));
    } else if (next_is(object_type::MAP)) {
      out.what = members(field, depth);
    } else if (next_is(object_type::STR)) {
      out.what = text(limits::answer_bytes, field);
    } else if (next_is(object_type::BOOLEAN)) {
      out.what = flag(field);
    } else if (next_is(object_type::POSITIVE_INTEGER)
               || next_is(object_type::NEGATIVE_INTEGER)) {
      out.what = std::int64_t{time(field).count()};
    } else {
      out.what = real(field);
    }
    return out;
  }

  double real(const char* field) {
    const auto* item = take(object_type::FLOAT64, field);
    return item ? item->via.f64 : 0;
  }

  bool flag(const char* field) {
    const auto* item = take(object_type::BOOLEAN, field);
    return item && item->via.boolean;
  }

  millis time(const char* field) {
    if (next_is(object_type::NEGATIVE_INTEGER))
      return millis{take(object_type::NEGATIVE_INTEGER, field)->via.i64};
    return millis{number<std::int64_t>(field)};
  }

  std::string text(std::size_t most, const char* field) {
    const auto* item = take(object_type::STR, field);
    if (!item)
      return {};
    if (item->via.str.size > most) {
      wrong("a text is over its bound", field);
      return {};
    }
    return {item->via.str.ptr, item->via.str.size};
  }

  template <class Read>
  auto maybe(Read read) -> std::optional<decltype(read())> {
    if (next_is(object_type::NIL)) {
      take(object_type::NIL, "");
      return std::nullopt;
    }
    return read();
  }

  version at(const char* field) {
    auto pair = tuple(2, field);
    auto epoch = pair.number<std::uint64_t>(field);
    return {epoch, pair.number<std::uint64_t>(field)};
  }

  op_memory ops() {
    op_memory out;
    auto entries = list(ops_most, "ops");
    while (entries.left() > 0) {
      auto entry = entries.tuple(3, 1, "ops");
      auto op = op_id{entry.text(limits::op_id_bytes, "op")};
      auto epoch = entry.number<std::uint64_t>("ops");
      out.push_back({op, {epoch, entry.number<std::uint64_t>("ops")}});
      if (entry.left() > 0)
        out.back().about = entry.number<std::uint64_t>("ops");
    }
    return out;
  }

  profile who() {
    auto name = text(limits::profile_field_bytes, "name");
    return {name, text(limits::profile_field_bytes, "email")};
  }

  // A field of a later time: what has it not ends before.
  void more(profile& value) {
    if (left() == 0)
      return;
    auto pairs = list(2 * limits::profile_fields, "profile");
    while (pairs.left() > 0) {
      auto key = pairs.text(limits::name_bytes, "profile");
      value.more[key] = pairs.text(limits::profile_more_bytes, "profile");
    }
  }

  void wrong(const char* message, const char* field) {
    if (!bad_)
      bad_ = refuse(message, field);
  }

private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
  datum::fields members(const char* field, std::size_t depth) {
    datum::fields out;
    const auto* item = take(object_type::MAP, field);
    if (item == nullptr)
      return out;
    for (std::uint32_t i = 0; i < item->via.map.size && !bad_; ++i) {
      const auto& each = item->via.map.ptr[i];
      auto name = walker{&each.key, 1, bad_}.text(limits::id_bytes, field);
      out.emplace_back(std::move(name),
                       walker{&each.val, 1, bad_}.tree(field, depth + 1));
    }
    return out;
  }

  bool next_is(object_type type) const noexcept {
    return left() > 0 && next_->type == type;
  }

  const msgpack::object* take(object_type type, const char* field) {
    if (bad_)
      return nullptr;
    if (left_ == 0) {
      wrong("a field is missing", field);
      return nullptr;
    }
    if (next_->type != type) {
      wrong("a field has the wrong type", field);
      return nullptr;
    }
    --left_;
    return next_++;
  }

  const msgpack::object* next_;
  std::size_t left_;
  fault& bad_;
};

settings_patch read_overrides(walker& in) {
  auto all = in.tuple(13, 5, "overrides");
  auto time = [&](const char* field) {
    return all.maybe([&, field] { return all.time(field); });
  };
  auto flag = [&](const char* field) {
    return all.maybe([&, field] { return all.flag(field); });
  };
  auto name = [&](const char* field, auto last) {
    return all.maybe([&, field, last] { return all.name(field, last); });
  };
  settings_patch out;
  out.membership = name("membership", membership_mode::durable);
  out.access = name("access", access_mode::code);
  out.host = name("host", host_policy::oldest_member_any);
  out.identity = name("identity", identity_mode::named);
  out.duplicates = name("duplicates", duplicate_policy::reject_new);
  out.capacity
    = all.maybe([&] { return all.number<std::uint32_t>("capacity"); });
  out.locked = flag("locked");
  out.anonymous_views = flag("anonymous_views");
  out.beat = time("beat");
  out.suspect_after = time("suspect_after");
  out.timeout = time("timeout");
  out.drop_grace = time("drop_grace");
  out.host_reclaim = time("host_reclaim");
  if (all.left() == 0)
    return out;
  auto text = [&](std::size_t most, const char* field) {
    return all.maybe([&, most, field] { return all.text(most, field); });
  };
  out.group = text(limits::id_bytes, "group");
  out.roles = all.maybe([&] {
    std::vector<std::string> roles;
    auto items = all.list(limits::admitted_roles, "roles");
    while (items.left() > 0)
      roles.push_back(items.text(limits::id_bytes, "roles"));
    return roles;
  });
  out.default_role = text(limits::name_bytes, "default_role");
  out.gated_media = flag("gated_media");
  out.code = text(limits::code_bytes, "code");
  return out;
}

void read_plan(walker& in, session_record& out) {
  auto all = in.tuple(3, "plan");
  out.starts_at = all.maybe([&] { return all.time("starts_at"); });
  auto phase = all.tuple(4, "phase");
  auto name = [&] { return phase.text(limits::name_bytes, "phase"); };
  out.phase.name = name();
  out.phase.status = name();
  out.phase.until = phase.maybe([&] { return phase.time("until"); });
  out.phase.next = name();
  out.barrier = all.maybe([&] {
    auto state = all.tuple(4, "barrier");
    auto time = [&] { return state.time("barrier"); };
    return barrier_state{state.text(limits::name_bytes, "barrier"),
                         state.maybe(time), state.maybe(time),
                         state.flag("timed_out")};
  });
}

group_state read_group(walker& in) {
  group_state out;
  auto all = in.tuple(3, "group");
  out.name = all.text(limits::id_bytes, "name");
  out.deleted_at = all.maybe([&] { return all.time("deleted_at"); });
  auto gone = all.list(limits::group_removals, "removed");
  while (gone.left() > 0) {
    auto one = gone.tuple(2, "removed");
    group_removal each;
    each.user = user_id{one.text(limits::id_bytes, "removed")};
    each.when = one.time("removed");
    out.removed.push_back(std::move(each));
  }
  return out;
}

session_record read_session(walker& in, const keys::parsed& key) {
  session_record out;
  out.key = key.session;
  out.kind = in.text(limits::id_bytes, "kind");
  out.overrides = read_overrides(in);
  out.created_by = user_id{in.text(limits::id_bytes, "created_by")};
  out.created_at = in.time("created_at");
  out.ended_at = in.maybe([&] { return in.time("ended_at"); });
  out.appointed_host = in.maybe(
    [&] { return user_id{in.text(limits::id_bytes, "appointed_host")}; });
  out.at = in.at("at");
  out.ops = in.ops();
  // Added later.
  if (in.left() > 0)
    read_plan(in, out);
  if (in.left() > 0)
    out.group = read_group(in);
  return out;
}

member_record read_member(walker& in, const keys::parsed& key) {
  member_record out;
  out.session = key.session;
  out.user = key.user;
  out.who = in.who();
  out.role = in.text(limits::name_bytes, "role");
  auto names = in.list(limits::permissions_per_member, "permissions");
  while (names.left() > 0)
    out.permissions.push_back(names.text(limits::name_bytes, "permissions"));
  out.admitted = in.at("admitted");
  out.admitted_at = in.time("admitted_at");
  out.at = in.at("at");
  out.ops = in.ops();
  in.more(out.who);
  if (in.left() > 0) {
    auto wish = in.tuple(3, "remind");
    out.remind.enabled = wish.flag("remind");
    out.remind.lead = wish.time("lead");
    out.remind.given_for = wish.maybe([&] { return wish.time("given_for"); });
  }
  return out;
}

answer_schema read_schema(walker& in) {
  answer_schema out;
  auto rules = in.list(limits::schema_rules, "schema");
  while (rules.left() > 0) {
    auto item = rules.tuple(10, "schema");
    auto real = [&] { return item.real("schema"); };
    auto& rule = out.emplace_back();
    rule.name = item.text(limits::name_bytes, "schema");
    rule.type = item.name("schema", answer_type::participants);
    rule.optional = item.flag("schema");
    rule.least = item.maybe(real);
    rule.most = item.maybe(real);
    auto choices = item.list(limits::answer_choices, "schema");
    while (choices.left() > 0)
      rule.choices.push_back(choices.text(limits::id_bytes, "schema"));
    rule.sum_least = item.maybe(real);
    rule.sum_most = item.maybe(real);
    rule.self = item.flag("schema");
    rule.below = item.number<std::uint16_t>("schema");
  }
  return out;
}

round_record read_round(walker& in, const keys::parsed& key) {
  round_record out;
  out.session = key.session;
  out.name = key.rest;
  out.rules.schema = read_schema(in);
  auto roles = in.list(limits::roles_per_round, "roles");
  while (roles.left() > 0)
    out.rules.roles.push_back(roles.text(limits::name_bytes, "roles"));
  out.rules.revise = in.flag("revise");
  out.rules.results = in.name("results", results_policy::moderators);
  out.rules.progress = in.name("progress", progress_policy::counts);
  out.opened_at = in.time("opened_at");
  out.closed_at = in.maybe([&] { return in.time("closed_at"); });
  out.at = in.at("at");
  if (in.left() == 0 && !check(out.rules.schema))
    in.wrong("a schema contradicts itself", "schema");
  return out;
}

submission_record read_submission(walker& in, const keys::parsed& key) {
  submission_record out;
  out.session = key.session;
  out.round = key.rest;
  out.user = key.user;
  out.answer = in.tree("answer");
  out.when = in.time("when");
  out.revisions = in.number<std::uint32_t>("revisions");
  out.at = in.at("at");
  out.ops = in.ops();
  return out;
}

event_record read_event(walker& in, const keys::parsed& key) {
  auto when = in.time("when");
  auto type = in.text(limits::name_bytes, "type");
  auto user = user_id{in.text(limits::id_bytes, "user")};
  return {key.session, key.at, when, type, user, in.time("due")};
}

ban_record read_ban(walker& in, const keys::parsed& key) {
  ban_record out;
  out.session = key.session;
  out.user = key.user;
  out.until = in.maybe([&] { return in.time("until"); });
  out.by = user_id{in.text(limits::id_bytes, "by")};
  out.when = in.time("when");
  out.reason = in.text(limits::reason_bytes, "reason");
  out.at = in.at("at");
  return out;
}

std::vector<node_id> read_edges(walker& in) {
  std::vector<node_id> out;
  auto edges = in.list(edges_most, "edges");
  while (edges.left() > 0) {
    auto edge = edges.tuple(2, "edges");
    auto name = edge.text(limits::id_bytes, "edges");
    out.push_back({name, edge.number<std::uint64_t>("edges")});
  }
  return out;
}

roster_entry read_entry(walker& in, const std::vector<node_id>& edges) {
  roster_entry out;
  auto entry = in.tuple(8, 1, "entries");
  out.user = user_id{entry.text(limits::id_bytes, "user")};
  out.who = entry.who();
  out.joined = entry.at("joined");
  out.since = entry.time("since");
  out.reconnections = entry.number<std::uint32_t>("reconnections");
  out.grants = capability_set::from_bits(entry.number<std::uint16_t>("grants"));
  auto all = entry.list(limits::connections_per_participant, "connections");
  while (all.left() > 0) {
    auto item = all.tuple(4, 3, "connections");
    stored_connection conn;
    conn.id.high = item.number<std::uint64_t>("connections");
    conn.id.low = item.number<std::uint64_t>("connections");
    auto index = item.number<std::uint32_t>("connections");
    conn.source = item.name("source", connection_source::external);
    if (item.left() > 0)
      conn.lease = item.time("lease");
    if (item.left() > 0) {
      auto facts = item.tuple(2, "facts");
      conn.facts.device = facts.name("device", device_class::server);
      conn.facts.place = facts.text(limits::place_bytes, "place");
    }
    if (item.left() > 0)
      conn.by_group = item.flag("by_group");
    if (index < edges.size())
      conn.edge = edges[index];
    else
      item.wrong("a connection names no edge of its page", "connections");
    out.connections.push_back(std::move(conn));
  }
  entry.more(out.who);
  return out;
}

roster_page read_page(walker& in, const keys::parsed& key) {
  roster_page out;
  out.session = key.session;
  out.number = key.number;
  out.at = in.at("at");
  auto edges = read_edges(in);
  auto entries = in.list(limits::page_participants, "entries");
  while (entries.left() > 0)
    out.entries.push_back(read_entry(entries, edges));
  return out;
}

interval_record read_interval(walker& in, const keys::parsed& key) {
  interval_record out;
  out.session = key.session;
  out.user = key.user;
  out.joined = key.at;
  out.from = in.time("from");
  out.until = in.time("until");
  out.reason = in.name("reason", leave_reason::edge_lost);
  // Since schema 3.
  if (in.left() > 0)
    out.reconnections = in.number<std::uint32_t>("reconnections");
  return out;
}

audit_record read_audit(walker& in, const keys::parsed& key) {
  audit_record out;
  out.session = key.session;
  out.at = key.at;
  out.action = key.rest;
  out.target = key.user;
  out.when = in.time("when");
  out.actor = user_id{in.text(limits::id_bytes, "actor")};
  out.request = in.text(limits::id_bytes, "request");
  // Since schema 3.
  if (in.left() > 0) {
    out.before = in.text(limits::audit_text_bytes, "before");
    out.after = in.text(limits::audit_text_bytes, "after");
  }
  return out;
}

record read_record(walker& in, const keys::parsed& key) {
  switch (key.where) {
  case table::session:
    return read_session(in, key);
  case table::member:
    return read_member(in, key);
  case table::ban:
    return read_ban(in, key);
  case table::page:
    return read_page(in, key);
  case table::occupied:
    return occupied_mark{key.session, true};
  case table::due:
    return due_mark{key.session, in.time("at")};
  case table::interval:
    return read_interval(in, key);
  case table::audit:
    return read_audit(in, key);
  case table::round:
    return read_round(in, key);
  case table::submission:
    return read_submission(in, key);
  case table::event:
    return read_event(in, key);
  default:
    in.wrong("this table holds no records", "table");
    return session_erased{key.session};
  }
}

// Unpacks `value`, checks its head and hands the fields to `read`.
template <class Read>
auto read_value(std::string_view value, table kind, Read read)
  -> result<decltype(read(std::declval<walker&>()))> {
  if (value.size() > limits::record_bytes)
    return refuse("a stored value is over its bound", "record");
  try {
    // Lists, maps, texts, bytes, extensions, depth.
    const msgpack::unpack_limit bounds{
      edges_most, limits::answer_bytes, limits::record_bytes, 0, 0, 16};
    std::size_t used = 0;
    auto handle = msgpack::unpack(value.data(), value.size(), used, nullptr,
                                  nullptr, bounds);
    if (used != value.size())
      return refuse("a stored value has trailing bytes", "record");
    walker::fault bad;
    walker whole{&handle.get(), 1, bad};
    auto fields = whole.list(edges_most, "record");
    auto version = fields.number<std::uint32_t>("version");
    if (!bad && (version == 0 || version > record_version))
      return refuse("a stored value is of a version this build cannot read",
                    "version");
    if (fields.number<std::uint8_t>("kind") != static_cast<std::uint8_t>(kind))
      fields.wrong("a stored value is of another kind than its key", "kind");
    auto out = read(fields);
    if (fields.left() > 0)
      fields.wrong("a stored value has more fields than it should", "record");
    if (bad)
      return *bad;
    return out;
  } catch (const std::exception&) {
    // What msgpack throws says nothing about our fields.
    return refuse("a stored value is not msgpack within bounds", "record");
  }
}

} // namespace

result<record> decode(std::string_view key, std::string_view value) {
  auto parsed = keys::parse(key);
  if (!parsed)
    return parsed.error();
  return read_value(value, parsed->where,
                    [&](walker& in) { return read_record(in, *parsed); });
}

result<checkpoint> decode_checkpoint(std::string_view value) {
  return read_value(value, table::checkpoint, [](walker& in) {
    checkpoint out;
    out.generation = in.number<std::uint64_t>("generation");
    out.position = in.number<std::uint64_t>("position");
    out.epoch = in.number<std::uint64_t>("epoch");
    // Added later.
    if (in.left() > 0)
      out.incarnation = in.number<std::uint64_t>("incarnation");
    return out;
  });
}

result<std::uint32_t> decode_layout(std::string_view value) {
  return read_value(value, table::layout, [](walker& in) {
    return in.number<std::uint32_t>("partitions");
  });
}

result<std::vector<std::string>> decode_nodes(std::string_view value) {
  return read_value(value, table::nodes, [](walker& in) {
    std::vector<std::string> out;
    auto names = in.list(limits::nodes, "nodes");
    while (names.left() > 0)
      out.push_back(names.text(limits::name_bytes, "name"));
    return out;
  });
}

result<std::uint32_t> decode_schema(std::string_view value) {
  return read_value(value, table::schema, [](walker& in) {
    return in.number<std::uint32_t>("schema");
  });
}

} // namespace rollcall
