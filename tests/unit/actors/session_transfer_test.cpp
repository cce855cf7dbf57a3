#include "actors/session_state.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionTransfer : public ::testing::Test {
protected:
  /// An owner gives the session to the next one.
  session_transfer hand_over() {
    (void)s.state->take_batch();
    auto given = s.state->transfer();
    s.activate();
    s.state->adopt(given, s.now);
    return given;
  }

  static snapshot without_version(snapshot whole) {
    whole.at = {};
    return whole;
  }

  session_harness s;
};

TEST_F(SessionTransfer, NothingOfItIsVisible) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  ASSERT_TRUE(s.join("eve", 3).ok());
  ASSERT_TRUE(
    s.run("ada", 1, set_live_command{{{"hand", live_value{true}}}, millis{0}})
      .ok());
  s.notice(2, sign::closed);
  s.tell(observe_note{});
  (void)s.state->take_batch();
  auto before = s.state->make_snapshot();
  auto host = s.state->host();
  auto given = hand_over();
  auto opening = s.state->take_batch();
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->from, before.at) << "the chain goes on";
  EXPECT_EQ(opening->to.epoch, s.epoch);
  EXPECT_TRUE(opening->changes.empty());
  auto after = s.state->make_snapshot();
  EXPECT_EQ(without_version(after), without_version(before));
  EXPECT_EQ(s.state->host(), host);
  EXPECT_EQ(s.state->observers().size(), given.observers.size());
}

TEST_F(SessionTransfer, DeadlinesRunOn) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  s.notice(2, sign::closed);
  s.advance(millis{6'000});
  (void)hand_over();
  s.advance(millis{3'900});
  EXPECT_EQ(s.state->present(), 2U);
  s.advance(millis{200});
  EXPECT_EQ(s.state->present(), 1U) << "10 s after the close, whoever counts";
}

TEST_F(SessionTransfer, WhoseEdgeIsGoneIsFoundOut) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  (void)hand_over();
  (void)s.changes();
  s.tell(announce_note{{{7, 1}}, false});
  EXPECT_TRUE(s.changes().empty());
  s.advance(millis{5'100});
  EXPECT_EQ(count_changes<suspected_change>(s.changes()), 1U);
  s.advance(millis{10'000});
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionTransfer, WhatThePagesLackIsThere) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  s.keep_pages();
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  // No page says so.
  (void)hand_over();
  (void)s.state->take_batch();
  auto whole = s.state->make_snapshot();
  ASSERT_EQ(whole.participants.size(), 1U);
  EXPECT_EQ(whole.participants[0].user.str(), "bob");
  EXPECT_EQ(whole.present, 1U);
  // And the next owner keeps it.
  EXPECT_TRUE(s.state->pages_dirty());
  s.keep_pages();
  s.activate();
  auto kept = s.state->make_snapshot();
  ASSERT_EQ(kept.participants.size(), 1U);
  EXPECT_EQ(kept.participants[0].user.str(), "bob");
}

TEST_F(SessionTransfer, LastWriterStillWins) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  auto set = [&](std::int64_t value, millis age = millis{0}) {
    return s.run("ada", 1, set_live_command{{{"n", live_value{value}}}, age})
      .ok();
  };
  ASSERT_TRUE(set(1));
  (void)hand_over();
  (void)s.changes();
  ASSERT_TRUE(set(2, millis{4'000}));
  EXPECT_TRUE(s.changes().empty()) << "older than what was handed over";
  ASSERT_TRUE(set(3));
  EXPECT_EQ(s.changes().size(), 1U);
}

TEST_F(SessionTransfer, ALeaveThatIsOlderThanTheJoinHasNoEffect) {
  ASSERT_TRUE(s.create("party").ok());
  auto ask = [&](std::uint64_t number, command_body body) {
    auto asked = std::make_shared<command>(*s.make("ada", 1, std::move(body)));
    asked->number = number;
    return s.run(asked).ok();
  };
  ASSERT_TRUE(ask(3, join_command{}));
  // Half of those who are handed over are in the journal as well.
  s.keep_pages();
  (void)hand_over();
  EXPECT_TRUE(ask(2, leave_command{}));
  EXPECT_EQ(s.state->present(), 1U);
  (void)hand_over();
  EXPECT_TRUE(ask(2, leave_command{}));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_TRUE(ask(4, leave_command{}));
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionTransfer, WaitsForWhatIsUnderWay) {
  ASSERT_TRUE(s.create("party").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.state->take_batch();
  EXPECT_TRUE(s.state->quiet());
  auto asked = s.make("owner", 9'999,
                      set_member_command{user_id{"bob"}, {}, "guest", {}});
  (void)s.state->handle(asked, s.now);
  EXPECT_FALSE(s.state->quiet()) << "a durable change waits";
  s.pump();
  (void)s.state->take_batch();
  EXPECT_TRUE(s.state->quiet());
  auto pages = s.state->take_pages();
  ASSERT_FALSE(pages.empty());
  EXPECT_FALSE(s.state->quiet()) << "a page is on its way";
}

} // namespace
