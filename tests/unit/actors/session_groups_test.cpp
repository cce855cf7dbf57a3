// Groups as they are kept, and sessions that belong to one.

#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace rollcall;
using namespace rollcall::test;

namespace {

session_key film_club() {
  return {namespace_id{"default"}, place_of_group("film-club")};
}

errc refusal_of(const result<reply>& answer) {
  return answer.ok() ? errc{} : answer.error().code;
}

std::string field_of(const result<reply>& answer) {
  return answer.ok() ? "" : answer.error().field;
}

class SessionGroups : public ::testing::Test {
protected:
  result<reply> put(const std::string& user, std::string name,
                    std::string op = {}) {
    return g.run(user, 1, put_group_command{std::move(name)}, std::move(op));
  }

  result<reply> add(const std::string& by, const std::string& user,
                    std::optional<std::string> role = {}) {
    set_member_command body;
    body.user = user_id{user};
    body.role = std::move(role);
    return g.run(by, 1, body);
  }

  result<reply> take_out(const std::string& by, const std::string& user) {
    return g.run(by, 1, kick_command{user_id{user}, {}});
  }

  group_reply look(const std::string& user) {
    auto answer = g.run(user, 1, get_group_command{});
    EXPECT_TRUE(answer);
    return answer ? std::get<group_reply>(answer->body) : group_reply{};
  }

  /// What the group tells every partition now.
  std::optional<settle_group_command> telling() {
    g.state->expire(g.now);
    return g.state->take_telling(g.now);
  }

  void told(bool settled) {
    g.state->told_everywhere(settled, g.now);
    g.pump();
  }

  session_harness g{film_club()};
};

class SessionOfAGroup : public ::testing::Test {
protected:
  SessionOfAGroup() {
    EXPECT_TRUE(
      s.create("party", {.access = access_mode::group, .group = "film-club"}));
  }

  command_ptr vouched(const std::string& user, std::uint64_t connection,
                      command_body body) const {
    auto out
      = std::make_shared<command>(*s.make(user, connection, std::move(body)));
    out->caller.vouched = "film-club";
    return out;
  }

  result<reply> enter(const std::string& user, std::uint64_t connection) {
    return s.run(vouched(user, connection, join_command{}));
  }

  bool settle(std::vector<user_id> removed,
              const std::string& group = "film-club") {
    auto asked = std::make_shared<command>(*s.make(
      "", 0, settle_group_command{0, group, false, std::move(removed), {}}));
    asked->caller.grants = {capability::admin};
    auto answer = s.run(asked);
    EXPECT_TRUE(answer);
    return answer && std::get<settled_reply>(answer->body).settled;
  }

  session_harness s;
};

} // namespace

TEST(GroupIds, CannotBeNamedByClients) {
  auto place = place_of_group("film-club");
  EXPECT_TRUE(is_group(place));
  EXPECT_FALSE(is_group(session_id{"film-club"}));
  EXPECT_EQ(group_at(place), "film-club");
  EXPECT_FALSE(check_id(place.str(), "session"));
  EXPECT_TRUE(check_group_id(std::string(127, 'g'), "group"));
  EXPECT_LE(place_of_group(std::string(127, 'g')).str().size(),
            limits::id_bytes);
  EXPECT_FALSE(check_group_id(std::string(128, 'g'), "group"));
  EXPECT_FALSE(check_group_id("", "group"));
  EXPECT_FALSE(check_name(group_kind().kind, "kind"));
}

TEST_F(SessionGroups, WhoeverMakesOneOwnsIt) {
  auto made = put("ada", "Film club");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->level, ack_level::committed);
  EXPECT_TRUE(std::get<group_reply>(made->body).created);
  auto seen = look("ada");
  EXPECT_EQ(seen.name, "Film club");
  EXPECT_EQ(seen.role, "owner");
  EXPECT_TRUE(seen.member);
  EXPECT_EQ(seen.created_by, user_id{"ada"});
  EXPECT_EQ(g.state->total(), 1U);
  auto before = g.state->at();
  auto again = put("ada", "Cinema club");
  ASSERT_TRUE(again);
  EXPECT_FALSE(std::get<group_reply>(again->body).created);
  EXPECT_LT(before, g.state->at()) << "a new name is a new version";
  g.activate();
  EXPECT_EQ(look("ada").name, "Cinema club");
}

