#include "unit/cluster/sample_messages.hpp"

#include <memory>
#include <utility>

namespace rollcall::samples {

static session_key party() {
  return {namespace_id{"acme"}, session_id{"movie-night"}};
}

static node_id edge() {
  return {"edge-2", 77};
}

static settings_patch patch() {
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
  out.group = "staff";
  out.roles = {"teacher", "guest"};
  out.default_role = "viewer";
  out.gated_media = true;
  out.live_rate = 12;
  out.live_burst = 24;
  out.own_names = true;
  out.code = "K7QX-2MPD";
  return out;
}

static kind_settings settings() {
  auto base = kind_settings{};
  base.kind = "party";
  return with_patch(base, patch());
}

participant_view ada() {
  participant_view out;
  out.participant = participant_id{"kR2v0qG7mXy5hJ1cT9bLwA"};
  out.user = user_id{"ada"};
  out.who
    = {"Ada \xC3\xA9", "ada@example.org", {{"image_url", "https://i/a.png"}}};
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
  out.last_active = millis{1'700'000'000'007};
  out.facts = {{device_class::mobile, "u33d"}, {}};
  return out;
}

participant_view bob() {
  participant_view out;
  out.participant = participant_id{"aaaaaaaaaaaaaaaaaaaaaa"};
  out.user = user_id{"bob"};
  out.joined = {1'099'511'627'777, 5};
  return out;
}

static phase_state a_phase() {
  return {"voting", "running", millis{1'760'000'060'000}, "results"};
}

static barrier_state a_barrier() {
  return {"start", millis{1'760'000'000'000}, millis{1'760'000'000'001}, true};
}

static round_view a_round() {
  return {"vote",
          true,
          true,
          results_policy::moderators,
          progress_policy::named,
          3,
          5,
          2,
          {bob().participant, ada().participant}};
}

static datum an_answer() {
  datum::fields shares;
  shares.emplace_back(bob().participant.str(), datum{60.5});
  datum::fields all;
  all.emplace_back("good", datum{true});
  all.emplace_back("list", datum{datum::list{{std::int64_t{-3}}}});
  all.emplace_back("note", datum{std::string{"hi"}});
  all.emplace_back("shares", datum{std::move(shares)});
  return {std::move(all)};
}

static round_rules some_rules() {
  answer_rule root;
  root.below = 1;
  answer_rule mood;
  mood.name = "mood";
  mood.type = answer_type::choice;
  mood.optional = true;
  mood.choices = {"good", "bad"};
  mood.least = 0.5;
  mood.most = 2;
  mood.sum_least = -1;
  mood.sum_most = 100;
  mood.self = true;
  return {{root, mood},
          {"guest"},
          true,
          results_policy::live,
          progress_policy::counts};
}

std::vector<change_body> change_bodies() {
  auto who = ada().participant;
  return {
    joined_change{ada(), true},
    suspected_change{who, sent_at - millis{5}},
    resumed_change{who},
    left_change{who, leave_reason::edge_lost},
    live_change{who, {{"away", false}, {"step", std::nullopt}}},
    connection_change{who, 3, {{device_class::tv, "u33d"}, {}, {}}},
    member_change{
      who, user_id{"ada"}, "owner", {"draw"}, 21, true, false, "Ada L."},
    host_change{who},
    host_change{},
    session_change{settings(), true, millis{1'760'000'000'000}},
    phase_change{a_phase()},
    submission_change{a_round()},
    barrier_change{a_barrier(), who, true},
    barrier_change{},
    activity_change{who, millis{1'760'000'000'000}},
  };
}

static batch_ptr a_batch() {
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

snapshot_ptr a_snapshot() {
  auto out = std::make_shared<snapshot>();
  out->session = party();
  out->at = {1'099'511'627'777, 70'000};
  out->settings = settings();
  out->ended = true;
  out->present = 2;
  out->total = 3;
  out->host = ada().participant;
  out->participants = {ada(), bob()};
  out->starts_at = millis{1'760'000'000'000};
  out->phase = a_phase();
  out->barrier = barrier_view{a_barrier(), {ada().participant}};
  out->rounds = {a_round()};
  return out;
}

static routed_command_ptr asking(std::uint64_t ticket, command_body body) {
  auto asked = std::make_shared<command>();
  asked->session = party();
  asked->edge = edge();
  asked->connection = {8, 9};
  asked->caller
    = {user_id{"ada"}, ada().participant, ada().who,  default_grants,
       {"staff"},      "teacher",         "K7QX-2MPD"};
  asked->op = op_id{"op-1"};
  asked->request = "edge-2/17";
  asked->body = std::move(body);
  asked->number = 17;
  asked->expected = precondition{true, version{1, 4}};
  auto out = std::make_shared<routed_command>();
  out->ticket = ticket;
  out->asked = std::move(asked);
  return out;
}

static routed_reply_ptr answering(std::uint64_t ticket, result<reply> answer) {
  auto out = std::make_shared<routed_reply>();
  out->ticket = ticket;
  out->answer = std::make_shared<result<reply>>(std::move(answer));
  return out;
}

static note_ptr noting(note_body body) {
  return std::make_shared<note>(note{party(), edge(), std::move(body)});
}

static heartbeat_ptr beating() {
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
  out->reads = record_form;
  return out;
}

static session_transfer_ptr giving() {
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
  third.facts = {device_class::tablet, "u33d"};
  third.by_group = true;
  who.connections.push_back(third);
  who.live["typing"] = {live_value{true}, millis{1'700'000'000'001}};
  who.live["gone"] = {std::nullopt, millis{1'700'000'000'002}};
  who.last_active = millis{1'700'000'000'008};
  auto out = std::make_shared<session_transfer>();
  out->session = party();
  out->epoch = 1'099'511'627'777;
  out->at = {1'099'511'627'777, 9};
  out->reclaim_until = sent_at + millis{4'000};
  out->observers = {edge(), sender};
  out->participants = {who};
  out->ready = {ada().participant};
  return out;
}

// -- the past, and namespaces ------------------------------------------------

static history_summary figures() {
  history_summary out;
  out.from = millis{1'700'000'000'000};
  out.until = millis{1'700'000'060'000};
  out.stays = 3;
  out.unique = 2;
  out.peak = 2;
  out.peak_at = millis{1'700'000'000'005};
  out.joins = 3;
  out.leaves = 2;
  out.reconnections = 1;
  out.dwell = millis{70'000};
  out.first_seen = out.from;
  out.last_seen = out.until;
  out.reasons = {1, 1, 0, 0, 0, 0, 0};
  out.timeline = {{out.from, 0, 2, 3, 2, 2}};
  return out;
}

static history_reply past() {
  history_reply out;
  out.what = history_view::people;
  out.as_of = millis{1'700'000'060'000};
  out.covers_from = millis{1'700'000'000'001};
  out.stays = {{user_id{"ada"},
                ada().participant,
                {1, 2},
                millis{5},
                millis{9},
                leave_reason::timeout,
                3},
               {user_id{"bob"}, bob().participant, {1, 3}, millis{6}}};
  out.people = {{user_id{"ada"}, ada().participant, millis{5}, millis{9},
                 millis{4}, 1, 3, true}};
  out.summary = figures();
  out.next = "AAAB";
  return out;
}

static std::vector<std::pair<std::string, node_message>> past_messages() {
  get_history_command stays{history_view::here,
                            millis{5},
                            millis{9},
                            user_id{"ada"},
                            ada().participant,
                            millis{60'000},
                            true,
                            "AAAA",
                            50};
  get_audit_command entries{millis{5}, millis{9}, user_id{"ada"}, "kick", true,
                            "AAAA",    50};
  list_sessions_command sessions{63,   "party",
                                 true, false,
                                 true, session_id{"movie-night"},
                                 20,   true,
                                 true, std::vector<std::string>{"film-club"}};
  audit_record entry{party(),        {1, 2},          millis{7},
                     user_id{"ada"}, "set_member",    user_id{"bob"},
                     "edge-2/17",    "role=listener", "role=speaker"};
  session_summary one{session_id{"movie-night"},
                      "party",
                      user_id{"ada"},
                      millis{4},
                      millis{8},
                      "members",
                      true,
                      2,
                      9,
                      true,
                      millis{16},
                      "Film club"};
  std::vector<std::pair<std::string, command_body>> bodies{
    {"get_history", stays},
    {"get_audit", entries},
    {"list_sessions", sessions},
    {"delete", delete_command{}},
    {"erase_user", erase_user_command{7, user_id{"bob"}, "AAAA"}},
    {"forget_user", forget_user_command{user_id{"bob"}}},
    {"put_group", put_group_command{"Film club"}},
    {"get_group", get_group_command{}},
    {"settle_group", settle_group_command{63,
                                          "film-club",
                                          true,
                                          {user_id{"bob"}, user_id{"cyd"}},
                                          session_id{"movie-night"}}},
  };
  std::vector<std::pair<std::string, reply_body>> answers{
    {"history", past()},
    {"audit", audit_reply{millis{9}, {entry}, "AAAC"}},
    {"list", list_reply{millis{9}, {one}, session_id{"movie-night"}}},
    {"erased", erase_reply{3, 70, "AAAD"}},
    {"group",
     group_reply{"Film club", user_id{"ada"}, millis{4}, true, "owner", true}},
    {"settled", settled_reply{true, session_id{"movie-night"}}},
  };
  std::uint64_t ticket = 400;
  std::vector<std::pair<std::string, node_message>> out;
  for (auto& [name, body] : bodies)
    out.emplace_back("command_" + name, asking(++ticket, std::move(body)));
  for (auto& [name, body] : answers) {
    reply good{ack_level::accepted, {1, 2}, 3, 4, std::move(body)};
    out.emplace_back("reply_" + name, answering(++ticket, std::move(good)));
  }
  return out;
}

std::vector<std::pair<std::string, node_message>> messages() {
  std::vector<std::pair<std::string, node_message>> out{
    {"batch", a_batch()},
    {"snapshot", a_snapshot()},
    {"direct_removed", std::make_shared<direct>(direct{
                         party(),
                         {8, 9},
                         edge(),
                         removed_direct{leave_reason::kicked, true, 7}})},
    {"direct_recheck", std::make_shared<direct>(
                         direct{party(), {8, 9}, edge(), recheck_direct{}})},
    {"direct_unknown", std::make_shared<direct>(
                         direct{party(), {8, 9}, edge(), unknown_direct{}})},
    {"direct_reminder", std::make_shared<direct>(direct{
                          party(),
                          {8, 9},
                          edge(),
                          reminder_direct{millis{1'760'000'000'000}, true}})},
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
    {"note_announce",
     noting(announce_note{{{8, 9}, {8, 10}}, true, {{1, 2}, {0, 0}}})},
    {"note_edge_lost", noting(edge_lost_note{})},
  };
  std::vector<std::pair<std::string, command_body>> bodies{
    {"join", join_command{connection_id{8, 7}, ada().live, "party",
                          admission{{1, 2}, millis{5}, 1}, millis{45'000}}},
    {"leave", leave_command{connection_id{8, 11}, true}},
    {"set_live",
     set_live_command{{{"away", true}, {"step", std::nullopt}}, millis{40}}},
    {"get_roster", get_roster_command{version{1, 2}, 50, "p1"}},
    {"observe", observe_command{true}},
    {"create", create_command{"party", patch(), millis{1'760'000'000'000}}},
    {"configure",
     configure_command{patch(), std::optional{millis{1'760'000'000'000}}}},
    {"end", end_command{}},
    {"set_member", set_member_command{user_id{"bob"},
                                      bob().participant,
                                      "guest",
                                      std::vector<std::string>{"speak"},
                                      {"can_video"},
                                      {"can_speak"}}},
    {"kick", kick_command{user_id{"bob"}, bob().participant}},
    {"transfer_host", transfer_host_command{user_id{"bob"}, bob().participant}},
    {"set_phase",
     set_phase_command{"voting", "running", millis{60'000}, "results"}},
    {"open_round", open_round_command{"vote", some_rules()}},
    {"close_round", close_round_command{"vote"}},
    {"submit", submit_command{"vote", an_answer()}},
    {"get_round", get_round_command{"vote", bob().participant, 50}},
    {"start_barrier", start_barrier_command{"start", millis{30'000}}},
    {"set_ready", set_ready_command{true}},
    {"set_reminder", set_reminder_command{true, millis{600'000}}},
    {"renew", renew_command{connection_id{8, 11}}},
    {"invite", invite_command{user_id{"bob"}, "guest"}},
    {"uninvite", uninvite_command{user_id{"bob"}, bob().participant}},
    {"withdraw", withdraw_command{}},
    {"ban", ban_command{user_id{"bob"}, bob().participant, millis{60'000},
                        "too loud"}},
    {"unban", unban_command{user_id{"bob"}, bob().participant}},
    {"get_members", get_members_command{user_id{"ada"}, 50, user_id{"bob"}}},
    {"set_name", set_name_command{"Ada L."}},
    {"get_bans", get_bans_command{user_id{"ada"}, 50}},
    {"get_course", get_course_command{true}},
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
    {"observe", observe_reply{settings(),
                              rights,
                              true,
                              participant_id{"p1"},
                              millis{8},
                              true,
                              true,
                              {1, 7},
                              millis{9}}},
    {"round", round_reply{a_round(),
                          some_rules().schema,
                          true,
                          {{bob().participant, user_id{"bob"}, an_answer(),
                            millis{1'760'000'000'000}, 2}},
                          bob().participant}},
    {"renew", renew_reply{millis{45'000}}},
    {"leave", leave_reply{participant_id{"p1"}, 3}},
    {"members", members_reply{{{bob().participant,
                                user_id{"bob"},
                                ada().who,
                                "guest",
                                {"speak"},
                                member_status::left,
                                millis{1'700'000'000'000},
                                {1, 6},
                                reminder_view{true, millis{600'000}}}},
                              user_id{"bob"}}},
    {"bans",
     bans_reply{{{bob().participant, user_id{"bob"}, millis{1'700'000'060'000},
                  user_id{"ada"}, millis{1'700'000'000'000}, "too loud"}},
                user_id{"bob"}}},
    {"course", course_reply{millis{1'760'000'000'000},
                            {"voting", "running", {}, {}},
                            barrier_view{{"go"}, {bob().participant}},
                            {a_round()},
                            {ada(), bob()}}},
  };
  for (auto& [name, body] : answers) {
    reply good{ack_level::committed, {1, 2}, 3, 4, std::move(body)};
    out.emplace_back("reply_" + name, answering(++ticket, std::move(good)));
  }
  failure refusal = fail(errc::rate_limited, "too many", "op");
  refusal.retry_after = millis{250};
  out.emplace_back("reply_refused", answering(++ticket, std::move(refusal)));
  for (auto& one : past_messages())
    out.push_back(std::move(one));
  return out;
}

} // namespace rollcall::samples
