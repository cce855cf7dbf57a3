#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"
#include "persistence/record_parts.hpp"
#include "persistence/record_writer.hpp"

#include <map>

namespace rollcall {

namespace {

// What came after the first version: nothing is written where there is
// nothing, so that a build from before it can read the record.
bool has_plan(const session_record& rec) {
  return rec.starts_at || rec.phase != phase_state{} || rec.barrier;
}

result<std::string> value_of(const session_record& rec, std::uint32_t form) {
  // Before courses there were eight.
  bool tagged = (form >= 2 && rec.changed != rec.at) || rec.group;
  bool planned = tagged || has_plan(rec);
  record_writer out{table::session, rec.group ? 11U
                                    : tagged  ? 10U
                                    : planned ? 9U
                                              : 8U};
  out.text(rec.kind, limits::id_bytes, "kind");
  write_overrides(out, rec.overrides);
  out.text(rec.created_by.str(), limits::id_bytes, "created_by");
  out.time(rec.created_at);
  out.maybe(rec.ended_at, [&](millis when) { out.time(when); });
  out.maybe(rec.appointed_host, [&](const user_id& user) {
    out.text(user.str(), limits::id_bytes, "appointed_host");
  });
  out.at(rec.at);
  out.ops(rec.ops);
  if (planned)
    write_plan(out, rec);
  if (tagged)
    out.at(rec.changed);
  if (rec.group)
    write_group(out, *rec.group);
  return out.finish();
}

result<std::string> value_of(const member_record& rec) {
  // Before further fields of a profile, reminders and own names there were
  // eight.
  bool reminded = rec.own_name || rec.remind != reminder{};
  bool more = reminded || !rec.who.more.empty();
  record_writer out{table::member, rec.own_name ? 11U
                                   : reminded   ? 10U
                                   : more       ? 9U
                                                : 8U};
  out.who(rec.who);
  out.text(rec.role, limits::name_bytes, "role");
  out.bound(rec.permissions.size(), limits::permissions_per_member,
            "permissions");
  out.array(rec.permissions.size());
  for (const auto& name : rec.permissions)
    out.text(name, limits::name_bytes, "permissions");
  out.at(rec.admitted);
  out.time(rec.admitted_at);
  out.at(rec.at);
  out.ops(rec.ops);
  if (more)
    out.more(rec.who);
  if (reminded) {
    out.array(3);
    out.number(rec.remind.enabled);
    out.time(rec.remind.lead);
    out.maybe(rec.remind.given_for, [&](millis when) { out.time(when); });
  }
  if (rec.own_name)
    out.number(true);
  return out.finish();
}

result<std::string> value_of(const round_record& rec) {
  record_writer out{table::round, 8};
  const auto& rules = rec.rules;
  write_schema(out, rules.schema);
  out.bound(rules.roles.size(), limits::roles_per_round, "roles");
  out.array(rules.roles.size());
  for (const auto& role : rules.roles)
    out.text(role, limits::name_bytes, "roles");
  out.number(rules.revise);
  out.number(static_cast<std::uint8_t>(rules.results));
  out.number(static_cast<std::uint8_t>(rules.progress));
  out.time(rec.opened_at);
  out.maybe(rec.closed_at, [&](millis when) { out.time(when); });
  out.at(rec.at);
  return out.finish();
}

result<std::string> value_of(const submission_record& rec) {
  record_writer out{table::submission, 5};
  write_datum(out, rec.answer);
  out.time(rec.when);
  out.number(rec.revisions);
  out.at(rec.at);
  out.ops(rec.ops);
  return out.finish();
}

result<std::string> value_of(const event_record& rec) {
  record_writer out{table::event, 4};
  out.time(rec.when);
  out.text(rec.type, limits::name_bytes, "type");
  out.text(rec.user.str(), limits::id_bytes, "user");
  out.time(rec.due);
  return out.finish();
}

result<std::string> value_of(const ban_record& rec) {
  record_writer out{table::ban, 5};
  out.maybe(rec.until, [&](millis when) { out.time(when); });
  out.text(rec.by.str(), limits::id_bytes, "by");
  out.time(rec.when);
  out.text(rec.reason, limits::reason_bytes, "reason");
  out.at(rec.at);
  return out.finish();
}

// A page names each edge once: nodes are few and connections many.
void write_edges(record_writer& out, const roster_page& page,
                 std::map<node_id, std::uint32_t>& index) {
  std::vector<const node_id*> order;
  for (const auto& entry : page.entries)
    for (const auto& conn : entry.connections)
      if (index.emplace(conn.edge, order.size()).second)
        order.push_back(&conn.edge);
  out.array(order.size());
  for (const auto* edge : order) {
    out.array(2);
    out.text(edge->name, limits::id_bytes, "edge");
    out.number(edge->incarnation);
  }
}

void write_entry(record_writer& out, const roster_entry& entry,
                 const std::map<node_id, std::uint32_t>& edges) {
  out.array(entry.who.more.empty() ? 8 : 9);
  out.text(entry.user.str(), limits::id_bytes, "user");
  out.who(entry.who);
  out.at(entry.joined);
  out.time(entry.since);
  out.number(entry.reconnections);
  out.number(entry.grants.bits());
  out.bound(entry.connections.size(), limits::connections_per_participant,
            "connections");
  out.array(entry.connections.size());
  for (const auto& conn : entry.connections) {
    // Before leases there were four, before facts five, before groups six.
    bool told = conn.facts != connection_facts{} || conn.by_group;
    out.array(conn.by_group ? 7 : told ? 6 : conn.lease == millis{0} ? 4 : 5);
    out.number(conn.id.high);
    out.number(conn.id.low);
    out.number(edges.at(conn.edge));
    out.number(static_cast<std::uint8_t>(conn.source));
    if (told || conn.lease != millis{0})
      out.time(conn.lease);
    if (told) {
      out.array(2);
      out.number(static_cast<std::uint8_t>(conn.facts.device));
      out.text(conn.facts.place, limits::place_bytes, "place");
    }
    if (conn.by_group)
      out.number(true);
  }
  if (!entry.who.more.empty())
    out.more(entry.who);
}

result<std::string> value_of(const roster_page& page) {
  record_writer out{table::page, 3};
  std::map<node_id, std::uint32_t> edges;
  out.at(page.at);
  write_edges(out, page, edges);
  out.bound(page.entries.size(), limits::page_participants, "entries");
  out.array(page.entries.size());
  for (const auto& entry : page.entries)
    write_entry(out, entry, edges);
  return out.finish();
}

result<std::string> value_of(const interval_record& rec) {
  // Before schema 3 there were three.
  record_writer out{table::interval, rec.reconnections ? 4U : 3U};
  out.time(rec.from);
  out.time(rec.until);
  out.number(static_cast<std::uint8_t>(rec.reason));
  if (rec.reconnections)
    out.number(*rec.reconnections);
  return out.finish();
}

result<std::string> value_of(const audit_record& rec) {
  // Before schema 3 there were three.
  bool words = !rec.before.empty() || !rec.after.empty();
  record_writer out{table::audit, words ? 5U : 3U};
  out.time(rec.when);
  out.text(rec.actor.str(), limits::id_bytes, "actor");
  out.text(rec.request, limits::id_bytes, "request");
  if (words) {
    out.text(rec.before, limits::audit_text_bytes, "before");
    out.text(rec.after, limits::audit_text_bytes, "after");
  }
  return out.finish();
}

using encoded = result<std::vector<encoded_record>>;

encoded put(std::string key, result<std::string> value) {
  if (!value)
    return value.error();
  std::vector<encoded_record> out;
  out.push_back({std::move(key), std::move(*value)});
  return out;
}

encoded remove(std::string key) {
  std::vector<encoded_record> out;
  out.push_back({std::move(key), std::nullopt});
  return out;
}

struct encoder {
  partition_id partition;
  std::uint32_t form;

