#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionDurable : public ::testing::Test {
protected:
  void create(const std::string& kind, settings_patch settings = {}) {
    ASSERT_TRUE(s.create(kind, settings).ok());
    (void)s.changes();
  }

  set_member_command member(const std::string& user, std::string role = {}) {
    set_member_command out;
    out.user = user_id{user};
    if (!role.empty())
      out.role = std::move(role);
    return out;
  }

  session_harness s;
};

TEST_F(SessionDurable, NothingIsVisibleBeforeItIsCommitted) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  auto asked = s.make("owner", 9, configure_command{{.capacity = 5}});
  auto outcome = s.state->handle(asked, s.now);
  ASSERT_TRUE(std::holds_alternative<ticket>(outcome));
  auto batch = s.state->next_batch(s.now);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(s.changes().empty());
  EXPECT_TRUE(s.take_late().empty());
  s.state->committed(batch->number, position_t{1}, s.now);
  EXPECT_EQ(count_changes<session_change>(s.changes()), 1U);
  auto late = s.take_late();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].answer->level, ack_level::committed);
}

// Both wait for the first; with nothing to write, neither has a commit after
// which the other would be looked at again.
TEST_F(SessionDurable, WhoIsRefusedMakesWayForTheNext) {
  create("party");
  (void)s.state->handle(s.make("owner", 9, configure_command{{.capacity = 5}}),
                        s.now);
  auto batch = s.state->next_batch(s.now);
  ASSERT_TRUE(batch.has_value());
  for (int i = 0; i < 2; ++i)
    (void)s.state->handle(
      s.make("owner", 9, transfer_host_command{user_id{"nobody"}, {}}), s.now);
  (void)s.state->handle(s.make("owner", 9, configure_command{{.capacity = 7}}),
                        s.now);
  s.state->committed(batch->number, position_t{1}, s.now);
  EXPECT_TRUE(s.state->next_batch(s.now).has_value());
  EXPECT_EQ(s.take_late().size(), 3U);
}

TEST_F(SessionDurable, ARefusedCommitChangesNothingAndIsRetryable) {
  create("party");
  auto asked = s.make("owner", 9, configure_command{{.capacity = 5}});
  (void)s.state->handle(asked, s.now);
  auto batch = s.state->next_batch(s.now);
  ASSERT_TRUE(batch.has_value());
  s.state->committed(batch->number, fail(errc::unavailable, "disk"), s.now);
  auto late = s.take_late();
  ASSERT_EQ(late.size(), 1U);
  ASSERT_FALSE(late[0].answer.ok());
  EXPECT_EQ(late[0].answer.error().code, errc::unavailable);
  EXPECT_EQ(s.state->settings().capacity, 0U);
  EXPECT_TRUE(s.changes().empty());
}

