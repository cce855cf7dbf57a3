#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

constexpr millis hour{3'600'000};

class SessionBans : public ::testing::Test {
protected:
  void create(const char* kind, settings_patch settings = {}) {
    ASSERT_TRUE(s.create(kind, std::move(settings)).ok());
    (void)s.changes();
  }

  result<reply> ban(const std::string& user, std::optional<millis> lasts = {},
                    std::string op = {}, const std::string& by = "owner") {
    return s.run(by, 9, ban_command{user_id{user}, {}, lasts, "too loud"},
                 std::move(op));
  }

  errc refusal_of(const result<reply>& answer) {
    return answer.ok() ? errc{} : answer.error().code;
  }

  session_harness s;
};

} // namespace

TEST_F(SessionBans, RemoveAtOnceAndKeepOut) {
  create("party");
  ASSERT_TRUE(s.join("mallory", 1));
  ASSERT_TRUE(ban("mallory"));
  auto told = s.changes();
  ASSERT_NE(find_change<left_change>(told), nullptr);
  EXPECT_EQ(find_change<left_change>(told)->reason, leave_reason::kicked);
  auto words = s.state->take_directs();
  ASSERT_EQ(words.size(), 1U);
  EXPECT_TRUE(std::get<removed_direct>(words[0].body).banned);
  EXPECT_EQ(s.state->total(), 0U);
  EXPECT_EQ(refusal_of(s.join("mallory", 2)), errc::banned);
  EXPECT_EQ(refusal_of(s.run("mallory", 2, observe_command{})), errc::banned);
  EXPECT_EQ(refusal_of(s.run("mallory", 2, get_roster_command{})),
            errc::banned);
  EXPECT_EQ(refusal_of(s.run("mallory", 2, get_members_command{})),
            errc::banned);
  EXPECT_TRUE(s.run("mallory", 2, leave_command{})) << "leaving is harmless";
  EXPECT_TRUE(s.join("ada", 3));
}

TEST_F(SessionBans, AreOverInTimeAndNoSooner) {
  create("board");
  ASSERT_TRUE(ban("mallory", hour));
  s.now = s.now + (hour - millis{1});
  EXPECT_EQ(refusal_of(s.join("mallory", 1)), errc::banned);
  s.now = s.now + millis{1};
  EXPECT_TRUE(s.join("mallory", 1));
}

TEST_F(SessionBans, ReachThoseWhoOnlyWatch) {
  create("board");
  ASSERT_TRUE(s.run("mallory", 1, observe_command{}));
  ASSERT_TRUE(ban("mallory"));
  auto told = s.changes();
  const auto* word = find_change<member_change>(told);
  ASSERT_NE(word, nullptr) << "or their node would not know";
  EXPECT_TRUE(word->has(member_key::ban) && word->is_banned);
  for (const auto& one : told)
    EXPECT_EQ(one.seen_by, audience::moderator) << "others need not know";
}

TEST_F(SessionBans, SurviveARestartAndAnEmptySession) {
  create("party");
  ASSERT_TRUE(s.join("mallory", 1));
  ASSERT_TRUE(ban("mallory", hour));
  s.keep_pages();
  s.activate();
  EXPECT_EQ(refusal_of(s.join("mallory", 2)), errc::banned);
  s.now = s.now + hour;
  EXPECT_TRUE(s.join("mallory", 3));
}

TEST_F(SessionBans, TheKickAndTheBanAreOneChange) {
  create("party");
  ASSERT_TRUE(s.join("mallory", 1));
  auto outcome = s.state->handle(
    s.make("owner", 9, ban_command{user_id{"mallory"}, {}}), s.now);
  ASSERT_TRUE(std::holds_alternative<ticket>(outcome));
  s.pump(fail(errc::unavailable, "refused by the test"));
  EXPECT_EQ(s.state->present(), 1U) << "neither";
  EXPECT_TRUE(s.join("mallory", 2));
  auto batch_of = [&] {
    (void)s.state->handle(
      s.make("owner", 9, ban_command{user_id{"mallory"}, {}}), s.now);
    return s.state->next_batch(s.now);
  };
  auto batch = batch_of();
  ASSERT_TRUE(batch);
  bool banned = false;
  bool erased = false;
  for (const auto& one : batch->records) {
    banned |= std::holds_alternative<ban_record>(one);
    erased |= std::holds_alternative<member_erased>(one);
  }
  EXPECT_TRUE(banned && erased) << "both";
}

TEST_F(SessionBans, ARepeatedOpHasOneEffect) {
  create("board");
  ASSERT_TRUE(ban("mallory", {}, "op-1"));
  ASSERT_TRUE(s.run("owner", 9, unban_command{user_id{"mallory"}, {}}));
  ASSERT_TRUE(ban("mallory", {}, "op-1"));
  EXPECT_TRUE(s.join("mallory", 1)) << "it was lifted since";
}