TEST_F(SessionGroups, ARepeatedOpHasOneEffect) {
  auto first = put("ada", "Film club", "k1");
  ASSERT_TRUE(put("ada", "Cinema club", "k2"));
  auto again = put("ada", "Film club", "k1");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at, first->at);
  EXPECT_EQ(look("ada").name, "Cinema club");
}

TEST_F(SessionGroups, DoesNotExistForOutsiders) {
  ASSERT_TRUE(put("ada", "Film club"));
  for (const command_body& body :
       {command_body{get_group_command{}}, command_body{get_members_command{}},
        command_body{kick_command{user_id{"ada"}, {}}},
        command_body{set_member_command{user_id{"eve"}, {}}},
        command_body{delete_command{}}}) {
    auto refused = g.run("eve", 1, body);
    EXPECT_EQ(refusal_of(refused), errc::not_found);
    EXPECT_EQ(field_of(refused), "group");
  }
  EXPECT_EQ(refusal_of(put("eve", "Mine")), errc::conflict)
    << "to those who may make groups the id is taken";
  g.grants = default_grants;
  EXPECT_EQ(refusal_of(put("eve", "Mine")), errc::not_found);
  g.grants = g.grants | capability_set{capability::admin};
  EXPECT_TRUE(put("root", "Another name"));
}

TEST_F(SessionGroups, ItsOwnersMayReadWhoChangedIt) {
  ASSERT_TRUE(put("ada", "Film club"));
  ASSERT_TRUE(add("ada", "mo", "moderator"));
  auto asks = [&](const char* user) {
    return g.state->question(*g.make(user, 1, get_audit_command{}), g.now);
  };
  auto asked = asks("ada");
  ASSERT_TRUE(asked);
  EXPECT_EQ(std::get<audit_question>(*asked).session, film_club());
  auto refused = asks("mo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::forbidden);
  refused = asks("eve");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::not_found);
  EXPECT_EQ(refused.error().field, "group");
}

TEST_F(SessionGroups, NeedsTheRightToCreate) {
  g.grants = default_grants;
  EXPECT_EQ(refusal_of(put("ada", "Film club")), errc::not_found);
  EXPECT_FALSE(g.state->exists());
  auto nowhere = g.run("ada", 1, get_members_command{});
  EXPECT_EQ(field_of(nowhere), "group");
  EXPECT_EQ(field_of(add("ada", "bob")), "group");
}

TEST_F(SessionGroups, ModeratorsChangeMembersAndOwnersModerators) {
  ASSERT_TRUE(put("ada", "Film club"));
  ASSERT_TRUE(add("ada", "mo", "moderator"));
  ASSERT_TRUE(add("mo", "bob"));
  EXPECT_EQ(look("bob").role, "member");
  EXPECT_EQ(refusal_of(add("bob", "cyd")), errc::forbidden);
  EXPECT_EQ(refusal_of(take_out("bob", "mo")), errc::forbidden);
  EXPECT_EQ(refusal_of(add("mo", "bob", "owner")), errc::forbidden);
  EXPECT_EQ(refusal_of(take_out("mo", "ada")), errc::forbidden);
  EXPECT_EQ(refusal_of(g.run("mo", 1, delete_command{})), errc::forbidden);
  EXPECT_EQ(refusal_of(put("mo", "Ours")), errc::forbidden);
  EXPECT_TRUE(take_out("bob", "bob")) << "oneself may always go";
  EXPECT_EQ(refusal_of(g.run("bob", 1, get_group_command{})), errc::not_found);
  EXPECT_EQ(refusal_of(take_out("mo", "bob")), errc::not_found);
  auto members
    = std::get<members_reply>(g.run("mo", 1, get_members_command{})->body);
  ASSERT_EQ(members.members.size(), 2U);
  EXPECT_EQ(members.members[1].role, "moderator");
}

