#include "persistence/store_actor.hpp"

#include "actors/base/limits.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/memory_store.hpp"
#include "unit/persistence/sample_records.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/function_view.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

namespace rollcall {

namespace {

struct deterministic : caf::actor_system_config {
  deterministic() {
    set("scheduler.policy", caf::atom("testing"));
  }
};

// A journal elsewhere: it answers when the test says so, and keeps what it
// took even if the store does not.
class distant_journal final : public journal {
public:
  struct entry {
    position_t position;
    epoch_t epoch;
    std::vector<encoded_record> records;
  };

  void claim(partition_id, const node_id&, claimed answer) override {
    calls.push_back([this, answer = std::move(answer)] {
      epoch = std::max(epoch, epoch_generation_unit) + 1;
      answer(checkpoint{1, ++end, epoch, incarnation});
    });
  }

  void append(partition_id, epoch_t under,
              std::span<const encoded_record> records,
              appended answer) override {
    std::vector<encoded_record> copy{records.begin(), records.end()};
    calls.push_back([this, under, copy, answer = std::move(answer)] {
      if (under != epoch) {
        answer(fail(errc::conflict, "fenced"));
        return;
      }
      kept.push_back({++end, under, copy});
      answer(end);
    });
  }

  result<journal_tail> follow(partition_id partition, const checkpoint& from,
                              std::size_t) override {
    journal_tail out;
    out.start = from;
    for (const auto& one : kept)
      if (one.position > from.position)
        out.groups.push_back(
          {partition, {1, one.position, one.epoch}, one.records});
    return out;
  }

  result<done> make_anew(partition_id, const checkpoint&,
                         const content&) override {
    return done{};
  }

  result<done> give_up(partition_id, const checkpoint&) override {
    return done{};
  }

  std::deque<std::function<void()>> calls;
  std::vector<entry> kept;
  epoch_t epoch = 0;
  position_t end = 0;
  std::uint64_t incarnation = 0;
};

struct StoreActor : testing::Test {
  deterministic config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  metrics::registry figures;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  store_actor subject;

  ~StoreActor() override {
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
    run();
  }

  void start(std::shared_ptr<journal> order = nullptr,
             millis window = millis{0}) {
    if (!order)
      order = std::make_shared<embedded_journal>(disk);
    subject = spawn_store(system, disk, order, {false, window, &figures, {}});
  }

  void run() {
    coordinator().run();
  }

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  template <class Answer, class Request>
  auto send(Request what) {
    return self->request(subject, std::chrono::seconds{10},
                         std::make_shared<const Request>(std::move(what)));
  }

  // Takes the answer that has come; fails the test when there is none.
  template <class Answer, class Handle>
  Answer take(Handle&& handle) {
    Answer out;
    std::move(handle).receive([&](const Answer& got) { out = got; },
                              [&](const caf::error& error) {
                                ADD_FAILURE() << self->system().render(error);
                              });
    return out;
  }

  template <class Answer, class Request>
  Answer ask(Request what) {
    auto handle = send<Answer>(std::move(what));
    run();
    return take<Answer>(std::move(handle));
  }

  opened_partition open(partition_id partition) {
    auto got = ask<opened_ptr>(open_partition{partition, {"node", 1}});
    EXPECT_TRUE(got->ok());
    return **got;
  }

  committed_ptr put(partition_id partition, epoch_t epoch,
                    std::vector<record> records) {
    return ask<committed_ptr>(commit{partition, epoch, std::move(records)});
  }

