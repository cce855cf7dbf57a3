#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

// Kind `stage`: suspected after 20 s, gone after 45 s, 10 s of grace.

result<reply> join_leased(session_harness& s, const std::string& user,
                          std::uint64_t id, millis lease = millis{0}) {
  join_command body;
  body.lease = lease;
  return s.run(user, id, body);
}

result<reply> renew(session_harness& s, const std::string& user,
                    std::optional<std::uint64_t> id = {}) {
  renew_command body;
  if (id)
    body.lease = connection_id{7, *id};
  return s.run(user, 1'000, body);
}

result<reply> end_lease(session_harness& s, const std::string& user,
                        std::uint64_t id) {
  return s.run(user, 1'000, leave_command{connection_id{7, id}, false});
}

const participant_view* find(const snapshot& seen, const std::string& user) {
  for (const auto& who : seen.participants)
    if (who.user.str() == user)
      return &who;
  return nullptr;
}

} // namespace

TEST(SessionLeases, CountsUntilTheLeaseIsOver) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  auto joined = join_leased(s, "ann", 1);
  ASSERT_TRUE(joined);
  EXPECT_EQ(std::get<join_reply>(joined->body).lease, millis{45'000});
  (void)s.changes();
  s.advance(millis{19'900});
  EXPECT_TRUE(s.changes().empty());
  s.advance(millis{200});
  auto quiet = s.changes();
  ASSERT_NE(find_change<suspected_change>(quiet), nullptr);
  s.advance(millis{24'800});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{200});
  auto over = s.changes();
  ASSERT_NE(find_change<left_change>(over), nullptr);
  EXPECT_EQ(find_change<left_change>(over)->reason, leave_reason::timeout);
  EXPECT_TRUE(s.state->take_directs().empty()) << "no socket to tell";
}

TEST(SessionLeases, ARenewalBeginsItAgain) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1));
  for (int i = 0; i < 20; ++i) {
    s.advance(millis{40'000});
    auto answer = renew(s, "ann", 1);
    ASSERT_TRUE(answer);
    EXPECT_EQ(std::get<renew_reply>(answer->body).lease, millis{45'000});
    auto told = s.changes();
    EXPECT_NE(find_change<resumed_change>(told), nullptr);
    EXPECT_EQ(find_change<left_change>(told), nullptr);
  }
  s.advance(millis{45'100});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST(SessionLeases, AreAsLongAsWasAsked) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1, millis{5'000}));
  ASSERT_TRUE(join_leased(s, "bob", 2, millis{3'600'000}));
  s.advance(millis{5'100});
  EXPECT_EQ(find(s.look(), "ann"), nullptr);
  s.advance(millis{3'594'000}, millis{1'000});
  EXPECT_NE(find(s.look(), "bob"), nullptr);
  s.advance(millis{2'000});
  EXPECT_EQ(find(s.look(), "bob"), nullptr);
  for (auto bad : {millis{1}, millis{-1}, millis{86'400'001}}) {
    auto refused = join_leased(s, "eve", 3, bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "lease_ms");
  }
}

TEST(SessionLeases, AnotherUserCanNeitherRenewNorEndThem) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1));
  auto refused = renew(s, "eve", 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::not_found);
  EXPECT_TRUE(end_lease(s, "eve", 1));
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_TRUE(end_lease(s, "ann", 1));
  EXPECT_EQ(s.state->present(), 0U);
  EXPECT_FALSE(renew(s, "ann", 1)) << "it is over";
}

TEST(SessionLeases, ARepeatedJoinRenewsAndIsOneConnection) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1));
  s.advance(millis{44'000});
  ASSERT_TRUE(join_leased(s, "ann", 1));
  s.advance(millis{44'000});
  auto seen = s.look();
  ASSERT_NE(find(seen, "ann"), nullptr);
  EXPECT_EQ(find(seen, "ann")->connections, 1U);
  EXPECT_EQ(find(seen, "ann")->reconnections, 0U);
  auto mixed = s.join("ann", 1);
  ASSERT_FALSE(mixed) << "it is no socket";
  EXPECT_EQ(mixed.error().code, errc::conflict);
}

TEST(SessionLeases, EndAllAtOnceAndLeaveASocketAlone) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(s.join("ann", 1));
  ASSERT_TRUE(join_leased(s, "ann", 2));
  ASSERT_TRUE(join_leased(s, "ann", 3));
  ASSERT_TRUE(s.run("ann", 1'000, leave_command{{}, true}));
  auto seen = s.look();
  ASSERT_NE(find(seen, "ann"), nullptr);
  EXPECT_EQ(find(seen, "ann")->connections, 1U);
  ASSERT_TRUE(join_leased(s, "bob", 4));
  ASSERT_TRUE(join_leased(s, "bob", 5));
  ASSERT_TRUE(s.run("bob", 1'000, leave_command{{}, true}));
  EXPECT_EQ(find(s.look(), "bob"), nullptr);
}

TEST(SessionLeases, NoEdgeSpeaksForThem) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1, millis{3'600'000}));
  s.advance(millis{10'000});
  auto before = s.look();
  s.tell(edge_lost_note{});
  s.tell(announce_note{{}, true});
  s.notice(1, sign::closed);
  s.notice(1, sign::silent, millis{60'000});
  s.notice(1, sign::back);
  s.state->expire(s.now);
  EXPECT_EQ(s.look(), before);
  s.advance(millis{3'589'000}, millis{1'000});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{2'000});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST(SessionLeases, ARestoredOneIsGivenItsWholeLease) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1, millis{60'000}));
  s.keep_pages();
  s.advance(millis{50'000});
  s.activate();
  s.advance(millis{59'900});
  EXPECT_EQ(s.state->present(), 1U);
  ASSERT_TRUE(renew(s, "ann", 1));
  s.advance(millis{59'900});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{200});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST(SessionLeases, AreHandedOverWithWhatIsLeftOfThem) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1, millis{60'000}));
  s.keep_pages();
  s.advance(millis{50'000});
  (void)s.state->take_batch();
  auto given = s.state->transfer();
  s.activate();
  s.state->adopt(given, s.now);
  s.advance(millis{9'800});
  EXPECT_EQ(s.state->present(), 1U);
  s.advance(millis{300});
  EXPECT_EQ(s.state->present(), 0U);
}

TEST(SessionLeases, NobodyIsBlamedWhileTheProcessStoodStill) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1));
  s.now = s.now + millis{100'000};
  s.state->stalled(millis{100'000});
  s.state->expire(s.now);
  EXPECT_EQ(s.state->present(), 1U);
  EXPECT_FALSE(find_change<suspected_change>(s.changes()));
}

TEST(SessionLeases, AKickEndsThem) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  ASSERT_TRUE(join_leased(s, "ann", 1));
  ASSERT_TRUE(s.run("owner", 9'999, kick_command{user_id{"ann"}, {}}));
  EXPECT_EQ(s.state->present(), 0U);
  EXPECT_TRUE(s.state->take_directs().empty());
}

TEST(SessionLeases, LeavingSaysHowOftenOneHasLeft) {
  session_harness s;
  ASSERT_TRUE(s.create("stage"));
  leave_command all;
  all.every_lease = true;
  for (std::uint32_t times = 1; times <= 2; ++times) {
    ASSERT_TRUE(join_leased(s, "ada", 1));
    auto left = s.run("ada", 9, all);
    ASSERT_TRUE(left);
    const auto& said = std::get<leave_reply>(left->body);
    EXPECT_EQ(said.leaves, times);
    EXPECT_EQ(said.participant, session_harness::id_of("ada"));
    EXPECT_EQ(left->present, 0U);
  }
}
