// Groups and their sessions with a store, a partition and a router behind them:
// what a session asks its group, what a group tells its sessions, and all of it
// across crashes.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/router_actor.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/history_actor.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/store_actor.hpp"
#include "support/actor_fixture.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

constexpr std::uint32_t partitions = 2;

class PartitionGroups : public ::testing::Test {
protected:
  PartitionGroups() {
    start();
    EXPECT_TRUE(ask(film_club(), "ada", 1, put_group_command{"Film club"}));
    EXPECT_TRUE(
      ask(party(), "ada", 1,
          create_command{
            "party", {.access = access_mode::group, .group = "film-club"}}));
  }

  ~PartitionGroups() override {
    stop();
  }

  static session_key film_club() {
    return {namespace_id{"default"}, place_of_group("film-club")};
  }

  static session_key party(const std::string& id = "party") {
    return make_key(id);
  }

  void start() {
    bus = std::make_shared<cluster::local_bus>(
      std::make_shared<cluster::local_exchange>());
    bus->open(edge, [this](const node_id&, node_message message) {
      if (auto* word = std::get_if<direct_ptr>(&message))
        directs.push_back(*word);
    });
    store_config how;
    how.detached = false;
    how.metrics = &figures;
    store = spawn_store(fixture.system(), disk,
                        std::make_shared<embedded_journal>(disk), how);
    history_config reader;
    reader.detached = false;
    reader.metrics = &figures;
    reader.kinds = make_rules()->kinds;
    past = spawn_history(fixture.system(), disk, reader);
    cluster::router_env whole;
    whole.partitions = partitions;
    router = cluster::spawn_router(fixture.system(), whole);
    cluster::partition_env env;
    env.sessions.rules = make_rules();
    env.sessions.store = store;
    env.sessions.past = past;
    env.sessions.bus = bus;
    env.sessions.router = router;
    env.sessions.partitions = partitions;
    env.sessions.clock = [this] { return fixture.now(); };
    env.self = {"node1", ++incarnation};
    for (partition_id p = 0; p < partitions; ++p) {
      env.partition = p;
      all.push_back(cluster::spawn_partition(fixture.system(), env));
      show(p, all.back());
    }
    fixture.advance(millis{10});
  }

  void show(partition_id p, const partition_actor& owner) {
    caf::anon_send(router,
                   ownership_ptr{std::make_shared<const ownership>(
                     ownership{p, {"node1", incarnation}, 1})},
                   owner);
  }

  void stop() {
    for (auto& one : all)
      caf::anon_send(one, atoms::stop::value);
    fixture.drain();
    all.clear();
    fixture.drop(router);
    fixture.drop(past);
    fixture.drop(store);
    bus->close();
  }

  /// Everything in memory is gone, as after kill -9.
  void crash() {
    bus->close();
    disk->crash();
    auto kept = std::make_shared<memory_store>(*disk);
    stop();
    disk = kept;
    directs.clear();
    start();
  }

  command_ptr make(const session_key& where, const std::string& user,
                   std::uint64_t connection, command_body body) {
    auto out = std::make_shared<command>(
      *maker.make(user, connection, std::move(body)));
    out->session = where;
    out->edge = edge;
    return out;
  }

  result<reply> run(const command_ptr& asked) {
    reply_ptr got;
    caf::scoped_actor self{fixture.system()};
    auto id = self->request(router, std::chrono::minutes{60}, asked);
    for (int i = 0; i < 2'000 && !self->has_next_message(); ++i)
      fixture.advance(millis{5});
    if (!self->has_next_message())
      return fail(errc::internal, "no answer in ten seconds");
    id.receive([&](const reply_ptr& answer) { got = answer; },
               [](const caf::error&) {});
    return got ? *got : result<reply>{fail(errc::internal, "an error")};
  }

  result<reply> ask(const session_key& where, const std::string& user,
                    std::uint64_t connection, command_body body) {
    return run(make(where, user, connection, std::move(body)));
  }

  errc refusal(const session_key& where, const std::string& user,
               std::uint64_t connection, command_body body) {
    auto answer = ask(where, user, connection, std::move(body));
    return answer ? errc{} : answer.error().code;
  }

  void add(const std::string& user) {
    ASSERT_TRUE(
      ask(film_club(), "ada", 1, set_member_command{user_id{user}, {}}));
  }

  void take_out(const std::string& user) {
    ASSERT_TRUE(ask(film_club(), "ada", 1, kick_command{user_id{user}, {}}));
  }

  std::uint32_t present() {
    auto answer = ask(party(), "ada", 1, get_roster_command{});
    EXPECT_TRUE(answer);
    return answer ? answer->present : 99;
  }

  actor_fixture fixture;
  session_harness maker;
  metrics::registry figures;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::shared_ptr<message_bus> bus;
  std::vector<direct_ptr> directs;
  node_id edge{"node1", 1};
  std::uint64_t incarnation = 0;
  store_actor store;
  history_actor past;
  std::vector<partition_actor> all;
  router_actor router;
};

} // namespace

