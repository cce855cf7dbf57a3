#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

result<reply> set_step(session_harness& s, const std::string& user,
                       std::uint64_t connection, std::int64_t number) {
  return s.run(user, connection,
               set_live_command{{{"n", live_value{number}}}, millis{0}});
}

/// A board on which `ada` has two sockets and a lease.
void make_board(session_harness& s, settings_patch settings = {}) {
  ASSERT_TRUE(s.create("board", settings));
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("ada", 2));
  join_command leased;
  leased.lease = millis{0};
  ASSERT_TRUE(s.run("ada", 3, leased));
  ASSERT_TRUE(s.join("ben", 4));
  (void)s.changes();
}

live_value shown_of(session_harness& s, const std::string& user) {
  for (const auto& who : s.look().participants)
    if (who.user.str() == user)
      return who.live.at("n");
  return false;
}

} // namespace

TEST(SessionLive, TheRateHoldsOverAllConnections) {
  session_harness s;
  make_board(s);
  for (std::int64_t n = 0; n < 20; ++n)
    ASSERT_TRUE(set_step(s, "ada", 1 + static_cast<std::uint64_t>(n % 3), n));
  EXPECT_EQ(shown_of(s, "ada"), live_value{std::int64_t{19}});
  for (std::uint64_t way : {1, 2, 3}) {
    auto refused = set_step(s, "ada", way, 99);
    ASSERT_FALSE(refused) << way;
    EXPECT_EQ(refused.error().code, errc::rate_limited);
    EXPECT_EQ(refused.error().field, "live");
    EXPECT_EQ(refused.error().retry_after, millis{100});
  }
  EXPECT_TRUE(set_step(s, "ben", 4, 1)) << "others have their own";
}

TEST(SessionLive, ARefusedUpdateChangesNothing) {
  session_harness s;
  make_board(s, {.live_rate = 1, .live_burst = 1});
  ASSERT_TRUE(set_step(s, "ada", 1, 1));
  auto before = s.look();
  s.now = s.now + millis{999};
  // Long enough for activity to be told, if this were any.
  auto wall = s.now.wall;
  s.now.wall += limits::activity_every;
  auto refused = set_step(s, "ada", 2, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_after, millis{1});
  EXPECT_FALSE(s.state->has_changes());
  EXPECT_EQ(s.look(), before);
  s.now.wall = wall;
  s.now = s.now + *refused.error().retry_after;
  EXPECT_TRUE(set_step(s, "ada", 2, 2)) << "when it was said to be";
  EXPECT_FALSE(set_step(s, "ada", 1, 3));
}

TEST(SessionLive, WhatIsRefusedOtherwiseCostsNothing) {
  session_harness s;
  make_board(s, {.live_rate = 1, .live_burst = 1});
  for (int i = 0; i < 3; ++i) {
    auto wrong = s.run(
      "ada", 1, set_live_command{{{"step", live_value{std::int64_t{9}}}}, {}});
    EXPECT_EQ(wrong.error().code, errc::bad_request);
  }
  EXPECT_TRUE(set_step(s, "ada", 1, 1));
}