  encoded operator()(const session_record& rec) const {
    return put(keys::of_session(partition, rec.key), value_of(rec, form));
  }

  encoded operator()(const member_record& rec) const {
    return put(keys::of_member(partition, rec.session, rec.user),
               value_of(rec));
  }

  encoded operator()(const member_erased& rec) const {
    return remove(keys::of_member(partition, rec.session, rec.user));
  }

  encoded operator()(const ban_record& rec) const {
    return put(keys::of_ban(partition, rec.session, rec.user), value_of(rec));
  }

  encoded operator()(const ban_erased& rec) const {
    return remove(keys::of_ban(partition, rec.session, rec.user));
  }

  encoded operator()(const roster_page& page) const {
    auto key = keys::of_page(partition, page.session, page.number);
    if (page.entries.empty())
      return remove(std::move(key));
    return put(std::move(key), value_of(page));
  }

  encoded operator()(const occupied_mark& mark) const {
    auto key = keys::of_occupied(partition, mark.session);
    if (!mark.occupied)
      return remove(std::move(key));
    return put(std::move(key), record_writer{table::occupied, 0}.finish());
  }

  encoded operator()(const due_mark& mark) const {
    auto key = keys::of_due(partition, mark.session);
    if (!mark.at)
      return remove(std::move(key));
    record_writer out{table::due, 1};
    out.time(*mark.at);
    return put(std::move(key), out.finish());
  }

