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
  out.changed = out.at;
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

inline session_record coded_session() {
  auto out = plain_session(session("coded"));
  out.overrides.access = access_mode::code;
  out.overrides.group = "staff";
  out.overrides.roles = {"teacher", "guest"};
  out.overrides.default_role = "viewer";
  out.overrides.gated_media = true;
  out.overrides.code = "K7QX-2MPD";
  return out;
}

inline session_record rated_session() {
  auto out = plain_session(session("rated"));
  out.overrides.live_rate = 5;
  out.overrides.live_burst = 10;
  out.overrides.own_names = true;
  return out;
}

inline session_record tagged_session() {
  auto out = plain_session(session("tagged"));
  out.changed = {1'099'511'627'777, 12};
  return out;
}

inline ban_record ban(const std::string& user = "mallory",
                      session_key key = session()) {
  ban_record out;
  out.session = std::move(key);
  out.user = user_id{user};
  out.until = millis{1'700'000'900'000};
  out.by = user_id{"ada"};
  out.when = millis{1'700'000'000'000};
  out.reason = "too loud";
  out.at = {1'099'511'627'777, 8};
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

inline member_record shown_member() {
  auto out = member("grace");
  out.who.more = {{"image_url", "https://i/g.png"}, {"username", "g"}};
  return out;
}

inline roster_page leased_page() {
  auto out = page(3, session(), {"ada"});
  out.entries[0].connections[1].lease = millis{45'000};
  return out;
}

inline roster_page shown_page() {
  auto out = leased_page();
  out.entries[0].who.more = {{"username", "ada1"}};
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

/// As schema 3 writes them.
inline interval_record counted_interval() {
  auto out = interval();
  out.reconnections = 3;
  return out;
}

inline audit_record worded_audit() {
  auto out = audit();
  out.before = "role=speaker";
  out.after = "role=listener locked=true";
  return out;
}

inline session_record session_with_plan() {
  auto out = plain_session();
  out.starts_at = millis{1'700'000'200'000};
  out.phase = {"voting", "running", millis{1'700'000'300'000}, "results"};
  out.barrier = barrier_state{"start", millis{1'700'000'400'000},
                              millis{1'700'000'400'001}, true};
  return out;
}

inline member_record member_with_reminder() {
  auto out = member();
  out.remind = {true, millis{600'000}, millis{1'700'000'200'000}};
  return out;
}

inline member_record named_member() {
  auto out = member();
  out.own_name = true;
  return out;
}

inline round_record round(std::string name = "vote",
                          session_key key = session()) {
  answer_rule root;
  root.below = 2;
  answer_rule shares;
  shares.name = "shares";
  shares.type = answer_type::participants;
  shares.optional = true;
  shares.most = 10;
  shares.sum_most = 100.5;
  shares.self = true;
  shares.below = 1;
  answer_rule share;
  share.type = answer_type::number;
  share.least = 0;
  share.most = 100;
  round_record out;
  out.session = std::move(key);
  out.name = std::move(name);
  out.rules = {{root, shares, share},
               {"guest", "owner"},
               true,
               results_policy::moderators,
               progress_policy::counts};
  out.opened_at = millis{1'700'000'000'007};
  out.closed_at = millis{1'700'000'000'008};
  out.at = {1'099'511'627'777, 8};
  return out;
}

inline submission_record submission(const std::string& user = "ada",
                                    std::string of = "vote",
                                    session_key key = session()) {
  datum::fields shares;
  shares.emplace_back("kR2v0qG7mXy5hJ1cT9bLwA", datum{60.5});
  datum::fields all;
  all.emplace_back("list", datum{datum::list{{std::int64_t{-3}}, {true}}});
  all.emplace_back("note", datum{std::string{"hi"}});
  all.emplace_back("shares", datum{std::move(shares)});
  submission_record out;
  out.session = std::move(key);
  out.round = std::move(of);
  out.user = user_id{user};
  out.answer = {std::move(all)};
  out.when = millis{1'700'000'000'009};
  out.revisions = 2;
  out.at = {1'099'511'627'777, 9};
  out.ops = ops(1);
  return out;
}

inline event_record event(session_key key = session()) {
  event_record out;
  out.session = std::move(key);
  out.at = {1'099'511'627'777, 10};
  out.when = millis{1'700'000'000'010};
  out.type = "reminder";
  out.user = user_id{"ada"};
  out.due = millis{1'700'000'000'000};
  return out;
}

inline roster_page page_with_facts() {
  auto out = page(7, session(), {"ada"});
  out.entries[0].connections[0].facts = {device_class::mobile, "u33d"};
  out.entries[0].connections[1].facts = {device_class::unknown, "u33"};
  out.entries[0].connections[1].lease = millis{45'000};
  return out;
}

inline session_record group(const std::string& id = "film-club") {
  session_record out;
  out.key = {session().ns, place_of_group(id)};
  out.kind = group_kind().kind;
  out.created_by = user_id{"ada"};
  out.created_at = millis{1'700'000'000'000};
  out.at = {1'099'511'627'777, 1};
  out.group = group_state{"Film club",
                          {},
                          {{user_id{"bob"}, millis{1'700'000'000'020}},
                           {user_id{"cyd"}, millis{1'700'000'000'021}}}};
  return out;
}

inline session_record deleted_group() {
  auto out = group("gone");
  out.ended_at = deleted;
  out.group = group_state{"Gone", millis{1'700'000'000'030}, {}};
  return out;
}

inline roster_page page_of_a_group() {
  auto out = page(8, session(), {"ada"});
  out.entries[0].connections[1].by_group = true;
  return out;
}

/// A name for the golden vector, and the record.
inline std::vector<std::pair<std::string, record>> all() {
  return {
    {"session_plain", plain_session()},
    {"session_full", full_session()},
    {"member", member()},
    {"member_digest", member_with_digest()},
    {"member_profile", shown_member()},
    {"session_coded", coded_session()},
    {"member_named", named_member()},
    {"session_rated", rated_session()},
    {"session_tagged", tagged_session()},
    {"ban", ban()},
    {"ban_erased", ban_erased{session(), user_id{"mallory"}}},
    {"member_erased", member_erased{session(), user_id{"ada"}}},
    {"page", page()},
    {"page_empty", page(2, session(), {})},
    {"page_leased", leased_page()},
    {"page_profile", shown_page()},
    {"occupied", occupied_mark{session(), true}},
    {"occupied_not", occupied_mark{session(), false}},
    {"due", due_mark{session(), millis{1'700'000'000'006}}},
    {"due_not", due_mark{session(), std::nullopt}},
    {"interval", interval()},
    {"audit", audit()},
    {"interval_counted", counted_interval()},
    {"audit_worded", worded_audit()},
    {"page_facts", page_with_facts()},
    {"session_plan", session_with_plan()},
    {"member_reminder", member_with_reminder()},
    {"round", round()},
    {"submission", submission()},
    {"event", event()},
    {"group", group()},
    {"group_deleted", deleted_group()},
    {"page_group", page_of_a_group()},
    {"event_erased", event_erased{session(), {1'099'511'627'777, 10}}},
  };
}

} // namespace rollcall::samples
