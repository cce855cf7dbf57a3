#include "edge/relay/relay_actor.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "support/actor_fixture.hpp"
#include "support/fake_router.hpp"
#include "support/recording_sink.hpp"
#include "support/session_harness.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <set>
#include <vector>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class RelayActor : public ::testing::Test {
protected:
  RelayActor() {
    EXPECT_TRUE(owner.create("board", {.capacity = 0}).ok());
    (void)owner.changes();
    router = spawn_fake_router(
      fixture.system(),
      {[](const command_ptr&) -> reply_ptr {
         return std::make_shared<const result<reply>>(
           fail(errc::internal, "a relay asked a command"));
       },
       [this](const note_ptr& told) { notes.push_back(told); }});
    relay_env env;
    env.router = router;
    env.sink = sink;
    env.self = {"node1", 1};
    env.clock = [this] { return fixture.now(); };
    hub = edge::spawn_relay_hub(fixture.system(), env);
  }

  ~RelayActor() override {
    fixture.drop(hub);
    fixture.drop(router);
  }

  using relay_env = edge::relay_env;

  void attach(std::uint64_t slot, std::optional<version> since = {},
              version at_least = {}, dialect language = dialect::json,
              view wanted = view::roster) {
    auto order = std::make_shared<attach_order>();
    order->session = owner.key();
    order->client = {0, slot};
    order->language = language;
    order->wanted = wanted;
    order->rank = audience::member;
    order->since = since;
    order->at_least = at_least;
    caf::anon_send(hub, attach_order_ptr{order});
    fixture.drain();
  }

  void detach(std::uint64_t slot) {
    auto order = std::make_shared<detach_order>();
    order->session = owner.key();
    order->client = {0, slot};
    caf::anon_send(hub, detach_order_ptr{order});
    fixture.drain();
  }

  void give_snapshot() {
    (void)owner.state->take_batch();
    caf::anon_send(hub, snapshot_ptr{std::make_shared<const snapshot>(
                          owner.state->make_snapshot())});
    fixture.drain();
  }

  batch_ptr next_batch() {
    return owner.state->take_batch();
  }

  void give(const batch_ptr& next) {
    caf::anon_send(hub, next);
    fixture.drain();
  }

  std::vector<std::string> take(std::uint64_t slot) {
    return sink->take({0, slot});
  }

  static bool has(const std::string& frame, const std::string& text) {
    return frame.find(text) != std::string::npos;
  }

  actor_fixture fixture;
  session_harness owner;
  std::shared_ptr<recording_sink> sink = std::make_shared<recording_sink>();
  std::vector<note_ptr> notes;
  router_actor router;
  relay_hub_actor hub;
};

TEST_F(RelayActor, AsksTheOwnerOnceAndServesEveryone) {
  attach(1);
  attach(2);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<observe_note>(notes[0]->body));
  EXPECT_TRUE(take(1).empty());
  give_snapshot();
  for (std::uint64_t slot : {1U, 2U}) {
    auto got = take(slot);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_TRUE(has(got[0], R"("push":"snapshot")"));
    EXPECT_TRUE(has(got[0], R"("why":"attached")"));
  }
}

TEST_F(RelayActor, EncodesABatchOncePerAudienceWhateverTheClients) {
  give_snapshot();
  for (std::uint64_t slot = 1; slot <= 50; ++slot)
    attach(slot);
  attach(51, {}, {}, dialect::msgpack);
  attach(52, {}, {}, dialect::json, view::count);
  give_snapshot();
  for (std::uint64_t slot = 1; slot <= 52; ++slot)
    EXPECT_EQ(take(slot).size(), 1U);
  for (std::uint64_t i = 0; i < 10; ++i)
    ASSERT_TRUE(owner.join("u" + std::to_string(i), 100 + i).ok());
  give(next_batch());
  EXPECT_EQ(sink->publishes, 3U) << "one per group, not one per client";
  for (std::uint64_t slot = 1; slot <= 52; ++slot)
    EXPECT_EQ(take(slot).size(), 1U);
}