TEST_F(SessionGroups, RolesAreThreeAndThereAreNoPermissions) {
  ASSERT_TRUE(put("ada", "Film club"));
  auto refused = add("ada", "bob", "king");
  EXPECT_EQ(refusal_of(refused), errc::bad_request);
  EXPECT_EQ(field_of(refused), "role");
  set_member_command body;
  body.user = user_id{"bob"};
  body.give = {"can_speak"};
  EXPECT_EQ(field_of(g.run("ada", 1, body)), "permissions");
}

TEST_F(SessionGroups, NobodyCanBeInIt) {
  ASSERT_TRUE(put("ada", "Film club"));
  for (const command_body& body :
       {command_body{join_command{}}, command_body{observe_command{}},
        command_body{get_roster_command{}}, command_body{end_command{}},
        command_body{create_command{"stage", {}}},
        command_body{configure_command{}}, command_body{set_phase_command{}}})
    EXPECT_EQ(refusal_of(g.run("ada", 1, body)), errc::bad_request);
  EXPECT_EQ(g.state->present(), 0U);
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  EXPECT_EQ(refusal_of(s.run("owner", 1, put_group_command{"x"})),
            errc::bad_request);
  EXPECT_EQ(refusal_of(s.run("owner", 1, get_group_command{})),
            errc::bad_request);
}

TEST_F(SessionGroups, ARemovalIsToldUntilItIsHeardEverywhere) {
  ASSERT_TRUE(put("ada", "Film club"));
  ASSERT_TRUE(add("ada", "bob"));
  EXPECT_FALSE(telling());
  ASSERT_TRUE(take_out("ada", "bob"));
  EXPECT_LE(g.kept.due().value_or(never), g.now.wall)
    << "a later owner goes on with it";
  EXPECT_FALSE(g.state->idle());
  auto word = telling();
  ASSERT_TRUE(word);
  EXPECT_EQ(word->group, "film-club");
  EXPECT_FALSE(word->deleted);
  EXPECT_EQ(word->removed, std::vector{user_id{"bob"}});
  EXPECT_FALSE(telling()) << "one round at a time";
  told(false);
  EXPECT_FALSE(telling());
  g.now = g.now + limits::group_again;
  EXPECT_TRUE(telling());
  // The owner is killed in between.
  g.activate();
  word = telling();
  ASSERT_TRUE(word);
  EXPECT_EQ(word->removed, std::vector{user_id{"bob"}});
  told(true);
  g.now = g.now + limits::group_again_most;
  EXPECT_FALSE(telling());
  EXPECT_TRUE(g.state->idle());
  g.activate();
  EXPECT_FALSE(telling()) << "that it was heard is kept, too";
}

TEST_F(SessionGroups, WhatChangesDuringARoundIsToldByTheNext) {
  ASSERT_TRUE(put("ada", "Film club"));
  for (const auto* user : {"bob", "cyd", "dan"})
    ASSERT_TRUE(add("ada", user));
  ASSERT_TRUE(take_out("ada", "bob"));
  ASSERT_TRUE(telling());
  ASSERT_TRUE(take_out("ada", "cyd"));
  told(true);
  auto word = telling();
  ASSERT_TRUE(word);
  EXPECT_EQ(word->removed, std::vector{user_id{"cyd"}});
  ASSERT_TRUE(take_out("ada", "dan"));
  ASSERT_TRUE(add("ada", "dan"));
  told(true);
  word = telling();
  ASSERT_TRUE(word);
  EXPECT_TRUE(word->removed.empty()) << "a member again";
  told(true);
  (void)g.changes();
  EXPECT_TRUE(g.state->idle());
}