TEST_F(SessionDurable, AnOpIdIsGoodForOneRequest) {
  ASSERT_TRUE(s.create("stage").ok());
  auto ask = [&](std::uint64_t about, const char* role) {
    set_member_command body;
    body.user = user_id{"ada"};
    body.role = role;
    auto asked
      = std::make_shared<command>(*s.make("owner", 9'999, body, "op1"));
    asked->about = about;
    return s.run(asked);
  };
  auto first = ask(7, "speaker");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(ask(7, "speaker")->at, first->at);
  auto other = ask(8, "moderator");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, errc::conflict);
  EXPECT_EQ(other.error().field, "op_id");
  EXPECT_TRUE(ask(0, "speaker").ok()) << "nobody says what it is about";
  s.activate();
  EXPECT_EQ(ask(8, "moderator").error().code, errc::conflict);
  EXPECT_TRUE(ask(7, "speaker").ok());
}

TEST_F(SessionDurable, AnOpIdOfAJoinThatMadeTheSessionIsGoodForThatAlone) {
  join_command body;
  body.create_kind = "board";
  auto first = std::make_shared<command>(*s.make("ann", 1, body, "op1"));
  first->about = 7;
  ASSERT_TRUE(s.run(first).ok());
  auto end = std::make_shared<command>(*s.make("ann", 1, end_command{}, "op1"));
  end->about = 8;
  auto refused = s.run(end);
  ASSERT_FALSE(refused.ok()) << "answered without being done";
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_EQ(refused.error().field, "op_id");
}

TEST_F(SessionDurable, AJoinThatIsRefusedMakesNoSession) {
  auto refused
    = [&](join_command body, const char* kind, errc code, const char* field) {
        body.create_kind = kind;
        auto answer = s.run("ann", 1, body);
        ASSERT_FALSE(answer.ok()) << field;
        EXPECT_EQ(answer.error().code, code) << field;
        EXPECT_EQ(answer.error().field, field);
        EXPECT_FALSE(s.state->exists()) << field;
        EXPECT_FALSE(s.kept.stored().session.has_value()) << field;
      };
  join_command brief;
  brief.lease = millis{1};
  refused(brief, "board", errc::bad_request, "lease_ms");
  join_command odd;
  odd.live = {{"step", std::int64_t{9}}};
  refused(odd, "board", errc::bad_request, "live.step");
  s.grants = {capability::create, capability::observe_roster};
  refused({}, "board", errc::forbidden, "");
  s.grants = {capability::create};
  refused({}, "board", errc::not_found, "session");
  s.grants = default_grants | capability_set{capability::create};
  join_command good;
  good.create_kind = "meeting";
  good.lease = millis{5'000};
  EXPECT_TRUE(s.run("ann", 1, good).ok()) << "and nothing is in the way";
  EXPECT_EQ(s.state->present(), 1U);
}

TEST_F(SessionDurable, WhatWasDoneToAMemberIsKnownWhenItIsGone) {
  create("party");
  auto ask = [&](command_body body, std::string op, std::uint64_t about) {
    auto asked = std::make_shared<command>(
      *s.make("owner", 9, std::move(body), std::move(op)));
    asked->about = about;
    return s.run(asked);
  };
  auto first = ask(member("ada", "speaker"), "put", 1);
  ASSERT_TRUE(first.ok());
  for (const char* way : {"kick", "again"}) {
    if (std::string{way} == "again")
      s.activate();
    else
      ASSERT_TRUE(ask(kick_command{user_id{"ada"}, {}}, "del", 2).ok());
    auto late = ask(member("ada", "speaker"), "put", 1);
    ASSERT_TRUE(late.ok()) << way;
    EXPECT_EQ(late->at.rev, first->at.rev) << way;
    EXPECT_TRUE(s.kept.stored().members.empty()) << way;
    EXPECT_EQ(ask(member("ada", "guest"), "put", 3).error().code,
              errc::conflict);
    EXPECT_TRUE(ask(kick_command{user_id{"ada"}, {}}, "del", 2).ok());
  }
  ASSERT_TRUE(ask(member("ada", "guest"), "new", 4).ok());
  EXPECT_EQ(s.kept.stored().members.size(), 1U);
}

TEST_F(SessionDurable, AnOpIdOfTheSessionIsNoneOfAMember) {
  create("party");
  auto ask = [&](command_body body, std::uint64_t about) {
    auto asked
      = std::make_shared<command>(*s.make("owner", 9, std::move(body), "x"));
    asked->about = about;
    return s.run(asked);
  };
  ASSERT_TRUE(ask(configure_command{{.capacity = 5}}, 1).ok());
  EXPECT_EQ(ask(member("ada", "speaker"), 2).error().code, errc::conflict);
  EXPECT_TRUE(ask(member("ada", "speaker"), 0).ok());
}

TEST_F(SessionDurable, TheNewestOpsAreRemembered) {
  op_memory ops;
  for (revision_t rev = 1; rev <= 20; ++rev)
    remember(ops, op_id{"s" + std::to_string(rev)}, {1, 2 * rev});
  op_memory gone;
  for (revision_t rev = 15; rev <= 20; ++rev)
    remember(gone, op_id{"m" + std::to_string(rev)}, {1, 2 * rev + 1});
  take_over(ops, gone);
  ASSERT_EQ(ops.size(), limits::op_ids_per_record);
  EXPECT_EQ(ops.front().op.str(), "s11");
  EXPECT_EQ(ops.back().op.str(), "m20");
  EXPECT_EQ(ops[ops.size() - 2].op.str(), "s20");
}

TEST_F(SessionDurable, ARepeatedOpHasOneEffect) {
  create("party");
  auto first = s.run("owner", 9, member("ada", "moderator"), "op-1");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(count_changes<member_change>(s.changes()), 1U);
  auto again = s.run("owner", 9, member("ada", "owner"), "op-1");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->at, first->at);
  EXPECT_TRUE(s.changes().empty());
  EXPECT_EQ(s.kept.stored().members[0].role, "moderator");
  // It is still known after a restart.
  s.activate();
  ASSERT_TRUE(s.run("owner", 9, member("ada", "owner"), "op-1").ok());
  EXPECT_EQ(s.kept.stored().members[0].role, "moderator");
}

TEST_F(SessionDurable, CreatingTwiceConflictsUnlessItIsTheSameOp) {
  ASSERT_TRUE(s.run("owner", 9, create_command{"party", {}}, "c1").ok());
  EXPECT_TRUE(s.run("owner", 9, create_command{"party", {}}, "c1").ok());
  auto other = s.run("owner", 9, create_command{"party", {}}, "c2");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, errc::conflict);
  EXPECT_EQ(other.error().field, "session");
}

