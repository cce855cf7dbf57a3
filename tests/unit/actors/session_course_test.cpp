// Phases, barriers, the start and its reminders: what is due when, and what
// survives a restart or a change of owner.

#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionCourse : public ::testing::Test {
protected:
  void create(const std::string& kind, std::optional<millis> start = {}) {
    create_command body{kind, {}, start};
    ASSERT_TRUE(s.run("owner", 9'999, body).ok());
    (void)s.changes();
  }

  result<reply> phase(std::optional<std::string> name,
                      std::optional<std::string> status = {},
                      std::optional<millis> duration = {},
                      std::string next = {}) {
    return s.run("owner", 9'999,
                 set_phase_command{std::move(name), std::move(status), duration,
                                   std::move(next)});
  }

  /// Time passes, and what falls due is kept.
  void pass(millis span) {
    s.advance(span, millis{500});
    s.pump();
  }

  /// Nobody has the session; then an owner activates it from what was kept.
  void away(millis span) {
    s.now = s.now + span;
    s.activate();
    s.state->expire(s.now);
    s.pump();
  }

  std::size_t reminders_told() {
    std::size_t count = 0;
    for (const auto& word : s.state->take_directs())
      count += std::holds_alternative<reminder_direct>(word.body) ? 1 : 0;
    return count;
  }

  result<reply> remind(const std::string& user, std::uint64_t connection,
                       millis lead, bool enabled = true) {
    return s.run(user, connection, set_reminder_command{enabled, lead});
  }

  session_harness s;
};

// -- phases ------------------------------------------------------------------

TEST_F(SessionCourse, APhaseIsToldAndKept) {
  create("meeting");
  ASSERT_TRUE(phase("voting", "running").ok());
  auto changes = s.changes();
  const auto* told = find_change<phase_change>(changes);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->phase, (phase_state{"voting", "running"}));
  ASSERT_TRUE(phase({}, "paused").ok());
  EXPECT_EQ(s.look().phase, (phase_state{"voting", "paused"}));
  s.activate();
  EXPECT_EQ(s.look().phase, (phase_state{"voting", "paused"}));
}