TEST_F(SessionGroups, RemovalsOnTheirWayAreBounded) {
  ASSERT_TRUE(put("ada", "Film club"));
  for (std::size_t n = 0; n <= limits::group_removals; ++n)
    ASSERT_TRUE(add("ada", "u" + std::to_string(n)));
  for (std::size_t n = 0; n < limits::group_removals; ++n)
    ASSERT_TRUE(take_out("ada", "u" + std::to_string(n)));
  auto last = "u" + std::to_string(limits::group_removals);
  EXPECT_EQ(refusal_of(take_out("ada", last)), errc::unavailable);
  ASSERT_TRUE(telling());
  told(true);
  EXPECT_TRUE(take_out("ada", last));
}

TEST_F(SessionGroups, ADeletedOneStaysUntilItsSessionsAreGone) {
  ASSERT_TRUE(put("ada", "Film club"));
  ASSERT_TRUE(add("ada", "bob"));
  ASSERT_TRUE(g.run("ada", 1, delete_command{}));
  for (const auto* user : {"ada", "bob"})
    EXPECT_EQ(refusal_of(g.run(user, 1, get_group_command{})), errc::not_found);
  EXPECT_EQ(refusal_of(put("ada", "Again")), errc::unavailable);
  ASSERT_TRUE(telling());
  // The owner is killed in between.
  g.activate();
  auto word = telling();
  ASSERT_TRUE(word);
  EXPECT_TRUE(word->deleted);
  EXPECT_TRUE(word->removed.empty());
  told(false);
  g.now = g.now + limits::group_again;
  ASSERT_TRUE(telling());
  told(true);
  EXPECT_TRUE(g.state->exists()) << "a session may have been under way";
  g.now = g.now + limits::group_settles;
  ASSERT_TRUE(telling());
  told(true);
  EXPECT_FALSE(g.state->exists());
  EXPECT_FALSE(g.kept.due());
  EXPECT_FALSE(g.kept.stored().session);
  EXPECT_TRUE(put("cyd", "A new one"));
}

TEST_F(SessionGroups, ForgetsAnErasedUser) {
  ASSERT_TRUE(put("ada", "Film club"));
  ASSERT_TRUE(add("ada", "bob"));
  ASSERT_TRUE(take_out("ada", "bob"));
  g.grants = g.grants | capability_set{capability::admin};
  ASSERT_TRUE(g.run("root", 1, forget_user_command{user_id{"bob"}}));
  EXPECT_TRUE(g.kept.stored().session->group->removed.empty());
  ASSERT_TRUE(g.run("root", 1, forget_user_command{user_id{"ada"}}));
  EXPECT_TRUE(g.kept.stored().session->created_by.empty());
  EXPECT_TRUE(g.kept.stored().members.empty());
}

// -- a session of a group ----------------------------------------------------

TEST_F(SessionOfAGroup, AsksTheGroupOfWhomItDoesNotKnow) {
  auto ask = [this](const std::string& user, std::string group = {},
                    capability_set grants = default_grants) {
    identity who;
    who.user = user_id{user};
    who.grants = grants;
    if (!group.empty())
      who.groups = {std::move(group)};
    return s.state->group_to_ask(who);
  };
  EXPECT_EQ(ask("bob"), "film-club");
  EXPECT_EQ(ask("bob", "knitting"), "film-club");
  EXPECT_EQ(ask("bob", "film-club"), std::nullopt) << "the token says so";
  EXPECT_EQ(ask("owner"), "film-club") << "sees it, and may not enter";
  EXPECT_EQ(ask(""), std::nullopt);
  EXPECT_EQ(ask("root", {}, {capability::admin}), std::nullopt);
  ASSERT_TRUE(enter("bob", 1));
  EXPECT_EQ(ask("bob"), std::nullopt) << "who is here is a member";
  session_harness other;
  ASSERT_TRUE(other.create("stage"));
  identity bob;
  bob.user = user_id{"bob"};
  EXPECT_EQ(other.state->group_to_ask(bob), std::nullopt);
}

