#pragma once

// One well-filled message for every alternative that nodes can send each
// other, the same in every run.

#include "actors/ports.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::samples {

/// The node that sends the samples, and its steady time.
inline const node_id sender{"core-1", 0x0123456789abcdef};
inline constexpr millis sent_at{1'000'000};

inline session_key party() {
  return {namespace_id{"acme"}, session_id{"movie-night"}};
}

inline node_id edge() {
  return {"edge-2", 77};
}

inline settings_patch patch() {
  settings_patch out;
  out.membership = membership_mode::durable;
  out.access = access_mode::members;
  out.host = host_policy::oldest_present;
  out.identity = identity_mode::pseudonymous;
  out.duplicates = duplicate_policy::reject_new;
  out.capacity = 70'000;
  out.locked = true;
  out.anonymous_views = false;
  out.beat = millis{5'000};
  out.suspect_after = millis{6'000};
  out.timeout = millis{90'000};
  out.drop_grace = millis{0};
  out.host_reclaim = millis{1};
  return out;
}

inline kind_settings settings() {
  auto base = kind_settings{};
  base.kind = "party";
  return with_patch(base, patch());
}

inline participant_view ada() {
  participant_view out;
  out.participant = participant_id{"kR2v0qG7mXy5hJ1cT9bLwA"};
  out.user = user_id{"ada"};
  out.who = {"Ada \xC3\xA9", "ada@example.org"};
  out.role = "owner";
  out.permissions = {"draw", "speak"};
  out.state = presence_state::suspected;
  out.expires = sent_at + millis{12'345};
  out.since = millis{1'700'000'000'000};
  out.joined = {1'099'511'627'777, 4};
  out.connections = 2;
  out.reconnections = 1;
  out.live = {{"away", true},
              {"quality", std::int64_t{-3}},
              {"volume", 0.5},
              {"step", "intro"}};
  return out;
}

inline participant_view bob() {
  participant_view out;
  out.participant = participant_id{"aaaaaaaaaaaaaaaaaaaaaa"};
  out.user = user_id{"bob"};
  out.joined = {1'099'511'627'777, 5};
  return out;
}

inline std::vector<change_body> change_bodies() {
  auto who = ada().participant;
  return {
    joined_change{ada(), true},
    suspected_change{who, sent_at - millis{5}},
    resumed_change{who},
    left_change{who, leave_reason::edge_lost},
    live_change{who, {{"away", false}, {"step", std::nullopt}}},
    connection_change{who, 3},
    member_change{who, user_id{"ada"}, "owner", {"draw"}},
    host_change{who},
    host_change{},
    session_change{settings(), true},
  };
}

inline batch_ptr a_batch() {
  auto out = std::make_shared<batch>();
  out->session = party();
  out->from = {1'099'511'627'777, 300};
  out->present = 2;
  out->total = 9;
  revision_t rev = 300;
  for (auto& body : change_bodies())
    out->changes.push_back({++rev, audience::moderator, 4, 9, std::move(body)});
  out->to = {1'099'511'627'777, rev};
  return out;
}

inline snapshot_ptr a_snapshot() {
  auto out = std::make_shared<snapshot>();
  out->session = party();
  out->at = {1'099'511'627'777, 70'000};
  out->settings = settings();
  out->ended = true;
  out->present = 2;
  out->total = 3;
  out->host = ada().participant;
  out->participants = {ada(), bob()};
  return out;
}

inline routed_command_ptr asking(std::uint64_t ticket, command_body body) {
  auto asked = std::make_shared<command>();
  asked->session = party();
  asked->edge = edge();
  asked->connection = {8, 9};
  asked->caller
    = {user_id{"ada"}, ada().participant, ada().who, default_grants};
  asked->op = op_id{"op-1"};
  asked->request = "edge-2/17";
  asked->body = std::move(body);
  asked->number = 17;
  auto out = std::make_shared<routed_command>();
  out->ticket = ticket;
  out->asked = std::move(asked);
  return out;
}

inline routed_reply_ptr answering(std::uint64_t ticket, result<reply> answer) {
  auto out = std::make_shared<routed_reply>();
  out->ticket = ticket;
  out->answer = std::make_shared<result<reply>>(std::move(answer));
  return out;
}

inline note_ptr noting(note_body body) {
  return std::make_shared<note>(note{party(), edge(), std::move(body)});
}

inline heartbeat_ptr beating() {
  auto out = std::make_shared<heartbeat>();
  out->node = sender;
  out->number = 41;
  out->leaving = true;
  out->edge = false;
  out->weight = 150;
  out->partitions = 64;
  out->held = {{0, 1'099'511'627'777, 1, 9'000, 77},
               {63, 0, 1, 8'999, ~std::uint64_t{0}}};
  out->wall = millis{1'760'000'000'000};
  out->up = millis{86'400'000};
  out->aside = true;
  return out;
}

inline session_transfer_ptr giving() {
  transferred_participant who;
  who.user = user_id{"ada"};
  who.who = ada().who;
  who.grants = default_grants;
  who.joined = {1'099'511'627'777, 4};
  who.since = millis{1'700'000'000'000};
  who.reconnections = 2;
  who.connections.push_back({{8, 9},
                             edge(),
                             connection_source::socket,
                             true,
                             false,
                             sent_at + millis{9'000},
                             leave_reason::network});
  connection second;
  second.id = {8, 10};
  second.edge = edge();
  second.joined_by = 17;
  who.connections.push_back(second);
  connection third;
  third.id = {8, 11};
  third.edge = edge();
  third.source = connection_source::leased;
  third.deadline = sent_at + millis{8'000};
  third.lease = millis{45'000};
  third.lease_tail = millis{25'000};
  who.connections.push_back(third);
  who.live["typing"] = {live_value{true}, millis{1'700'000'000'001}};
  who.live["gone"] = {std::nullopt, millis{1'700'000'000'002}};
  auto out = std::make_shared<session_transfer>();
  out->session = party();
  out->epoch = 1'099'511'627'777;
  out->at = {1'099'511'627'777, 9};
  out->reclaim_until = sent_at + millis{4'000};
  out->observers = {edge(), sender};
  out->participants = {who};
  return out;
}

inline std::vector<std::pair<std::string, node_message>> messages() {
  std::vector<std::pair<std::string, node_message>> out{
    {"batch", a_batch()},
    {"snapshot", a_snapshot()},
    {"direct_removed",
     std::make_shared<direct>(direct{
       party(), {8, 9}, edge(), removed_direct{leave_reason::replaced}})},
    {"direct_unknown", std::make_shared<direct>(
                         direct{party(), {8, 9}, edge(), unknown_direct{}})},
    {"heartbeat", beating()},
    {"session_transfer", giving()},
    {"partition_transfer",
     std::make_shared<partition_transfer>(
       partition_transfer{63, 1'099'511'627'777, 7, 9'000})},
    {"note_evidence", noting(evidence{{{{8, 9}, sign::silent, millis{20'000}},
                                       {{8, 10}, sign::back, millis{3}},
                                       {{8, 11}, sign::closed, millis{0}}}})},
    {"note_observe", noting(observe_note{version{1, 2}})},
    {"note_unobserve", noting(unobserve_note{})},
    {"note_announce", noting(announce_note{{{8, 9}, {8, 10}}, true})},
    {"note_edge_lost", noting(edge_lost_note{})},
  };
  std::vector<std::pair<std::string, command_body>> bodies{
    {"join", join_command{connection_id{8, 7}, ada().live, "party",
                          admission{{1, 2}, millis{5}, 1}, millis{45'000}}},
    {"leave", leave_command{connection_id{8, 11}, true}},
    {"set_live",
     set_live_command{{{"away", true}, {"step", std::nullopt}}, millis{40}}},
    {"get_roster", get_roster_command{version{1, 2}, 50, "p1"}},
    {"observe", observe_command{}},
    {"create", create_command{"party", patch()}},
    {"configure", configure_command{patch()}},
    {"end", end_command{}},
    {"set_member",
     set_member_command{user_id{"bob"}, bob().participant, "guest",
                        std::vector<std::string>{"speak"}}},
    {"kick", kick_command{user_id{"bob"}, bob().participant}},
    {"transfer_host", transfer_host_command{user_id{"bob"}, bob().participant}},
    {"renew", renew_command{connection_id{8, 11}}},
  };
  std::uint64_t ticket = 250;
  for (auto& [name, body] : bodies)
    out.emplace_back("command_" + name, asking(++ticket, std::move(body)));
  auto rights = capability_set{capability::join, capability::admin};
  std::vector<std::pair<std::string, reply_body>> answers{
    {"done", done{}},
    {"join", join_reply{ada().participant,
                        settings(),
                        {{1, 2}, millis{5}, 1},
                        rights,
                        millis{45'000}}},
    {"roster", roster_reply{{ada(), bob()}, version{1, 9}}},
    {"observe", observe_reply{settings(), rights, true, participant_id{"p1"},
                              millis{8}, true, true}},
    {"renew", renew_reply{millis{45'000}}},
    {"leave", leave_reply{participant_id{"p1"}, 3}},
  };
  for (auto& [name, body] : answers) {
    reply good{ack_level::committed, {1, 2}, 3, 4, std::move(body)};
    out.emplace_back("reply_" + name, answering(++ticket, std::move(good)));
  }
  failure refusal = fail(errc::rate_limited, "too many", "op");
  refusal.retry_after = millis{250};
  out.emplace_back("reply_refused", answering(++ticket, std::move(refusal)));
  return out;
}

} // namespace rollcall::samples
