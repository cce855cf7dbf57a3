#include "actors/base/limits.hpp"
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
  out.array(13);
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
}

result<std::string> value_of(const session_record& rec) {
  writer out{table::session, 8};
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
  return out.finish();
}

result<std::string> value_of(const member_record& rec) {
  writer out{table::member, 8};
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
  out.array(8);
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
    // Before leases there were four.
    out.array(conn.lease == millis{0} ? 4 : 5);
    out.number(conn.id.high);
    out.number(conn.id.low);
    out.number(edges.at(conn.edge));
    out.number(static_cast<std::uint8_t>(conn.source));
    if (conn.lease != millis{0})
      out.time(conn.lease);
  }
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
  writer out{table::interval, 3};
  out.time(rec.from);
  out.time(rec.until);
  out.number(static_cast<std::uint8_t>(rec.reason));
  return out.finish();
}

result<std::string> value_of(const audit_record& rec) {
  writer out{table::audit, 3};
  out.time(rec.when);
  out.text(rec.actor.str(), limits::id_bytes, "actor");
  out.text(rec.request, limits::id_bytes, "request");
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

  encoded operator()(const session_erased&) const {
    return std::vector<encoded_record>{};
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

  void operator()(const member_record& rec) {
    session(rec.session);
    text(rec.user.str(), "user");
  }

  void operator()(const member_erased& rec) {
    session(rec.session);
    text(rec.user.str(), "user");
  }

  void operator()(const interval_record& rec) {
    session(rec.session);
    text(rec.user.str(), "user");
  }

  void operator()(const audit_record& rec) {
    session(rec.session);
    text(rec.action, "action");
    text(rec.target.str(), "target");
  }

  template <class Other>
  void operator()(const Other& rec) {
    session(rec.session);
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
