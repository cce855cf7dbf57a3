// What a partition knows of the past: history with a real reader behind it,
// listings, the erasure of a user, sweeps; and all of it after a crash.

#include "cluster/local_bus.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/router_actor.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/history_actor.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "persistence/store_actor.hpp"
#include "support/actor_fixture.hpp"
#include "support/session_harness.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class PartitionPast : public ::testing::Test {
protected:
  PartitionPast() {
    maker.grants = maker.grants | capability_set{capability::admin};
    start();
  }

  ~PartitionPast() override {
    stop();
  }

  void start() {
    bus = std::make_shared<cluster::local_bus>(
      std::make_shared<cluster::local_exchange>());
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
    cluster::partition_env env;
    env.sessions.rules = make_rules();
    env.sessions.store = store;
    env.sessions.past = past;
    env.sessions.bus = bus;
    env.sessions.clock = [this] { return fixture.now(); };
    env.self = {"node1", ++incarnation};
    env.retention = {kept_for, {}};
    env.sweep_every = millis{60'000};
    env.sweep_first = millis{1'000};
    partition = cluster::spawn_partition(fixture.system(), env);
    router = cluster::spawn_router(fixture.system(), {partition});
    fixture.advance(millis{10});
  }

  void stop() {
    caf::anon_send(partition, atoms::stop::value);
    fixture.drain();
    partition = nullptr;
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
    start();
  }

  result<reply> run(const std::string& user, std::uint64_t connection,
                    command_body body) {
    auto asked = maker.make(user, connection, std::move(body));
    reply_ptr got;
    caf::scoped_actor self{fixture.system()};
    auto id = self->request(router, std::chrono::minutes{60}, asked);
    for (int i = 0; i < 200 && !self->has_next_message(); ++i)
      fixture.advance(millis{5});
    if (!self->has_next_message())
      return fail(errc::internal, "no answer in a second");
    id.receive([&](const reply_ptr& answer) { got = answer; },
               [](const caf::error&) {});
    return got ? *got : result<reply>{fail(errc::internal, "an error")};
  }

  template <class Body>
  Body ask(command_body body) {
    auto answer = run("owner", 9, std::move(body));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::get<Body>(answer->body) : Body{};
  }

  static std::string text_of(const history_reply& page) {
    std::string out;
    for (const auto& one : page.stays)
      out += one.user.str() + (one.until ? "- " : "+ ");
    return out;
  }

  /// Behind the owner's back.
  void write(const std::vector<record>& values) {
    applied_records group{0, *disk->where(0), {}};
    for (const auto& value : values)
      group.records.push_back(encode(value, 0)->at(0));
    ASSERT_TRUE(disk->write({&group, 1}));
  }

  std::size_t keys_with(const std::string& text) {
    std::size_t count = 0;
    EXPECT_TRUE(disk->scan("", [&](auto key, auto value) {
      count += key.find(text) != std::string_view::npos
                   || value.find(text) != std::string_view::npos
                 ? 1
                 : 0;
      return true;
    }));
    return count;
  }

  actor_fixture fixture;
  session_harness maker;
  metrics::registry figures;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::shared_ptr<message_bus> bus;
  std::uint64_t incarnation = 0;
  millis kept_for{3'600'000};
  store_actor store;
  history_actor past;
  partition_actor partition;
  router_actor router;
};

TEST_F(PartitionPast, HistoryHoldsAtOnceAndAfterACrash) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  ASSERT_TRUE(run("bob", 2, join_command{}));
  ASSERT_TRUE(run("ada", 1, leave_command{}));
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "ada- bob+ ");
  fixture.advance(millis{100});
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "ada- bob+ ");
  crash();
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "ada- bob+ ")
    << "right after the owner was killed";
  ASSERT_TRUE(run("ada", 11, join_command{}));
  get_history_command wish;
  wish.what = history_view::people;
  auto people = ask<history_reply>(wish);
  ASSERT_EQ(people.people.size(), 2U);
  EXPECT_EQ(people.people[0].stays, 2U);
  EXPECT_EQ(people.people[0].reconnections, 1U);
  EXPECT_TRUE(people.people[0].here);
}

