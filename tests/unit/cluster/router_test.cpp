#include "actors/base/limits.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/router_actor.hpp"
#include "support/actor_fixture.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <vector>

using namespace rollcall;
using namespace rollcall::test;

namespace {

/// Plays the owner on this node: says the same to everything.
partition_actor::behavior_type sayer(partition_actor::pointer,
                                     std::vector<command_ptr>* asked,
                                     result<reply> what_it_says) {
  return {
    [asked, what_it_says](const command_ptr& what) -> reply_ptr {
      asked->push_back(what);
      return std::make_shared<const result<reply>>(what_it_says);
    },
    [](const note_ptr&) {},
    [](const session_word_ptr&) {},
    [](atoms::wake) {},
    [](atoms::sweep) {},
    [](const edge_gone&) {},
    [](atoms::stop) {},
    [](atoms::yield) {},
    [](const hand_over_order&) {},
    [](atoms::inspect) { return std::make_shared<const inspection>(); },
  };
}

/// A router that owns nothing, and the owner of all.
struct Router : testing::Test {
  const session_key session{namespace_id{"default"}, session_id{"board"}};
  const node_id self{"self", 1};
  const node_id owner{"owner", 1};
  const node_id edge{"edge", 1};
  std::shared_ptr<cluster::local_exchange> exchange
    = std::make_shared<cluster::local_exchange>();
  std::shared_ptr<cluster::local_bus> bus
    = std::make_shared<cluster::local_bus>(exchange);
  std::shared_ptr<cluster::local_bus> owners
    = std::make_shared<cluster::local_bus>(exchange);
  std::vector<note_ptr> arrived;
  std::vector<routed_command_ptr> routed;
  actor_fixture fixture;
  router_actor subject;

  Router() {
    bus->open(self, [](const node_id&, const node_message&) {});
    owners->open(owner, [this](const node_id&, const node_message& message) {
      if (const auto* told = std::get_if<note_ptr>(&message))
        arrived.push_back(*told);
      else if (const auto* asked = std::get_if<routed_command_ptr>(&message))
        routed.push_back(*asked);
    });
    subject = cluster::spawn_router(
      fixture.system(), {1, self, bus, [this] { return fixture.now(); }});
    caf::anon_send(subject, edge_here{edge});
  }

  ~Router() override {
    fixture.drop(subject);
  }

  void tell_owner(epoch_t epoch = 1) {
    caf::anon_send(subject,
                   ownership_ptr{std::make_shared<const ownership>(
                     ownership{0, owner, epoch})},
                   partition_actor{});
    fixture.advance(millis{10});
  }

  void tell(const node_id& from, note_body body) {
    caf::anon_send(subject, note_ptr{std::make_shared<const note>(
                              note{session, from, std::move(body)})});
    fixture.advance(millis{10});
  }
};

} // namespace

TEST_F(Router, OwnListsGoToTheOwnerOnceItIsKnown) {
  tell(self, announce_note{{{1, 1}}, true});
  EXPECT_TRUE(arrived.empty());
  tell_owner();
  EXPECT_EQ(arrived.size(), 1U);
  tell(self, announce_note{{{1, 1}}, true});
  EXPECT_EQ(arrived.size(), 2U);
}

// As after a pause, in which the owner became another: the edge has told that
// one more since, and joins that followed the list would be missed in it.
TEST_F(Router, ListsOfOtherEdgesAreNotPassedOn) {
  tell(edge, announce_note{{{1, 1}}, true});
  tell_owner();
  tell(edge, announce_note{{{1, 1}}, true});
  EXPECT_TRUE(arrived.empty());
  // What was noticed of one connection stays true.
  tell(edge, evidence{{{{1, 1}, sign::closed, millis{0}}}});
  EXPECT_EQ(arrived.size(), 1U);
}