  encoded operator()(const interval_record& rec) const {
    return put(keys::of_interval(partition, rec.session, rec.joined, rec.user),
               value_of(rec));
  }

  encoded operator()(const audit_record& rec) const {
    return put(
      keys::of_audit(partition, rec.session, rec.at, rec.action, rec.target),
      value_of(rec));
  }

  encoded operator()(const round_record& rec) const {
    return put(keys::of_round(partition, rec.session, rec.name), value_of(rec));
  }

  encoded operator()(const submission_record& rec) const {
    return put(keys::of_submission(partition, rec.session, rec.round, rec.user),
               value_of(rec));
  }

  encoded operator()(const event_record& rec) const {
    return put(keys::of_event(partition, rec.session, rec.at), value_of(rec));
  }

  encoded operator()(const event_erased& rec) const {
    return remove(keys::of_event(partition, rec.session, rec.at));
  }

  encoded operator()(const session_erased&) const {
    return std::vector<encoded_record>{};
  }

  // Only what belongs to that session: a wrong key could remove anything.
  encoded operator()(const keys_erased& rec) const {
    std::vector<encoded_record> out;
    for (const auto& key : rec.keys) {
      auto parsed = keys::parse(key);
      if (!parsed || parsed->partition != partition
          || parsed->session != rec.session)
        return fail(errc::bad_request, "the key is of another session", "keys");
      out.push_back({key, std::nullopt});
    }
    return out;
  }
};

// The parts of a record that go into its key.
struct key_checker {
  const char* over = nullptr;

  void text(const std::string& value, const char* field) {
    if (value.size() > limits::id_bytes && !over)
      over = field;
  }

  void session(const session_key& key) {
    text(key.ns.str(), "namespace");
    text(key.id.str(), "session");
  }

  void operator()(const session_record& rec) {
    session(rec.key);
  }

  void operator()(const keys_erased& rec) {
    session(rec.session);
    if (rec.keys.size() > limits::sweep_step && !over)
      over = "keys";
  }

  void operator()(const audit_record& rec) {
    session(rec.session);
    text(rec.action, "action");
    text(rec.target.str(), "target");
  }

  void operator()(const round_record& rec) {
    session(rec.session);
    text(rec.name, "round");
  }

  template <class Other>
  void operator()(const Other& rec) {
    session(rec.session);
    if constexpr (requires { rec.user; })
      text(rec.user.str(), "user");
    if constexpr (requires { rec.round; })
      text(rec.round, "round");
  }
};

} // namespace

result<std::vector<encoded_record>>
encode(const record& value, partition_id partition, std::uint32_t form) {
  key_checker check;
  std::visit(check, value);
  if (check.over)
    return fail(errc::too_large, "an id is over its bound", check.over);
  return std::visit(encoder{partition, form}, value);
}

std::string encode_checkpoint(const checkpoint& at) {
  // Before incarnations there were three.
  record_writer out{table::checkpoint, at.incarnation == 0 ? 3U : 4U};
  out.number(at.generation);
  out.number(at.position);
  out.number(at.epoch);
  if (at.incarnation != 0)
    out.number(at.incarnation);
  return std::move(out.finish()).value();
}

std::string encode_layout(std::uint32_t partitions) {
  record_writer out{table::layout, 1};
  out.number(partitions);
  return std::move(out.finish()).value();
}

std::string encode_nodes(const std::vector<std::string>& names) {
  record_writer out{table::nodes, 1};
  out.array(names.size());
  for (const auto& name : names)
    out.text(name, limits::name_bytes, "name");
  return std::move(out.finish()).value();
}

std::string encode_schema(std::uint32_t schema) {
  record_writer out{table::schema, 1};
  out.number(schema);
  return std::move(out.finish()).value();
}

} // namespace rollcall
