#include "cluster/local_bus.hpp"
#include "cluster/router_actor.hpp"
#include "support/actor_fixture.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace rollcall;
using namespace rollcall::test;

namespace {

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
