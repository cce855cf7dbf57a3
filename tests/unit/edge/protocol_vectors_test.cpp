// The golden bytes of tests/vectors/client/v1, both ways: requests decode to
// the typed request, answers and pushes are encoded to exactly these bytes.

#include "edge/protocol/answer_encoder.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/protocol/request_decoder.hpp"
#include "unit/edge/protocol_requests.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace rollcall::edge {

namespace {

constexpr epoch_t epoch = 1'099'511'627'777;
constexpr millis now{50'000};
const session_key town_hall{namespace_id{"default"}, session_id{"town-hall"}};
const participant_id ada_id{"AAAAAAAAAAAAAAAAAAAAAA"};
constexpr connection_id leased{0xab, 0xef};
const participant_id bob_id{"BBBBBBBBBBBBBBBBBBBBBB"};

struct golden {
  std::string name;
  std::string json;
  std::string msgpack;
};

std::vector<golden> load(std::string_view prefix) {
  std::vector<golden> out;
  std::filesystem::path folder{ROLLCALL_TESTS_DIR "/vectors/client/v1"};
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (!entry.path().filename().string().starts_with(prefix))
      continue;
    std::ifstream in{entry.path()};
    std::stringstream text;
    text << in.rdbuf();
    auto content = decode_json(text.str());
    auto field = [&](std::string_view key) {
      const auto* found = content.ok() ? content->find(key) : nullptr;
      const auto* value = found ? found->get_if<std::string>() : nullptr;
      EXPECT_NE(value, nullptr) << entry.path() << " has no " << key;
      return value ? *value : std::string{};
    };
    out.push_back(
      {field("name"), field("json"), test::from_hex(field("msgpack_hex"))});
    EXPECT_EQ(out.back().name, entry.path().stem().string());
  }
  return out;
}

// -- requests ----------------------------------------------------------------

session_request in_town_hall(command_body body, std::string op = {}) {
  session_request out;
  out.session = town_hall.id;
  out.op = op_id{std::move(op)};
  out.body = std::move(body);
  return out;
}

settings_patch all_settings() {
  settings_patch out;
  out.membership = membership_mode::durable;
  out.access = access_mode::members;
  out.host = host_policy::appointed;
  out.identity = identity_mode::count_only;
  out.duplicates = duplicate_policy::kick_old;
  out.capacity = 12;
  out.locked = true;
  out.anonymous_views = false;
  out.beat = millis{5'000};
  out.suspect_after = millis{8'000};
  out.timeout = millis{20'000};
  out.drop_grace = millis{0};
  out.host_reclaim = millis{60'000};
  return out;
}

client_request join_request() {
  auto out = in_town_hall(join_command{});
  out.session = session_id{"Größe/7 🎉"};
  out.wanted = view::roster;
  return {std::int64_t{6}, out};
}

/// Of the place only what may be kept has come in.
client_request join_from_afar() {
  join_command body;
  body.facts = {device_class::mobile, "u33d"};
  auto out = in_town_hall(body);
  out.wanted = view::roster;
  return {std::int64_t{6}, out};
}

client_request full_join_request() {
  join_command body;
  body.live = {{"audio", true},
               {"quality", 0.5},
               {"step", std::int64_t{-3}},
               {"typing", std::string{"no"}}};
  body.create_kind = "stream";
  auto out = in_town_hall(body, "op-1");
  out.wanted = view::count;
  out.since = version{epoch, 42};
  return {std::int64_t{9'007'199'254'740'991}, out};
}

std::map<std::string, client_request> connection_requests() {
  const std::string token = "e30.e30.AAAA";
  return {
    {"request_hello_token", {std::int64_t{1}, hello_request{token, ""}}},
    {"request_hello_resume",
     {std::string{"h-1"}, hello_request{token, "cmVzdW1l"}}},
    {"request_hello_anonymous", {{}, hello_request{}}},
    {"request_refresh_token",
     {std::int64_t{2}, refresh_request{"e30.e30.BBBB"}}},
    {"request_heartbeat", {std::int64_t{3}, heartbeat_request{}}},
    {"request_heartbeat_silent", {{}, heartbeat_request{}}},
    {"request_attach",
     {std::int64_t{4}, attach_request{town_hall.id, view::roster, {}}}},
    {"request_attach_since",
     {std::int64_t{4},
      attach_request{town_hall.id, view::events, version{epoch, 42}}}},
    {"request_attach_hidden",
     {std::int64_t{4},
      attach_request{town_hall.id, view::roster, {}, "K7QX-2MPD", true}}},
    {"request_detach", {std::int64_t{5}, detach_request{town_hall.id}}},
  };
}

std::map<std::string, client_request> presence_requests() {
  set_live_command live;
  live.live = {{"audio", live_value{false}},
               {"step", live_value{std::int64_t{70'000}}},
               {"typing", std::nullopt}};
  live.age = millis{250};
  join_command lease;
  lease.lease = millis{60'000};
  return {
    {"request_join", join_request()},
    {"request_join_full", full_join_request()},
    {"request_join_device", join_from_afar()},
    {"request_join_no_view", {std::int64_t{0}, in_town_hall(join_command{})}},
    {"request_leave", {std::int64_t{7}, in_town_hall(leave_command{})}},
    {"request_leave_lease",
     {std::int64_t{7}, in_town_hall(leave_command{leased, false})}},
    {"request_join_lease", {std::int64_t{6}, in_town_hall(lease)}},
    {"request_renew", {std::int64_t{7}, in_town_hall(renew_command{leased})}},
    {"request_set_live", {{}, in_town_hall(live)}},
    {"request_get_roster",
     {std::int64_t{8}, in_town_hall(get_roster_command{})}},
    {"request_get_roster_page",
     {std::int64_t{8},
      in_town_hall(get_roster_command{version{epoch, 9}, 1'000})}},
    {"request_get_history",
     {std::int64_t{9}, in_town_hall(get_history_command{})}},
    {"request_get_history_summary",
     {std::int64_t{10},
      in_town_hall(get_history_command{history_view::summary,
                                       millis{1'700'000'000'000},
                                       millis{1'700'000'060'000},
                                       {},
                                       {},
                                       millis{60'000}})}},
    {"request_get_audit",
     {std::int64_t{11},
      in_town_hall(get_audit_command{
        millis{0}, {}, user_id{"bob"}, "kick", true, "AAAA", 50})}},
    {"request_list_sessions",
     {std::int64_t{12},
      namespace_request{list_sessions_command{
        0, "party", true, false, true, session_id{"movie-night"}, 20, true}}}},
    {"request_erase_user",
     {std::int64_t{13},
      namespace_request{erase_user_command{0, user_id{"bob"}, {}}}}},
  };
}

std::map<std::string, client_request> durable_requests() {
  settings_patch locked;
  locked.locked = true;
  set_member_command give_and_take{user_id{"ada"}, {}};
  give_and_take.give = {"can_speak"};
  give_and_take.take = {"can_video", "mute"};
  settings_patch admitting;
  admitting.access = access_mode::code;
  admitting.group = "staff";
  admitting.roles = {"teacher"};
  admitting.default_role = "viewer";
  admitting.gated_media = true;
  admitting.code = "K7QX-2MPD";
  settings_patch slow;
  slow.live_rate = 5;
  slow.live_burst = 10;
  return {
    {"request_create_session",
     {std::int64_t{9}, in_town_hall(create_command{"party", {}})}},
    {"request_create_session_settings",
     {std::int64_t{9},
      in_town_hall(create_command{"board", all_settings()}, "op-2")}},
    {"request_configure_session",
     {std::int64_t{10}, in_town_hall(configure_command{locked}, "op-3")}},
    {"request_end_session", {std::int64_t{11}, in_town_hall(end_command{})}},
    {"request_delete_session",
     {std::int64_t{14}, in_town_hall(delete_command{}, "op-9")}},
    {"request_set_member",
     {std::int64_t{12},
      in_town_hall(
        set_member_command{user_id{"ada"},
                           {},
                           "moderator",
                           std::vector<std::string>{"mute", "pin.message"}},
        "op-4")}},
    {"request_set_member_by_participant",
     {std::int64_t{12}, in_town_hall(set_member_command{
                          {}, bob_id, {}, std::vector<std::string>{}})}},
    {"request_kick",
     {std::int64_t{13},
      in_town_hall(kick_command{user_id{"__proto__"}, {}}, "op-5")}},
    {"request_set_member_give",
     {std::int64_t{12}, in_town_hall(give_and_take, "op-6")}},
    {"request_invite",
     {std::int64_t{15},
      in_town_hall(invite_command{user_id{"bob"}, "guest"}, "op-7")}},
    {"request_uninvite",
     {std::int64_t{16}, in_town_hall(uninvite_command{user_id{"bob"}, {}})}},
    {"request_withdraw", {std::int64_t{17}, in_town_hall(withdraw_command{})}},
    {"request_set_name",
     {std::int64_t{23}, in_town_hall(set_name_command{"Ada L."}, "op-4")}},
    {"request_set_name_none",
     {std::int64_t{23}, in_town_hall(set_name_command{})}},
    {"request_ban",
     {std::int64_t{18},
      in_town_hall(
        ban_command{user_id{"bob"}, {}, millis{3'600'000}, "too loud"},
        "op-8")}},
    {"request_unban",
     {std::int64_t{19}, in_town_hall(unban_command{{}, bob_id})}},
    {"request_get_members",
     {std::int64_t{20}, in_town_hall(get_members_command{user_id{"ada"}, 50})}},
    {"request_get_bans", {std::int64_t{21}, in_town_hall(get_bans_command{})}},
    {"request_get_course",
     {std::int64_t{22}, in_town_hall(get_course_command{})}},
    {"request_configure_access",
     {std::int64_t{10}, in_town_hall(configure_command{admitting})}},
    {"request_configure_rate",
     {std::int64_t{10}, in_town_hall(configure_command{slow})}},
    {"request_transfer_host",
     {std::int64_t{14}, in_town_hall(transfer_host_command{{}, bob_id})}},
  };
}

answer_rule rule(std::string name, answer_type type, std::uint16_t below = 0) {
  answer_rule out;
  out.name = std::move(name);
  out.type = type;
  out.below = below;
  return out;
}

round_rules vote_rules() {
  auto score = rule("score", answer_type::integer);
  score.least = 0;
  score.most = 100;
  auto note = rule("note", answer_type::text);
  note.optional = true;
  note.most = 64;
  auto mood = rule("mood", answer_type::choice);
  mood.choices = {"good", "bad"};
  auto shares = rule("shares", answer_type::participants, 2);
  shares.sum_most = 100;
  shares.self = true;
  auto part = rule("part", answer_type::number);
  part.least = 0.5;
  return {{rule("", answer_type::record, 6), score, note, mood, shares,
           rule("", answer_type::record, 1), part},
          {"guest"},
          true,
          results_policy::live,
          progress_policy::counts};
}

datum vote_answer() {
  datum::fields part{{"part", {60.5}}};
  datum::fields shares{{"ada", {std::move(part)}}};
  datum::list list{{std::int64_t{-3}}, {true}, {std::string{"x"}}};
  return {datum::fields{{"list", {std::move(list)}},
                        {"score", {std::int64_t{90}}},
                        {"shares", {std::move(shares)}}}};
}

std::map<std::string, client_request> course_requests() {
  create_command party{"party", {}, millis{1'700'000'600'000}};
  configure_command no_start{{}, std::optional<millis>{}};
  return {
    {"request_create_session_start", {std::int64_t{9}, in_town_hall(party)}},
    {"request_configure_session_no_start",
     {std::int64_t{10}, in_town_hall(no_start)}},
    {"request_set_phase",
     {std::int64_t{15},
      in_town_hall(
        set_phase_command{"voting", "running", millis{60'000}, "results"},
        "op-6")}},
    {"request_open_round",
     {std::int64_t{16},
      in_town_hall(open_round_command{"vote", vote_rules()}, "op-7")}},
    {"request_close_round",
     {std::int64_t{17}, in_town_hall(close_round_command{"vote"})}},
    {"request_submit",
     {std::int64_t{18},
      in_town_hall(submit_command{"vote", vote_answer()}, "op-8")}},
    {"request_get_round",
     {std::int64_t{19}, in_town_hall(get_round_command{"vote", bob_id, 50})}},
    {"request_start_barrier",
     {std::int64_t{20},
      in_town_hall(start_barrier_command{"go", millis{30'000}})}},
    {"request_set_ready",
     {std::int64_t{21}, in_town_hall(set_ready_command{true})}},
    {"request_set_reminder",
     {std::int64_t{22},
      in_town_hall(set_reminder_command{true, millis{600'000}})}},
  };
}

// -- answers and pushes ------------------------------------------------------

using encoder = std::function<std::string(dialect)>;

participant_view ada() {
  participant_view out;
  out.participant = ada_id;
  out.user = user_id{"ada"};
  out.who = {"Ada \"the\" First", "ada@example.org"};
  out.role = "moderator";
  out.permissions = {"mute"};
  out.since = millis{1'700'000'000'123};
  out.connections = 2;
  out.reconnections = 1;
  out.live = {{"audio", true},
              {"note", std::string{"a\nb"}},
              {"quality", 0.25},
              {"step", std::int64_t{-40}}};
  return out;
}

participant_view bob() {
  participant_view out;
  out.participant = bob_id;
  out.user = user_id{"bob"};
  out.state = presence_state::suspected;
  out.expires = now + millis{7'500};
  out.since = millis{1'700'000'001'000};
  out.connections = 1;
  return out;
}

kind_settings preset(std::string_view kind) {
  for (const auto& each : preset_kinds())
    if (each.kind == kind)
      return each;
  ADD_FAILURE() << "no kind " << kind;
  return {};
}

viewer seen_as(view wanted, identity_mode shown = identity_mode::named) {
  return {wanted, audience::everyone, shown};
}

encoder error(request_id id, failure why) {
  return [=](dialect language) { return encode_error(language, id, why); };
}

template <class Ack>
encoder ack(std::int64_t id, Ack what) {
  return [=](dialect language) { return encode_ack(language, id, what); };
}

encoder reply_to(std::int64_t id, reply what, viewer who = {},
                 std::optional<connection_id> made = {}) {
  return [=](dialect language) {
    return encode_ack(language, id,
                      session_ack{town_hall.id, what, who, now, made});
  };
}

encoder all(std::int64_t id, gathered what) {
  return [=](dialect language) {
    return encode_ack(language, id, namespace_ack{what});
  };
}

history_reply some_stays() {
  history_reply out;
  out.as_of = millis{1'700'000'060'000};
  out.stays = {{user_id{"ada"},
                ada_id,
                {epoch, 4},
                millis{1'700'000'000'000},
                millis{1'700'000'030'000},
                leave_reason::timeout,
                1},
               {user_id{"bob"}, bob_id, {epoch, 5}, millis{1'700'000'001'000}}};
  out.next = "AAAB";
  return out;
}

history_reply some_figures() {
  history_reply out;
  out.what = history_view::summary;
  out.as_of = millis{1'700'000'060'000};
  out.covers_from = millis{1'700'000'000'000};
  auto& figures = out.summary.emplace();
  figures.from = millis{1'700'000'000'000};
  figures.until = millis{1'700'000'060'000};
  figures.stays = 2;
  figures.unique = 2;
  figures.peak = 2;
  figures.peak_at = millis{1'700'000'001'000};
  figures.joins = 2;
  figures.leaves = 1;
  figures.reconnections = 1;
  figures.dwell = millis{89'000};
  figures.first_seen = figures.from;
  figures.last_seen = figures.until;
  figures.reasons = {0, 1};
  figures.timeline = {{figures.from, 1, 2, 2, 1, 2}};
  return out;
}

audit_reply some_entries() {
  audit_record entry;
  entry.at = {epoch, 7};
  entry.when = millis{1'700'000'030'000};
  entry.actor = user_id{"ada"};
  entry.action = "set_member";
  entry.target = user_id{"bob"};
  entry.request = "r-1";
  entry.before = "role=listener";
  entry.after = "role=speaker";
  return {millis{1'700'000'060'000}, {entry}, {}};
}

listing some_sessions() {
  session_summary one;
  one.id = session_id{"town-hall"};
  one.kind = "party";
  one.created_at = millis{1'700'000'000'000};
  one.access = "members";
  one.present = 2;
  one.members = 3;
  one.starts_at = millis{1'700'000'900'000};
  one.is_member = true;
  return {millis{1'700'000'060'000}, false, {one}, session_id{"town-hall"}};
}

round_view vote_view() {
  round_view out;
  out.name = "vote";
  out.revise = true;
  out.results = results_policy::live;
  out.answers = 3;
  out.eligible = 5;
  out.submitted = 2;
  out.participants = {ada_id, bob_id};
  return out;
}

round_reply vote_page() {
  auto score = rule("score", answer_type::integer);
  score.least = 0;
  score.most = 100.5;
  auto picks = rule("picks", answer_type::list, 1);
  picks.most = 3;
  auto pick = rule("", answer_type::choice);
  pick.choices = {"a"};
  datum::list picked{{std::string{"a"}}};
  datum answer{datum::fields{{"picks", {std::move(picked)}},
                             {"score", {std::int64_t{-1}}}}};
  return {vote_view(),
          {rule("", answer_type::record, 3), score, picks, pick},
          true,
          {{bob_id, user_id{"bob"}, answer, millis{1'700'000'000'123}, 2}},
          bob_id};
}

std::map<std::string, encoder> answers() {
  auto slow_down = fail(errc::rate_limited, "too many requests");
  slow_down.retry_after = millis{1'500};
  const capability_set rights
    = {capability::observe_count, capability::observe_roster, capability::join,
       capability::publish, capability::moderate};
  return {
    {"answer_error",
     error(std::int64_t{6},
           fail(errc::bad_request, "is not known here", "settings.colour"))},
    {"answer_error_retry", error(std::string{"h-1"}, slow_down)},
    {"answer_error_unreadable",
     error({}, fail(errc::bad_request, "must be a map"))},
    {"answer_heartbeat", ack(3, heartbeat_ack{})},
    {"answer_refresh_token", ack(2, refresh_ack{millis{3'600'000}})},
    {"answer_attach", ack(4, attach_ack{town_hall.id, view::events})},
    {"answer_detach", ack(5, detach_ack{town_hall.id})},
    {"answer_join",
     reply_to(
       6, {ack_level::accepted,
           {epoch, 43},
           2,
           3,
           join_reply{
             ada_id, preset("party"), {{epoch, 7}, millis{0}, 1}, rights}})},
    {"answer_join_lease", reply_to(6,
                                   {ack_level::accepted,
                                    {epoch, 43},
                                    2,
                                    3,
                                    join_reply{ada_id,
                                               preset("party"),
                                               {{epoch, 7}, millis{0}, 0},
                                               {capability::join},
                                               millis{60'000}}},
                                   {}, leased)},
    {"answer_renew",
     reply_to(
       7,
       {ack_level::accepted, {epoch, 43}, 2, 3, renew_reply{millis{60'000}}})},
    {"answer_members",
     reply_to(20, {ack_level::accepted,
                   {epoch, 43},
                   2,
                   3,
                   members_reply{{{bob_id,
                                   user_id{"bob"},
                                   {"Bob", "", {{"image_url", "i.png"}}},
                                   "guest",
                                   {"can_speak"},
                                   member_status::invited,
                                   millis{1'700'000'000'000}}},
                                 user_id{"bob"}}})},
    {"answer_bans",
     reply_to(
       21, {ack_level::accepted,
            {epoch, 43},
            2,
            3,
            bans_reply{{{bob_id, user_id{"bob"}, millis{1'700'000'060'000},
                         user_id{"ada"}, millis{1'700'000'000'000}, "too loud"},
                        {ada_id,
                         user_id{"ada"},
                         {},
                         user_id{"bob"},
                         millis{1'700'000'000'000},
                         ""}},
                       {}}})},
    {"answer_leave",
     reply_to(7, {ack_level::accepted, {epoch, 44}, 1, 3, done{}})},
    {"answer_durable",
     reply_to(9, {ack_level::committed, {epoch, 45}, 0, 1, done{}})},
    {"answer_roster",
     reply_to(8, {ack_level::accepted,
                  {epoch, 43},
                  2,
                  3,
                  roster_reply{{ada(), bob()}, version{epoch, 9}}})},
    {"answer_round",
     reply_to(19, {ack_level::accepted, {epoch, 43}, 2, 3, vote_page()})},
    {"answer_roster_last",
     reply_to(8,
              {ack_level::accepted,
               {epoch, 43},
               2,
               3,
               roster_reply{{bob()}, std::nullopt}},
              seen_as(view::roster, identity_mode::pseudonymous))},
    {"answer_history",
     reply_to(9, {ack_level::accepted, {epoch, 43}, 2, 3, some_stays()})},
    {"answer_history_summary",
     reply_to(10, {ack_level::accepted, {epoch, 43}, 2, 3, some_figures()})},
    {"answer_audit",
     reply_to(11, {ack_level::accepted, {epoch, 43}, 2, 3, some_entries()})},
    {"answer_list_sessions", all(12, some_sessions())},
    {"answer_erase_user", all(13, user_erasure{true, 3, 70})},
  };
}

encoder seen_snapshot(viewer who, std::string why, bool with_host = true,
                      bool stale = false) {
  snapshot what{town_hall, {epoch, 43}, preset("party"), false,
                2,         3,           ada_id,          {ada(), bob()}};
  if (!with_host)
    what.host.reset();
  return [=](dialect language) {
    return encode_snapshot(language, who, what, why, now, stale);
  };
}

/// The same session with everything set that may be.
encoder seen_course() {
  snapshot what{town_hall, {epoch, 43}, preset("party"), false,
                2,         3,           ada_id,          {ada(), bob()}};
  what.starts_at = millis{1'700'000'600'000};
  what.phase = {"voting", "running", millis{1'700'000'060'000}, "results"};
  what.barrier = barrier_view{{"go"}, {bob_id}};
  what.rounds = {vote_view()};
  return [=](dialect language) {
    return encode_snapshot(language, seen_as(view::roster), what, "attached",
                           now, false);
  };
}

encoder seen_changes(batch what, viewer who = {}, bool stale = false) {
  return [=](dialect language) {
    return encode_changes(language, who, what, now, stale);
  };
}

/// A batch of one change, from revision 42 to 43.
encoder one_change(change_body body) {
  return seen_changes({town_hall,
                       {epoch, 42},
                       {epoch, 43},
                       2,
                       3,
                       {{43, audience::everyone, 2, 3, std::move(body)}}});
}

batch busy_tick() {
  return {town_hall,
          {epoch, 42},
          {epoch, 46},
          1,
          3,
          {{43, audience::everyone, 2, 3, joined_change{ada(), true}},
           {44, audience::everyone, 3, 3, joined_change{bob(), false}},
           {45, audience::everyone, 3, 3, connection_change{ada_id, 3}},
           {46, audience::everyone, 1, 3,
            left_change{bob_id, leave_reason::timeout}}}};
}

std::map<std::string, encoder> change_pushes() {
  auto everyone = audience::everyone;
  std::vector<batch_ptr> several
    = {std::make_shared<batch>(
         batch{town_hall,
               {epoch, 42},
               {epoch, 43},
               2,
               3,
               {{43, everyone, 2, 3, resumed_change{bob_id}}}}),
       std::make_shared<batch>(
         batch{town_hall,
               {epoch, 43},
               {epoch, 45},
               2,
               3,
               {{44, everyone, 2, 3, connection_change{bob_id, 2}},
                {45, everyone, 2, 3, host_change{}}}})};
  const phase_state voting{"voting", "running", millis{1'700'000'060'000},
                           "results"};
  round_view closed;
  closed.name = "vote";
  closed.open = false;
  closed.progress = progress_policy::counts;
  closed.answers = 3;
  const barrier_state go{"go"};
  return {
    {"push_changes_phase", one_change(phase_change{voting})},
    {"push_changes_phase_bare", one_change(phase_change{{"results"}})},
    {"push_changes_session_start",
     one_change(
       session_change{preset("stream"), true, millis{1'700'000'600'000}})},
    {"push_changes_submission", one_change(submission_change{vote_view()})},
    {"push_changes_submission_counts", one_change(submission_change{closed})},
    {"push_changes_barrier",
     one_change(barrier_change{{"go", millis{1'700'000'060'000}}})},
    {"push_changes_barrier_ready",
     one_change(barrier_change{go, bob_id, true})},
    {"push_changes_barrier_open",
     one_change(barrier_change{{"go", {}, millis{1'700'000'060'000}, true}})},
    {"push_changes_joined", one_change(joined_change{ada(), true})},
    {"push_changes_suspected",
     one_change(suspected_change{bob_id, now + millis{7'500}})},
    {"push_changes_resumed", one_change(resumed_change{bob_id})},
    {"push_changes_left",
     one_change(left_change{bob_id, leave_reason::edge_lost})},
    {"push_changes_live",
     one_change(live_change{bob_id,
                            {{"audio", live_value{false}},
                             {"hand", std::nullopt},
                             {"step", live_value{std::int64_t{300}}}}})},
    {"push_changes_connection", one_change(connection_change{bob_id, 3})},
    {"push_changes_member",
     one_change(
       member_change{bob_id, user_id{"bob"}, "guest", {"mute", "pin"}})},
    {"push_changes_member_keys",
     one_change(
       member_change{bob_id, user_id{"bob"}, "guest", {"mute"}, 3, true})},
    {"push_changes_member_gone",
     one_change(member_change{bob_id, user_id{"bob"}, "", {}, 4, false})},
    {"push_changes_member_name",
     one_change(member_change{
       bob_id, user_id{"bob"}, "guest", {}, 16, true, false, "Robert"})},
    {"push_changes_member_banned",
     one_change(member_change{bob_id, user_id{"bob"}, "", {}, 8, false, true})},
    {"push_changes_member_bare", one_change(member_change{bob_id, {}, "", {}})},
    {"push_changes_activity",
     one_change(activity_change{bob_id, millis{1'700'000'002'000}})},
    {"push_changes_connection_devices",
     one_change(
       connection_change{bob_id, 2, {{device_class::mobile, "u33d"}, {}}})},
    {"push_changes_connection_devices_pseudonymous",
     seen_changes(
       {town_hall,
        {epoch, 42},
        {epoch, 43},
        2,
        3,
        {{43, audience::everyone, 2, 3,
          connection_change{bob_id, 1, {{device_class::tv, "u33d"}}}}}},
       seen_as(view::roster, identity_mode::pseudonymous))},
    {"push_changes_host", one_change(host_change{bob_id})},
    {"push_changes_host_none", one_change(host_change{})},
    {"push_changes_session",
     one_change(session_change{preset("stream"), true})},
    {"push_changes_events", seen_changes(busy_tick(), seen_as(view::events))},
    {"push_changes_count", seen_changes(busy_tick(), seen_as(view::count))},
    {"push_changes_stale",
     seen_changes(busy_tick(), seen_as(view::count), true)},
    {"push_changes_several_batches",
     [=](dialect language) {
       return encode_changes(language, viewer{},
                             std::span<const batch_ptr>{several}, now);
     }},
  };
}

welcome_push welcome() {
  welcome_push out;
  out.connection = {0xab, 0xcd};
  out.resume = "cmVzdW1l";
  out.beat = millis{15'000};
  out.node = "n1";
  out.frame_bytes = 65'536;
  out.sessions = 16;
  out.requests_per_second = 100;
  return out;
}

std::map<std::string, encoder> other_pushes() {
  auto anonymous = welcome();
  auto known = welcome();
  known.re = std::int64_t{1};
  known.user = user_id{"ada"};
  known.participant = ada_id;
  known.expires_in = millis{3'600'000};
  direct removed;
  removed.session = town_hall;
  removed.body = removed_direct{leave_reason::kicked};
  direct reminded;
  reminded.session = town_hall;
  reminded.body = reminder_direct{millis{1'700'000'600'000}, true};
  direct banned;
  banned.session = town_hall;
  banned.body = removed_direct{leave_reason::kicked, true};
  return {
    {"push_welcome",
     [=](dialect language) { return encode_welcome(language, known); }},
    {"push_welcome_anonymous",
     [=](dialect language) { return encode_welcome(language, anonymous); }},
    {"push_snapshot_roster", seen_snapshot(seen_as(view::roster), "attached")},
    {"push_snapshot_course", seen_course()},
    {"push_snapshot_pseudonymous",
     seen_snapshot(seen_as(view::roster, identity_mode::pseudonymous),
                   "too_old", false)},
    {"push_snapshot_events",
     seen_snapshot(seen_as(view::events), "epoch_changed")},
    {"push_snapshot_count", seen_snapshot(seen_as(view::count), "slow_reader")},
    {"push_snapshot_stale",
     seen_snapshot(seen_as(view::count), "attached", true, true)},
    {"push_direct",
     [=](dialect language) { return encode_direct(language, removed); }},
    {"push_direct_reminder",
     [=](dialect language) { return encode_direct(language, reminded); }},
    {"push_bye_shutdown",
     [](dialect language) {
       return encode_bye(language, close_code::shutdown, millis{2'500});
     }},
    {"push_direct_banned",
     [=](dialect language) { return encode_direct(language, banned); }},
    {"push_bye_banned",
     [](dialect language) { return encode_bye(language, close_code::banned); }},
    {"push_bye_kicked",
     [](dialect language) { return encode_bye(language, close_code::kicked); }},
  };
}

/// Every vector with `prefix` has its message, and the other way round.
template <class Message, class Check>
void for_all(std::string_view prefix,
             const std::map<std::string, Message>& messages, Check check) {
  auto vectors = load(prefix);
  EXPECT_EQ(vectors.size(), messages.size());
  for (const auto& each : vectors) {
    SCOPED_TRACE(each.name);
    auto found = messages.find(each.name);
    if (found == messages.end())
      ADD_FAILURE() << "no such message";
    else
      check(each, found->second);
  }
}

/// The decoded frame, spelled out; or what was wrong with it.
std::string spelled_out(dialect language, std::string_view bytes) {
  auto out = decode_request(language, bytes);
  if (const auto* bad = std::get_if<decode_failure>(&out))
    return "refused: " + bad->why.field + ' ' + bad->why.message;
  return test::encode_request(dialect::json, std::get<client_request>(out));
}

} // namespace

TEST(ClientVectors, SayTheSameInBothDialects) {
  for (const auto& each : load("")) {
    SCOPED_TRACE(each.name);
    auto json = decode_json(each.json);
    auto msgpack = decode_msgpack(each.msgpack);
    ASSERT_TRUE(json.ok() && msgpack.ok());
    EXPECT_EQ(*json, *msgpack);
  }
}

TEST(ClientVectors, DecodeToTheTypedRequest) {
  auto requests = connection_requests();
  requests.merge(presence_requests());
  requests.merge(durable_requests());
  requests.merge(course_requests());
  for_all("request_", requests,
          [](const golden& bytes, const client_request& wanted) {
            auto text = test::encode_request(dialect::json, wanted);
            EXPECT_EQ(spelled_out(dialect::json, bytes.json), text);
            EXPECT_EQ(spelled_out(dialect::msgpack, bytes.msgpack), text);
          });
}

TEST(ClientVectors, AnswersHaveExactlyTheseBytes) {
  for_all("answer_", answers(), [](const golden& bytes, const encoder& encode) {
    EXPECT_EQ(encode(dialect::json), bytes.json);
    EXPECT_EQ(test::to_hex(encode(dialect::msgpack)),
              test::to_hex(bytes.msgpack));
  });
}

TEST(ClientVectors, PushesHaveExactlyTheseBytes) {
  auto pushes = change_pushes();
  pushes.merge(other_pushes());
  for_all("push_", pushes, [](const golden& bytes, const encoder& encode) {
    EXPECT_EQ(encode(dialect::json), bytes.json);
    EXPECT_EQ(test::to_hex(encode(dialect::msgpack)),
              test::to_hex(bytes.msgpack));
  });
}

} // namespace rollcall::edge
