#include "persistence/record_parts.hpp"

#include "actors/base/limits.hpp"

namespace rollcall {

void write_overrides(record_writer& out, const settings_patch& patch) {
  auto name = [&](auto value) { out.number(static_cast<std::uint8_t>(value)); };
  auto same = [&](auto value) { out.number(value); };
  auto time = [&](millis value) { out.time(value); };
  auto text = [&](std::size_t most, const char* field) {
    return [&out, most, field](const std::string& value) {
      out.text(value, most, field);
    };
  };
  // Before access by group, role and code there were thirteen.
  bool rated = patch.live_rate || patch.live_burst || patch.own_names;
  bool later = rated || patch.group || patch.roles || patch.default_role
               || patch.gated_media || patch.code;
  out.array(rated ? 21 : later ? 18 : 13);
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
  if (!rated)
    return;
  out.maybe(patch.live_rate, same);
  out.maybe(patch.live_burst, same);
  out.maybe(patch.own_names, same);
}

settings_patch read_overrides(record_reader& in) {
  auto all = in.tuple(13, 8, "overrides");
  auto time = [&](const char* field) {
    return all.maybe([&, field] { return all.time(field); });
  };
  auto flag = [&](const char* field) {
    return all.maybe([&, field] { return all.flag(field); });
  };
  auto name = [&](const char* field, auto last) {
    return all.maybe([&, field, last] { return all.name(field, last); });
  };
  auto count = [&](const char* field) {
    return all.maybe([&, field] { return all.number<std::uint32_t>(field); });
  };
  settings_patch out;
  out.membership = name("membership", membership_mode::durable);
  out.access = name("access", access_mode::code);
  out.host = name("host", host_policy::oldest_member_any);
  out.identity = name("identity", identity_mode::named);
  out.duplicates = name("duplicates", duplicate_policy::reject_new);
  out.capacity = count("capacity");
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
  if (all.left() == 0)
    return out;
  out.live_rate = count("live_rate");
  out.live_burst = count("live_burst");
  out.own_names = flag("own_names");
  return out;
}

void write_group(record_writer& out, const group_state& group) {
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

group_state read_group(record_reader& in) {
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

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
void write_datum(record_writer& out, const datum& value, std::size_t depth) {
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

void write_schema(record_writer& out, const answer_schema& schema) {
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

answer_schema read_schema(record_reader& in) {
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

void write_plan(record_writer& out, const session_record& rec) {
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

void read_plan(record_reader& in, session_record& out) {
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

} // namespace rollcall