TEST_F(SessionOfAGroup, AMemberEntersWithoutAClaim) {
  EXPECT_EQ(refusal_of(s.join("bob", 1)), errc::not_found);
  ASSERT_TRUE(enter("bob", 1));
  EXPECT_TRUE(s.run("bob", 1, get_roster_command{}));
  EXPECT_TRUE(s.run("bob", 1, set_live_command{{{"hand", true}}}));
  EXPECT_EQ(refusal_of(s.run("eve", 2, get_roster_command{})), errc::not_found);
  auto other = std::make_shared<command>(*s.make("eve", 2, join_command{}));
  other->caller.vouched = "knitting";
  EXPECT_EQ(refusal_of(s.run(other)), errc::not_found);
}

TEST_F(SessionOfAGroup, WhoIsTakenOutIsPutOut) {
  ASSERT_TRUE(enter("bob", 1));
  ASSERT_TRUE(enter("cyd", 2));
  auto claims = std::make_shared<command>(*s.make("bob", 3, join_command{}));
  claims->caller.groups = {"film-club"};
  ASSERT_TRUE(s.run(claims));
  EXPECT_TRUE(settle({user_id{"bob"}}, "knitting"));
  s.keep_pages();
  (void)s.state->take_directs();
  EXPECT_FALSE(settle({user_id{"bob"}}));
  auto words = s.state->take_directs();
  ASSERT_EQ(words.size(), 1U);
  EXPECT_EQ(words[0].connection, (connection_id{7, 1}));
  EXPECT_EQ(std::get<removed_direct>(words[0].body).reason,
            leave_reason::kicked);
  EXPECT_EQ(s.state->present(), 2U) << "here by a token, too";
  EXPECT_FALSE(settle({user_id{"bob"}})) << "the page is not kept yet";
  s.keep_pages();
  EXPECT_TRUE(settle({user_id{"bob"}}));
  EXPECT_FALSE(settle({user_id{"cyd"}}));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_EQ(refusal_of(s.run("cyd", 2, get_roster_command{})), errc::not_found);
  // Killed before the page was written: told once more.
  s.activate();
  EXPECT_EQ(s.state->present(), 2U);
  EXPECT_FALSE(settle({user_id{"cyd"}}));
  s.keep_pages();
  EXPECT_TRUE(settle({user_id{"cyd"}}));
  s.activate();
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionOfAGroup, ALeaseEndsLikewise) {
  join_command body;
  body.lease = millis{60'000};
  ASSERT_TRUE(s.run(vouched("bob", 1, body)));
  EXPECT_FALSE(settle({user_id{"bob"}}));
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionOfAGroup, OnlookersAreAskedAgain) {
  s.tell(observe_note{});
  (void)s.changes();
  EXPECT_TRUE(settle({user_id{"eve"}}));
  auto seen = s.changes();
  const auto* look = find_change<member_change>(seen);
  ASSERT_NE(look, nullptr);
  EXPECT_EQ(look->participant, s.id_of("eve"));
  EXPECT_EQ(look->changed, 0U);
  EXPECT_FALSE(look->is_member);
  EXPECT_EQ(seen.front().seen_by, audience::moderator);
}

TEST_F(SessionOfAGroup, AnotherGroupIsAnotherQuestion) {
  ASSERT_TRUE(enter("bob", 1));
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.group = "knitting"}}));
  EXPECT_EQ(refusal_of(s.run("bob", 1, get_roster_command{})), errc::not_found);
  identity bob;
  bob.user = user_id{"bob"};
  EXPECT_EQ(s.state->group_to_ask(bob), "knitting");
  auto asked
    = std::make_shared<command>(*s.make("bob", 1, get_roster_command{}));
  asked->caller.vouched = "knitting";
  EXPECT_TRUE(s.run(asked));
  EXPECT_TRUE(s.run("bob", 1, get_roster_command{})) << "known from here on";
}

