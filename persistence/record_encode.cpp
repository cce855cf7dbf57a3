#include "actors/base/limits.hpp"
#include "persistence/float64.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <msgpack.hpp>

#include <map>

namespace rollcall {

namespace {

// Packs one value, and remembers the first field that is over its bound.
class writer {
public:
  writer(table kind, std::uint32_t fields) {
    array(fields + 2);
    number(record_version);
    number(static_cast<std::uint8_t>(kind));
  }

  void map(std::size_t size) {
    packer_.pack_map(static_cast<std::uint32_t>(size));
  }

  void array(std::size_t size) {
    packer_.pack_array(static_cast<std::uint32_t>(size));
  }

  template <class Number>
  void number(Number value) {
    packer_.pack(value);
  }

  void time(millis value) {
    packer_.pack_int64(value.count());
  }

  /// As such even where it is whole, which `pack_double` would write as an
  /// integer.
  void real(double value) {
    auto bytes = float64_bytes(value);
    buffer_.write(bytes.data(), bytes.size());
  }

  void nil() {
    packer_.pack_nil();
  }

  void text(const std::string& value, std::size_t most, const char* field) {
    bound(value.size(), most, field);
    packer_.pack(value);
  }

  void at(version value) {
    array(2);
    number(value.epoch);
    number(value.rev);
  }

  void ops(const op_memory& memory) {
    bound(memory.size(), limits::op_ids_per_record, "ops");
    array(memory.size());
    for (const auto& entry : memory) {
      // Before digests there were three.
      array(entry.about == 0 ? 3 : 4);
      text(entry.op.str(), limits::op_id_bytes, "op");
      number(entry.at.epoch);
      number(entry.at.rev);
      if (entry.about != 0)
        number(entry.about);
    }
  }

  void who(const profile& value) {
    text(value.name, limits::profile_field_bytes, "name");
    text(value.email, limits::profile_field_bytes, "email");
  }

  void more(const profile& value) {
    bound(value.more.size(), limits::profile_fields, "profile");
    array(2 * value.more.size());
    for (const auto& [key, content] : value.more) {
      text(key, limits::name_bytes, "profile");
      text(content, limits::profile_more_bytes, "profile");
    }
  }

  template <class T, class Write>
  void maybe(const std::optional<T>& value, Write write) {
    if (value)
      write(*value);
    else
      nil();
  }

  void bound(std::size_t size, std::size_t most, const char* field) {
    if (size > most && !over_)
      over_ = field;
  }