TEST_F(SessionBans, AreLiftedByUserOrByParticipant) {
  create("board");
  for (bool by_user : {true, false}) {
    ASSERT_TRUE(ban("mallory"));
    unban_command body;
    if (by_user)
      body.user = user_id{"mallory"};
    else
      body.participant = session_harness::id_of("mallory");
    ASSERT_TRUE(s.run("owner", 9, body));
    EXPECT_TRUE(s.run("mallory", 1, observe_command{}));
    EXPECT_EQ(refusal_of(s.run("owner", 9, body)), errc::not_found);
  }
}

TEST_F(SessionBans, AreForModeratorsAndNotAgainstOwners) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  EXPECT_EQ(refusal_of(ban("ada", {}, {}, "bob")), errc::forbidden);
  EXPECT_EQ(refusal_of(s.run("bob", 2, get_bans_command{})), errc::forbidden);
  EXPECT_EQ(refusal_of(ban("owner")), errc::bad_request) << "oneself";
  ASSERT_TRUE(
    s.run("owner", 9, set_member_command{user_id{"ada"}, {}, "moderator"}));
  EXPECT_EQ(refusal_of(ban("owner", {}, {}, "ada")), errc::forbidden);
  EXPECT_TRUE(ban("bob", {}, {}, "ada"));
  EXPECT_EQ(refusal_of(s.run("bob", 2, unban_command{user_id{"bob"}, {}})),
            errc::banned);
}

TEST_F(SessionBans, OutsidersOfAPrivateSessionLearnNothing) {
  create("meeting");
  ASSERT_TRUE(ban("mallory"));
  EXPECT_EQ(refusal_of(s.join("mallory", 1)), errc::not_found);
}

TEST_F(SessionBans, AreListedInPagesWhileTheyAreInForce) {
  create("board");
  for (const auto* user : {"a", "b", "c", "d"})
    ASSERT_TRUE(ban(user));
  ASSERT_TRUE(ban("b2", millis{10}));
  s.now = s.now + millis{20};
  auto first = s.run("owner", 9, get_bans_command{{}, 3});
  ASSERT_TRUE(first);
  const auto& page = std::get<bans_reply>(first->body);
  ASSERT_EQ(page.bans.size(), 3U);
  EXPECT_EQ(page.bans[0].by.str(), "owner");
  EXPECT_EQ(page.bans[0].reason, "too loud");
  auto second = s.run("owner", 9, get_bans_command{page.next, 3});
  ASSERT_TRUE(second);
  const auto& rest = std::get<bans_reply>(second->body);
  ASSERT_EQ(rest.bans.size(), 1U);
  EXPECT_EQ(rest.bans[0].user.str(), "d");
  EXPECT_TRUE(rest.next.empty());
}

TEST_F(SessionBans, OldOnesMakeRoomForNewOnes) {
  ban_list list;
  ban_record one;
  one.until = millis{10};
  for (int i = 0; i < 100; ++i) {
    one.user = user_id{std::to_string(i)};
    list.put(one);
  }
  EXPECT_TRUE(list.over(millis{9}, 64).empty());
  EXPECT_EQ(list.over(millis{10}, 64).size(), 64U);
  EXPECT_EQ(list.find(user_id{"5"}, millis{10}), nullptr);
  EXPECT_NE(list.kept(user_id{"5"}), nullptr);
}

TEST_F(SessionBans, SayWhatIsWrongWithThem) {
  create("board");
  auto long_ban = ban("mallory", limits::ban_most + millis{1});
  ASSERT_FALSE(long_ban);
  EXPECT_EQ(long_ban.error().field, "for_ms");
  auto wordy = s.run(
    "owner", 9,
    ban_command{
      user_id{"mallory"}, {}, {}, std::string(limits::reason_bytes + 1, 'x')});
  ASSERT_FALSE(wordy);
  EXPECT_EQ(wordy.error().field, "reason");
}

TEST_F(SessionBans, TheBannedAreToldNothingOfThePast) {
  create("board");
  ASSERT_TRUE(s.join("mallory", 1));
  auto ask = [&](const std::string& user, command_body body) {
    auto found = s.state->question(*s.make(user, 1, std::move(body)), s.now);
    return found.ok() ? errc{} : found.error().code;
  };
  get_history_command own;
  own.user = user_id{"mallory"};
  get_history_command figures;
  figures.what = history_view::summary;
  ASSERT_EQ(ask("mallory", own), errc{});
  ASSERT_TRUE(ban("mallory", hour));
  EXPECT_EQ(ask("mallory", own), errc::banned);
  EXPECT_EQ(ask("mallory", figures), errc::banned);
  EXPECT_EQ(ask("mallory", get_audit_command{}), errc::banned);
  EXPECT_EQ(ask("owner", get_audit_command{}), errc{});
  s.now = s.now + hour;
  EXPECT_EQ(ask("mallory", own), errc{});
}