TEST_F(SessionOfAGroup, ANewOwnerFindsOutForItself) {
  ASSERT_TRUE(enter("bob", 1));
  s.keep_pages();
  s.activate();
  EXPECT_EQ(refusal_of(s.run("bob", 1, get_roster_command{})), errc::not_found);
  EXPECT_TRUE(s.run(vouched("bob", 1, get_roster_command{})));
  EXPECT_TRUE(s.run("bob", 1, get_roster_command{}));
  auto given = s.state->transfer();
  s.activate();
  s.state->adopt(given, s.now);
  EXPECT_EQ(refusal_of(s.run("bob", 1, get_roster_command{})), errc::not_found);
  EXPECT_FALSE(settle({user_id{"bob"}})) << "it knows whom to put out";
  EXPECT_EQ(s.state->present(), 0U);
}

TEST_F(SessionOfAGroup, OnlyAGroupMayPutOut) {
  ASSERT_TRUE(enter("bob", 1));
  EXPECT_EQ(refusal_of(s.run("owner", 9,
                             settle_group_command{
                               0, "film-club", false, {user_id{"bob"}}, {}})),
            errc::forbidden);
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionOfAGroup, WhoIsTakenOutIsNoMemberAnyMore) {
  ASSERT_TRUE(s.run(
    "owner", 9, configure_command{{.host = host_policy::oldest_member_any}}));
  ASSERT_TRUE(enter("bob", 1));
  ASSERT_TRUE(enter("cyd", 2));
  ASSERT_TRUE(s.run("bob", 1, leave_command{}));
  s.keep_pages();
  ASSERT_EQ(s.kept.stored().members.size(), 2U);
  ASSERT_EQ(s.state->host(), s.id_of("bob"));
  EXPECT_TRUE(settle({user_id{"bob"}}, "knitting"));
  EXPECT_EQ(s.state->total(), 2U);
  EXPECT_FALSE(settle({user_id{"bob"}})) << "it is not kept yet";
  EXPECT_TRUE(settle({user_id{"bob"}}));
  EXPECT_EQ(s.kept.stored().members.size(), 1U);
  EXPECT_EQ(s.state->total(), 1U);
  EXPECT_EQ(s.state->host(), s.id_of("cyd"));
  s.keep_pages();
  auto told = std::count_if(s.kept.audit().begin(), s.kept.audit().end(),
                            [](const auto& entry) {
                              return entry.second.action == "kick"
                                     && entry.second.target == user_id{"bob"};
                            });
  EXPECT_EQ(told, 1);
  s.activate();
  EXPECT_EQ(s.state->host(), s.id_of("cyd"));
  EXPECT_TRUE(settle({user_id{"bob"}}));
}

TEST_F(SessionOfAGroup, WhoIsTakenOutIsNoHostByNameEither) {
  ASSERT_TRUE(enter("bob", 1));
  ASSERT_TRUE(enter("cyd", 2));
  ASSERT_TRUE(s.run("owner", 9, transfer_host_command{user_id{"bob"}, {}}));
  EXPECT_FALSE(settle({user_id{"bob"}}));
  s.keep_pages();
  EXPECT_TRUE(settle({user_id{"bob"}}));
  EXPECT_EQ(s.kept.stored().session->appointed_host, std::nullopt);
  EXPECT_EQ(s.state->host(), s.id_of("cyd"));
}

TEST_F(SessionOfAGroup, WhoIsHereByATokenStaysAMember) {
  auto claims = std::make_shared<command>(*s.make("bob", 3, join_command{}));
  claims->caller.groups = {"film-club"};
  ASSERT_TRUE(s.run(claims));
  EXPECT_TRUE(settle({user_id{"bob"}}));
  EXPECT_EQ(s.kept.stored().members.size(), 1U);
}