  result<std::string> finish() {
    bound(buffer_.size(), limits::record_bytes, "record");
    if (over_)
      return fail(errc::too_large, "a record is over its bound", over_);
    return std::string{buffer_.data(), buffer_.size()};
  }

private:
  msgpack::sbuffer buffer_{256};
  msgpack::packer<msgpack::sbuffer> packer_{buffer_};
  const char* over_ = nullptr;
};

void write_overrides(writer& out, const settings_patch& patch) {
  auto name = [&](auto value) { out.number(static_cast<std::uint8_t>(value)); };
  auto same = [&](auto value) { out.number(value); };
  auto time = [&](millis value) { out.time(value); };
  auto text = [&](std::size_t most, const char* field) {
    return [&out, most, field](const std::string& value) {
      out.text(value, most, field);
    };
  };
  // Before access by group, role and code there were thirteen.
  bool later = patch.group || patch.roles || patch.default_role
               || patch.gated_media || patch.code;
  out.array(later ? 18 : 13);
  out.maybe(patch.membership, name);
  out.maybe(patch.access, name);
  out.maybe(patch.host, name);
  out.maybe(patch.identity, name);
  out.maybe(patch.duplicates, name);
  out.maybe(patch.capacity, same);
  out.maybe(patch.locked, same);
  out.maybe(patch.anonymous_views, same);
  out.maybe(patch.beat, time);
  out.maybe(patch.suspect_after, time);
  out.maybe(patch.timeout, time);
  out.maybe(patch.drop_grace, time);
  out.maybe(patch.host_reclaim, time);
  if (!later)
    return;
  out.maybe(patch.group, text(limits::id_bytes, "group"));
  out.maybe(patch.roles, [&](const std::vector<std::string>& roles) {
    out.bound(roles.size(), limits::admitted_roles, "roles");
    out.array(roles.size());
    for (const auto& role : roles)
      out.text(role, limits::id_bytes, "roles");
  });
  out.maybe(patch.default_role, text(limits::name_bytes, "default_role"));
  out.maybe(patch.gated_media, same);
  out.maybe(patch.code, text(limits::code_bytes, "code"));
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
void write_datum(writer& out, const datum& value, std::size_t depth = 0) {
  out.bound(depth, limits::answer_depth, "answer");
  if (depth > limits::answer_depth) {
    out.nil();
  } else if (const auto* items = std::get_if<datum::list>(&value.what)) {
    out.array(items->size());
    for (const auto& item : *items)
      write_datum(out, item, depth + 1);
  } else if (const auto* named = std::get_if<datum::fields>(&value.what)) {
    out.map(named->size());
    for (const auto& [name, item] : *named) {
      out.text(name, limits::id_bytes, "answer");
      write_datum(out, item, depth + 1);
    }
  } else if (const auto* text = std::get_if<std::string>(&value.what)) {
    out.text(*text, limits::answer_bytes, "answer");
  } else if (const auto* flag = std::get_if<bool>(&value.what)) {
    out.number(*flag);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value.what)) {
    out.number(*whole);
  } else {
    out.real(std::get<double>(value.what));
  }
}

void write_schema(writer& out, const answer_schema& schema) {
  auto real = [&](double value) { out.real(value); };
  out.bound(schema.size(), limits::schema_rules, "schema");
  out.array(schema.size());
  for (const auto& rule : schema) {
    out.array(10);
    out.text(rule.name, limits::name_bytes, "schema");
    out.number(static_cast<std::uint8_t>(rule.type));
    out.number(rule.optional);
    out.maybe(rule.least, real);
    out.maybe(rule.most, real);
    out.bound(rule.choices.size(), limits::answer_choices, "schema");
    out.array(rule.choices.size());
    for (const auto& choice : rule.choices)
      out.text(choice, limits::id_bytes, "schema");
    out.maybe(rule.sum_least, real);
    out.maybe(rule.sum_most, real);
    out.number(rule.self);
    out.number(rule.below);
  }
}

// What came after the first version: nothing is written where there is
// nothing, so that a build from before it can read the record.
bool has_plan(const session_record& rec) {
  return rec.starts_at || rec.phase != phase_state{} || rec.barrier;
}

void write_plan(writer& out, const session_record& rec) {
  auto time = [&](millis when) { out.time(when); };
  out.array(3);
  out.maybe(rec.starts_at, time);
  out.array(4);
  out.text(rec.phase.name, limits::name_bytes, "phase");
  out.text(rec.phase.status, limits::name_bytes, "status");
  out.maybe(rec.phase.until, time);
  out.text(rec.phase.next, limits::name_bytes, "next");
  out.maybe(rec.barrier, [&](const barrier_state& state) {
    out.array(4);
    out.text(state.name, limits::name_bytes, "barrier");
    out.maybe(state.until, time);
    out.maybe(state.opened_at, time);
    out.number(state.timed_out);
  });
}

void write_group(writer& out, const group_state& group) {
  out.array(3);
  out.text(group.name, limits::id_bytes, "name");
  out.maybe(group.deleted_at, [&](millis when) { out.time(when); });
  out.bound(group.removed.size(), limits::group_removals, "removed");
  out.array(group.removed.size());
  for (const auto& one : group.removed) {
    out.array(2);
    out.text(one.user.str(), limits::id_bytes, "removed");
    out.time(one.when);
  }
}

result<std::string> value_of(const session_record& rec) {
  bool planned = has_plan(rec) || rec.group;
  writer out{table::session, rec.group ? 10U : planned ? 9U : 8U};
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
  if (rec.group)
    write_group(out, *rec.group);
  return out.finish();
}

result<std::string> value_of(const member_record& rec) {
  // Before further fields of a profile, and reminders, there were eight.
  bool reminded = rec.remind != reminder{};
  bool more = reminded || !rec.who.more.empty();
  writer out{table::member, reminded ? 10U : more ? 9U : 8U};
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
  return out.finish();
}

result<std::string> value_of(const round_record& rec) {
  writer out{table::round, 8};
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
  writer out{table::submission, 5};
  write_datum(out, rec.answer);
  out.time(rec.when);
  out.number(rec.revisions);
  out.at(rec.at);
  out.ops(rec.ops);
  return out.finish();
}

result<std::string> value_of(const event_record& rec) {
  writer out{table::event, 4};
  out.time(rec.when);
  out.text(rec.type, limits::name_bytes, "type");
  out.text(rec.user.str(), limits::id_bytes, "user");
  out.time(rec.due);
  return out.finish();
}

result<std::string> value_of(const ban_record& rec) {
  writer out{table::ban, 5};
  out.maybe(rec.until, [&](millis when) { out.time(when); });
  out.text(rec.by.str(), limits::id_bytes, "by");
  out.time(rec.when);
  out.text(rec.reason, limits::reason_bytes, "reason");
  out.at(rec.at);
  return out.finish();
}

// A page names each edge once: nodes are few and connections many.
void write_edges(writer& out, const roster_page& page,
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

void write_entry(writer& out, const roster_entry& entry,
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
  writer out{table::page, 3};
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
  writer out{table::interval, rec.reconnections ? 4U : 3U};
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
  writer out{table::audit, words ? 5U : 3U};
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

  encoded operator()(const session_record& rec) const {
    return put(keys::of_session(partition, rec.key), value_of(rec));
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
    return put(std::move(key), writer{table::occupied, 0}.finish());
  }

  encoded operator()(const due_mark& mark) const {
    auto key = keys::of_due(partition, mark.session);
    if (!mark.at)
      return remove(std::move(key));
    writer out{table::due, 1};
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

result<std::vector<encoded_record>> encode(const record& value,
                                           partition_id partition) {
  key_checker check;
  std::visit(check, value);
  if (check.over)
    return fail(errc::too_large, "an id is over its bound", check.over);
  return std::visit(encoder{partition}, value);
}

std::string encode_checkpoint(const checkpoint& at) {
  // Before incarnations there were three.
  writer out{table::checkpoint, at.incarnation == 0 ? 3U : 4U};
  out.number(at.generation);
  out.number(at.position);
  out.number(at.epoch);
  if (at.incarnation != 0)
    out.number(at.incarnation);
  return std::move(out.finish()).value();
}

std::string encode_layout(std::uint32_t partitions) {
  writer out{table::layout, 1};
  out.number(partitions);
  return std::move(out.finish()).value();
}

std::string encode_nodes(const std::vector<std::string>& names) {
  writer out{table::nodes, 1};
  out.array(names.size());
  for (const auto& name : names)
    out.text(name, limits::name_bytes, "name");
  return std::move(out.finish()).value();
}

std::string encode_schema(std::uint32_t schema) {
  writer out{table::schema, 1};
  out.number(schema);
  return std::move(out.finish()).value();
}

} // namespace rollcall