TEST_F(PartitionPast, TheAuditLogSurvivesToo) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  ASSERT_TRUE(run("owner", 9, kick_command{user_id{"ada"}, {}}));
  fixture.advance(millis{100});
  crash();
  auto log = ask<audit_reply>(get_audit_command{});
  std::string actions;
  for (const auto& one : log.entries)
    actions += one.action + ' ';
  EXPECT_EQ(actions, "create_session join kick leave ");
}

TEST_F(PartitionPast, WithoutAReaderThePastIsUnavailable) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  fixture.drop(past);
  auto refused = run("owner", 9, get_history_command{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_TRUE(run("ada", 1, join_command{})) << "nobody waits for it";
}

TEST_F(PartitionPast, ListsItsSessions) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  fixture.advance(millis{100});
  auto page = ask<list_reply>(list_sessions_command{});
  ASSERT_EQ(page.sessions.size(), 1U);
  EXPECT_EQ(page.sessions[0].id, maker.key().id);
  EXPECT_EQ(page.sessions[0].present, 1U);
  EXPECT_FALSE(page.reached);
  EXPECT_LE(fixture.now().wall - page.as_of, millis{10});
}

TEST_F(PartitionPast, AnErasedUserIsNowhere) {
  settings_patch durable;
  durable.membership = membership_mode::durable;
  ASSERT_TRUE(run("owner", 9, create_command{"board", durable}));
  const std::string user = "marked-user";
  ASSERT_TRUE(run(user, 1, join_command{}));
  ASSERT_TRUE(run(user, 1, leave_command{}));
  ASSERT_TRUE(run("owner", 9, set_member_command{user_id{user}, {}, "guest"}));
  ASSERT_TRUE(run(user, 2, join_command{}));
  fixture.advance(millis{100});
  ASSERT_GT(keys_with(user), 4U);
  auto erased = ask<erase_reply>(erase_user_command{0, user_id{user}, {}});
  EXPECT_EQ(erased.sessions, 1U);
  EXPECT_GT(erased.records, 2U);
  fixture.advance(millis{200});
  auto again = ask<erase_reply>(erase_user_command{0, user_id{user}, {}});
  EXPECT_EQ(again.sessions + again.records, 0U);
  EXPECT_EQ(keys_with(user), 0U);
  crash();
  EXPECT_EQ(run("owner", 9, get_roster_command{})->present, 0U);
  EXPECT_EQ(keys_with(user), 0U);
}

TEST_F(PartitionPast, WhatWasNeverWrittenIsForgottenToo) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  disk->fail_writes(3);
  ASSERT_TRUE(run("marked-user", 1, join_command{}));
  ASSERT_TRUE(run("marked-user", 1, leave_command{}));
  auto erased
    = run("owner", 9, erase_user_command{0, user_id{"marked-user"}, {}});
  fixture.advance(millis{500});
  if (!erased) {
    ASSERT_TRUE(
      run("owner", 9, erase_user_command{0, user_id{"marked-user"}, {}}));
  }
  fixture.advance(millis{500});
  EXPECT_EQ(keys_with("marked-user"), 0U);
}