TEST_F(SessionDurable, UnknownKindsAndBadSettingsNameTheField) {
  auto kind = s.run("owner", 9, create_command{"circus", {}});
  ASSERT_FALSE(kind.ok());
  EXPECT_EQ(kind.error().field, "kind");
  create("party");
  auto bad = s.run("owner", 9, configure_command{{.beat = millis{1}}});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().field, "settings.beat_ms");
}

TEST_F(SessionDurable, RolesDecideWhatOneMayDo) {
  create("party");
  ASSERT_TRUE(s.join("host", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  ASSERT_TRUE(s.join("bob", 3).ok());
  auto refused = s.run("ada", 2, kick_command{user_id{"bob"}, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::forbidden);
  ASSERT_TRUE(s.run("owner", 9, member("ada", "moderator")).ok());
  EXPECT_FALSE(s.run("ada", 2, member("bob", "moderator")).ok());
  EXPECT_TRUE(s.run("ada", 2, kick_command{user_id{"bob"}, {}}).ok());
  EXPECT_FALSE(s.run("ada", 2, kick_command{user_id{"owner"}, {}}).ok());
  // What the token does not grant, no role can give.
  s.grants = {capability::join, capability::observe_roster};
  auto small = s.run("ada", 2, kick_command{user_id{"host"}, {}});
  ASSERT_FALSE(small.ok());
  EXPECT_EQ(small.error().code, errc::forbidden);
}

TEST_F(SessionDurable, AKickIsNotUndoneByAnEdgeThatMissedIt) {
  create("stage");
  ASSERT_TRUE(s.join("bob", 2).ok());
  ASSERT_TRUE(s.run("owner", 9, kick_command{user_id{"bob"}, {}}).ok());
  (void)s.state->take_directs();
  // The word did not reach it; it still has the socket.
  s.tell(announce_note{{{7, 2}}});
  auto told = s.state->take_directs();
  ASSERT_EQ(told.size(), 1U);
  ASSERT_TRUE(std::holds_alternative<removed_direct>(told[0].body));
  EXPECT_EQ(std::get<removed_direct>(told[0].body).reason,
            leave_reason::kicked);
  // Who comes again by itself is as any other.
  ASSERT_TRUE(s.join("bob", 2).ok());
  s.notice(2, sign::closed);
  s.advance(millis{60'000});
  (void)s.state->take_directs();
  s.tell(announce_note{{{7, 2}}});
  told = s.state->take_directs();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<unknown_direct>(told[0].body));
}

TEST_F(SessionDurable, KickEndsPresenceAndMembership) {
  create("meeting");
  ASSERT_TRUE(s.run("owner", 9, member("ada")).ok());
  ASSERT_TRUE(s.join("ada", 1).ok());
  (void)s.changes();
  ASSERT_TRUE(
    s.run("owner", 9, kick_command{{}, session_harness::id_of("ada")}).ok());
  auto changes = s.changes();
  ASSERT_NE(find_change<left_change>(changes), nullptr);
  EXPECT_EQ(find_change<left_change>(changes)->reason, leave_reason::kicked);
  auto directs = s.state->take_directs();
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(s.state->total(), 0U);
  auto back = s.join("ada", 2);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, errc::not_found);
}

TEST_F(SessionDurable, EndingRemovesEveryoneAndAdmitsNobody) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  (void)s.changes();
  ASSERT_TRUE(s.run("owner", 9, end_command{}).ok());
  auto changes = s.changes();
  EXPECT_EQ(count_changes<left_change>(changes), 2U);
  EXPECT_EQ(find_change<left_change>(changes)->reason,
            leave_reason::session_ended);
  auto refused = s.join("ada", 3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::session_ended);
}

TEST_F(SessionDurable, TheOldestMemberPresentIsHost) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.join("bob", 2).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
  ASSERT_TRUE(s.join("ada", 3).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"))
    << "order of admission, not of joining";
}

TEST_F(SessionDurable, AnAppointedHostMayReclaim) {
  create("stage");
  ASSERT_TRUE(s.join("owner", 1).ok());
  ASSERT_TRUE(s.join("ada", 2).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("owner"));
  ASSERT_TRUE(
    s.run("owner", 1, transfer_host_command{user_id{"ada"}, {}}).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  ASSERT_TRUE(s.run("ada", 2, leave_command{}).ok());
  s.advance(millis{29'000});
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  s.advance(millis{1'200});
  EXPECT_EQ(s.state->host(), std::nullopt);
  ASSERT_TRUE(s.join("ada", 3).ok());
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
}

TEST_F(SessionDurable, TransferNeedsASessionThatHasAHost) {
  create("board");
  ASSERT_TRUE(s.join("ada", 1).ok());
  auto refused = s.run("owner", 9, transfer_host_command{user_id{"ada"}, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::conflict);
}

TEST_F(SessionDurable, DurableFactsSurviveARestart) {
  create("stage", {.capacity = 10});
  ASSERT_TRUE(s.join("ada", 1).ok());
  ASSERT_TRUE(s.run("owner", 9, member("ada", "moderator")).ok());
  s.keep_pages();
  auto before = s.look();
  s.activate();
  auto after = s.look();
  EXPECT_EQ(after.settings, before.settings);
  EXPECT_EQ(after.total, before.total);
  ASSERT_EQ(after.participants.size(), 1U);
  EXPECT_EQ(after.participants[0].role, "moderator");
  EXPECT_GT(after.at, before.at);
}

TEST_F(SessionDurable, EndedSessionsAreDueForErasure) {
  create("party");
  ASSERT_TRUE(s.run("owner", 9, end_command{}).ok());
  (void)s.changes();
  auto next = s.state->next_deadline(s.now);
  ASSERT_TRUE(next.has_value());
  s.now = s.now + millis{31LL * 86'400'000};
  s.state->expire(s.now);
  s.pump();
  EXPECT_FALSE(s.kept.stored().session.has_value());
  EXPECT_FALSE(s.state->exists());
}

TEST_F(SessionDurable, IndependentMembersCommitTogether) {
  create("party");
  for (const auto* user : {"a", "b", "c", "a"})
    (void)s.state->handle(s.make("owner", 9, member(user, "guest")), s.now);
  auto first = s.state->next_batch(s.now);
  ASSERT_TRUE(first.has_value());
  std::size_t members = 0;
  for (const auto& one : first->records)
    members += std::holds_alternative<member_record>(one) ? 1 : 0;
  EXPECT_EQ(members, 3U) << "the second change of `a` waits";
  EXPECT_FALSE(s.state->next_batch(s.now).has_value());
  s.state->committed(first->number, position_t{1}, s.now);
  EXPECT_TRUE(s.state->next_batch(s.now).has_value());
}

} // namespace