TEST_F(PartitionGroups, ASessionAsksItsGroup) {
  add("bob");
  EXPECT_TRUE(ask(party(), "bob", 2, join_command{}));
  EXPECT_TRUE(ask(party(), "bob", 2, set_live_command{{{"hand", true}}}));
  EXPECT_TRUE(
    ask(party(), "bob", 2, get_history_command{history_view::summary}));
  EXPECT_EQ(refusal(party(), "eve", 3, join_command{}), errc::not_found);
  EXPECT_EQ(refusal(party(), "eve", 3, observe_command{}), errc::not_found);
  EXPECT_EQ(refusal(party(), "eve", 3, get_history_command{}), errc::not_found);
  EXPECT_EQ(present(), 1U);
  add("eve");
  EXPECT_TRUE(ask(party(), "eve", 3, observe_command{}));
  EXPECT_TRUE(ask(party(), "eve", 3, set_reminder_command{}));
}

TEST_F(PartitionGroups, WhatATokenAllowsHereSaysNothingThere) {
  add("bob");
  maker.grants = {capability::join};
  EXPECT_TRUE(ask(party(), "bob", 2, join_command{}));
  EXPECT_EQ(refusal(party(), "bob", 2, get_roster_command{}), errc::forbidden);
}

TEST_F(PartitionGroups, WhileTheGroupDoesNotAnswerNobodyIsTurnedAwayForGood) {
  add("bob");
  auto home = partition_of(film_club(), partitions);
  // Where both have one home nothing can be said of the other.
  auto where = party();
  for (int n = 0; partition_of(where, partitions) == home; ++n)
    where = party("p" + std::to_string(n));
  ASSERT_TRUE(
    ask(where, "ada", 1,
        create_command{"party",
                       {.access = access_mode::group, .group = "film-club"}}));
  show(home, partition_actor{});
  EXPECT_EQ(refusal(where, "bob", 2, join_command{}), errc::unavailable);
  EXPECT_EQ(refusal(where, "eve", 3, join_command{}), errc::unavailable);
  EXPECT_TRUE(ask(where, "ada", 1, observe_command{}))
    << "who made it sees it all the same";
  show(home, all[home]);
  EXPECT_TRUE(ask(where, "bob", 2, join_command{}));
}

TEST_F(PartitionGroups, WhoIsTakenOutIsPutOut) {
  add("bob");
  add("cyd");
  ASSERT_TRUE(ask(party(), "bob", 2, join_command{}));
  ASSERT_TRUE(ask(party(), "cyd", 3, join_command{}));
  directs.clear();
  take_out("bob");
  fixture.advance(millis{250});
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(directs[0]->connection, (connection_id{7, 2}));
  EXPECT_EQ(std::get<removed_direct>(directs[0]->body).reason,
            leave_reason::kicked);
  EXPECT_EQ(present(), 1U);
  EXPECT_EQ(refusal(party(), "bob", 2, join_command{}), errc::not_found);
  fixture.advance(limits::group_again * 3, millis{50});
  add("bob");
  EXPECT_TRUE(ask(party(), "bob", 2, join_command{}));
  fixture.advance(limits::group_again_most, millis{100});
  EXPECT_EQ(present(), 2U) << "heard once is heard";
}

TEST_F(PartitionGroups, ARemovalOutlivesACrash) {
  add("bob");
  join_command body;
  body.lease = millis{3'600'000};
  ASSERT_TRUE(ask(party(), "bob", 2, body));
  fixture.advance(millis{100});
  caf::anon_send(router,
                 make(film_club(), "ada", 1, kick_command{user_id{"bob"}, {}}));
  fixture.drain();
  crash();
  fixture.advance(limits::group_again * 3, millis{50});
  EXPECT_EQ(present(), 0U);
  crash();
  EXPECT_EQ(present(), 0U);
}

TEST_F(PartitionGroups, AJoinThatIsOvertakenByARemovalIsNone) {
  add("bob");
  caf::scoped_actor self{fixture.system()};
  // Both are under way at the same time, in either order.
  for (int round = 0; round < 20; ++round) {
    auto joins = self->request(router, std::chrono::minutes{60},
                               make(party(), "bob", 2, join_command{}));
    caf::anon_send(
      router, make(film_club(), "ada", 1, kick_command{user_id{"bob"}, {}}));
    fixture.advance(millis{200});
    ASSERT_TRUE(self->has_next_message());
    joins.receive([](const reply_ptr&) {}, [](const caf::error&) {});
    EXPECT_EQ(present(), 0U);
    fixture.advance(limits::group_again * 3, millis{50});
    add("bob");
  }
}

