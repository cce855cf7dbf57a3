#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionPresence : public ::testing::Test {
protected:
  void create(const std::string& kind, settings_patch settings = {}) {
    ASSERT_TRUE(s.create(kind, settings).ok());
    (void)s.changes();
  }

  session_harness s;
};

TEST_F(SessionPresence, JoinMakesAUserPresentAndTellsEveryone) {
  create("board");
  auto answer = s.join("ada", 1);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->level, ack_level::accepted);
  EXPECT_EQ(answer->present, 1U);
  const auto& reply = std::get<join_reply>(answer->body);
  EXPECT_EQ(reply.participant, session_harness::id_of("ada"));
  EXPECT_EQ(reply.admitted.reconnections, 0U);
  auto changes = s.changes();
  ASSERT_EQ(changes.size(), 1U);
  const auto* joined = find_change<joined_change>(changes);
  ASSERT_NE(joined, nullptr);
  EXPECT_EQ(joined->participant.user.str(), "ada");
  EXPECT_EQ(changes[0].present, 1U);
  EXPECT_EQ(changes[0].rev, answer->at.rev);
}

TEST_F(SessionPresence, JoiningAgainOnTheSameConnectionChangesNothing) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  ASSERT_TRUE(s.join("ada", 1).ok());
  EXPECT_TRUE(s.changes().empty());
}

TEST_F(SessionPresence, UnknownSessionIsNotFound) {
  auto answer = s.join("ada", 1);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, errc::not_found);
  EXPECT_EQ(answer.error().field, "session");
}

