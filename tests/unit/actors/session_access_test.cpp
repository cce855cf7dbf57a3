#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionAccess : public ::testing::Test {
protected:
  /// A command of somebody whose token or message says more.
  result<reply> as(const std::string& user, command_body body,
                   std::vector<std::string> groups, std::string role = {},
                   std::string code = {}) {
    auto asked = std::make_shared<command>(*s.make(user, 5, std::move(body)));
    asked->caller.groups = std::move(groups);
    asked->caller.role = std::move(role);
    asked->caller.code = std::move(code);
    return s.run(asked);
  }

  static errc refusal_of(const result<reply>& answer) {
    return answer.ok() ? errc{} : answer.error().code;
  }

  session_harness s;
};

} // namespace

TEST(Access, IsDecidedByModeAndStanding) {
  kind_settings settings;
  settings.group = "staff";
  settings.roles = {"teacher", "guest"};
  identity nobody;
  nobody.user = user_id{"eve"};
  auto with = [&](auto change) {
    auto out = nobody;
    change(out);
    return out;
  };
  auto staff = with([](auto& who) { who.groups = {"others", "staff"}; });
  auto guest = with([](auto& who) { who.role = "guest"; });
  auto knows = with([](auto& who) { who.code = "K7QX"; });
  auto guesses = with([](auto& who) { who.code = "K7QY"; });
  constexpr admittance out{false, false};
  constexpr admittance in{true, true};
  constexpr admittance sees{true, false};
  const standing stranger;
  const standing member{true, false, false};
  const standing creator{false, false, true};
  auto decide = [&](access_mode mode, const identity& who, standing known) {
    settings.access = mode;
    return admit(settings, "K7QX", who, known);
  };
  EXPECT_EQ(decide(access_mode::open, nobody, stranger), in);
  EXPECT_EQ(decide(access_mode::members, nobody, stranger), out);
  EXPECT_EQ(decide(access_mode::members, staff, stranger), out);
  EXPECT_EQ(decide(access_mode::members, nobody, member), in);
  EXPECT_EQ(decide(access_mode::members, nobody, creator), sees);
  EXPECT_EQ(decide(access_mode::group, staff, stranger), in);
  EXPECT_EQ(decide(access_mode::group, nobody, member), out)
    << "who left the group is out";
  EXPECT_EQ(decide(access_mode::group, nobody, creator), sees);
  EXPECT_EQ(decide(access_mode::roles, guest, stranger), in);
  EXPECT_EQ(decide(access_mode::roles, staff, stranger), out);
  EXPECT_EQ(decide(access_mode::code, knows, stranger), in);
  EXPECT_EQ(decide(access_mode::code, guesses, stranger), out);
  EXPECT_EQ(decide(access_mode::code, nobody, stranger), out);
  EXPECT_EQ(decide(access_mode::code, nobody, member), in);
  settings.access = access_mode::code;
  EXPECT_EQ(admit(settings, "", nobody, stranger), out) << "no code, no entry";
}

TEST_F(SessionAccess, TheCreatorEntersAMeetingOnlyWhenInvited) {
  ASSERT_TRUE(s.create("meeting"));
  EXPECT_TRUE(s.run("owner", 9, observe_command{}));
  EXPECT_TRUE(s.run("owner", 9, configure_command{{.capacity = 5}}));
  EXPECT_EQ(refusal_of(s.join("owner", 9)), errc::not_invited);
  EXPECT_EQ(refusal_of(s.join("eve", 1)), errc::not_found)
    << "to outsiders there is no such session";
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"owner"}, {}}));
  EXPECT_TRUE(s.join("owner", 9));
}

TEST_F(SessionAccess, WhoeverMakesAMeetingByJoiningItIsIn) {
  join_command body;
  body.create_kind = "meeting";
  ASSERT_TRUE(s.run("ann", 1, body));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_EQ(refusal_of(s.join("eve", 2)), errc::not_found);
}

TEST_F(SessionAccess, AGroupAdmitsByTheToken) {
  ASSERT_TRUE(
    s.create("party", {.access = access_mode::group, .group = "film-club"}));
  for (const command_body& body :
       {command_body{join_command{}}, command_body{observe_command{}},
        command_body{get_roster_command{}}, command_body{get_members_command{}},
        command_body{kick_command{user_id{"owner"}, {}}}})
    EXPECT_EQ(refusal_of(as("eve", body, {"knitting"})), errc::not_found);
  EXPECT_TRUE(as("ann", join_command{}, {"knitting", "film-club"}));
  EXPECT_EQ(refusal_of(as("ann", get_roster_command{}, {})), errc::not_found)
    << "who left the group";
}