TEST_F(PartitionGroups, ADeletedGroupTakesItsSessionsAlong) {
  for (int n = 0; n < 70; ++n)
    ASSERT_TRUE(
      ask(party("p" + std::to_string(n)), "ada", 1,
          create_command{
            "party", {.access = access_mode::group, .group = "film-club"}}));
  ASSERT_TRUE(
    ask(party("other"), "ada", 1,
        create_command{"party",
                       {.access = access_mode::group, .group = "knitting"}}));
  add("bob");
  ASSERT_TRUE(ask(party(), "bob", 2, join_command{}));
  ASSERT_TRUE(ask(film_club(), "ada", 1, delete_command{}));
  fixture.advance(millis{500});
  EXPECT_EQ(refusal(party(), "ada", 1, observe_command{}), errc::not_found);
  for (int n = 0; n < 70; ++n)
    EXPECT_EQ(
      refusal(party("p" + std::to_string(n)), "ada", 1, observe_command{}),
      errc::not_found);
  EXPECT_TRUE(ask(party("other"), "ada", 1, observe_command{}));
  // One that is made meanwhile goes, too.
  ASSERT_TRUE(
    ask(party("late"), "ada", 1,
        create_command{"party",
                       {.access = access_mode::group, .group = "film-club"}}));
  EXPECT_EQ(refusal(film_club(), "ada", 1, put_group_command{"x"}),
            errc::unavailable);
  fixture.advance(limits::group_settles * 4, millis{50});
  EXPECT_EQ(refusal(party("late"), "ada", 1, observe_command{}),
            errc::not_found);
  EXPECT_TRUE(ask(film_club(), "ada", 1, put_group_command{"x"}));
}

TEST_F(PartitionGroups, ACascadeGoesOnAfterACrash) {
  for (int n = 0; n < 10; ++n)
    ASSERT_TRUE(
      ask(party("p" + std::to_string(n)), "ada", 1,
          create_command{
            "party", {.access = access_mode::group, .group = "film-club"}}));
  caf::anon_send(router, make(film_club(), "ada", 1, delete_command{}));
  fixture.drain();
  for (int n = 0; n < 5; ++n) {
    crash();
    fixture.advance(millis{20});
  }
  fixture.advance(limits::group_settles * 4, millis{50});
  for (int n = 0; n < 10; ++n)
    EXPECT_EQ(
      refusal(party("p" + std::to_string(n)), "ada", 1, observe_command{}),
      errc::not_found);
  EXPECT_TRUE(ask(film_club(), "ada", 1, put_group_command{"x"}));
}

TEST_F(PartitionGroups, ListsGroupsApartFromSessions) {
  for (bool groups : {false, true}) {
    std::vector<session_summary> found;
    for (partition_id p = 0; p < partitions; ++p) {
      list_sessions_command wish;
      wish.partition = p;
      wish.groups = groups;
      auto page = ask(party(), "ada", 1, wish);
      ASSERT_TRUE(page);
      for (auto& one : std::get<list_reply>(page->body).sessions)
        found.push_back(one);
    }
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(is_group(found[0].id), groups);
    EXPECT_EQ(found[0].name, groups ? "Film club" : "");
    EXPECT_EQ(found[0].members, groups ? 1U : 0U);
  }
  list_sessions_command wish;
  wish.groups = true;
  wish.partition = partition_of(film_club(), partitions);
  auto others = ask(party(), "eve", 3, wish);
  ASSERT_TRUE(others);
  EXPECT_TRUE(std::get<list_reply>(others->body).sessions.empty());
}

TEST_F(PartitionGroups, WhoIsTakenOutIsNoMemberOfWhatSleeps) {
  add("bob");
  ASSERT_TRUE(ask(party(), "bob", 2, join_command{}));
  ASSERT_TRUE(ask(party(), "bob", 2, leave_command{}));
  fixture.advance(millis{100});
  auto listed = [this](const std::string& user) {
    std::string out;
    for (partition_id p = 0; p < partitions; ++p) {
      list_sessions_command wish;
      wish.partition = p;
      auto page = ask(party(), user, 1, wish);
      EXPECT_TRUE(page);
      for (auto& one : std::get<list_reply>(page->body).sessions)
        out += one.id.str() + ' ';
    }
    return out;
  };
  EXPECT_EQ(listed("bob"), "party ");
  // Nobody is in it: the new owners have it asleep.
  crash();
  take_out("bob");
  fixture.advance(limits::group_again * 3, millis{50});
  EXPECT_EQ(listed("bob"), "");
  EXPECT_EQ(listed("ada"), "party ");
  auto seen = ask(party(), "ada", 1, observe_command{});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->total, 0U);
}
