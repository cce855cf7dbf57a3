#pragma once

// The parts that pushes and answers share, for either writer of writers.hpp.
// Internal to edge/protocol.

#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "actors/replies.hpp"
#include "edge/protocol/visibility.hpp"
#include "edge/protocol/writers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rollcall::edge {

/// Runs `write(writer)` with the dialect's writer and gives the bytes.
template <class Write>
[[nodiscard]] std::string encoded(dialect language, std::size_t expected,
                                  Write write) {
  std::string out;
  out.reserve(expected);
  if (language == dialect::json) {
    json_writer to{out};
    write(to);
    to.finish();
  } else {
    msgpack_writer to{out};
    write(to);
    to.finish();
  }
  return out;
}

template <class Writer>
void write_request_id(Writer& to, const request_id& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id))
    to.integer(*number);
  else if (const auto* text = std::get_if<std::string>(&id))
    to.text(*text);
  else
    to.null();
}

template <class Writer>
void write_version(Writer& to, const version& at) {
  to.open_array(2);
  to.integer(at.epoch);
  to.integer(at.rev);
  to.close_array();
}

template <class Writer>
void write_view(Writer& to, view which) {
  switch (which) {
  case view::roster:
    return to.template word<"roster">();
  case view::events:
    return to.template word<"events">();
  case view::count:
    return to.template word<"count">();
  }
}

template <class Writer>
void write_live_value(Writer& to, const live_value& content) {
  if (const auto* flag = std::get_if<bool>(&content))
    to.boolean(*flag);
  else if (const auto* integer = std::get_if<std::int64_t>(&content))
    to.integer(*integer);
  else if (const auto* real = std::get_if<double>(&content))
    to.real(*real);
  else
    to.text(*std::get_if<std::string>(&content));
}

inline constexpr std::array all_rights = {
  capability::observe_count, capability::observe_roster, capability::join,
  capability::publish,       capability::moderate,       capability::host,
  capability::configure,     capability::create,         capability::admin,
};

template <class Writer>
void write_rights(Writer& to, capability_set rights) {
  std::size_t count = 0;
  for (auto right : all_rights)
    count += rights.has(right) ? 1 : 0;
  to.open_array(count);
  for (auto right : all_rights)
    if (rights.has(right))
      to.text(to_string(right));
  to.close_array();
}

template <class Writer>
void write_permissions(Writer& to, const std::vector<std::string>& names) {
  to.open_array(names.size());
  for (const auto& name : names)
    to.text(name);
  to.close_array();
}

/// How long until `deadline`; a deadline that has passed is now.
[[nodiscard]] inline std::int64_t span_until(millis deadline,
                                             millis now) noexcept {
  return deadline <= now ? 0 : (deadline - now).count();
}

/// All keys of *Settings*, in the page's order.
template <class Writer>
void write_settings(Writer& to, const kind_settings& what) {
  to.open_map();
  to.template key<"membership">();
  to.text(to_string(what.membership));
  to.template key<"access">();
  to.text(to_string(what.access));
  to.template key<"host">();
  to.text(to_string(what.host));
  to.template key<"identity">();
  to.text(to_string(what.identity));
  to.template key<"duplicates">();
  to.text(to_string(what.duplicates));
  to.template key<"capacity">();
  to.integer(what.capacity);
  to.template key<"locked">();
  to.boolean(what.locked);
  to.template key<"anonymous_views">();
  to.boolean(what.anonymous_views);
  to.template key<"beat_ms">();
  to.integer(what.beat.count());
  to.template key<"suspect_after_ms">();
  to.integer(what.suspect_after.count());
  to.template key<"timeout_ms">();
  to.integer(what.timeout.count());
  to.template key<"drop_grace_ms">();
  to.integer(what.drop_grace.count());
  to.template key<"host_reclaim_ms">();
  to.integer(what.host_reclaim.count());
  if (!what.group.empty()) {
    to.template key<"group">();
    to.text(what.group);
  }
  if (!what.roles.empty()) {
    to.template key<"roles">();
    write_permissions(to, what.roles);
  }
  if (!what.default_role.empty()) {
    to.template key<"default_role">();
    to.text(what.default_role);
  }
  if (what.gated_media) {
    to.template key<"gated_media">();
    to.boolean(true);
  }
  if (what.live_rate != 0) {
    to.template key<"live_rate">();
    to.integer(what.live_rate);
    to.template key<"live_burst">();
    to.integer(what.live_burst);
  }
  if (what.own_names) {
    to.template key<"own_names">();
    to.boolean(true);
  }
  to.close_map();
}