TEST_F(RelayActor, WaitsUntilAReaderSeesItsOwnWrite) {
  attach(1);
  give_snapshot();
  (void)take(1);
  auto answer = owner.join("ada", 1);
  ASSERT_TRUE(answer.ok());
  attach(2, {}, answer->at);
  EXPECT_TRUE(take(2).empty());
  give(next_batch());
  auto got = take(2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("user":"ada")"));
}

TEST_F(RelayActor, TellsThoseWhoseRightsMayHaveChanged) {
  std::multiset<std::uint64_t> told;
  auto listener = [&](std::uint64_t slot) {
    return fixture.system().spawn(
      [&told,
       slot](connection_actor::pointer) -> connection_actor::behavior_type {
        return {
          [](const client_request_ptr&) {},
          [&told, slot](const direct_ptr& word) {
            EXPECT_TRUE(std::holds_alternative<recheck_direct>(word->body));
            told.insert(slot);
          },
          [](client_gone) {},
          [](atoms::wake) {},
          [](atoms::stop) {},
          [](atoms::inspect) { return inspection_ptr{}; },
        };
      });
  };
  std::vector<connection_actor> people;
  auto come = [&](const std::string& user, std::uint64_t slot, version seen) {
    people.push_back(listener(slot));
    caf::anon_send(hub, connection_id{7, slot}, people.back());
    auto order = std::make_shared<attach_order>();
    order->session = owner.key();
    order->client = {0, slot};
    order->rank = audience::member;
    order->at_least = seen;
    order->connection = {7, slot};
    order->participant = session_harness::id_of(user);
    caf::anon_send(hub, attach_order_ptr{order});
    fixture.drain();
  };
  using all = std::multiset<std::uint64_t>;
  attach(9);
  give_snapshot();
  come("ada", 1, owner.state->at());
  come("bob", 2, owner.state->at());
  EXPECT_EQ(told, all{});
  set_member_command body;
  body.user = user_id{"bob"};
  body.role = "moderator";
  ASSERT_TRUE(owner.run("owner", 9'999, body).ok());
  auto before = owner.state->at();
  give(next_batch());
  EXPECT_EQ(told, (all{2})) << "those it is about";
  ASSERT_TRUE(owner.run("owner", 9'999, configure_command{{.locked = true}}));
  give(next_batch());
  EXPECT_EQ(told, (all{2})) << "no matter of rights";
  ASSERT_TRUE(
    owner.run("owner", 9'999,
              configure_command{{.identity = identity_mode::pseudonymous}}));
  give(next_batch());
  EXPECT_EQ(told, (all{1, 2, 2})) << "everyone";
  // What was allowed before that may not be any more.
  come("cyd", 3, before);
  EXPECT_EQ(told, (all{1, 2, 2, 3}));
  come("dan", 4, owner.state->at());
  EXPECT_EQ(told.count(4), 0U);
  ASSERT_TRUE(owner.run(
    "owner", 9'999,
    configure_command{{.access = access_mode::group, .group = "film-club"}}));
  give(next_batch());
  told.clear();
  // Who was taken out of a group is in no snapshot.
  ASSERT_TRUE(owner.run("owner", 9'999, configure_command{{.locked = false}}));
  (void)next_batch();
  give_snapshot();
  EXPECT_EQ(told, (all{1, 2, 3, 4})) << "across a gap";
  give_snapshot();
  EXPECT_EQ(told, (all{1, 2, 3, 4})) << "and once";
  for (auto& one : people)
    fixture.drop(one);
}

TEST_F(RelayActor, SaysThatItMayBeStaleWhileTheNodeIsCutOff) {
  attach(1);
  give_snapshot();
  EXPECT_FALSE(has(take(1).at(0), "stale"));
  caf::anon_send(hub, atoms::detached::value);
  fixture.drain();
  auto got = take(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("stale":true)"));
  EXPECT_TRUE(has(got[0], R"("changes":[])"));
  ASSERT_TRUE(owner.join("ada", 1).ok());
  give(next_batch());
  EXPECT_TRUE(has(take(1).at(0), R"("stale":true)")) << "presence goes on";
  attach(2);
  EXPECT_TRUE(has(take(2).at(0), R"("stale":true)"));
  caf::anon_send(hub, atoms::attached::value);
  fixture.drain();
  got = take(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(has(got[0], "stale"));
  attach(3);
  EXPECT_FALSE(has(take(3).at(0), "stale"));
}

TEST_F(RelayActor, AFlapOfANewOwnerIsNotShown) {
  ASSERT_TRUE(owner.join("ada", 1).ok());
  (void)owner.state->take_batch();
  auto joined = owner.state->make_snapshot().participants.at(0).joined;
  attach(1);
  give_snapshot();
  (void)take(1);
  // What the owner before accepted was not kept.
  owner.activate();
  give_snapshot();
  EXPECT_TRUE(take(1).empty());
  join_command again;
  again.admitted = admission{joined, millis{0}, 0};
  ASSERT_TRUE(owner.run("ada", 1, again).ok());
  give(next_batch());
  auto got = take(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(has(got[0], R"("type":"left")")) << got[0];
  EXPECT_FALSE(has(got[0], R"("type":"joined")")) << got[0];
}

// Who resumes would be shown it, though nobody was here to see it.
TEST_F(RelayActor, AFlapIsNotRememberedWhereNobodyLooks) {
  ASSERT_TRUE(owner.join("ada", 1).ok());
  (void)owner.state->take_batch();
  auto before = owner.state->at();
  auto joined = owner.state->make_snapshot().participants.at(0).joined;
  attach(1);
  give_snapshot();
  detach(1);
  owner.activate();
  give_snapshot();
  attach(2, before);
  EXPECT_FALSE(has(take(2).at(0), R"("type":"left")"));
  join_command again;
  again.admitted = admission{joined, millis{0}, 0};
  ASSERT_TRUE(owner.run("ada", 1, again).ok());
  give(next_batch());
  for (const auto& frame : take(2))
    EXPECT_FALSE(has(frame, R"("type":"left")")) << frame;
  EXPECT_EQ(take(1).size(), 1U);
}

TEST_F(RelayActor, WhomANewOwnerDoesNotGetBackHasLeft) {
  ASSERT_TRUE(owner.join("ada", 1).ok());
  attach(1);
  give_snapshot();
  (void)take(1);
  owner.activate();
  give_snapshot();
  EXPECT_TRUE(take(1).empty());
  notes.clear();
  fixture.advance(relay_env{}.succession, millis{100});
  EXPECT_TRUE(take(1).empty());
  // It asks whether there still is an owner to come back to.
  ASSERT_FALSE(notes.empty());
  EXPECT_FALSE(std::get<observe_note>(notes.back()->body).have);
  give_snapshot();
  auto got = take(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("type":"left")")) << got[0];
}

// Nobody can come back while nobody owns the session.
TEST_F(RelayActor, TheWaitGoesOnWhileThereIsNoOwner) {
  ASSERT_TRUE(owner.join("ada", 1).ok());
  (void)owner.state->take_batch();
  auto joined = owner.state->make_snapshot().participants.at(0).joined;
  attach(1);
  give_snapshot();
  (void)take(1);
  owner.activate();
  give_snapshot();
  fixture.advance(relay_env{}.succession * 2, millis{100});
  EXPECT_TRUE(take(1).empty());
  owner.activate();
  give_snapshot();
  join_command again;
  again.admitted = admission{joined, millis{0}, 0};
  ASSERT_TRUE(owner.run("ada", 1, again).ok());
  give(next_batch());
  for (const auto& frame : take(1))
    EXPECT_FALSE(has(frame, R"("type":"left")")) << frame;
}

TEST_F(RelayActor, ResumeGivesExactlyWhatWasMissed) {
  attach(1);
  give_snapshot();
  auto then = owner.state->at();
  std::vector<std::string> seen;
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(owner.join("u" + std::to_string(i), 100 + i).ok());
    give(next_batch());
  }
  attach(2, then);
  auto got = take(2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("push":"changes")"));
  for (const auto* user : {"u0", "u1", "u2"})
    EXPECT_TRUE(has(got[0], std::string{R"("user":")"} + user + '"'));
  attach(3, owner.state->at());
  auto nothing = take(3);
  ASSERT_EQ(nothing.size(), 1U);
  EXPECT_TRUE(has(nothing[0], R"("changes":[])"));
}

TEST_F(RelayActor, ResumeThatCannotBeHonouredSaysWhy) {
  attach(1);
  give_snapshot();
  attach(2, version{owner.state->at().epoch, 0});
  auto old = take(2);
  ASSERT_EQ(old.size(), 1U);
  EXPECT_TRUE(has(old[0], R"("why":"too_old")"));
  attach(3, version{owner.state->at().epoch + 5, 1});
  EXPECT_TRUE(take(3).empty()) << "this node may only be behind";
  fixture.advance(relay_env{}.ask_again, millis{100});
  auto other = take(3);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_TRUE(has(other[0], R"("why":"epoch_changed")"));
}

// At another edge it heard what this node has yet to hear.
TEST_F(RelayActor, WhoComesFromAheadWaitsForTheReplica) {
  attach(1);
  give_snapshot();
  ASSERT_TRUE(owner.join("ada", 1).ok());
  auto news = next_batch();
  attach(2, news->to);
  EXPECT_TRUE(take(2).empty());
  give(news);
  auto got = take(2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("changes":[])")) << got[0];
}

// Versions do not go back, on no account: another edge may have what it needs.
TEST_F(RelayActor, ANodeThatIsCutOffShowsNothingOlderThanWasSeen) {
  attach(1);
  give_snapshot();
  caf::anon_send(hub, atoms::detached::value);
  fixture.drain();
  auto here = owner.state->at();
  attach(2, version{here.epoch, here.rev + 1});
  attach(3, version{here.epoch + 1, 1});
  // Nor is a write of its own shown as if it had not been.
  attach(4, {}, version{here.epoch, here.rev + 1});
  for (std::uint64_t slot : {2U, 3U, 4U})
    EXPECT_TRUE(take(slot).empty()) << slot;
  fixture.advance(2 * relay_env{}.ask_again, millis{100});
  for (std::uint64_t slot : {2U, 3U, 4U}) {
    auto got = take(slot);
    ASSERT_EQ(got.size(), 1U) << slot;
    EXPECT_TRUE(has(got[0], R"("push":"bye")")) << got[0];
    EXPECT_TRUE(has(got[0], R"("reconnect":true)")) << got[0];
    EXPECT_EQ(sink->closed.at({0, slot}), 3003) << slot;
  }
  EXPECT_FALSE(sink->closed.contains({0, 1})) << "who was here stays";
  (void)take(1);
  ASSERT_TRUE(owner.join("ada", 1).ok());
  give(next_batch());
  EXPECT_EQ(take(1).size(), 1U);
  attach(5, here);
  EXPECT_TRUE(has(take(5).at(0), R"("stale":true)")) << "who is not ahead";
}

TEST_F(RelayActor, NobodyIsSentAwayForWhatWasBeforeTheNodeWasCutOff) {
  attach(1);
  give_snapshot();
  ASSERT_TRUE(owner.join("ada", 1).ok());
  auto news = next_batch();
  attach(2, {}, news->to);
  fixture.advance(3 * relay_env{}.ask_again, millis{100});
  // As after a pause, which is over in a moment.
  caf::anon_send(hub, atoms::detached::value);
  fixture.advance(millis{500}, millis{100});
  EXPECT_TRUE(sink->closed.empty());
  caf::anon_send(hub, atoms::attached::value);
  fixture.drain();
  give(news);
  EXPECT_EQ(take(2).size(), 1U);
  EXPECT_TRUE(sink->closed.empty());
}

TEST_F(RelayActor, WhoIsAheadWaitsAnewWhenTheNodeIsBack) {
  attach(1);
  give_snapshot();
  caf::anon_send(hub, atoms::detached::value);
  ASSERT_TRUE(owner.join("ada", 1).ok());
  auto news = next_batch();
  attach(2, news->to);
  fixture.advance(relay_env{}.ask_again - millis{200}, millis{100});
  notes.clear();
  caf::anon_send(hub, atoms::attached::value);
  fixture.drain();
  EXPECT_EQ(notes.size(), 1U) << "what it lacks is asked for at once";
  fixture.advance(relay_env{}.ask_again - millis{200}, millis{100});
  EXPECT_TRUE(take(2).empty());
  give(news);
  auto got = take(2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("changes":[])")) << got[0];
  EXPECT_TRUE(sink->closed.empty());
}

TEST_F(RelayActor, AGapAsksTheOwnerAndIsRepaired) {
  attach(1);
  give_snapshot();
  (void)take(1);
  ASSERT_TRUE(owner.join("ada", 1).ok());
  auto lost = next_batch();
  ASSERT_TRUE(owner.join("bob", 2).ok());
  auto later_batch = next_batch();
  notes.clear();
  give(later_batch);
  EXPECT_TRUE(take(1).empty()) << "nothing out of order";
  ASSERT_EQ(notes.size(), 1U);
  const auto& asked = std::get<observe_note>(notes[0]->body);
  EXPECT_EQ(asked.have, lost->from);
  give(lost);
  give(later_batch);
  EXPECT_EQ(take(1).size(), 2U);
  give(later_batch);
  EXPECT_TRUE(take(1).empty()) << "a repetition is not applied twice";
}

TEST_F(RelayActor, ANewOwnerShowsAsRealChangesOnly) {
  ASSERT_TRUE(owner.join("ada", 1).ok());
  ASSERT_TRUE(owner.join("bob", 2).ok());
  attach(1);
  give_snapshot();
  (void)take(1);
  auto before = owner.state->at();
  // The next owner has what was kept; bob left and eve came meanwhile.
  owner.keep_pages();
  ASSERT_TRUE(owner.run("bob", 2, leave_command{}).ok());
  ASSERT_TRUE(owner.join("eve", 3).ok());
  owner.keep_pages();
  owner.activate();
  notes.clear();
  auto now = std::make_shared<const ownership>(
    ownership{partition_of(owner.key(), limits::partitions_default),
              {"node2", 1},
              owner.state->at().epoch});
  caf::anon_send(hub, ownership_ptr{now});
  fixture.drain();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<observe_note>(notes[0]->body));
  give_snapshot();
  // That bob is not about to be joined again is known after a while only.
  fixture.advance(relay_env{}.succession, millis{100});
  give_snapshot();
  auto frames = take(1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(has(frames[0], R"("push":"changes")"));
  EXPECT_TRUE(has(frames[0], R"("type":"left")"));
  EXPECT_TRUE(has(frames[0], R"("type":"joined")"));
  EXPECT_FALSE(has(frames[0], R"("type":"suspected")"));
  // Who comes back after the change of owner has missed exactly that.
  attach(2, before);
  auto resumed = take(2);
  ASSERT_EQ(resumed.size(), 1U);
  EXPECT_TRUE(has(resumed[0], R"("push":"changes")"));
}

TEST_F(RelayActor, ANewOwnerIsToldWhoIsHereMoreThanOnce) {
  for (std::uint64_t n = 1; n <= 2; ++n)
    caf::anon_send(hub, std::make_shared<const presence_order>(presence_order{
                          owner.key(), connection_id{7, n}, true}));
  caf::anon_send(hub, std::make_shared<const presence_order>(presence_order{
                        owner.key(), connection_id{7, 1}, false}));
  caf::anon_send(hub, std::make_shared<const presence_order>(presence_order{
                        owner.key(), connection_id{7, 2}, true, {3, 4}}));
  fixture.drain();
  EXPECT_TRUE(notes.empty());
  auto partition = partition_of(owner.key(), limits::partitions_default);
  for (auto p : {partition, (partition + 1) % limits::partitions_default}) {
    auto now = std::make_shared<const ownership>(ownership{p, {"node2", 1}, 9});
    caf::anon_send(hub, ownership_ptr{now});
  }
  relay_env env;
  for (auto count = 1U; count <= env.announcements + 1; ++count) {
    fixture.advance(env.announce_again - millis{50}, millis{50});
    EXPECT_EQ(notes.size(), std::min(count, env.announcements));
    fixture.advance(millis{50}, millis{50});
  }
  ASSERT_EQ(notes.size(), env.announcements);
  for (const auto& told : notes) {
    EXPECT_EQ(told->session, owner.key());
    EXPECT_EQ(std::get<announce_note>(told->body).connections,
              std::vector{(connection_id{7, 2})});
    EXPECT_EQ(std::get<announce_note>(told->body).stays,
              std::vector{(version{3, 4})});
  }
}

TEST_F(RelayActor, AsksAgainWhenTheOwnerIsSilent) {
  attach(1);
  EXPECT_EQ(notes.size(), 1U);
  fixture.advance(millis{2'100}, millis{100});
  EXPECT_EQ(notes.size(), 2U);
  give_snapshot();
  fixture.advance(millis{10'000}, millis{100});
  EXPECT_EQ(notes.size(), 2U);
}

TEST_F(RelayActor, GoesWhenNobodyIsLeftAndComesBack) {
  attach(1);
  give_snapshot();
  detach(1);
  fixture.advance(millis{10'500}, millis{100});
  ASSERT_FALSE(notes.empty());
  EXPECT_TRUE(std::holds_alternative<unobserve_note>(notes.back()->body));
  attach(2);
  EXPECT_TRUE(std::holds_alternative<observe_note>(notes.back()->body));
  give_snapshot();
  EXPECT_EQ(take(2).size(), 1U);
}

TEST_F(RelayActor, TakesBackWhatWasLostOfAGoodbye) {
  attach(1);
  give_snapshot();
  detach(1);
  fixture.advance(millis{10'500}, millis{100});
  notes.clear();
  ASSERT_TRUE(owner.join("ada", 1).ok());
  give(next_batch());
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<unobserve_note>(notes[0]->body));
  EXPECT_EQ(notes[0]->session, owner.key());
}

TEST_F(RelayActor, AnAttachThatCrossesTheGoodbyeIsNotLost) {
  attach(1);
  give_snapshot();
  detach(1);
  // The relay's word is under way when the next client comes.
  fixture.advance(millis{9'900}, millis{100});
  attach(2);
  fixture.advance(millis{20'000}, millis{100});
  ASSERT_TRUE(owner.join("ada", 1).ok());
  (void)take(2);
  give(next_batch());
  EXPECT_EQ(take(2).size(), 1U);
}

TEST_F(RelayActor, ASlowClientCatchesUpWithASnapshot) {
  attach(1);
  give_snapshot();
  (void)take(1);
  ASSERT_EQ(sink->channels.size(), 1U);
  caf::anon_send(hub, resync_order{sink->channels.begin()->first, {0, 1}});
  fixture.drain();
  auto got = take(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(has(got[0], R"("why":"slow_reader")"));
}

} // namespace