// On the other side of NATS there may be an owner that knows of it.
TEST_F(Router, WhereTheJournalIsAwayNothingIsRefusedForGood) {
  std::vector<command_ptr> asked;
  partition_actor here = fixture.system().spawn(
    sayer, &asked,
    result<reply>{fail(errc::not_found, "there is no such session")});
  caf::anon_send(
    subject,
    ownership_ptr{std::make_shared<const ownership>(ownership{0, self, 5})},
    here);
  auto code = [&](bool journal_away) {
    caf::anon_send(subject, owner_lease{fixture.now().steady + millis{60'000},
                                        false, journal_away});
    auto what = std::make_shared<command>();
    what->session = session;
    what->body = join_command{};
    auto answer = fixture.ask<reply_ptr>(subject, command_ptr{what});
    return answer && !(*answer)->ok() ? (*answer)->error().code : errc{};
  };
  EXPECT_EQ(code(false), errc::not_found);
  EXPECT_EQ(code(true), errc::unavailable);
  EXPECT_EQ(code(false), errc::not_found);
  fixture.drop(here);
}

// Who was refused is not there a moment later all the same.
TEST_F(Router, WhatComesBackWaitsNoLongerThanItsPatience) {
  tell_owner();
  auto ask = [&](caf::scoped_actor& asker, connection_id who) {
    auto what = std::make_shared<command>();
    what->session = session;
    what->connection = who;
    what->body = join_command{};
    auto asked = asker->request(subject, std::chrono::minutes{60},
                                command_ptr{std::move(what)});
    fixture.advance(millis{10});
    return asked;
  };
  caf::scoped_actor old{fixture.system()};
  caf::scoped_actor young{fixture.system()};
  auto first = ask(old, {1, 1});
  fixture.advance(millis{5'000}, millis{50});
  auto second = ask(young, {1, 2});
  ASSERT_EQ(routed.size(), 2U);
  // The owner knows that it is none any more before this node does: the
  // younger one is back first.
  auto refused = std::make_shared<routed_reply>();
  refused->ticket = routed[1]->ticket;
  refused->answer = std::make_shared<const result<reply>>(
    fail(errc::unavailable, "not the owner", not_owner_field));
  caf::anon_send(subject, routed_reply_ptr{refused});
  fixture.drain();
  tell_owner(0);
  routed.clear();
  fixture.advance(limits::routed_patience - millis{4'700}, millis{50});
  EXPECT_TRUE(old->has_next_message()) << "it has waited long enough";
  EXPECT_FALSE(young->has_next_message());
  fixture.advance(millis{1'500}, millis{50});
  tell_owner(2);
  ASSERT_EQ(routed.size(), 1U) << "only for the one who still waits";
  EXPECT_EQ(routed[0]->asked->connection, (connection_id{1, 2}));
  auto yes = std::make_shared<routed_reply>();
  yes->ticket = routed[0]->ticket;
  yes->answer = std::make_shared<const result<reply>>(reply{});
  caf::anon_send(subject, routed_reply_ptr{yes});
  fixture.drain();
  auto ok = [](auto& answered) {
    bool out = false;
    answered.receive([&](const reply_ptr& answer) { out = answer->ok(); },
                     [](const caf::error&) {});
    return out;
  };
  ASSERT_TRUE(old->has_next_message());
  EXPECT_FALSE(ok(first));
  ASSERT_TRUE(young->has_next_message());
  EXPECT_TRUE(ok(second));
}

// Cut off, it cannot know that it is not the owner any more; who has seen a
// later epoch does.
TEST_F(Router, AnOwnerThatIsCutOffIsNotAskedByWhoHasSeenALaterOne) {
  std::vector<command_ptr> asked;
  partition_actor here
    = fixture.system().spawn(sayer, &asked, result<reply>{reply{}});
  caf::anon_send(
    subject,
    ownership_ptr{std::make_shared<const ownership>(ownership{0, self, 5})},
    here);
  caf::anon_send(subject, owner_lease{millis{0}, true});
  auto ask = [&](std::optional<version> seen) {
    auto what = std::make_shared<command>();
    what->session = session;
    what->body = join_command{};
    what->seen = seen;
    return fixture.ask<reply_ptr>(subject, command_ptr{what});
  };
  for (auto seen : {std::optional<version>{}, std::optional{version{5, 70}},
                    std::optional{version{4, 90}}}) {
    auto answer = ask(seen);
    ASSERT_TRUE(answer);
    EXPECT_TRUE((*answer)->ok());
  }
  EXPECT_EQ(asked.size(), 3U);
  auto answer = ask(version{6, 1});
  ASSERT_TRUE(answer);
  ASSERT_FALSE((*answer)->ok());
  EXPECT_EQ((*answer)->error().code, errc::unavailable);
  EXPECT_EQ((*answer)->error().field, behind_field);
  EXPECT_EQ(asked.size(), 3U) << "it has no effect either";
  // Of a life before this one, where the owner is sure to be the owner.
  caf::anon_send(subject,
                 owner_lease{fixture.now().steady + millis{1'000}, false});
  answer = ask(version{6, 1});
  ASSERT_TRUE(answer);
  EXPECT_TRUE((*answer)->ok());
  fixture.drop(here);
}
