#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"
#include "persistence/record_parts.hpp"
#include "persistence/record_reader.hpp"

namespace rollcall {

namespace {

constexpr std::size_t edges_most
  = limits::page_participants * limits::connections_per_participant;

session_record read_session(record_reader& in, const keys::parsed& key) {
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
  out.changed = in.left() > 0 ? in.at("changed") : out.at;
  if (in.left() > 0)
    out.group = read_group(in);
  return out;
}

member_record read_member(record_reader& in, const keys::parsed& key) {
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
  if (in.left() > 0)
    out.own_name = in.flag("own_name");
  return out;
}

round_record read_round(record_reader& in, const keys::parsed& key) {
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

submission_record read_submission(record_reader& in, const keys::parsed& key) {
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

event_record read_event(record_reader& in, const keys::parsed& key) {
  auto when = in.time("when");
  auto type = in.text(limits::name_bytes, "type");
  auto user = user_id{in.text(limits::id_bytes, "user")};
  return {key.session, key.at, when, type, user, in.time("due")};
}

ban_record read_ban(record_reader& in, const keys::parsed& key) {
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

std::vector<node_id> read_edges(record_reader& in) {
  std::vector<node_id> out;
  auto edges = in.list(edges_most, "edges");
  while (edges.left() > 0) {
    auto edge = edges.tuple(2, "edges");
    auto name = edge.text(limits::id_bytes, "edges");
    out.push_back({name, edge.number<std::uint64_t>("edges")});
  }
  return out;
}

roster_entry read_entry(record_reader& in, const std::vector<node_id>& edges) {
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

roster_page read_page(record_reader& in, const keys::parsed& key) {
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

interval_record read_interval(record_reader& in, const keys::parsed& key) {
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

audit_record read_audit(record_reader& in, const keys::parsed& key) {
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

record read_record(record_reader& in, const keys::parsed& key) {
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

// One value of whatever `read` makes of the fields.
template <class Read>
auto read_value(std::string_view value, table kind, Read read)
  -> result<decltype(read(std::declval<record_reader&>()))> {
  std::optional<decltype(read(std::declval<record_reader&>()))> out;
  auto whole = read_fields(value, kind,
                           [&](record_reader& in) { out.emplace(read(in)); });
  if (!whole)
    return whole.error();
  return std::move(*out);
}

} // namespace

result<record> decode(std::string_view key, std::string_view value) {
  auto parsed = keys::parse(key);
  if (!parsed)
    return parsed.error();
  return read_value(value, parsed->where, [&](record_reader& in) {
    return read_record(in, *parsed);
  });
}

result<checkpoint> decode_checkpoint(std::string_view value) {
  return read_value(value, table::checkpoint, [](record_reader& in) {
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
  return read_value(value, table::layout, [](record_reader& in) {
    return in.number<std::uint32_t>("partitions");
  });
}

result<std::vector<std::string>> decode_nodes(std::string_view value) {
  return read_value(value, table::nodes, [](record_reader& in) {
    std::vector<std::string> out;
    auto names = in.list(limits::nodes, "nodes");
    while (names.left() > 0)
      out.push_back(names.text(limits::name_bytes, "name"));
    return out;
  });
}

result<std::uint32_t> decode_schema(std::string_view value) {
  return read_value(value, table::schema, [](record_reader& in) {
    return in.number<std::uint32_t>("schema");
  });
}

} // namespace rollcall