TEST(SessionLive, AJoinOfWhoIsHereSetsItToo) {
  session_harness s;
  make_board(s);
  std::int64_t value = 0;
  auto join = [&](std::uint64_t way, join_command body = {}) {
    s.now = s.now + millis{1'000};
    body.live.emplace("n", live_value{++value});
    EXPECT_TRUE(s.run("ada", way, body)) << value;
    auto changes = s.changes();
    EXPECT_EQ(shown_of(s, "ada"), live_value{value});
    const auto* told = find_change<live_change>(changes);
    ASSERT_NE(told, nullptr) << value;
    EXPECT_EQ(told->live, (live_update{{"n", live_value{value}}}));
  };
  join(1);
  join(5);
  join_command resumed;
  resumed.resumes = connection_id{7, 5};
  join(6, resumed);
  join_command leased;
  leased.lease = millis{60'000};
  join(7, leased);
  join(7, leased);
  ASSERT_TRUE(set_step(s, "ada", 1, 99));
  EXPECT_EQ(shown_of(s, "ada"), live_value{std::int64_t{99}}) << "the last";
}

TEST(SessionLive, ARepeatedJoinSetsNothingTwice) {
  session_harness s;
  ASSERT_TRUE(s.create("board"));
  auto ask = [&](std::uint64_t number, command_body body) {
    auto asked = std::make_shared<command>(*s.make("ada", 1, std::move(body)));
    asked->number = number;
    return s.run(asked).ok();
  };
  join_command join;
  join.live.emplace("n", live_value{std::int64_t{1}});
  ASSERT_TRUE(ask(1, join));
  ASSERT_TRUE(
    ask(2, set_live_command{{{"n", live_value{std::int64_t{2}}}}, millis{0}}));
  s.now = s.now + millis{1'000};
  ASSERT_TRUE(ask(1, join));
  EXPECT_EQ(shown_of(s, "ada"), live_value{std::int64_t{2}});
}

TEST(SessionLive, AJoinWithTooManyKeysChangesNothing) {
  session_harness s;
  make_board(s);
  ASSERT_TRUE(set_step(s, "ada", 1, 1));
  (void)s.changes();
  auto before = s.look();
  join_command body;
  for (std::size_t i = 0; i < limits::live_keys; ++i)
    body.live.emplace("k" + std::to_string(i), live_value{true});
  for (std::uint64_t way : {1, 5}) {
    auto refused = s.run("ada", way, body);
    ASSERT_FALSE(refused) << way;
    EXPECT_EQ(refused.error().code, errc::too_large);
    EXPECT_EQ(s.look(), before);
  }
}

TEST(SessionLive, AJoinOnTheSameConnectionKeepsToTheRate) {
  session_harness s;
  make_board(s, {.live_rate = 1, .live_burst = 1});
  join_command body;
  body.live.emplace("n", live_value{std::int64_t{1}});
  ASSERT_TRUE(s.run("ada", 1, body));
  auto refused = s.run("ada", 1, body);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::rate_limited);
  EXPECT_TRUE(s.join("ada", 1)) << "without any it is harmless";
  EXPECT_TRUE(s.run("ada", 5, body)) << "another way in";
}

TEST(SessionLive, KeysThatWereRemovedTakeNoRoom) {
  session_harness s;
  make_board(s, {.live_rate = 0});
  auto set = [&](live_update live, millis age = millis{0}) {
    return s.run("ada", 1, set_live_command{std::move(live), age}).ok();
  };
  live_update nothing;
  for (int i = 0; i < 16; ++i)
    nothing.emplace("never" + std::to_string(i), std::nullopt);
  ASSERT_TRUE(set(nothing));
  EXPECT_FALSE(s.state->has_changes());
  for (int round = 0; round < 3; ++round) {
    live_update all, none;
    for (int i = 0; i < 16; ++i) {
      auto key = std::to_string(round) + "k" + std::to_string(i);
      all.emplace(key, live_value{true});
      none.emplace(key, std::nullopt);
    }
    s.now = s.now + millis{10'000};
    ASSERT_TRUE(set(all)) << round;
    EXPECT_EQ(s.look().participants[0].live.size(), 16U);
    EXPECT_FALSE(set({{"more", live_value{true}}}));
    // A value that loses makes no room.
    EXPECT_FALSE(set({{all.begin()->first, {}}, {"more", live_value{true}}},
                     millis{3'000}));
    EXPECT_TRUE(set({{all.begin()->first, {}}, {"more", live_value{true}}}));
    EXPECT_TRUE(set({{"more", {}}}));
    ASSERT_TRUE(set(none)) << round;
    EXPECT_TRUE(s.look().participants[0].live.empty());
    // What was there last is still the later word.
    s.now = s.now + millis{1'000};
    ASSERT_TRUE(set({{none.rbegin()->first, live_value{true}}}, millis{3'000}));
    EXPECT_TRUE(s.look().participants[0].live.empty());
  }
  (void)s.state->take_batch();
  for (const auto& who : s.state->transfer().participants)
    EXPECT_LE(who.live.size(), limits::live_keys);
}

// Keys that come and go within one tick are more than the wire takes at once.
TEST(SessionLive, NoChangeCarriesMoreKeysThanThereMayBe) {
  session_harness s;
  make_board(s, {.live_rate = 0});
  std::map<std::string, live_value> shown;
  for (int round = 0; round < 3; ++round)
    for (bool on : {true, false}) {
      live_update update;
      for (int i = 0; i < 16; ++i)
        if (on || round < 2)
          update.emplace(std::to_string(round) + "k" + std::to_string(i),
                         on ? std::optional{live_value{true}} : std::nullopt);
      if (!update.empty()) {
        ASSERT_TRUE(s.run("ada", 1, set_live_command{update, {}}));
      }
    }
  for (const auto& one : s.changes())
    if (const auto* told = std::get_if<live_change>(&one.body)) {
      EXPECT_LE(told->live.size(), limits::live_keys);
      for (const auto& [key, value] : told->live)
        if (value)
          shown[key] = *value;
        else
          shown.erase(key);
    }
  EXPECT_EQ(shown.size(), 16U);
  EXPECT_TRUE(shown.contains("2k7"));
}

TEST(SessionLive, ZeroIsNoLimit) {
  session_harness s;
  make_board(s, {.live_rate = 0});
  for (std::int64_t n = 0; n < 2'000; ++n)
    ASSERT_TRUE(set_step(s, "ada", 1, n));
}

TEST(SessionLive, ANewRateHoldsAtOnce) {
  session_harness s;
  make_board(s, {.live_rate = 0});
  for (std::int64_t n = 0; n < 50; ++n)
    ASSERT_TRUE(set_step(s, "ada", 1, n));
  ASSERT_TRUE(
    s.run("owner", 9, configure_command{{.live_rate = 2, .live_burst = 3}}));
  for (std::int64_t n = 0; n < 3; ++n)
    ASSERT_TRUE(set_step(s, "ada", 1, n));
  EXPECT_EQ(set_step(s, "ada", 1, 9).error().retry_after, millis{500});
}

TEST(SessionLive, RatesHaveBounds) {
  session_harness s;
  EXPECT_EQ(s.create("board", {.live_rate = 1'001}).error().field,
            "settings.live_rate");
  for (std::uint32_t burst : {0U, 1'001U})
    EXPECT_EQ(s.create("board", {.live_burst = burst}).error().field,
              "settings.live_burst");
  EXPECT_TRUE(s.create("board", {.live_rate = 1'000, .live_burst = 1'000}));
}