TEST_F(SessionAccess, RolesAdmitByTheToken) {
  ASSERT_TRUE(s.create("board", {.access = access_mode::roles,
                                 .roles = std::vector<std::string>{"tutor"}}));
  EXPECT_EQ(refusal_of(as("eve", join_command{}, {}, "pupil")),
            errc::not_found);
  EXPECT_TRUE(as("ann", join_command{}, {}, "tutor"));
}

TEST_F(SessionAccess, WhatAdmitsCannotBeTakenAway) {
  ASSERT_TRUE(
    s.create("board", {.access = access_mode::code, .code = "K7QX-2MPD"}));
  auto refused = s.run("owner", 9, configure_command{{.code = ""}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "settings.code");
  EXPECT_TRUE(s.run(
    "owner", 9, configure_command{{.access = access_mode::open, .code = ""}}));
  refused = s.run("owner", 9, configure_command{{.access = access_mode::code}});
  ASSERT_FALSE(refused) << "it is gone";
  EXPECT_EQ(refused.error().field, "settings.code");
}

TEST_F(SessionAccess, ACodeAdmitsWhoKnowsIt) {
  ASSERT_TRUE(
    s.create("board", {.access = access_mode::code, .code = "K7QX-2MPD"}));
  EXPECT_EQ(refusal_of(as("eve", join_command{}, {}, {}, "K7QX-2MPE")),
            errc::not_found);
  EXPECT_EQ(refusal_of(as("eve", observe_command{}, {})), errc::not_found);
  EXPECT_TRUE(as("ann", join_command{}, {}, {}, "K7QX-2MPD"));
  EXPECT_TRUE(s.run("ann", 5, get_roster_command{})) << "who is in, is in";
  // What all are shown does not have it.
  EXPECT_TRUE(s.state->settings() == with_patch(s.state->settings(), {}));
  s.activate();
  EXPECT_EQ(refusal_of(as("eve", join_command{}, {}, {}, "K7QX")),
            errc::not_found);
  EXPECT_TRUE(as("bob", join_command{}, {}, {}, "K7QX-2MPD"));
}

TEST_F(SessionAccess, EachModeNeedsWhatItAdmitsBy) {
  for (auto [mode, field] : {std::pair{access_mode::group, "settings.group"},
                             {access_mode::roles, "settings.roles"},
                             {access_mode::code, "settings.code"}}) {
    settings_patch patch;
    patch.access = mode;
    auto refused = s.create("board", patch);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, field);
  }
  auto refused = s.create("board", {.code = "K7"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "settings.code");
}

TEST_F(SessionAccess, HiddenObserversAreInTheAuditLogAlone) {
  ASSERT_TRUE(s.create("meeting"));
  (void)s.changes();
  auto refused = s.run("spy", 5, observe_command{true});
  EXPECT_EQ(refusal_of(refused), errc::not_found) << "without the right";
  EXPECT_EQ(refusal_of(s.run("owner", 5, observe_command{true})),
            errc::forbidden);
  s.grants.add(capability::observe_hidden);
  auto before = s.kept.audit().size();
  auto seen = s.run("spy", 5, observe_command{true});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->level, ack_level::committed);
  EXPECT_TRUE(
    std::get<observe_reply>(seen->body).rights.has(capability::observe_roster));
  ASSERT_EQ(s.kept.audit().size(), before + 1);
  EXPECT_EQ(s.kept.audit().rbegin()->second.action, "observe_hidden");
  EXPECT_EQ(s.kept.audit().rbegin()->second.actor.str(), "spy");
  EXPECT_TRUE(s.changes().empty());
  EXPECT_EQ(s.state->total(), 0U);
  // Nobody hides where the log cannot be written.
  auto outcome
    = s.state->handle(s.make("spy", 5, observe_command{true}), s.now);
  ASSERT_TRUE(std::holds_alternative<ticket>(outcome));
  s.pump(fail(errc::unavailable, "refused by the test"));
  auto late = s.take_late();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_FALSE(late[0].answer.ok());
}
