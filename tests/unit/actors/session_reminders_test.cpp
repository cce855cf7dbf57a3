// Many reminders that are due together, and those that cannot be kept.

#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionReminders : public ::testing::Test {
protected:
  /// Begins in ten minutes.
  void create() {
    create_command body{"party", {}, s.now.wall + millis{600'000}};
    ASSERT_TRUE(s.run("owner", 9'999, body).ok());
  }

  /// A log that is full, and so many members who are reminded together.
  void fill_log(std::size_t members) {
    create();
    event_record entry;
    entry.session = s.key();
    entry.when = s.now.wall;
    for (std::size_t i = 1; i <= limits::events_per_session; ++i) {
      entry.at = {1, 1'000 + i};
      s.kept.keep(entry);
    }
    member_record known;
    known.session = s.key();
    known.remind = {true, millis{300'000}};
    for (std::size_t i = 1; i <= members; ++i) {
      known.user = user_id{"m" + std::to_string(i)};
      known.admitted = {1, i};
      s.kept.keep(known);
    }
    s.activate();
  }

  /// Reminds all who are to be reminded by then. What is erased: how much, and
  /// how much of it is different.
  std::pair<std::size_t, std::size_t>
  remind_all(const result<position_t>& outcome = position_t{1}) {
    s.state->expire(s.now);
    std::set<version> places;
    std::size_t count = 0;
    while (auto batch = s.state->next_batch(s.now)) {
      for (const auto& one : batch->records)
        if (const auto* gone = std::get_if<event_erased>(&one)) {
          ++count;
          places.insert(gone->at);
        }
      if (outcome)
        s.kept.keep(batch->records);
      s.state->committed(batch->number, outcome, s.now);
    }
    return {count, places.size()};
  }

  void start_at(millis when) {
    configure_command later;
    later.starts_at = std::optional{when};
    ASSERT_TRUE(s.run("owner", 9'999, later).ok());
  }

  /// Five minutes before it begins.
  result<reply> remind(const std::string& user, std::uint64_t connection) {
    return s.run(user, connection, set_reminder_command{true, millis{300'000}});
  }

  std::size_t reminders_told() {
    std::size_t count = 0;
    for (const auto& word : s.state->take_directs())
      count += std::holds_alternative<reminder_direct>(word.body) ? 1 : 0;
    return count;
  }

  session_harness s;
};

TEST_F(SessionReminders, ManyRemindersAtOnceKeepTheLogsBound) {
  fill_log(100);
  for (int i = 0; i < 2; ++i) {
    s.now = s.now + millis{300'500};
    auto [erased, different] = remind_all();
    EXPECT_EQ(erased, 100U) << "one for each";
    EXPECT_EQ(different, 100U);
    EXPECT_EQ(s.kept.events().size(), limits::events_per_session);
    start_at(s.now.wall + millis{600'000});
  }
}

TEST_F(SessionReminders, WhatWasNotErasedIsErasedByTheNext) {
  fill_log(10);
  s.now = s.now + millis{300'500};
  auto before = s.kept.events();
  EXPECT_EQ(remind_all(fail(errc::unavailable, "disk")),
            (std::pair<std::size_t, std::size_t>{10, 10}));
  EXPECT_TRUE(s.kept.events() == before);
  s.now = s.now + limits::timer_again;
  EXPECT_EQ(remind_all(), (std::pair<std::size_t, std::size_t>{10, 10}));
  ASSERT_EQ(s.kept.events().size(), limits::events_per_session);
  EXPECT_EQ(s.kept.events().begin()->first, (version{1, 1'011}))
    << "the oldest have gone";
}

TEST(EventLog, MoreThanFitMakeWayForEachOther) {
  event_log log;
  auto write = [&](std::uint64_t number) {
    auto gone = log.surplus(millis{1}, millis{100}, 1);
    for (auto place : gone)
      log.erasing(place);
    log.add({1, number}, millis{1});
    return gone.size();
  };
  std::size_t erased = 0;
  const auto many = 3 * limits::events_per_session;
  for (std::uint64_t i = 1; i <= many; ++i)
    erased += write(i);
  EXPECT_EQ(log.size(), limits::events_per_session);
  EXPECT_EQ(erased, many - limits::events_per_session);
  EXPECT_TRUE(log.surplus(millis{1}, millis{100}, 0).empty());
  log.erased({1, 1});
  log.stays({1, 2});
  log.lost({1, many});
  EXPECT_EQ(log.size(), limits::events_per_session);
  EXPECT_EQ(log.surplus(millis{1}, millis{100}, 1),
            (std::vector<version>{{1, 2}}));
}

TEST_F(SessionReminders, ANewStartIsToldThoughTheOldWasNotKept) {
  create();
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1).ok());
  s.keep_pages();
  s.now = s.now + millis{300'500};
  (void)remind_all(fail(errc::unavailable, "disk"));
  EXPECT_EQ(reminders_told(), 1U);
  start_at(s.now.wall + millis{900'000});
  s.now = s.now + millis{600'500};
  (void)remind_all(fail(errc::unavailable, "disk"));
  EXPECT_EQ(reminders_told(), 1U) << "of the new one";
  s.now = s.now + limits::timer_again;
  (void)remind_all();
  EXPECT_EQ(reminders_told(), 0U) << "and of each once";
}

TEST_F(SessionReminders, WhoComesBackIsRemindedAnew) {
  create();
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(remind("ada", 1).ok());
  s.keep_pages();
  s.now = s.now + millis{300'500};
  (void)remind_all(fail(errc::unavailable, "disk"));
  EXPECT_EQ(reminders_told(), 1U);
  ASSERT_TRUE(s.run("ada", 1, withdraw_command{}).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  ASSERT_TRUE(remind("ada", 2).ok());
  (void)remind_all();
  EXPECT_EQ(reminders_told(), 1U);
}

} // namespace
