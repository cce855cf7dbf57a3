#include "edge/connection/connection_actor.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/auth/resume_key.hpp"
#include "edge/protocol/close_codes.hpp"
#include "unit/edge/connection_world.hpp"

using namespace rollcall;
using namespace rollcall::test;

namespace {

TEST_F(ConnectionActor, ATokenAtTheUpgradeIsWelcomedAtOnce) {
  open(token("ada"));
  auto got = sink->take(ref);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got, R"("push":"welcome")"));
  EXPECT_TRUE(has(got, R"("user":"ada")"));
}

TEST_F(ConnectionActor, SilenceInsteadOfHelloIsCut) {
  open();
  fixture.advance(millis{4'900}, millis{100});
  EXPECT_TRUE(sink->closed.empty());
  fixture.advance(millis{600}, millis{100});
  EXPECT_EQ(sink->closed.at(ref), 3500);
}

TEST_F(ConnectionActor, NothingIsServedBeforeHello) {
  open();
  EXPECT_TRUE(has(join("s"), "unauthenticated"));
  EXPECT_TRUE(owner.commands.empty());
}

TEST_F(ConnectionActor, ABadTokenIsRefusedAndClosed) {
  open();
  auto got = ask(hello_request{"not.a.token", {}});
  EXPECT_TRUE(has(got, R"("code":"unauthenticated")"));
  EXPECT_EQ(sink->closed.at(ref), 3500);
}

TEST_F(ConnectionActor, AnExpiredTokenMayComeBackWithANewOne) {
  auto old = token("ada", millis{1'000});
  fixture.advance(millis{60'000}, millis{1'000});
  open();
  auto got = ask(hello_request{old, {}});
  EXPECT_TRUE(has(got, R"("code":"token_expired")"));
  EXPECT_EQ(sink->closed.at(ref), 3004);
}

TEST_F(ConnectionActor, IdentityComesFromTheTokenAlone) {
  open(token("ada"));
  (void)join("s");
  ASSERT_EQ(owner.commands.size(), 1U);
  const auto& asked = *owner.commands[0];
  EXPECT_EQ(asked.caller.user.str(), "ada");
  EXPECT_EQ(asked.caller.participant, session_harness::id_of("ada"));
  EXPECT_EQ(asked.connection, id);
  EXPECT_EQ(asked.caller.grants, default_grants);
  EXPECT_EQ(sink->watches.at({ref, "s"}), millis{60'000});
}

TEST_F(ConnectionActor, AnonymousSeesNoRoster) {
  open();
  (void)ask(hello_request{});
  EXPECT_TRUE(has(ask(attach_request{session_id{"s"}, view::roster, {}}),
                  R"("code":"forbidden")"));
  EXPECT_TRUE(
    has(ask(attach_request{session_id{"s"}, view::count, {}}), R"("ok":true)"));
}

TEST_F(ConnectionActor, AnonymousMayOnlyAttach) {
  open();
  (void)ask(hello_request{});
  EXPECT_TRUE(
    has(ask(attach_request{session_id{"s"}, view::count, {}}), R"("ok":true)"));
  EXPECT_TRUE(has(ask(heartbeat_request{}), R"("ok":true)"));
  owner.commands.clear();
  for (const command_body& body :
       {command_body{join_command{}}, command_body{leave_command{}},
        command_body{get_roster_command{}}, command_body{set_live_command{}}}) {
    session_request asked;
    asked.session = session_id{"s"};
    asked.body = body;
    EXPECT_TRUE(has(ask(asked), R"("code":"unauthenticated")")) << body.index();
  }
  EXPECT_TRUE(has(ask(namespace_request{list_sessions_command{}}),
                  R"("code":"unauthenticated")"));
  EXPECT_TRUE(owner.commands.empty());
  EXPECT_TRUE(has(ask(detach_request{session_id{"s"}}), R"("ok":true)"));
}

TEST_F(ConnectionActor, TheSeventeenthSessionIsRefused) {
  open(token("ada"));
  for (int i = 0; i < 16; ++i)
    EXPECT_TRUE(has(join("s" + std::to_string(i)), R"("ok":true)"));
  auto refused = join("s16");
  EXPECT_TRUE(has(refused, R"("code":"too_large")"));
  EXPECT_TRUE(has(refused, R"("field":"session")"));
  EXPECT_TRUE(has(join("s3"), R"("ok":true)")) << "a known one is no new one";
}

TEST_F(ConnectionActor, UnansweredRequestsAreBounded) {
  open(token("ada"));
  owner.silent = true;
  for (int i = 0; i < 64; ++i)
    EXPECT_FALSE(has(join("s"), "rate_limited"));
  auto refused = join("s");
  EXPECT_TRUE(has(refused, R"("code":"rate_limited")"));
  EXPECT_TRUE(has(refused, "retry_after_ms"));
  owner.silent = false;
  (void)fixture.ask<inspection_ptr>(router, atoms::inspect::value);
  (void)sink->take(ref);
  EXPECT_TRUE(has(join("s"), R"("ok":true)"));
}

// All clients of a node share what it asks of whole namespaces.
TEST_F(ConnectionActor, OneClientAsksFewQuestionsToAllAtOnce) {
  open(token("ada"));
  (void)sink->take(ref);
  auto list = [&] { return ask(namespace_request{list_sessions_command{}}); };
  for (std::size_t n = 0; n < limits::gathers_per_connection; ++n)
    EXPECT_TRUE(list().empty());
  auto refused = list();
  EXPECT_TRUE(has(refused, R"("code":"rate_limited")"));
  EXPECT_TRUE(has(refused, "retry_after_ms"));
  EXPECT_TRUE(has(join("s"), R"("ok":true)")) << "that is something else";
  caf::anon_send(gather, atoms::wake::value);
  fixture.drain();
  EXPECT_EQ(sink->take(ref).size(), limits::gathers_per_connection);
  EXPECT_TRUE(list().empty());
}

TEST_F(ConnectionActor, ASilentOwnerIsUnavailable) {
  open(token("ada"));
  owner.silent = true;
  (void)join("s");
  // As long as the router looks for an owner; who is refused earlier would be
  // there a moment later all the same.
  fixture.advance(limits::routed_patience + millis{500}, millis{100});
  EXPECT_FALSE(has(sink->take(ref), R"("code":"unavailable")"));
  fixture.advance(millis{600}, millis{100});
  EXPECT_TRUE(has(sink->take(ref), R"("code":"unavailable")"));
}

TEST_F(ConnectionActor, TheEndOfTheTokenEndsTheConnection) {
  open(token("ada", millis{10'000}));
  (void)sink->take(ref);
  fixture.advance(millis{39'000}, millis{250});
  EXPECT_TRUE(sink->closed.empty()) << "the leeway of 30 s counts";
  fixture.advance(millis{1'500}, millis{250});
  EXPECT_EQ(sink->closed.at(ref), 3004);
  EXPECT_TRUE(has(sink->take(ref), R"("push":"bye")"));
}

TEST_F(ConnectionActor, RefreshingMovesTheEnd) {
  open(token("ada", millis{10'000}));
  EXPECT_TRUE(has(ask(refresh_request{token("ada")}), "expires_in_ms"));
  EXPECT_TRUE(has(ask(refresh_request{token("bob")}), R"("forbidden")"));
  fixture.advance(millis{60'000}, millis{250});
  EXPECT_TRUE(sink->closed.empty());
}

TEST_F(ConnectionActor, ResumeNamesTheOldConnectionInEveryJoin) {
  connection_id old{8, 5};
  open(token("ada"));
  (void)sink->take(ref);
  auto secret = edge::make_resume_key(test_secret, namespace_id{"default"},
                                      user_id{"ada"}, old);
  EXPECT_TRUE(has(ask(hello_request{{}, secret}), R"("push":"welcome")"));
  (void)join("s");
  ASSERT_EQ(owner.commands.size(), 1U);
  EXPECT_EQ(std::get<join_command>(owner.commands[0]->body).resumes, old);
  auto foreign = edge::make_resume_key(test_secret, namespace_id{"default"},
                                       user_id{"bob"}, old);
  EXPECT_TRUE(has(ask(hello_request{{}, foreign}), R"("field":"resume")"));
  EXPECT_TRUE(sink->closed.empty());
}

TEST_F(ConnectionActor, BeingKickedFromTheLastSessionCloses) {
  open(token("ada"));
  (void)join("s1");
  (void)join("s2");
  auto kicked = [&](const char* session) {
    auto word = std::make_shared<direct>();
    word->session = {namespace_id{"default"}, session_id{session}};
    word->connection = id;
    word->body = removed_direct{leave_reason::kicked};
    caf::anon_send(hub, direct_ptr{word});
    fixture.drain();
    return sink->take(ref);
  };
  EXPECT_TRUE(has(kicked("s1"), R"("type":"removed")"));
  EXPECT_TRUE(sink->closed.empty());
  EXPECT_EQ(sink->watches.at({ref, "s1"}), millis{0});
  (void)kicked("s2");
  EXPECT_EQ(sink->closed.at(ref), 3502);
}

// The answer to a later join has overtaken it.
TEST_F(ConnectionActor, ALateRemovalEndsNoLaterJoin) {
  open(token("ada"));
  (void)join("s");
  (void)join("s");
  ASSERT_EQ(owner.commands.size(), 2U);
  auto removed = [&](std::uint64_t joined_by) {
    auto word = std::make_shared<direct>();
    word->session = {namespace_id{"default"}, session_id{"s"}};
    word->connection = id;
    word->body = removed_direct{leave_reason::kicked, false, joined_by};
    caf::anon_send(hub, direct_ptr{word});
    fixture.drain();
    return sink->take(ref);
  };
  EXPECT_TRUE(removed(owner.commands[0]->number).empty());
  EXPECT_TRUE(sink->closed.empty());
  EXPECT_GT(sink->watches.at({ref, "s"}), millis{0});
  EXPECT_TRUE(has(removed(owner.commands[1]->number), R"("type":"removed")"));
  EXPECT_EQ(sink->closed.at(ref), 3502);
}

TEST_F(ConnectionActor, ALeaseIsAConnectionOfItsOwn) {
  open(token("ada"));
  session_request body;
  body.session = session_id{"s"};
  join_command join;
  join.lease = millis{0};
  body.body = join;
  (void)ask(body);
  ASSERT_EQ(owner.commands.size(), 1U);
  auto lease = owner.commands[0]->connection;
  EXPECT_NE(lease, id);
  EXPECT_FALSE(sink->watches.contains({ref, "s"})) << "no socket stands for it";
  body.body = renew_command{lease};
  EXPECT_TRUE(has(ask(body), R"("lease_ms":45000)"));
  EXPECT_EQ(std::get<renew_command>(owner.commands[1]->body).lease, lease);
  caf::anon_send(client, client_gone{true});
  fixture.drain();
  EXPECT_EQ(owner.commands.size(), 2U) << "the end of the socket is not its";
}

TEST_F(ConnectionActor, SaysWhatAnOpIdIsAboutAndWhoAsks) {
  auto about
    = [&](const std::string& user, std::string op, std::uint64_t asked) {
        open(token(user));
        session_request body;
        body.session = session_id{"s"};
        body.body = end_command{};
        body.op = op_id{std::move(op)};
        body.about = asked;
        (void)ask(body);
        auto out = owner.commands.back()->about;
        fixture.drop(client);
        return out;
      };
  auto first = about("ada", "x", 7);
  EXPECT_NE(first, 0U);
  EXPECT_EQ(about("ada", "x", 7), first);
  EXPECT_NE(about("ada", "x", 8), first);
  EXPECT_NE(about("bob", "x", 7), first);
  EXPECT_EQ(about("ada", "", 0), 0U);
}

TEST_F(ConnectionActor, AsksAgainWhatItMayBeShown) {
  open(token("ada"));
  (void)ask(attach_request{session_id{"s"}, view::roster, {}});
  owner.commands.clear();
  auto told = [&] {
    auto word = std::make_shared<direct>();
    word->session = {namespace_id{"default"}, session_id{"s"}};
    word->connection = id;
    word->body = recheck_direct{};
    caf::anon_send(hub, direct_ptr{word});
    fixture.drain();
    return sink->take(ref);
  };
  EXPECT_TRUE(told().empty()) << "nothing has changed";
  ASSERT_EQ(owner.commands.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<observe_command>(owner.commands[0]->body));
  owner.refusal = fail(errc::banned, "you are banned", "session");
  EXPECT_TRUE(has(told(), R"("reason":"banned")"));
  EXPECT_EQ(sink->closed.at(ref), 3503);
}

TEST_F(ConnectionActor, JoinsAgainInItsOldPlaceWhereItIsUnknown) {
  open(token("ada"));
  (void)join("s");
  owner.commands.clear();
  auto word = std::make_shared<direct>();
  word->session = {namespace_id{"default"}, session_id{"s"}};
  word->connection = id;
  word->body = unknown_direct{};
  caf::anon_send(hub, direct_ptr{word});
  fixture.drain();
  ASSERT_EQ(owner.commands.size(), 1U);
  const auto& again = std::get<join_command>(owner.commands[0]->body);
  ASSERT_TRUE(again.admitted);
  EXPECT_EQ(again.admitted->joined, (version{1, 1}));
}

TEST_F(ConnectionActor, IsNamedWithTheStayThatItsOwnerKnows) {
  open(token("ada"));
  (void)join("s");
  auto named = [&](epoch_t epoch) {
    session_key where{namespace_id{"default"}, session_id{"s"}};
    caf::anon_send(
      hub,
      std::make_shared<const ownership>(ownership{
        partition_of(where, limits::partitions_default), {"node2", 1}, epoch}));
    owner.notes.clear();
    fixture.advance(edge::relay_env{}.announce_again, millis{50});
    for (const auto& told : owner.notes)
      if (const auto* body = std::get_if<announce_note>(&told->body))
        return body->stays;
    return std::vector<version>{};
  };
  EXPECT_EQ(named(2), std::vector{(version{1, 1})});
  owner.stay = {1, 7};
  auto word = std::make_shared<direct>();
  word->session = {namespace_id{"default"}, session_id{"s"}};
  word->connection = id;
  word->body = unknown_direct{};
  caf::anon_send(hub, direct_ptr{word});
  fixture.drain();
  EXPECT_EQ(named(3), std::vector{(version{1, 7})});
}

TEST_F(ConnectionActor, AJoinThatIsAnsweredAfterTheLeaveIsTakenBack) {
  open(token("ada"));
  owner.silent = true;
  (void)join("s");
  session_request leave;
  leave.session = session_id{"s"};
  leave.body = leave_command{};
  (void)ask(leave);
  owner.silent = false;
  owner.commands.clear();
  (void)fixture.ask<inspection_ptr>(router, atoms::inspect::value);
  fixture.drain();
  ASSERT_EQ(owner.commands.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<leave_command>(owner.commands[2]->body));
  EXPECT_FALSE(sink->watches.contains({ref, "s"})
               && sink->watches.at({ref, "s"}) > millis{0});
}

TEST_F(ConnectionActor, CommandsAreNumberedInTheOrderOfAsking) {
  open(token("ada"));
  (void)join("s");
  (void)ask(attach_request{session_id{"s"}, view::roster, {}});
  session_request leave;
  leave.session = session_id{"s"};
  leave.body = leave_command{};
  (void)ask(leave);
  ASSERT_EQ(owner.commands.size(), 3U);
  for (std::uint64_t n = 0; n < 3; ++n)
    EXPECT_EQ(owner.commands[n]->number, n + 1);
  // What the edge repeats by itself is no newer than what the client asked.
  (void)join("s");
  (void)ask(attach_request{session_id{"s"}, view::roster, {}});
  auto word = std::make_shared<direct>();
  word->session = {namespace_id{"default"}, session_id{"s"}};
  word->connection = id;
  word->body = unknown_direct{};
  caf::anon_send(hub, direct_ptr{word});
  fixture.drain();
  ASSERT_EQ(owner.commands.size(), 6U);
  EXPECT_EQ(owner.commands[3]->number, 4U);
  EXPECT_EQ(owner.commands[5]->number, 4U);
}

// The owner has passed it over, as it is older than the join.
TEST_F(ConnectionActor, ALeaveThatIsAnsweredAfterALaterJoinEndsNothing) {
  open(token("ada"));
  (void)join("s");
  owner.silent = true;
  session_request leave;
  leave.session = session_id{"s"};
  leave.body = leave_command{};
  (void)ask(leave);
  owner.silent = false;
  EXPECT_TRUE(has(join("s"), R"("ok":true)"));
  (void)fixture.ask<inspection_ptr>(router, atoms::inspect::value);
  fixture.drain();
  EXPECT_TRUE(has(sink->take(ref), R"("ok":true)")) << "the leave's answer";
  EXPECT_GT(sink->watches.at({ref, "s"}), millis{0});
}

TEST_F(ConnectionActor, WhoHasSeenMoreThanTheNodeKnowsIsSentElsewhere) {
  owner.behind = true;
  open(token("ada"));
  (void)join("other");
  session_request body;
  body.session = session_id{"s"};
  body.body = join_command{};
  body.wanted = view::roster;
  body.since = version{7, 3};
  auto got = ask(body);
  EXPECT_EQ(owner.commands.back()->seen, body.since);
  EXPECT_TRUE(has(got, R"("code":"unavailable")"));
  EXPECT_TRUE(has(got, R"("field":"since")"));
  EXPECT_TRUE(sink->closed.empty()) << "it is in another session here";
  session_request leave;
  leave.session = session_id{"other"};
  leave.body = leave_command{};
  (void)ask(leave);
  got = ask(attach_request{session_id{"s"}, view::roster, version{7, 3}});
  EXPECT_TRUE(has(got, R"("field":"since")"));
  EXPECT_TRUE(has(got, R"("push":"bye")"));
  EXPECT_EQ(sink->closed.at(ref), 3003);
}

TEST_F(ConnectionActor, OnlyAGoodbyeLeavesOnPurpose) {
  open(token("ada"));
  (void)join("s");
  owner.commands.clear();
  caf::anon_send(client, client_gone{true});
  fixture.drain();
  ASSERT_EQ(owner.commands.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<leave_command>(owner.commands[0]->body));
  owner.commands.clear();
  open(token("ada"));
  (void)join("s");
  owner.commands.clear();
  caf::anon_send(client, client_gone{false});
  fixture.drain();
  EXPECT_TRUE(owner.commands.empty()) << "the loop reports what it saw";
}

} // namespace
