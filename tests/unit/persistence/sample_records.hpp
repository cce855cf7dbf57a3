#pragma once

// One well-filled record of every kind, the same in every run.

#include "actors/records.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall::samples {

inline session_key session(std::string id = "standup",
                           std::string ns = "acme") {
  return {namespace_id{std::move(ns)}, session_id{std::move(id)}};
}

inline op_memory ops(std::size_t count) {
  op_memory out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({op_id{"op-" + std::to_string(i)}, {1'099'511'627'777, i}});
  return out;
}

inline session_record plain_session(session_key key = session()) {
  session_record out;
  out.key = std::move(key);
  out.kind = "meeting";
  out.created_by = user_id{"ada"};
  out.created_at = millis{1'700'000'000'000};
  out.at = {1'099'511'627'777, 1};
  return out;
}

inline session_record full_session(session_key key = session()) {
  auto out = plain_session(std::move(key));
  out.overrides.membership = membership_mode::durable;
  out.overrides.access = access_mode::members;
  out.overrides.host = host_policy::appointed;
  out.overrides.identity = identity_mode::pseudonymous;
  out.overrides.duplicates = duplicate_policy::kick_old;
  out.overrides.capacity = 70'000;
  out.overrides.locked = true;
  out.overrides.anonymous_views = false;
  out.overrides.beat = millis{5'000};
  out.overrides.suspect_after = millis{6'000};
  out.overrides.timeout = millis{90'000};
  out.overrides.drop_grace = millis{0};
  out.overrides.host_reclaim = millis{1};
  out.ended_at = millis{1'700'000'100'000};
  out.appointed_host = user_id{"grace"};
  out.ops = ops(16);
  return out;
}

inline member_record member(const std::string& user = "ada",
                            session_key key = session()) {
  member_record out;
  out.session = std::move(key);
  out.user = user_id{user};
  out.who = {"Ada \xC3\xA9", "ada@example.org"};
  out.role = "owner";
  out.permissions = {"draw", "speak"};
  out.admitted = {1'099'511'627'777, 2};
  out.admitted_at = millis{1'700'000'000'001};
  out.at = {1'099'511'627'777, 3};
  out.ops = ops(2);
  return out;
}

inline member_record member_with_digest() {
  auto out = member();
  out.ops.back().about = 0xFFFF'0000'1234'5678;
  return out;
}

inline roster_entry entry(const std::string& user, std::uint64_t rev = 4) {
  roster_entry out;
  out.user = user_id{user};
  out.who = {user, ""};
  out.joined = {1'099'511'627'777, rev};
  out.since = millis{1'700'000'000'002};
  out.reconnections = 3;
  out.grants = default_grants;
  out.connections = {
    {{7, 8}, {"node-a", 99}, connection_source::socket},
    {{7, 9}, {"node-b", 100}, connection_source::leased},
    {{7, 10}, {"node-a", 99}, connection_source::external},
  };
  return out;
}

inline roster_page page(std::uint32_t number = 2, session_key key = session(),
                        std::vector<std::string> users = {"ada", "grace"}) {
  roster_page out;
  out.session = std::move(key);
  out.number = number;
  out.at = {1'099'511'627'777, 5};
  std::uint64_t rev = 4;
  for (const auto& user : users)
    out.entries.push_back(entry(user, rev++));
  return out;
}

inline roster_page leased_page() {
  auto out = page(3, session(), {"ada"});
  out.entries[0].connections[1].lease = millis{45'000};
  return out;
}

inline interval_record interval(const std::string& user = "ada",
                                version joined = {1'099'511'627'777, 6},
                                session_key key = session()) {
  interval_record out;
  out.session = std::move(key);
  out.user = user_id{user};
  out.joined = joined;
  out.from = millis{1'700'000'000'003};
  out.until = millis{1'700'000'000'004};
  out.reason = leave_reason::edge_lost;
  return out;
}

inline audit_record audit(session_key key = session()) {
  audit_record out;
  out.session = std::move(key);
  out.at = {1'099'511'627'777, 7};
  out.when = millis{1'700'000'000'005};
  out.actor = user_id{"ada"};
  out.action = "kick";
  out.target = user_id{"mallory"};
  out.request = "r-1";
  return out;
}

/// A name for the golden vector, and the record.
inline std::vector<std::pair<std::string, record>> all() {
  return {
    {"session_plain", plain_session()},
    {"session_full", full_session()},
    {"member", member()},
    {"member_digest", member_with_digest()},
    {"member_erased", member_erased{session(), user_id{"ada"}}},
    {"page", page()},
    {"page_empty", page(2, session(), {})},
    {"page_leased", leased_page()},
    {"occupied", occupied_mark{session(), true}},
    {"occupied_not", occupied_mark{session(), false}},
    {"due", due_mark{session(), millis{1'700'000'000'006}}},
    {"due_not", due_mark{session(), std::nullopt}},
    {"interval", interval()},
    {"audit", audit()},
  };
}

} // namespace rollcall::samples
