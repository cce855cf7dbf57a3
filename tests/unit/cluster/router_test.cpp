#include "cluster/local_bus.hpp"
#include "cluster/router_actor.hpp"
#include "support/actor_fixture.hpp"

#include <caf/scheduled_actor.hpp>
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
  actor_fixture fixture;
  router_actor subject;

  Router() {
    bus->open(self, [](const node_id&, const node_message&) {});
    owners->open(owner, [this](const node_id&, const node_message& message) {
      if (const auto* told = std::get_if<note_ptr>(&message))
        arrived.push_back(*told);
    });
    subject = cluster::spawn_router(
      fixture.system(), {1, self, bus, [this] { return fixture.now(); }});
    caf::anon_send(subject, edge_here{edge});
  }

  ~Router() override {
    fixture.drop(subject);
  }

  void tell_owner() {
    caf::anon_send(
      subject,
      ownership_ptr{std::make_shared<const ownership>(ownership{0, owner, 1})},
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