/// `user`, `name`, `email` and `profile`, as far as they are there.
template <class Writer, class View>
void write_identity(Writer& to, const View& who) {
  if (!who.user.empty()) {
    to.template key<"user">();
    to.text(who.user.str());
  }
  if (!who.who.name.empty()) {
    to.template key<"name">();
    to.text(who.who.name);
  }
  if (!who.who.email.empty()) {
    to.template key<"email">();
    to.text(who.who.email);
  }
  if (who.who.more.empty())
    return;
  to.template key<"profile">();
  to.open_map(who.who.more.size());
  for (const auto& [key, content] : who.who.more) {
    to.key(key);
    to.text(content);
  }
  to.close_map();
}

/// `role` and `permissions`, as far as they are there.
template <class Writer>
void write_standing(Writer& to, const std::string& role,
                    const std::vector<std::string>& permissions) {
  if (!role.empty()) {
    to.template key<"role">();
    to.text(role);
  }
  if (!permissions.empty()) {
    to.template key<"permissions">();
    write_permissions(to, permissions);
  }
}

template <class Writer>
void write_state(Writer& to, const participant_view& who, millis now) {
  to.template key<"state">();
  if (who.state == presence_state::online) {
    to.template word<"online">();
    return;
  }
  to.template word<"suspected">();
  if (who.expires) {
    to.template key<"expires_in_ms">();
    to.integer(span_until(*who.expires, now));
  }
}

/// What is known of a participant's connections, under `devices`, if anything
/// is. Where somebody is says who it is: as with a name.
template <class Writer>
void write_facts(Writer& to, const std::vector<connection_facts>& facts,
                 bool with_identity) {
  if (facts.empty())
    return;
  to.template key<"devices">();
  to.open_array(facts.size());
  for (const auto& each : facts) {
    to.open_map();
    to.template key<"device">();
    to.text(to_string(each.device));
    if (with_identity && !each.place.empty()) {
      to.template key<"place">();
      to.text(each.place);
    }
    to.close_map();
  }
  to.close_array();
}

template <class Writer>
void write_participant(Writer& to, const participant_view& who,
                       bool with_identity, millis now) {
  to.open_map();
  to.template key<"participant_id">();
  to.text(who.participant.str());
  if (with_identity)
    write_identity(to, who);
  write_standing(to, who.role, who.permissions);
  write_state(to, who, now);
  to.template key<"since_at">();
  to.integer(who.since.count());
  to.template key<"connections">();
  to.integer(who.connections);
  write_facts(to, who.facts, with_identity);
  if (who.reconnections != 0) {
    to.template key<"reconnections">();
    to.integer(who.reconnections);
  }
  if (who.last_active > who.since) {
    to.template key<"last_active_at">();
    to.integer(who.last_active.count());
  }
  if (!who.live.empty()) {
    to.template key<"live">();
    to.open_map(who.live.size());
    for (const auto& [key, content] : who.live) {
      to.key(key);
      write_live_value(to, content);
    }
    to.close_map();
  }
  to.close_map();
}

/// A member, for those who are shown users.
template <class Writer>
void write_member(Writer& to, const member_view& who) {
  to.open_map();
  to.template key<"participant_id">();
  to.text(who.participant.str());
  write_identity(to, who);
  write_standing(to, who.role, who.permissions);
  to.template key<"status">();
  to.text(to_string(who.status));
  if (who.status != member_status::removed) {
    to.template key<"admitted_at">();
    to.integer(who.admitted_at.count());
  }
  if (who.remind) {
    to.template key<"reminder">();
    to.open_map();
    to.template key<"enabled">();
    to.boolean(who.remind->enabled);
    to.template key<"lead_ms">();
    to.integer(who.remind->lead.count());
    to.close_map();
  }
  to.close_map();
}

} // namespace rollcall::edge
