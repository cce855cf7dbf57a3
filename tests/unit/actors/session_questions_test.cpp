// What a session answers to questions, and what it keeps to itself.

#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionQuestions : public ::testing::Test {
protected:
  result<reply> look(const std::string& user) {
    return s.run(user, 90, observe_command{});
  }

  observe_reply seen_by(const std::string& user) {
    auto answer = look(user);
    EXPECT_TRUE(answer.ok());
    return std::get<observe_reply>(answer->body);
  }

  result<reply> one(const std::string& user, const std::string& who) {
    return s.run(user, 90, get_roster_command{std::nullopt, 1, who});
  }

  session_harness s;
};

TEST_F(SessionQuestions, SayWhatTheSessionIs) {
  s.now.wall += millis{500};
  ASSERT_TRUE(s.create("stage").ok());
  auto before = seen_by("owner");
  EXPECT_FALSE(before.ended);
  EXPECT_EQ(before.created, s.now.wall);
  EXPECT_FALSE(before.member || before.here);
  ASSERT_TRUE(s.join("owner", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  auto during = seen_by("owner");
  EXPECT_TRUE(during.member && during.here);
  EXPECT_EQ(during.host, session_harness::id_of("owner"));
  EXPECT_FALSE(seen_by("eve").here);
  ASSERT_TRUE(s.run("owner", 1, end_command{}).ok());
  EXPECT_TRUE(seen_by("owner").ended);
}

TEST_F(SessionQuestions, HideTheHostWithTheRoster) {
  ASSERT_TRUE(s.create("stage", {.identity = identity_mode::count_only}).ok());
  ASSERT_TRUE(s.join("owner", 1).ok());
  EXPECT_TRUE(seen_by("owner").host);
  EXPECT_FALSE(seen_by("ada").host);
  s.grants = {capability::observe_count};
  EXPECT_FALSE(seen_by("owner").host);
}

TEST_F(SessionQuestions, FindOneByEitherName) {
  ASSERT_TRUE(s.create("board").ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  auto id = session_harness::id_of("bob");
  for (const auto& name : {std::string{"bob"}, id.str()}) {
    auto answer = one("ada", name);
    ASSERT_TRUE(answer.ok());
    const auto& page = std::get<roster_reply>(answer->body);
    ASSERT_EQ(page.participants.size(), 1U);
    EXPECT_EQ(page.participants[0].user.str(), "bob");
    EXPECT_FALSE(page.next);
  }
  EXPECT_EQ(one("ada", "eve").error().code, errc::not_found);
}

TEST_F(SessionQuestions, DoNotTellWhoBehindAPseudonymIs) {
  ASSERT_TRUE(
    s.create("board", {.identity = identity_mode::pseudonymous}).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  EXPECT_EQ(one("ada", "bob").error().code, errc::not_found);
  auto shown = one("ada", session_harness::id_of("bob").str());
  ASSERT_TRUE(shown.ok());
  const auto& who = std::get<roster_reply>(shown->body).participants[0];
  EXPECT_TRUE(who.user.empty() && who.who.name.empty());
  EXPECT_TRUE(one("owner", "bob").ok());
}

} // namespace

TEST_F(SessionQuestions, SayWhenItStarts) {
  auto start = s.now.wall + millis{60'000};
  ASSERT_TRUE(s.run("owner", 9, create_command{"stage", {}, start}).ok());
  EXPECT_EQ(seen_by("owner").starts_at, start);
  configure_command body;
  body.starts_at.emplace();
  ASSERT_TRUE(s.run("owner", 9, body).ok());
  EXPECT_EQ(seen_by("owner").starts_at, std::nullopt);
}