TEST_F(SessionCourse, TheNextPhaseFollowsByItself) {
  create("meeting");
  ASSERT_TRUE(phase("voting", {}, millis{60'000}, "results").ok());
  EXPECT_EQ(s.kept.due(), s.now.wall + millis{60'000});
  (void)s.changes();
  pass(millis{59'000});
  EXPECT_EQ(s.look().phase.name, "voting");
  pass(millis{1'500});
  EXPECT_EQ(s.look().phase, phase_state{"results"});
  EXPECT_EQ(s.kept.stored().session->phase, phase_state{"results"});
  EXPECT_EQ(s.kept.due(), std::nullopt);
}

TEST_F(SessionCourse, APhaseEndsThoughItsOwnerWasLost) {
  create("meeting");
  ASSERT_TRUE(phase("voting", {}, millis{60'000}, "results").ok());
  away(millis{10'000});
  EXPECT_EQ(s.look().phase.name, "voting");
  away(millis{600'000});
  EXPECT_EQ(s.look().phase, phase_state{"results"});
}

TEST_F(SessionCourse, ANewPhaseEndsTheTimerOfTheOld) {
  create("meeting");
  ASSERT_TRUE(phase("voting", {}, millis{60'000}, "results").ok());
  ASSERT_TRUE(phase("break").ok());
  pass(millis{120'000});
  EXPECT_EQ(s.look().phase, phase_state{"break"});
}

TEST_F(SessionCourse, ARefusedPhaseChangesNothing) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  auto before = s.look();
  auto refused = s.run("ada", 1, set_phase_command{"voting"});
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(phase({}).error().field, "phase");
  EXPECT_EQ(phase("a", {}, millis{5}).error().field, "next");
  EXPECT_EQ(phase("a", {}, {}, "b").error().field, "next");
  EXPECT_EQ(phase("a", {}, millis{0}, "b").error().field, "duration_ms");
  EXPECT_EQ(phase({}, "x", millis{5}, "b").error().field, "duration_ms");
  EXPECT_EQ(s.look(), before);
}

TEST_F(SessionCourse, APhaseThatCannotBeKeptIsTriedAgain) {
  create("meeting");
  ASSERT_TRUE(phase("voting", {}, millis{60'000}, "results").ok());
  s.advance(millis{61'000}, millis{500});
  s.pump(fail(errc::unavailable, "disk"));
  EXPECT_EQ(s.look().phase.name, "voting");
  pass(millis{2'000});
  EXPECT_EQ(s.look().phase.name, "results");
  EXPECT_EQ(s.kept.due(), std::nullopt);
}

TEST_F(SessionCourse, AnErasureThatCannotBeKeptIsTriedAgain) {
  create("meeting");
  ASSERT_TRUE(s.run("owner", 9'999, end_command{}).ok());
  s.now = s.now + session_rules{}.ended_retention;
  s.state->expire(s.now);
  s.pump(fail(errc::unavailable, "disk"));
  EXPECT_TRUE(s.state->exists());
  pass(millis{1'500});
  EXPECT_FALSE(s.state->exists());
  EXPECT_EQ(s.kept.due(), std::nullopt);
}

// -- what is due -------------------------------------------------------------

TEST_F(SessionCourse, TheIndexHasTheEarliestOfAll) {
  create("party", s.now.wall + millis{100'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(phase("a", {}, millis{90'000}, "b").ok());
  EXPECT_EQ(s.kept.due(), s.now.wall + millis{90'000});
  ASSERT_TRUE(remind("ada", 1, millis{80'000}).ok());
  EXPECT_EQ(s.kept.due(), s.now.wall + millis{20'000});
  ASSERT_TRUE(
    s.run("owner", 9'999, start_barrier_command{"go", millis{10'000}}).ok());
  EXPECT_EQ(s.kept.due(), s.now.wall + millis{10'000});
  ASSERT_TRUE(s.run("owner", 9'999, end_command{}).ok());
  EXPECT_LE(*s.kept.due(), s.now.wall + millis{10'000});
  s.keep_pages();
  s.kept.keep(s.state->farewell());
  EXPECT_EQ(s.kept.due(), s.now.wall + session_rules{}.ended_retention);
}

TEST_F(SessionCourse, AnEarlierDeadlineInFlightIsNotForgotten) {
  create("party", s.now.wall + millis{100'000});
  (void)s.state->handle(
    s.make("ada", 1, set_reminder_command{true, millis{80'000}}), s.now);
  auto first = s.state->next_batch(s.now);
  (void)s.state->handle(
    s.make("bob", 2, set_reminder_command{true, millis{10'000}}), s.now);
  auto second = s.state->next_batch(s.now);
  ASSERT_TRUE(first && second);
  s.kept.keep(first->records);
  s.kept.keep(second->records);
  EXPECT_EQ(s.kept.due(), s.now.wall + millis{20'000});
  s.state->committed(first->number, position_t{1}, s.now);
  s.state->committed(second->number, position_t{2}, s.now);
}

// -- reminders ---------------------------------------------------------------

TEST_F(SessionCourse, RemindsEveryConnectionOnceAndLogsIt) {
  auto start = s.now.wall + millis{600'000};
  create("party", start);
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  ASSERT_TRUE(s.join("bob", 3).ok());
  (void)s.state->take_directs();
  ASSERT_TRUE(remind("ada", 1, millis{590'000}).ok());
  EXPECT_EQ(reminders_told(), 0U);
  pass(millis{10'500});
  auto words = s.state->take_directs();
  ASSERT_EQ(words.size(), 2U);
  for (const auto& word : words) {
    const auto& told = std::get<reminder_direct>(word.body);
    EXPECT_EQ(told.starts_at, start);
    EXPECT_FALSE(told.late);
  }
  ASSERT_EQ(s.kept.events().size(), 1U);
  const auto& entry = s.kept.events().begin()->second;
  EXPECT_EQ(entry.type, "reminder");
  EXPECT_EQ(entry.user, user_id{"ada"});
  EXPECT_EQ(entry.due, start - millis{590'000});
  away(millis{60'000});
  pass(millis{5'000});
  EXPECT_EQ(reminders_told(), 0U);
  EXPECT_EQ(s.kept.events().size(), 1U);
}

TEST_F(SessionCourse, AMissedReminderComesLateAndOnce) {
  create("party", s.now.wall + millis{600'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1, millis{300'000}).ok());
  s.keep_pages();
  away(millis{3'600'000});
  auto words = s.state->take_directs();
  ASSERT_EQ(words.size(), 1U);
  EXPECT_TRUE(std::get<reminder_direct>(words[0].body).late);
  EXPECT_EQ(s.kept.events().size(), 1U);
  away(millis{1'000});
  EXPECT_EQ(reminders_told(), 0U);
  EXPECT_EQ(s.kept.events().size(), 1U);
}

TEST_F(SessionCourse, AReminderIsNotLostWithItsOwner) {
  create("party", s.now.wall + millis{600'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1, millis{300'000}).ok());
  s.keep_pages();
  // Told, and then the owner is lost before it is kept.
  s.advance(millis{300'500}, millis{500});
  auto batch = s.state->next_batch(s.now);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(s.kept.events().empty());
  away(millis{2'000});
  EXPECT_EQ(s.kept.events().size(), 1U);
  EXPECT_TRUE(s.kept.stored().members.at(0).remind.given_for.has_value());
}

TEST_F(SessionCourse, ANewStartArmsThemAgain) {
  create("party", s.now.wall + millis{600'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1, millis{300'000}).ok());
  s.now = s.now + millis{300'500};
  s.state->expire(s.now);
  s.pump();
  EXPECT_EQ(s.kept.events().size(), 1U);
  configure_command later;
  later.starts_at = std::optional{s.now.wall + millis{900'000}};
  ASSERT_TRUE(s.run("owner", 9'999, later).ok());
  EXPECT_EQ(s.look().starts_at, s.now.wall + millis{900'000});
  s.now = s.now + millis{600'500};
  s.state->expire(s.now);
  s.pump();
  EXPECT_EQ(s.kept.events().size(), 2U);
  later.starts_at = std::optional<millis>{};
  ASSERT_TRUE(s.run("owner", 9'999, later).ok());
  EXPECT_EQ(s.look().starts_at, std::nullopt);
}

TEST_F(SessionCourse, NobodyIsRemindedWhoDoesNotWishIt) {
  create("party", s.now.wall + millis{60'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1, millis{10'000}).ok());
  ASSERT_TRUE(remind("ada", 1, millis{10'000}, false).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  pass(millis{61'000});
  // Too late to be reminded of what has begun.
  ASSERT_TRUE(remind("bob", 2, millis{10'000}).ok());
  pass(millis{1'000});
  EXPECT_EQ(reminders_told(), 0U);
  EXPECT_TRUE(s.kept.events().empty());
}

TEST_F(SessionCourse, TheEventLogForgetsWhatIsOld) {
  create("party", s.now.wall + millis{60'000});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1, millis{10'000}).ok());
  s.keep_pages();
  away(millis{60'000});
  ASSERT_EQ(s.kept.events().size(), 1U);
  EXPECT_EQ(s.kept.due(), s.now.wall + session_rules{}.event_retention);
  away(session_rules{}.event_retention + millis{1});
  EXPECT_TRUE(s.kept.events().empty());
}

TEST_F(SessionCourse, AStartLiesAhead) {
  auto outcome = s.run(
    "owner", 9'999,
    create_command{"party", {}, s.now.wall - limits::start_slack - millis{1}});
  EXPECT_EQ(outcome.error().field, "starts_at");
  EXPECT_FALSE(s.state->exists());
}

// -- barriers ----------------------------------------------------------------

class SessionBarrier : public SessionCourse {
protected:
  void start(std::optional<millis> timeout = {}) {
    create("board");
    ASSERT_TRUE(s.join("ada", 1).ok());
    ASSERT_TRUE(s.join("bob", 2).ok());
    ASSERT_TRUE(
      s.run("owner", 9'999, start_barrier_command{"go", timeout}).ok());
    (void)s.changes();
  }

  void ready(const std::string& user, std::uint64_t connection,
             bool is = true) {
    ASSERT_TRUE(s.run(user, connection, set_ready_command{is}).ok());
  }

  bool open() {
    s.pump();
    return s.look().barrier->state.opened_at.has_value();
  }
};

TEST_F(SessionBarrier, OpensWhenEveryoneIsReady) {
  start();
  ready("ada", 1);
  auto told = s.changes();
  const auto* change = find_change<barrier_change>(told);
  ASSERT_NE(change, nullptr);
  EXPECT_EQ(change->participant, s.id_of("ada"));
  EXPECT_TRUE(change->ready);
  EXPECT_FALSE(open());
  EXPECT_EQ(s.look().barrier->ready, std::vector{s.id_of("ada")});
  ready("bob", 2);
  EXPECT_TRUE(open());
  EXPECT_FALSE(s.look().barrier->state.timed_out);
  EXPECT_TRUE(s.look().barrier->ready.empty());
  EXPECT_EQ(s.run("ada", 1, set_ready_command{}).error().code, errc::conflict);
}

TEST_F(SessionBarrier, OpensAfterItsTimeThoughSomebodyIsNot) {
  start(millis{5'000});
  ready("ada", 1);
  pass(millis{4'500});
  EXPECT_FALSE(open());
  pass(millis{1'000});
  EXPECT_TRUE(open());
  EXPECT_TRUE(s.look().barrier->state.timed_out);
}

TEST_F(SessionBarrier, OneWhoLeavesDoesNotHoldItUp) {
  start();
  ready("ada", 1);
  ASSERT_TRUE(s.run("bob", 2, leave_command{}).ok());
  EXPECT_TRUE(open());
}

TEST_F(SessionBarrier, NorDoesOneWhoIsSuspected) {
  start();
  ready("ada", 1);
  s.notice(2, sign::silent);
  EXPECT_TRUE(open());
}

TEST_F(SessionBarrier, OneWhoIsBackIsWaitedForAgain) {
  start();
  s.notice(2, sign::silent);
  s.notice(2, sign::back);
  ready("ada", 1);
  EXPECT_FALSE(open());
  ready("ada", 1, false);
  ready("bob", 2);
  EXPECT_FALSE(open());
  ready("ada", 1);
  EXPECT_TRUE(open());
}

TEST_F(SessionBarrier, ANewcomerIsWaitedFor) {
  start();
  ready("ada", 1);
  ASSERT_TRUE(s.join("eve", 3).ok());
  ready("bob", 2);
  EXPECT_FALSE(open());
  ready("eve", 3);
  EXPECT_TRUE(open());
}

TEST_F(SessionBarrier, DoesNotOpenForNobody) {
  start();
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  ASSERT_TRUE(s.run("bob", 2, leave_command{}).ok());
  EXPECT_FALSE(open());
}

TEST_F(SessionBarrier, ItsTimeRunsOnWithoutAnOwner) {
  start(millis{5'000});
  s.keep_pages();
  away(millis{6'000});
  EXPECT_TRUE(open());
  EXPECT_TRUE(s.look().barrier->state.timed_out);
}

TEST_F(SessionBarrier, ReadinessIsHandedOver) {
  start();
  ready("ada", 1);
  s.keep_pages();
  (void)s.changes();
  auto given = s.state->transfer();
  s.activate();
  s.state->adopt(given, s.now);
  EXPECT_EQ(s.look().barrier->ready, std::vector{s.id_of("ada")});
  ready("bob", 2);
  EXPECT_TRUE(open());
}

TEST_F(SessionBarrier, AnOpeningThatCannotBeKeptIsTriedAgain) {
  start();
  ready("ada", 1);
  (void)s.state->handle(s.make("bob", 2, set_ready_command{}), s.now);
  s.pump(fail(errc::unavailable, "disk"));
  EXPECT_FALSE(s.look().barrier->state.opened_at.has_value());
  pass(millis{2'000});
  EXPECT_TRUE(open());
}

} // namespace