  std::int64_t figure(const std::string& name) {
    auto handle
      = self->request(subject, std::chrono::seconds{10}, atoms::inspect::value);
    run();
    return take<inspection_ptr>(std::move(handle))->figures.at(name);
  }
};

occupied_mark occupied(const std::string& id) {
  return {samples::session(id), true};
}

} // namespace

TEST_F(StoreActor, OpensAnEmptyPartition) {
  start();
  auto opened = open(3);
  EXPECT_EQ(opened.epoch, epoch_generation_unit + 1);
  EXPECT_EQ(opened.position, 0u);
  EXPECT_TRUE(opened.occupied.empty());
  EXPECT_TRUE(opened.due.empty());
  EXPECT_EQ(disk->where(3)->epoch, opened.epoch);
}

TEST_F(StoreActor, CommitsAndLoadsASession) {
  start();
  auto epoch = open(0).epoch;
  auto at
    = put(0, epoch,
          {samples::full_session(), samples::member(),
           samples::page(0, samples::session(), {"ada"}),
           samples::interval("ada", {5, 1}), samples::interval("bob", {5, 2}),
           samples::interval("bob", {5, 9}),
           samples::member("eve", samples::session("elsewhere"))});
  ASSERT_TRUE(at->ok());
  EXPECT_EQ(**at, 1u);
  auto loaded = ask<loaded_ptr>(load_session{0, samples::session()});
  ASSERT_TRUE(loaded->ok());
  const auto& got = **loaded;
  EXPECT_EQ(got.session, samples::full_session());
  EXPECT_EQ(got.members, std::vector{samples::member()});
  ASSERT_EQ(got.pages.size(), 1u);
  // Ada is here; her count is in the roster.
  using departed = std::vector<std::pair<user_id, std::uint32_t>>;
  EXPECT_EQ(got.departed, (departed{{user_id{"bob"}, 2}}));
}

TEST_F(StoreActor, AnUnknownSessionIsEmpty) {
  start();
  auto loaded = ask<loaded_ptr>(load_session{0, samples::session()});
  ASSERT_TRUE(loaded->ok());
  EXPECT_FALSE((*loaded)->session);
  EXPECT_TRUE((*loaded)->members.empty());
}

TEST_F(StoreActor, ReopeningFindsTheIndexes) {
  start();
  auto epoch = open(0).epoch;
  put(0, epoch,
      {occupied("a"), occupied("b"), due_mark{samples::session("a"), millis{7}},
       due_mark{samples::session("c"), millis{8}}});
  put(0, epoch,
      {occupied_mark{samples::session("b"), false},
       due_mark{samples::session("a"), millis{9}},
       due_mark{samples::session("c"), std::nullopt}});
  auto opened = open(0);
  EXPECT_EQ(opened.epoch, epoch + 1);
  EXPECT_EQ(opened.position, 2u);
  EXPECT_EQ(opened.occupied, std::vector{samples::session("a")});
  using due = std::vector<std::pair<session_key, millis>>;
  EXPECT_EQ(opened.due, (due{{samples::session("a"), millis{9}}}));
}

TEST_F(StoreActor, ALaterClaimFencesTheEarlierOne) {
  start();
  auto old = open(0).epoch;
  auto now = open(0).epoch;
  auto refused = put(0, old, {occupied("a")});
  ASSERT_FALSE(refused->ok());
  EXPECT_EQ(refused->error().code, errc::conflict);
  EXPECT_TRUE(put(0, now, {occupied("b")})->ok());
  EXPECT_EQ(open(0).occupied, std::vector{samples::session("b")});
}

// What is said of a copy must not be behind what was answered.
TEST_F(StoreActor, TellsWhereAPartitionStandsBeforeItAnswers) {
  std::map<partition_id, checkpoint> told;
  store_config how{false, millis{0}, &figures,
                   [&](partition_id partition, const checkpoint& at) {
                     told[partition] = at;
                     EXPECT_FALSE(self->has_next_message());
                   }};
  subject
    = spawn_store(system, disk, std::make_shared<embedded_journal>(disk), how);
  auto epoch = open(3).epoch;
  EXPECT_EQ(told.at(3), *disk->where(3));
  auto at = put(3, epoch, {occupied("a")});
  ASSERT_TRUE(at->ok());
  EXPECT_EQ(told.at(3).position, **at);
  EXPECT_EQ(told.at(3), *disk->where(3));
  disk->fail_writes(1);
  EXPECT_FALSE(put(3, epoch, {occupied("b")})->ok());
  EXPECT_EQ(told.at(3).position, **at);
}

TEST_F(StoreActor, CommitsThatArriveTogetherShareOneWrite) {
  start();
  auto epoch = open(0).epoch;
  auto other = open(1).epoch;
  auto before = disk->writes();
  std::vector<std::function<committed_ptr()>> takes;
  for (int i = 0; i < 100; ++i) {
    auto partition = static_cast<partition_id>(i % 2);
    auto handle = send<committed_ptr>(commit{partition,
                                             partition == 0 ? epoch : other,
                                             {occupied(std::to_string(i))}});
    auto shared = std::make_shared<decltype(handle)>(std::move(handle));
    takes.push_back(
      [this, shared] { return take<committed_ptr>(std::move(*shared)); });
  }
  run();
  for (auto& one : takes)
    EXPECT_TRUE(one()->ok());
  EXPECT_EQ(disk->writes(), before + 1);
  EXPECT_EQ(figure("commits"), 100);
  EXPECT_EQ(figure("answers_owed"), 0);
}

TEST_F(StoreActor, TheWindowGathersCommits) {
  start(nullptr, millis{2});
  auto epoch = open(0).epoch;
  auto first = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  auto before = disk->writes();
  auto second = send<committed_ptr>(commit{0, epoch, {occupied("b")}});
  run();
  EXPECT_EQ(disk->writes(), before);
  coordinator().advance_time(millis{2});
  run();
  EXPECT_EQ(disk->writes(), before + 1);
  EXPECT_TRUE(take<committed_ptr>(std::move(first))->ok());
  EXPECT_TRUE(take<committed_ptr>(std::move(second))->ok());
}

TEST_F(StoreActor, AFailedWriteIsAnsweredAndLeavesNoTrace) {
  start();
  auto epoch = open(0).epoch;
  disk->fail_writes(1);
  auto refused = put(0, epoch, {occupied("a")});
  ASSERT_FALSE(refused->ok());
  EXPECT_EQ(refused->error().code, errc::unavailable);
  auto next = put(0, epoch, {occupied("b")});
  ASSERT_TRUE(next->ok());
  EXPECT_EQ(**next, 1u);
  EXPECT_EQ(open(0).occupied, std::vector{samples::session("b")});
  EXPECT_EQ(figure("write_failures"), 1);
}

TEST_F(StoreActor, AClaimThatCannotBeWrittenIsRefused) {
  start();
  disk->fail_writes(1);
  auto refused = ask<opened_ptr>(open_partition{0, {"node", 1}});
  ASSERT_FALSE(refused->ok());
  EXPECT_EQ(refused->error().code, errc::unavailable);
  EXPECT_EQ(open(0).epoch, epoch_generation_unit + 2);
}

TEST_F(StoreActor, RefusesAPartitionThatIsNone) {
  start();
  auto refused
    = ask<opened_ptr>(open_partition{limits::partitions_max, {"node", 1}});
  ASSERT_FALSE(refused->ok());
  EXPECT_EQ(refused->error().field, "partition");
  EXPECT_FALSE(put(limits::partitions_max, 1, {occupied("a")})->ok());
  EXPECT_FALSE(put(0, 1, {occupied("a")})->ok());
}

TEST_F(StoreActor, ManyOpenersOfOnePartitionAreAllAnswered) {
  start();
  std::vector<std::function<opened_ptr()>> takes;
  for (std::size_t i = 0; i < limits::opens_per_partition + 1; ++i) {
    auto handle = send<opened_ptr>(open_partition{0, {"node", i}});
    auto shared = std::make_shared<decltype(handle)>(std::move(handle));
    takes.push_back(
      [this, shared] { return take<opened_ptr>(std::move(*shared)); });
  }
  run();
  std::size_t good = 0;
  epoch_t last = 0;
  for (auto& one : takes)
    if (auto got = one(); got->ok()) {
      ++good;
      EXPECT_GT((*got)->epoch, last);
      last = (*got)->epoch;
    }
  EXPECT_EQ(good, limits::opens_per_partition);
  EXPECT_TRUE(put(0, last, {occupied("a")})->ok());
}

TEST_F(StoreActor, ErasingASessionRemovesAllOfItAndNothingElse) {
  start();
  auto epoch = open(0).epoch;
  auto other = samples::session("standup2");
  put(0, epoch,
      {samples::plain_session(), samples::member(), samples::page(),
       samples::interval(), samples::audit(),
       occupied_mark{samples::session(), true},
       due_mark{samples::session(), millis{1}}, samples::plain_session(other),
       samples::interval("ada", {1, 1}, other)});
  ASSERT_TRUE(put(0, epoch, {session_erased{samples::session()}})->ok());
  std::vector<std::string> left;
  ASSERT_TRUE(disk->scan("", [&](auto key, auto) {
    left.emplace_back(key);
    return true;
  }));
  EXPECT_EQ(left,
            (std::vector{keys::of_session(0, other),
                         keys::of_interval(0, other, {1, 1}, user_id{"ada"}),
                         keys::of_checkpoint(0)}));
}

TEST_F(StoreActor, ADamagedRecordFailsTheLoadOfItsSessionOnly) {
  start();
  auto epoch = open(0).epoch;
  auto other = samples::session("other");
  put(0, epoch, {samples::member(), samples::plain_session(other)});
  applied_records damage{0, *disk->where(0), {}};
  damage.records.push_back(
    {keys::of_member(0, samples::session(), user_id{"ada"}), "\xc1"});
  ASSERT_TRUE(disk->write({&damage, 1}));
  auto bad = ask<loaded_ptr>(load_session{0, samples::session()});
  ASSERT_FALSE(bad->ok());
  EXPECT_EQ(bad->error().code, errc::internal);
  EXPECT_TRUE(ask<loaded_ptr>(load_session{0, other})->ok());
}

TEST_F(StoreActor, EveryoneIsAnsweredWhenTheActorEnds) {
  auto order = std::make_shared<distant_journal>();
  start(order);
  auto waiting = send<committed_ptr>(commit{0, 1, {occupied("a")}});
  auto opening = send<opened_ptr>(open_partition{1, {"node", 1}});
  run();
  caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
  run();
  EXPECT_EQ(take<committed_ptr>(std::move(waiting))->error().code,
            errc::unavailable);
  EXPECT_EQ(take<opened_ptr>(std::move(opening))->error().code,
            errc::unavailable);
  // A journal that answers afterwards finds nobody, and that is all.
  for (auto& call : order->calls)
    call();
  run();
}

TEST_F(StoreActor, ADistantJournalAnswersWhenItLikes) {
  auto order = std::make_shared<distant_journal>();
  start(order);
  auto next = [&] {
    ASSERT_FALSE(order->calls.empty());
    order->calls.front()();
    order->calls.pop_front();
    run();
  };
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  next();
  auto epoch = (*take<opened_ptr>(std::move(opening)))->epoch;
  auto first = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  auto second = send<committed_ptr>(commit{0, epoch, {occupied("b")}});
  run();
  // One in flight; the second waits in the queue.
  EXPECT_EQ(order->calls.size(), 1u);
  EXPECT_EQ(figure("commits_queued"), 1);
  next();
  EXPECT_EQ(**take<committed_ptr>(std::move(first)), 2u);
  next();
  EXPECT_EQ(**take<committed_ptr>(std::move(second)), 3u);
  EXPECT_EQ(disk->where(0)->position, 3u);
}

TEST_F(StoreActor, WhatADistantJournalKeptReachesTheDiskInTheEnd) {
  auto order = std::make_shared<distant_journal>();
  start(order);
  auto next = [&] {
    order->calls.front()();
    order->calls.pop_front();
    run();
  };
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  next();
  auto epoch = (*take<opened_ptr>(std::move(opening)))->epoch;
  auto waiting = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  disk->fail_writes(2);
  next();
  EXPECT_EQ(figure("answers_owed"), 1);
  coordinator().advance_time(millis{100});
  run();
  EXPECT_EQ(figure("answers_owed"), 1);
  coordinator().advance_time(millis{100});
  run();
  EXPECT_EQ(**take<committed_ptr>(std::move(waiting)), 2u);
  EXPECT_TRUE(*disk->get(keys::of_occupied(0, samples::session("a"))));
}

TEST_F(StoreActor, AClaimWaitsForTheAppendUnderWay) {
  auto order = std::make_shared<distant_journal>();
  start(order);
  auto next = [&] {
    order->calls.front()();
    order->calls.pop_front();
    run();
  };
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  next();
  auto epoch = (*take<opened_ptr>(std::move(opening)))->epoch;
  auto before = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  auto again = send<opened_ptr>(open_partition{0, {"node", 2}});
  auto after = send<committed_ptr>(commit{0, epoch, {occupied("b")}});
  run();
  ASSERT_EQ(order->calls.size(), 1u);
  next();
  EXPECT_TRUE(take<committed_ptr>(std::move(before))->ok());
  ASSERT_EQ(order->calls.size(), 1u);
  next();
  auto opened = take<opened_ptr>(std::move(again));
  EXPECT_EQ((*opened)->occupied, std::vector{samples::session("a")});
  next();
  EXPECT_EQ(take<committed_ptr>(std::move(after))->error().code,
            errc::conflict);
}

TEST_F(StoreActor, OpeningAppliesWhatTheJournalHasBeyondTheStore) {
  auto order = std::make_shared<distant_journal>();
  order->end = 2;
  order->epoch = epoch_generation_unit + 5;
  order->kept = {{1,
                  order->epoch,
                  {{keys::of_occupied(0, samples::session("a")),
                    std::string{"\x92\x01\x04", 3}}}},
                 {2,
                  order->epoch,
                  {{keys::of_occupied(0, samples::session("b")),
                    std::string{"\x92\x01\x04", 3}}}}};
  start(order);
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  order->calls.front()();
  run();
  auto opened = take<opened_ptr>(std::move(opening));
  EXPECT_EQ((*opened)->occupied.size(), 2u);
  EXPECT_EQ((*opened)->position, 3u);
  EXPECT_EQ((*opened)->epoch, epoch_generation_unit + 6);
}

// -- partitions of others ----------------------------------------------------

namespace {

/// One group at `position`, of the second incarnation.
follow_order tail_of(const checkpoint& from, position_t position,
                     const std::string& id, partition_id partition = 0) {
  follow_order out{partition, from, {}};
  out.tail.groups
    = {{partition,
        {1, position, epoch_generation_unit + 1, 2},
        {{keys::of_occupied(partition, samples::session(id)), "value"}}}};
  return out;
}

bool has(memory_store& disk, const std::string& id,
         partition_id partition = 0) {
  auto key = keys::of_occupied(partition, samples::session(id));
  return disk.get(key)->has_value();
}

} // namespace

TEST_F(StoreActor, FollowsTheJournalOfAnother) {
  start();
  auto at = ask<followed_ptr>(tail_of({}, 7, "a"));
  ASSERT_TRUE(at->ok());
  EXPECT_EQ((*at)->position, 7u);
  EXPECT_EQ(disk->where(0)->incarnation, 2u);
  EXPECT_TRUE(has(*disk, "a"));
  // The same once more comes too late.
  auto again = ask<followed_ptr>(tail_of({}, 9, "b"));
  EXPECT_EQ(again->error().code, errc::conflict);
  EXPECT_FALSE(has(*disk, "b"));
  EXPECT_EQ(disk->where(0)->position, 7u);
}

TEST_F(StoreActor, FollowsNothingWhileAPartitionIsClaimedOrWritten) {
  auto order = std::make_shared<distant_journal>();
  start(order);
  auto next = [&] {
    order->calls.front()();
    order->calls.pop_front();
    run();
  };
  auto refused = [&] {
    auto at = ask<followed_ptr>(tail_of(*disk->where(0), 50, "other"));
    return !at->ok() && at->error().code == errc::conflict;
  };
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  EXPECT_TRUE(refused());
  next();
  auto epoch = (*take<opened_ptr>(std::move(opening)))->epoch;
  auto waiting = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  EXPECT_TRUE(refused());
  // The journal has it, the disk not yet.
  disk->fail_writes(1);
  next();
  EXPECT_TRUE(refused());
  coordinator().advance_time(millis{100});
  run();
  EXPECT_TRUE(take<committed_ptr>(std::move(waiting))->ok());
  EXPECT_FALSE(has(*disk, "other"));
  EXPECT_FALSE(refused());
}

TEST_F(StoreActor, APartitionThatIsReplacedLosesWhatItHad) {
  start();
  ASSERT_TRUE(ask<followed_ptr>(tail_of({}, 7, "old"))->ok());
  ASSERT_TRUE(ask<followed_ptr>(tail_of({}, 3, "elsewhere", 1))->ok());
  auto whole = tail_of(*disk->where(0), 4, "new");
  whole.tail.way = restore_way::whole;
  whole.tail.start = {2, 0, 2 * epoch_generation_unit, 9};
  ASSERT_TRUE(ask<followed_ptr>(std::move(whole))->ok());
  EXPECT_FALSE(has(*disk, "old"));
  EXPECT_TRUE(has(*disk, "new"));
  EXPECT_TRUE(has(*disk, "elsewhere", 1));
  auto adopt = follow_order{1, *disk->where(1), {}};
  adopt.tail.way = restore_way::adopt;
  adopt.tail.start = {2, 3, 2 * epoch_generation_unit, 9};
  auto adopted = ask<followed_ptr>(std::move(adopt));
  ASSERT_TRUE(adopted->ok());
  EXPECT_EQ(**adopted, (checkpoint{2, 3, 2 * epoch_generation_unit, 9}));
  EXPECT_TRUE(has(*disk, "elsewhere", 1));
}

TEST_F(StoreActor, WhatIsAppendedUnderAClaimNamesItsJournal) {
  auto order = std::make_shared<distant_journal>();
  order->incarnation = 77;
  start(order);
  auto next = [&] {
    order->calls.front()();
    order->calls.pop_front();
    run();
  };
  auto opening = send<opened_ptr>(open_partition{0, {"node", 1}});
  run();
  next();
  auto epoch = (*take<opened_ptr>(std::move(opening)))->epoch;
  EXPECT_EQ(disk->where(0)->incarnation, 77u);
  auto waiting = send<committed_ptr>(commit{0, epoch, {occupied("a")}});
  run();
  next();
  EXPECT_TRUE(take<committed_ptr>(std::move(waiting))->ok());
  EXPECT_EQ(disk->where(0)->incarnation, 77u);
}

} // namespace rollcall
