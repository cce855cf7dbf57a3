#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

result<reply> call_oneself(session_harness& s, const std::string& user,
                           std::uint64_t connection,
                           std::optional<std::string> name,
                           std::string op = {}) {
  return s.run(user, connection, set_name_command{std::move(name)},
               std::move(op));
}

std::string name_of(session_harness& s, const std::string& user) {
  for (const auto& who : s.look().participants)
    if (who.user.str() == user)
      return who.who.name;
  return "nobody";
}

} // namespace

TEST(SessionNames, ANewNameIsOneChange) {
  session_harness s;
  ASSERT_TRUE(s.create("party"));
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("ben", 2));
  auto before = s.look();
  auto named = call_oneself(s, "ada", 1, "Countess");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->level, ack_level::committed);
  auto told = s.changes();
  ASSERT_EQ(told.size(), 1U);
  const auto* news = find_change<member_change>(told);
  ASSERT_NE(news, nullptr);
  EXPECT_EQ(news->user, user_id{"ada"});
  EXPECT_EQ(news->name, "Countess");
  EXPECT_EQ(news->changed, static_cast<std::uint8_t>(member_key::name));
  auto after = s.look();
  EXPECT_EQ(after.total, before.total);
  before.participants[0].who.name = "Countess";
  EXPECT_EQ(after.participants, before.participants);
  ASSERT_TRUE(call_oneself(s, "ada", 1, "Countess"));
  EXPECT_TRUE(s.changes().empty()) << "the same again is no news";
}

TEST(SessionNames, ANameStaysOverStaysAndOwners) {
  session_harness s;
  ASSERT_TRUE(s.create("party"));
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(call_oneself(s, "ada", 1, "Countess"));
  ASSERT_TRUE(s.run("ada", 1, leave_command{}));
  ASSERT_TRUE(s.join("ada", 2));
  EXPECT_EQ(name_of(s, "ada"), "Countess") << "whatever the token says";
  // The page was kept before the name, the owner lost after it.
  s.keep_pages();
  ASSERT_TRUE(call_oneself(s, "ada", 2, "Lovelace"));
  s.activate();
  EXPECT_EQ(name_of(s, "ada"), "Lovelace");
  ASSERT_TRUE(call_oneself(s, "ada", 2, std::nullopt));
  EXPECT_EQ(name_of(s, "ada"), "ada") << "the token's again";
  s.keep_pages();
  s.activate();
  EXPECT_EQ(name_of(s, "ada"), "ada");
}

TEST(SessionNames, OnlyWhereTheyMayBeChosen) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(s.join("ada", 1));
  (void)s.changes();
  auto refused = call_oneself(s, "ada", 1, "Countess");
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(refused.error().field, "name");
  EXPECT_FALSE(s.state->has_changes());
  set_member_command given;
  given.user = user_id{"ada"};
  given.give = {"own_name"};
  ASSERT_TRUE(s.run("owner", 9, given));
  EXPECT_TRUE(call_oneself(s, "ada", 1, "Countess"));
  // Who may no more keeps it, and may give it up.
  std::swap(given.give, given.take);
  ASSERT_TRUE(s.run("owner", 9, given));
  EXPECT_FALSE(call_oneself(s, "ada", 1, "Queen"));
  EXPECT_EQ(name_of(s, "ada"), "Countess");
  EXPECT_TRUE(call_oneself(s, "ada", 1, std::nullopt));
  EXPECT_EQ(name_of(s, "ada"), "ada");
}

TEST(SessionNames, OnlyOfThoseWhoBelongHere) {
  session_harness s;
  ASSERT_TRUE(s.create("board", {.own_names = true}));
  EXPECT_EQ(call_oneself(s, "ada", 1, "Countess").error().code, errc::conflict);
  ASSERT_TRUE(s.join("ada", 1));
  auto total = s.look().total;
  for (const auto& wrong :
       {std::string{}, std::string(limits::profile_field_bytes + 1, 'x')})
    EXPECT_EQ(call_oneself(s, "ada", 1, wrong).error().field, "name");
  ASSERT_TRUE(call_oneself(s, "ada", 1, "Countess"));
  EXPECT_EQ(s.look().total, total);
  ASSERT_EQ(s.kept.stored().members.size(), 1U) << "what is kept has a member";
  EXPECT_TRUE(s.kept.stored().members[0].own_name);
  // Also of members who are not here.
  ASSERT_TRUE(s.run("ada", 1, leave_command{}));
  (void)s.changes();
  ASSERT_TRUE(call_oneself(s, "ada", 1, "Lovelace"));
  auto told = s.changes();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(find_change<member_change>(told)->name, "Lovelace");
}

TEST(SessionNames, AreInTheAuditLogWithoutTheName) {
  session_harness s;
  ASSERT_TRUE(s.create("party"));
  ASSERT_TRUE(s.join("ada", 1));
  auto first = call_oneself(s, "ada", 1, "Countess", "op-1");
  auto again = call_oneself(s, "ada", 1, "Countess", "op-1");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at, first->at);
  std::size_t entries = 0;
  for (const auto& [at, entry] : s.kept.audit())
    if (entry.action == "set_name") {
      ++entries;
      EXPECT_EQ(entry.actor, user_id{"ada"});
      EXPECT_EQ(entry.target, user_id{"ada"});
      EXPECT_EQ((entry.before + entry.after).find("Countess"),
                std::string::npos);
    }
  EXPECT_EQ(entries, 1U);
}

TEST(SessionNames, ANameHasSomethingToSee) {
  session_harness s;
  ASSERT_TRUE(s.create("party"));
  ASSERT_TRUE(s.join("ada", 1));
  for (const char* name :
       {" ", "  \t ", "a\nb", "\u00a0", "\u200b\u200d", "\u3164", "\ufe0f",
        "\u202eevil", "evil\u202c", "\u2066x\u2069", "\u007f", "\u2028"}) {
    auto refused = call_oneself(s, "ada", 1, name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, errc::bad_request);
    EXPECT_EQ(refused.error().field, "name");
  }
  for (const char* name : {"Ada L.", "\u05d0\u200e b",
                           "\U0001f468\u200d\U0001f469", "\u5b57", "a\u0301"})
    EXPECT_TRUE(call_oneself(s, "ada", 1, name)) << name;
}