TEST_F(SessionPresence, JoinMayCreateWithTheRight) {
  auto answer
    = s.run("ada", 1, join_command{std::nullopt, {}, std::string{"party"}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(s.state->present(), 1U);
  s.grants = default_grants;
  session_harness other{make_key("s2")};
  other.grants = default_grants;
  auto refused
    = other.run("ada", 1, join_command{std::nullopt, {}, std::string{"party"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::not_found);
}

TEST_F(SessionPresence, LastConnectionEndsThePresence) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  auto both = s.changes();
  ASSERT_NE(find_change<connection_change>(both), nullptr);
  EXPECT_EQ(find_change<connection_change>(both)->connections, 2U);
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  auto one = s.changes();
  EXPECT_EQ(find_change<left_change>(one), nullptr);
  ASSERT_TRUE(s.run("ada", 2, leave_command{}).ok());
  auto none = s.changes();
  ASSERT_NE(find_change<left_change>(none), nullptr);
  EXPECT_EQ(find_change<left_change>(none)->reason, leave_reason::left);
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, SilenceIsSuspectedThenTimesOut) {
  create("stream");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  s.notice(1, sign::silent, millis{20'000});
  auto doubt = s.changes();
  const auto* suspected = find_change<suspected_change>(doubt);
  ASSERT_NE(suspected, nullptr);
  EXPECT_EQ(suspected->expires - s.now.steady, millis{25'000});
  s.advance(millis{24'900});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{200});
  auto end = s.changes();
  ASSERT_NE(find_change<left_change>(end), nullptr);
  EXPECT_EQ(find_change<left_change>(end)->reason, leave_reason::timeout);
  auto directs = s.state->take_directs();
  ASSERT_EQ(directs.size(), 1U) << "its socket may stand: it is told";
  EXPECT_EQ(std::get<removed_direct>(directs[0].body).reason,
            leave_reason::timeout);
}

TEST_F(SessionPresence, ComingBackBeforeTheEndIsResumedNotRejoined) {
  create("stream");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  s.notice(1, sign::silent, millis{20'000});
  s.notice(1, sign::back);
  auto changes = s.changes();
  EXPECT_EQ(count_changes<suspected_change>(changes), 1U);
  EXPECT_EQ(count_changes<resumed_change>(changes), 1U);
  EXPECT_EQ(count_changes<joined_change>(changes), 0U);
  EXPECT_EQ(count_changes<left_change>(changes), 0U);
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionPresence, ClosedSocketHasDropGrace) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  s.notice(1, sign::closed);
  s.advance(millis{9'900});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{200});
  auto end = s.changes();
  ASSERT_NE(find_change<left_change>(end), nullptr);
  EXPECT_EQ(find_change<left_change>(end)->reason, leave_reason::network);
}

TEST_F(SessionPresence, ANodeThatDoesNotHearEndsNobodyElsewhere) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  s.edge.name = "node2";
  ASSERT_TRUE(s.join("bob", 2));
  s.notice(2, sign::closed);
  s.edge.name = "node1";
  s.notice(1, sign::closed);
  auto heard = s.now.steady + millis{60'000};
  s.state->hold_others(s.edge, heard);
  s.advance(millis{59'900});
  EXPECT_EQ(s.state->present(), 1U) << "its own clients it hears";
  s.advance(millis{200});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, DropGraceOfZeroRemovesAtOnce) {
  create("board", {.drop_grace = millis{0}});
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.notice(1, sign::closed);
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, ResumeReplacesTheOldConnectionWithoutAFlap) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  ASSERT_TRUE(s.join("ada", 2, 1).ok());
  EXPECT_TRUE(s.changes().empty());
  auto directs = s.state->take_directs();
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(directs[0].connection.low, 1U);
  // The old socket's late end names the old connection and is nobody's.
  s.notice(1, sign::closed);
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionPresence, LateCleanupNeverEvictsANewerConnection) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.notice(1, sign::closed);
  ASSERT_TRUE(s.join("ada", 2).ok());
  (void)s.changes();
  s.advance(millis{60'000});
  auto changes = s.changes();
  EXPECT_EQ(count_changes<left_change>(changes), 0U);
  EXPECT_EQ(s.state->present(), 1U);
}

// A router may keep a command for seconds, and the one after it not.
TEST_F(SessionPresence, ALeaveThatIsOlderThanTheJoinHasNoEffect) {
  create("stream");
  auto ask = [&](std::uint64_t number, command_body body) {
    auto asked = std::make_shared<command>(*s.make("ada", 1, std::move(body)));
    asked->number = number;
    return s.run(asked).ok();
  };
  ASSERT_TRUE(ask(1, join_command{}));
  ASSERT_TRUE(ask(3, join_command{}));
  (void)s.changes();
  EXPECT_TRUE(ask(2, leave_command{}));
  EXPECT_TRUE(ask(2, set_live_command{{{"n", live_value{true}}}, millis{0}}));
  EXPECT_TRUE(s.changes().empty());
  EXPECT_EQ(s.state->present(), 1U);
  // Nor does an earlier join that comes late make it any older.
  ASSERT_TRUE(ask(1, join_command{}));
  EXPECT_TRUE(ask(2, leave_command{}));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_TRUE(ask(4, leave_command{}));
  EXPECT_EQ(s.state->present(), 0U);
  // Joined anew, which is what an even later one is compared with.
  ASSERT_TRUE(ask(5, join_command{}));
  EXPECT_TRUE(ask(2, leave_command{}));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_TRUE(ask(0, leave_command{})) << "of a version that does not count";
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, WhoWasAdmittedBeforeTakesTheOldPlace) {
  create("stream", {.capacity = 1});
  ASSERT_TRUE(s.join("bob", 2).ok());
  s.keep_pages();
  admission old{{s.epoch, 1}, millis{77}, 3};
  s.activate();
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.locked = true}}).ok());
  (void)s.changes();
  EXPECT_FALSE(s.join("ada", 1).ok()) << "full and locked";
  join_command again;
  again.admitted = old;
  auto answer = s.run("ada", 1, again);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(std::get<join_reply>(answer->body).admitted, old);
  (void)s.changes();
  auto whole = s.state->make_snapshot();
  ASSERT_EQ(whole.participants.size(), 2U);
  EXPECT_EQ(whole.participants[0].user.str(), "ada") << "she came first";
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  again.admitted.reset();
  ASSERT_TRUE(
    s.run("owner", 9, configure_command{{.capacity = 0, .locked = false}})
      .ok());
  answer = s.run("ada", 5, again);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<join_reply>(answer->body).admitted.reconnections, 4U);
}

TEST_F(SessionPresence, ReturnAfterLeavingIsAReconnection) {
  create("stream");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  (void)s.changes();
  auto answer = s.join("ada", 2);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<join_reply>(answer->body).admitted.reconnections, 1U);
  auto changes = s.changes();
  const auto* joined = find_change<joined_change>(changes);
  ASSERT_NE(joined, nullptr);
  EXPECT_TRUE(joined->is_reconnection);
  EXPECT_EQ(joined->participant.reconnections, 1U);
}

TEST_F(SessionPresence, CapacityRefusesNewcomersOnly) {
  create("board", {.capacity = 1});
  ASSERT_TRUE(s.join("ada", 1).ok());
  auto full = s.join("bob", 2);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, errc::session_full);
  EXPECT_TRUE(s.join("ada", 3).ok());
}

TEST_F(SessionPresence, LockedSessionKeepsThoseInside) {
  create("board", {.locked = true});
  auto refused = s.join("ada", 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::session_locked);
}

TEST_F(SessionPresence, PrivateSessionIsNotFoundByOutsiders) {
  create("meeting");
  for (const command_body& body :
       {command_body{join_command{}}, command_body{leave_command{}},
        command_body{observe_command{}}, command_body{get_roster_command{}},
        command_body{configure_command{}}, command_body{end_command{}},
        command_body{kick_command{user_id{"owner"}, {}}}}) {
    auto refused = s.run("eve", 5, body);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, errc::not_found);
  }
  ASSERT_TRUE(
    s.run("owner", 9, set_member_command{user_id{"eve"}, {}, {}, {}}).ok());
  EXPECT_TRUE(s.join("eve", 5).ok());
}

TEST_F(SessionPresence, KickOldReplacesAndRejectNewRefuses) {
  create("board", {.duplicates = duplicate_policy::kick_old});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  auto directs = s.state->take_directs();
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(std::get<removed_direct>(directs[0].body).reason,
            leave_reason::replaced);
  EXPECT_EQ(s.look().participants[0].connections, 1U);

  session_harness other{make_key("s2")};
  ASSERT_TRUE(
    other.create("board", {.duplicates = duplicate_policy::reject_new}).ok());
  ASSERT_TRUE(other.join("ada", 1).ok());
  auto refused = other.join("ada", 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::conflict);
  other.notice(1, sign::closed);
  EXPECT_TRUE(other.join("ada", 2).ok()) << "never against a suspected one";
  EXPECT_TRUE(other.join("ada", 3, 2).ok()) << "never against a resumed one";
}

TEST_F(SessionPresence, LiveUpdatesOfOneTickAreConflated) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  for (std::int64_t i = 0; i < 5; ++i)
    ASSERT_TRUE(
      s.run("ada", 1, set_live_command{{{"page", live_value{i}}}, {}}).ok());
  auto changes = s.changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<live_change>(changes[0].body).live.at("page"),
            live_value{std::int64_t{4}});
}

TEST_F(SessionPresence, AnOlderLiveValueCannotWin) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(
    s.run("ada", 1, set_live_command{{{"a", live_value{true}}}, {}}).ok());
  s.now = s.now + millis{1'000};
  ASSERT_TRUE(
    s.run("ada", 1, set_live_command{{{"a", live_value{false}}}, millis{3'000}})
      .ok());
  EXPECT_EQ(s.look().participants[0].live.at("a"), live_value{true});
  // However old it is, and from wherever it comes.
  ASSERT_TRUE(s.join("ada", 2).ok());
  s.now = s.now + millis{6'000};
  ASSERT_TRUE(
    s.run("ada", 2,
          set_live_command{{{"a", live_value{false}}}, millis{60'000}})
      .ok());
  EXPECT_EQ(s.look().participants[0].live.at("a"), live_value{true});
  // Back-dating is bounded, and nothing is ever dated forward.
  s.now = s.now + s.state->settings().timeout;
  ASSERT_TRUE(
    s.run("ada", 1,
          set_live_command{{{"a", live_value{false}}}, millis{900'000}})
      .ok());
  EXPECT_EQ(s.look().participants[0].live.at("a"), live_value{false});
  ASSERT_TRUE(
    s.run("ada", 1,
          set_live_command{{{"a", live_value{true}}}, -millis{900'000}})
      .ok());
  ASSERT_TRUE(
    s.run("ada", 1, set_live_command{{{"a", live_value{false}}}, {}}).ok());
  EXPECT_EQ(s.look().participants[0].live.at("a"), live_value{false});
}

TEST_F(SessionPresence, LiveKeysAreBounded) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  live_update many;
  for (int i = 0; i < 17; ++i)
    many.emplace("k" + std::to_string(i), live_value{true});
  auto refused = s.run("ada", 1, set_live_command{many, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::too_large);
  EXPECT_EQ(refused.error().field, "live");
  EXPECT_TRUE(s.look().participants[0].live.empty());
}

TEST_F(SessionPresence, RestoredParticipantsStayUntilNobodyAnnouncesThem) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  s.keep_pages();
  s.activate();
  EXPECT_EQ(s.state->present(), 2U);
  s.tell(announce_note{{{7, 2}}});
  s.advance(millis{5'100});
  auto doubt = s.changes();
  ASSERT_EQ(count_changes<suspected_change>(doubt), 1U);
  EXPECT_EQ(find_change<suspected_change>(doubt)->participant,
            session_harness::id_of("ada"));
  EXPECT_EQ(count_changes<left_change>(doubt), 0U);
  s.advance(millis{10'100});
  auto end = s.changes();
  ASSERT_EQ(count_changes<left_change>(end), 1U);
  EXPECT_EQ(find_change<left_change>(end)->reason, leave_reason::edge_lost);
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionPresence, ResumingAfterARestartShowsNoFlap) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  s.activate();
  s.now = s.now + millis{2'000};
  ASSERT_TRUE(s.join("ada", 50, 1).ok());
  s.advance(millis{60'000});
  auto changes = s.changes();
  EXPECT_EQ(count_changes<joined_change>(changes), 0U);
  EXPECT_EQ(count_changes<left_change>(changes), 0U);
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionPresence, JoiningAgainEndsTheDoubtOfAnAnnouncement) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  s.advance(millis{2'000});
  // A join that was answered too late: its edge had given it up.
  s.tell(announce_note{{}, true});
  ASSERT_EQ(count_changes<suspected_change>(s.changes()), 1U);
  s.advance(millis{2'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  EXPECT_EQ(count_changes<resumed_change>(s.changes()), 1U);
  s.advance(millis{60'000});
  EXPECT_EQ(count_changes<left_change>(s.changes()), 0U);
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionPresence, AnAnnouncementDoubtsNobodyWhoJoinedMeanwhile) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(millis{1'000});
  ASSERT_TRUE(s.join("bob", 2).ok());
  (void)s.changes();
  s.advance(millis{1'000});
  s.tell(announce_note{{}, true});
  auto changes = s.changes();
  ASSERT_EQ(count_changes<suspected_change>(changes), 1U);
  EXPECT_EQ(find_change<suspected_change>(changes)->participant,
            session_harness::id_of("ada"));
  // The next one counts.
  s.advance(millis{1'000});
  s.tell(announce_note{{}, true});
  EXPECT_EQ(count_changes<suspected_change>(s.changes()), 1U);
}

TEST_F(SessionPresence, JoiningAgainDoesNotUndoAClosedSocket) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.notice(1, sign::closed);
  // Sent before the socket closed, delivered after it.
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, AnEdgeThatIsBackInTimeLosesNobody) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(limits::edge_lease);
  (void)s.changes();
  s.tell(edge_lost_note{});
  ASSERT_EQ(count_changes<suspected_change>(s.changes()), 1U);
  s.advance(millis{5'000});
  s.tell(announce_note{{{7, 1}}});
  EXPECT_EQ(count_changes<resumed_change>(s.changes()), 1U);
  s.advance(millis{60'000});
  EXPECT_EQ(count_changes<left_change>(s.changes()), 0U);
}

TEST_F(SessionPresence, AStallIsNobodysSilence) {
  create("stream");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.notice(1, sign::closed);
  s.now = s.now + millis{60'000};
  s.state->stalled(millis{60'000});
  s.state->expire(s.now);
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{10'100});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, ALostEdgeLosesItsConnectionsAfterGrace) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(limits::edge_lease);
  (void)s.changes();
  s.tell(edge_lost_note{});
  EXPECT_EQ(count_changes<suspected_change>(s.changes()), 1U);
  s.advance(millis{10'100});
  auto end = s.changes();
  ASSERT_NE(find_change<left_change>(end), nullptr);
  EXPECT_EQ(find_change<left_change>(end)->reason, leave_reason::edge_lost);
}

// Its lease ran out before its heartbeats could be heard again; the join was.
TEST_F(SessionPresence, WhoJustJoinedIsNotLostWithItsEdge) {
  create("stream", {.drop_grace = millis{0}});
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(millis{1'000});
  s.tell(edge_lost_note{});
  EXPECT_EQ(s.state->present(), 1U);
  s.tell(announce_note{{{7, 1}}});
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->present(), 1U);
  // Where nothing more is heard the join counts as long as a lease.
  s.tell(edge_lost_note{});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{10});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, AnEdgeThatIsBackKeepsItsOwn) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  ASSERT_TRUE(s.join("cyd", 3).ok());
  s.advance(limits::edge_lease);
  (void)s.changes();
  s.tell(edge_lost_note{});
  EXPECT_EQ(count_changes<suspected_change>(s.changes()), 3U);
  // One is named, one asks again to join, of one nothing is heard.
  s.tell(announce_note{{{7, 1}}});
  ASSERT_TRUE(s.join("bob", 2).ok());
  EXPECT_EQ(count_changes<resumed_change>(s.changes()), 2U);
  s.advance(millis{60'000});
  auto end = s.changes();
  ASSERT_EQ(count_changes<left_change>(end), 1U);
  EXPECT_EQ(find_change<left_change>(end)->participant,
            session_harness::id_of("cyd"));
}

TEST_F(SessionPresence, AStayThatWasNotKeptFollowsTheOneThatWas) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  auto again = s.join("ada", 2);
  ASSERT_TRUE(again.ok());
  s.activate();
  ASSERT_EQ(s.state->present(), 1U);
  join_command body;
  body.admitted = std::get<join_reply>(again.value().body).admitted;
  ASSERT_TRUE(s.run("ada", 2, body).ok());
  auto here = s.look().participants;
  ASSERT_EQ(here.size(), 1U);
  EXPECT_EQ(here[0].joined, body.admitted->joined);
  EXPECT_EQ(here[0].connections, 1U);
}

// She left and came again by the same socket, and neither was kept.
TEST_F(SessionPresence, AStayThatWasNotKeptMayHaveTheSameConnection) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  auto again = s.join("ada", 1);
  ASSERT_TRUE(again.ok());
  s.activate();
  auto first = s.look().participants.at(0).joined;
  join_command body;
  body.admitted = std::get<join_reply>(again.value().body).admitted;
  auto later = body.admitted->joined;
  ASSERT_LT(first, later);
  s.tell(announce_note{{{7, 1}}, true, {later}});
  auto told = s.state->take_directs();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<unknown_direct>(told[0].body));
  auto answer = s.run("ada", 1, body);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<join_reply>(answer->body).admitted, body.admitted);
  auto here = s.look().participants;
  ASSERT_EQ(here.size(), 1U);
  EXPECT_EQ(here[0].joined, later);
  EXPECT_EQ(here[0].connections, 1U);
  (void)s.changes();
  s.tell(announce_note{{{7, 1}}, true, {later}});
  s.advance(millis{60'000});
  EXPECT_TRUE(s.state->take_directs().empty()) << "it is the stay that is here";
  EXPECT_TRUE(s.changes().empty());
}

// An edge of an earlier version says nothing of stays, and was believed.
TEST_F(SessionPresence, AStayFollowsOneThatWasConfirmed) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  auto again = s.join("ada", 1);
  ASSERT_TRUE(again.ok());
  s.activate();
  s.tell(announce_note{{{7, 1}}, true});
  EXPECT_TRUE(s.state->take_directs().empty());
  join_command body;
  body.admitted = std::get<join_reply>(again.value().body).admitted;
  ASSERT_TRUE(s.run("ada", 1, body).ok());
  EXPECT_EQ(s.look().participants.at(0).joined, body.admitted->joined);
}

// Another of her connections speaks for the stay that is here: it goes on.
TEST_F(SessionPresence, AStayThatIsConfirmedByOthersGoesOn) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  s.keep_pages();
  s.activate();
  auto here = s.look().participants.at(0).joined;
  s.tell(announce_note{{{7, 2}}, false, {here}});
  (void)s.changes();
  version later{here.epoch, here.rev + 9};
  s.tell(announce_note{{{7, 1}}, false, {later}});
  EXPECT_EQ(s.state->take_directs().size(), 1U);
  join_command body;
  body.admitted = admission{later, s.now.wall, 1};
  auto answer = s.run("ada", 1, body);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<join_reply>(answer->body).admitted.joined, here);
  s.advance(millis{60'000});
  EXPECT_TRUE(s.changes().empty());
  EXPECT_EQ(s.look().participants.at(0).connections, 2U);
}

// A goodbye soon after a change of owner waits for what was not kept.
TEST_F(SessionPresence, ARestoredUserMayLeaveAndComeAgain) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  s.keep_pages();
  s.activate();
  s.tell(announce_note{{{7, 1}, {7, 2}}});
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  ASSERT_TRUE(s.run("bob", 2, leave_command{}).ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.advance(millis{60'000});
  ASSERT_EQ(s.state->present(), 1U);
  EXPECT_EQ(s.look().participants[0].participant,
            session_harness::id_of("ada"));
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  EXPECT_EQ(s.state->present(), 0U);
}

// Her second connection was accepted, and not kept.
TEST_F(SessionPresence, ARestoredUserOutlivesTheConnectionThatWasKept) {
  create("board", {.drop_grace = millis{0}});
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  auto second = s.join("ada", 2);
  ASSERT_TRUE(second.ok());
  s.activate();
  s.notice(1, sign::closed);
  ASSERT_EQ(s.state->present(), 1U);
  join_command body;
  body.admitted = std::get<join_reply>(second.value().body).admitted;
  ASSERT_TRUE(s.run("ada", 2, body).ok());
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->present(), 1U);
  s.notice(2, sign::closed);
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionPresence, RosterPagesKeepEveryoneAndEmptyOut) {
  create("stream", {.identity = identity_mode::named});
  for (std::uint64_t i = 0; i < 400; ++i)
    ASSERT_TRUE(s.join("u" + std::to_string(i), i + 1).ok());
  s.keep_pages();
  EXPECT_TRUE(s.kept.occupied());
  auto pages = s.kept.stored().pages;
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_EQ(pages[0].entries.size(), 64U);
  EXPECT_EQ(pages[1].entries.size(), 256U);
  ASSERT_TRUE(s.run("u0", 1, leave_command{}).ok());
  auto records = s.state->take_pages();
  EXPECT_EQ(records.size(), 3U) << "one page, one stay, one audit entry";
  s.state->pages_written(false);
  s.keep_pages();
  for (std::uint64_t i = 1; i < 400; ++i)
    ASSERT_TRUE(s.run("u" + std::to_string(i), i + 1, leave_command{}).ok());
  s.keep_pages();
  EXPECT_TRUE(s.kept.stored().pages.empty());
  EXPECT_FALSE(s.kept.occupied());
  EXPECT_EQ(s.kept.stays().size(), 400U);
}

TEST_F(SessionPresence, RosterIsPagedInOrderOfJoining) {
  create("board", {.capacity = 0});
  for (std::uint64_t i = 0; i < 7; ++i)
    ASSERT_TRUE(s.join("u" + std::to_string(i), i + 1).ok());
  std::vector<std::string> seen;
  std::optional<version> after;
  do {
    auto answer = s.run("u0", 1, get_roster_command{after, 3});
    ASSERT_TRUE(answer.ok());
    const auto& page = std::get<roster_reply>(answer->body);
    for (const auto& who : page.participants)
      seen.push_back(who.user.str());
    after = page.next;
  } while (after);
  EXPECT_EQ(
    seen, (std::vector<std::string>{"u0", "u1", "u2", "u3", "u4", "u5", "u6"}));
}

TEST_F(SessionPresence, PassivatesOnlyWhenNothingHoldsIt) {
  create("board");
  EXPECT_TRUE(s.state->idle());
  ASSERT_TRUE(s.join("ada", 1).ok());
  EXPECT_FALSE(s.state->idle());
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  (void)s.changes();
  EXPECT_FALSE(s.state->idle()) << "its pages are not kept yet";
  s.keep_pages();
  EXPECT_TRUE(s.state->idle());
  auto next = s.state->next_deadline(s.now);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next - s.now.steady, millis{60'000});
  auto before = s.state->at();
  s.kept.keep(s.state->farewell());
  session_state again{make_rules(), s.key(), s.epoch, s.kept.stored(), s.now};
  EXPECT_GE(again.at(), before) << "versions never go back";
}

TEST_F(SessionPresence, ALostEdgeObservesNoMoreUnlessItAsksAgain) {
  create("board");
  s.tell(observe_note{});
  EXPECT_FALSE(s.state->idle());
  s.tell(edge_lost_note{});
  EXPECT_EQ(s.state->observers().size(), 1U) << "it may be back in a moment";
  s.advance(millis{5'000});
  s.tell(observe_note{});
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->observers().size(), 1U);
  // As many lives of a node as there is room for, each of which ended.
  for (auto life = 2U; life < 2 + limits::observers_per_session; ++life) {
    s.edge.incarnation = life;
    s.tell(observe_note{});
    s.tell(edge_lost_note{});
    s.tell(edge_lost_note{});
  }
  s.advance(millis{60'000});
  EXPECT_EQ(s.state->observers(), (std::set<node_id>{{"node1", 1}}));
  s.edge.incarnation = 1;
  s.tell(edge_lost_note{});
  s.advance(millis{20'000});
  EXPECT_TRUE(s.state->idle());
}

TEST_F(SessionPresence, ActivityIsToldAtMostEveryTenSeconds) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  auto joined = s.now.wall;
  EXPECT_EQ(s.look().participants.at(0).last_active, joined);
  auto act = [&](std::int64_t value) {
    ASSERT_TRUE(
      s.run("ada", 1, set_live_command{{{"k", live_value{value}}}}).ok());
  };
  s.now = s.now + millis{9'000};
  act(1);
  EXPECT_EQ(count_changes<activity_change>(s.changes()), 0U);
  s.now = s.now + millis{1'000};
  act(2);
  EXPECT_EQ(count_changes<activity_change>(s.changes()), 1U);
  EXPECT_EQ(s.look().participants.at(0).last_active, s.now.wall);
  s.now = s.now + millis{10'000};
  ASSERT_TRUE(s.join("ada", 1).ok());
  EXPECT_EQ(count_changes<activity_change>(s.changes()), 1U);
}

TEST_F(SessionPresence, LiveKeysOfAKindAreChecked) {
  create("board");
  auto join = [&](std::int64_t step) {
    join_command body;
    body.live.emplace("step", live_value{step});
    return s.run("ada", 1, body);
  };
  auto before = s.look();
  EXPECT_EQ(join(4).error().field, "live.step");
  EXPECT_EQ(s.look(), before);
  ASSERT_TRUE(join(3).ok());
  before = s.look();
  set_live_command wrong{
    {{"hat", live_value{true}}, {"step", live_value{std::int64_t{0}}}}};
  EXPECT_EQ(s.run("ada", 1, wrong).error().field, "live.step");
  EXPECT_EQ(s.look(), before);
}

TEST_F(SessionPresence, AJoinThatIsRefusedCreatesNothing) {
  join_command body;
  body.create_kind = "board";
  body.live.emplace("step", live_value{std::int64_t{9}});
  EXPECT_EQ(s.run("ada", 1, body).error().field, "live.step");
  EXPECT_FALSE(s.state->exists());
}

TEST_F(SessionPresence, ConnectionsSayWhatTheyAreAndRoughlyWhere) {
  create("board");
  join_command body;
  body.facts = {device_class::mobile, "u33dc1"};
  ASSERT_TRUE(s.run("ada", 1, body).ok());
  std::vector<connection_facts> known{{device_class::mobile, "u33d"}};
  EXPECT_EQ(s.look().participants.at(0).facts, known) << "never more of it";
  ASSERT_TRUE(s.join("ada", 2).ok());
  known.push_back({});
  auto changes = s.changes();
  ASSERT_NE(find_change<connection_change>(changes), nullptr);
  EXPECT_EQ(find_change<connection_change>(changes)->facts, known);
  s.keep_pages();
  s.activate();
  EXPECT_EQ(s.look().participants.at(0).facts, known) << "kept";
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  EXPECT_TRUE(s.look().participants.at(0).facts.empty());
}

} // namespace