TEST_F(PartitionPast, AnUnreadableSessionDoesNotKeepTheOthersFromErasure) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  const std::string user = "marked-user";
  ASSERT_TRUE(run(user, 1, join_command{}));
  ASSERT_TRUE(run(user, 1, leave_command{}));
  fixture.advance(millis{100});
  const auto readable = keys_with(user);
  ASSERT_GE(readable, 3U) << "a stay and two entries";
  // Another session has a record that nobody can read.
  session_key broken{maker.key().ns, session_id{"broken"}};
  auto key = keys::of_member(0, broken, user_id{"x"});
  write({samples::plain_session(broken), samples::member(user, broken),
         samples::interval(user, {1, 1}, broken)});
  applied_records bad{0, *disk->where(0), {{key, "\xC1"}}};
  ASSERT_TRUE(disk->write({&bad, 1}));
  auto refused = run("owner", 9, erase_user_command{0, user_id{user}, {}});
  ASSERT_FALSE(refused) << "not all is erased";
  EXPECT_EQ(refused.error().code, errc::unavailable);
  fixture.advance(millis{200});
  EXPECT_EQ(keys_with(user), 2U) << "what the broken session keeps";
  // Once it can be read the rest goes.
  bad = {0, *disk->where(0), {{key, std::nullopt}}};
  ASSERT_TRUE(disk->write({&bad, 1}));
  EXPECT_TRUE(run("owner", 9, erase_user_command{0, user_id{user}, {}}));
  fixture.advance(millis{200});
  EXPECT_EQ(keys_with(user), 0U);
}

TEST_F(PartitionPast, ErasingNeedsAdmin) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  maker.grants = default_grants;
  auto refused = run("owner", 9, erase_user_command{0, user_id{"ada"}, {}});
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(run("owner", 9, forget_user_command{user_id{"ada"}}).error().code,
            errc::forbidden);
}

TEST_F(PartitionPast, ADeletedSessionLeavesNothing) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  fixture.advance(millis{100});
  ASSERT_TRUE(run("owner", 9, delete_command{}));
  fixture.advance(millis{200});
  EXPECT_EQ(keys_with(maker.key().id.str()), 0U);
  EXPECT_EQ(run("ada", 2, join_command{}).error().code, errc::not_found);
  EXPECT_TRUE(run("owner", 9, create_command{"board", {}}));
}

TEST_F(PartitionPast, ADeletionGoesOnAfterACrash) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  fixture.advance(millis{100});
  auto asked = maker.make("owner", 9, delete_command{});
  caf::anon_send(router, asked);
  fixture.drain();
  crash();
  fixture.advance(millis{1'000}, millis{50});
  EXPECT_EQ(keys_with(maker.key().id.str()), 0U);
}

TEST_F(PartitionPast, HistoryIsSweptWhenItsTimeIsOver) {
  kept_for = millis{30'000};
  crash();
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  ASSERT_TRUE(run("ada", 1, join_command{}));
  ASSERT_TRUE(run("ada", 1, leave_command{}));
  ASSERT_TRUE(run("bob", 2, join_command{}));
  fixture.advance(millis{20'000}, millis{100});
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "ada- bob+ ");
  fixture.advance(millis{60'000}, millis{100});
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "bob+ ");
  EXPECT_TRUE(ask<audit_reply>(get_audit_command{}).entries.empty());
  // It goes on after a crash, and what is left is sound.
  ASSERT_TRUE(run("bob", 2, leave_command{}));
  fixture.advance(millis{100});
  crash();
  fixture.advance(millis{95'000}, millis{100});
  EXPECT_EQ(text_of(ask<history_reply>(get_history_command{})), "");
}

TEST_F(PartitionPast, ASweepWakesWhomNobodyRemembers) {
  ASSERT_TRUE(run("owner", 9, create_command{"board", {}}));
  auto going = samples::plain_session({maker.key().ns, session_id{"going"}});
  going.ended_at = deleted;
  auto later_on = samples::plain_session({maker.key().ns, session_id{"later"}});
  later_on.ended_at = deleted;
  auto now = fixture.now().wall;
  write({going, due_mark{going.key, now}, later_on,
         due_mark{later_on.key, now + millis{3'600'000}}});
  fixture.advance(millis{70'000}, millis{100});
  EXPECT_EQ(keys_with("going"), 0U) << "erased, as its record asks for";
  EXPECT_EQ(keys_with("later"), 2U);
  EXPECT_TRUE(run("ada", 1, join_command{}));
}

} // namespace
