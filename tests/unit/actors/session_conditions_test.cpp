#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

version tag_of_session(session_harness& s) {
  auto seen = s.run("owner", 9, observe_command{});
  EXPECT_TRUE(seen);
  return std::get<observe_reply>(seen->body).changed;
}

version tag_of_member(session_harness& s, const std::string& user) {
  get_members_command body;
  body.only = user_id{user};
  auto seen = s.run("owner", 9, body);
  EXPECT_TRUE(seen) << user;
  return seen ? std::get<members_reply>(seen->body).members.front().changed
              : version{};
}

result<reply> run_if(session_harness& s, precondition expected,
                     command_body body, std::string op = {}) {
  auto asked = std::make_shared<command>(
    *s.make("owner", 9, std::move(body), std::move(op)));
  asked->expected = expected;
  return s.run(asked);
}

errc refusal_of(const result<reply>& answer) {
  return answer.ok() ? errc{} : answer.error().code;
}

set_member_command member_with(const std::string& user, std::string role) {
  set_member_command out;
  out.user = user_id{user};
  out.role = std::move(role);
  return out;
}

} // namespace

TEST(SessionConditions, PresenceDoesNotChangeTheTag) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  auto tag = tag_of_session(s);
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.run("ada", 1, set_live_command{{{"x", live_value{true}}}, {}}));
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"bob"}, {}}));
  ASSERT_TRUE(s.run("ada", 1, leave_command{}));
  EXPECT_EQ(tag_of_session(s), tag);
  s.keep_pages();
  s.kept.keep(s.state->farewell());
  s.activate();
  EXPECT_EQ(tag_of_session(s), tag) << "nor does another owner";
  EXPECT_TRUE(run_if(s, {false, tag}, configure_command{{.locked = true}}));
}

TEST(SessionConditions, AStaleTagChangesNothing) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(s.join("ada", 1));
  auto stale = tag_of_session(s);
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.capacity = 7}}));
  EXPECT_NE(tag_of_session(s), stale);
  auto before = s.look();
  auto kept = s.kept.stored().session;
  const command_body asked[] = {configure_command{{.locked = true}},
                                end_command{},
                                delete_command{},
                                transfer_host_command{user_id{"ada"}, {}},
                                set_phase_command{"voting"},
                                start_barrier_command{"go", {}},
                                kick_command{user_id{"ada"}, {}},
                                ban_command{user_id{"ada"}, {}, {}, {}},
                                member_with("ada", "guest"),
                                invite_command{user_id{"bob"}, {}}};
  for (const auto& body : asked) {
    auto refused = run_if(s, {false, stale}, body);
    EXPECT_EQ(refusal_of(refused), errc::precondition_failed) << body.index();
    EXPECT_EQ(refused.error().field, "expected");
  }
  EXPECT_FALSE(s.state->has_changes());
  EXPECT_EQ(s.look(), before);
  EXPECT_EQ(s.kept.stored().session, kept);
}

// Two contents never have one tag, even where nobody sees the difference.
TEST(SessionConditions, WhatIsNotShownHasATagToo) {
  session_harness s;
  ASSERT_TRUE(s.create("board", {.access = access_mode::code, .code = "abcd"}));
  auto first = tag_of_session(s);
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.code = "efgh"}}));
  auto second = tag_of_session(s);
  EXPECT_LT(first, second);
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.code = "ijkl"}}));
  auto third = tag_of_session(s);
  EXPECT_LT(second, third);
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.code = "ijkl"}}));
  EXPECT_EQ(tag_of_session(s), third) << "the same again";
  EXPECT_EQ(
    refusal_of(run_if(s, {false, second}, configure_command{{.locked = true}})),
    errc::precondition_failed);
}

TEST(SessionConditions, MembersHaveTagsOfTheirOwn) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  auto ada = tag_of_member(s, "ada");
  auto bob = tag_of_member(s, "bob");
  ASSERT_TRUE(run_if(s, {true, ada}, member_with("ada", "guest")));
  EXPECT_EQ(tag_of_member(s, "bob"), bob);
  EXPECT_EQ(refusal_of(run_if(s, {true, ada}, member_with("ada", "speaker"))),
            errc::precondition_failed);
  EXPECT_EQ(
    refusal_of(run_if(s, {true, ada}, kick_command{user_id{"ada"}, {}})),
    errc::precondition_failed);
  EXPECT_EQ(
    refusal_of(run_if(s, {true, ada}, uninvite_command{user_id{"ada"}, {}})),
    errc::precondition_failed);
  EXPECT_TRUE(run_if(s, {true, tag_of_member(s, "ada")},
                     kick_command{user_id{"ada"}, {}}));
  EXPECT_TRUE(run_if(s, {true, bob}, member_with("bob", "speaker")));
}

TEST(SessionConditions, AStarWantsItToBeThere) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  EXPECT_TRUE(run_if(s, {}, configure_command{{.locked = true}}));
  EXPECT_EQ(refusal_of(run_if(s, {true, {}}, member_with("eve", "guest"))),
            errc::precondition_failed);
  EXPECT_TRUE(s.kept.stored().members.empty());
  ASSERT_TRUE(s.run("owner", 9, member_with("eve", "guest")));
  EXPECT_TRUE(run_if(s, {true, {}}, member_with("eve", "speaker")));
}

TEST(SessionConditions, RightsComeFirstAndRepetitionsAreAnswered) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(s.join("ada", 1));
  auto tag = tag_of_session(s);
  ASSERT_TRUE(
    run_if(s, {false, tag}, configure_command{{.capacity = 9}}, "op-1"));
  EXPECT_TRUE(
    run_if(s, {false, tag}, configure_command{{.capacity = 9}}, "op-1"))
    << "it was carried out, on the very condition";
  auto asked = std::make_shared<command>(
    *s.make("ada", 1, configure_command{{.capacity = 5}}));
  asked->expected = precondition{false, tag};
  EXPECT_EQ(refusal_of(s.run(asked)), errc::forbidden);
}

// The condition holds where the change is decided, not where it was asked.
TEST(SessionConditions, OfTwoAtOnceOneIsRefused) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  auto tag = tag_of_session(s);
  std::vector<ticket> asked;
  for (std::uint32_t room : {5U, 6U}) {
    auto one = std::make_shared<command>(
      *s.make("owner", 9, configure_command{{.capacity = room}}));
    one->expected = precondition{false, tag};
    asked.push_back(std::get<ticket>(s.state->handle(one, s.now)));
  }
  s.pump();
  auto answers = s.take_late();
  ASSERT_EQ(answers.size(), 2U);
  for (const auto& one : answers)
    EXPECT_EQ(refusal_of(one.answer),
              one.to == asked[0] ? errc{} : errc::precondition_failed);
  EXPECT_EQ(s.state->settings().capacity, 5U);
}
