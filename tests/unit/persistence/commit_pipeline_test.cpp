#include "persistence/commit_pipeline.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rollcall {

namespace {

constexpr epoch_t epoch = epoch_generation_unit + 1;

commit commit_of(partition_id partition, std::vector<record> records,
                 epoch_t under = epoch) {
  return {partition, under, std::move(records)};
}

commit mark(partition_id partition, const std::string& session = "s") {
  return commit_of(partition, {occupied_mark{samples::session(session), true}});
}

struct CommitPipeline : testing::Test {
  result<session_keys> found = session_keys{};
  int asked = 0;
  commit_pipeline pipeline{[this](partition_id, const session_key&) {
    ++asked;
    return found;
  }};

  void push(std::uint64_t id, const commit& what) {
    ASSERT_TRUE(pipeline.push(id, what));
  }

  // Lets the journal take everything it is offered, from `position` on.
  void append_all(position_t position) {
    for (const auto& order : pipeline.start_appends())
      pipeline.appended(order.partition, order.ticket, position);
  }

  void write_ok() {
    pipeline.written(done{}, [](auto, auto) { return false; });
  }

  void write_bad(bool kept) {
    pipeline.written(fail(errc::unavailable, "disk"),
                     [kept](auto, auto) { return kept; });
  }

  std::vector<std::uint64_t> ended(bool ok) {
    std::vector<std::uint64_t> out;
    for (const auto& one : pipeline.take_answers()) {
      EXPECT_EQ(one.at.ok(), ok) << one.commit;
      out.push_back(one.commit);
    }
    return out;
  }
};

using ids = std::vector<std::uint64_t>;

} // namespace

TEST_F(CommitPipeline, NothingIsAnsweredBeforeItIsWritten) {
  push(1, mark(0));
  EXPECT_EQ(ended(true), ids{});
  auto orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].epoch, epoch);
  EXPECT_EQ(orders[0].records.size(), 1u);
  EXPECT_TRUE(pipeline.start_write().empty());
  pipeline.appended(0, orders[0].ticket, position_t{9});
  EXPECT_EQ(ended(true), ids{});
  auto groups = pipeline.start_write();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].at, (checkpoint{1, 9, epoch}));
  EXPECT_EQ(ended(true), ids{});
  write_ok();
  auto answers = pipeline.take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(*answers[0].at, 9u);
}

TEST_F(CommitPipeline, WritesInTheFormItIsTold) {
  auto kept = samples::tagged_session();
  auto value = [&](std::uint64_t id) {
    push(id, commit_of(1, {kept}));
    auto orders = pipeline.start_appends();
    auto out = orders.empty() ? std::string{} : *orders[0].records[0].value;
    pipeline.appended(1, orders[0].ticket, id);
    (void)pipeline.start_write();
    write_ok();
    return out;
  };
  auto in_form
    = [&](std::uint32_t form) { return *encode(kept, 1, form)->at(0).value; };
  ASSERT_NE(in_form(1), in_form(2));
  EXPECT_EQ(value(1), in_form(record_form));
  pipeline.write_as(1);
  EXPECT_EQ(value(2), in_form(1));
}

TEST_F(CommitPipeline, OneAppendPerPartitionUntilItIsOnDisk) {
  push(1, mark(0));
  append_all(1);
  push(2, mark(0));
  EXPECT_TRUE(pipeline.start_appends().empty());
  ASSERT_EQ(pipeline.start_write().size(), 1u);
  EXPECT_TRUE(pipeline.start_appends().empty());
  write_ok();
  EXPECT_EQ(pipeline.start_appends().size(), 1u);
}

TEST_F(CommitPipeline, CommitsThatWaitedShareOneAppend) {
  push(1, mark(0, "a"));
  append_all(1);
  push(2, mark(0, "b"));
  push(3, mark(0, "c"));
  (void)pipeline.start_write();
  write_ok();
  auto orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].records.size(), 2u);
  pipeline.appended(0, orders[0].ticket, position_t{2});
  (void)pipeline.start_write();
  write_ok();
  EXPECT_EQ(ended(true), (ids{1, 2, 3}));
}

TEST_F(CommitPipeline, PartitionsShareOneWrite) {
  for (partition_id partition = 0; partition < 5; ++partition)
    push(partition, mark(partition));
  append_all(1);
  EXPECT_EQ(pipeline.start_write().size(), 5u);
  EXPECT_TRUE(pipeline.start_write().empty());
  write_ok();
  EXPECT_EQ(ended(true).size(), 5u);
  EXPECT_EQ(pipeline.queued_bytes(), 0u);
}

TEST_F(CommitPipeline, ARefusedAppendIsAnsweredAndWritesNothing) {
  push(1, mark(0));
  push(2, mark(0));
  auto orders = pipeline.start_appends();
  pipeline.appended(0, orders[0].ticket, fail(errc::conflict, "fenced"));
  auto answers = pipeline.take_answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].at.error().code, errc::conflict);
  EXPECT_TRUE(pipeline.start_write().empty());
  EXPECT_TRUE(pipeline.idle(0));
  EXPECT_EQ(pipeline.queued_bytes(), 0u);
}

TEST_F(CommitPipeline, AFailedWriteGivesThePositionBack) {
  push(1, mark(0));
  push(2, mark(1));
  append_all(1);
  (void)pipeline.start_write();
  write_bad(false);
  auto answers = pipeline.take_answers();
  ASSERT_EQ(answers.size(), 2u);
  for (const auto& one : answers)
    EXPECT_EQ(one.at.error().code, errc::unavailable);
  EXPECT_FALSE(pipeline.has_ready());
  push(3, mark(0));
  append_all(1);
  EXPECT_EQ(pipeline.start_write()[0].at.position, 1u);
  write_ok();
  EXPECT_EQ(ended(true), ids{3});
}

TEST_F(CommitPipeline, WhatTheJournalKeepsIsWrittenAgain) {
  push(1, mark(0, "kept"));
  append_all(4);
  std::vector<applied_records> first;
  for (const auto& group : pipeline.start_write())
    first.push_back(group);
  write_bad(true);
  EXPECT_EQ(ended(true), ids{});
  EXPECT_TRUE(pipeline.has_ready());
  EXPECT_FALSE(pipeline.idle(0));
  auto again = pipeline.start_write();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].at, first[0].at);
  EXPECT_EQ(again[0].records, first[0].records);
  write_ok();
  EXPECT_EQ(ended(true), ids{1});
}

TEST_F(CommitPipeline, AnswersNobodyAskedForChangeNothing) {
  pipeline.appended(7, 1, position_t{1});
  push(1, mark(0));
  auto orders = pipeline.start_appends();
  pipeline.appended(0, orders[0].ticket + 1, position_t{1});
  pipeline.appended(1, orders[0].ticket, position_t{1});
  EXPECT_TRUE(pipeline.start_write().empty());
  pipeline.appended(0, orders[0].ticket, position_t{1});
  pipeline.appended(0, orders[0].ticket, position_t{2});
  pipeline.appended(0, orders[0].ticket, fail(errc::conflict, "late"));
  auto groups = pipeline.start_write();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].at.position, 1u);
  write_ok();
  EXPECT_EQ(ended(true), ids{1});
}

TEST_F(CommitPipeline, CommitsOfAnotherEpochDoNotShareAnAppend) {
  push(1, mark(0));
  push(2, commit_of(0, {}, epoch + 1));
  auto orders = pipeline.start_appends();
  EXPECT_EQ(orders[0].epoch, epoch);
  pipeline.appended(0, orders[0].ticket, fail(errc::conflict, "fenced"));
  EXPECT_EQ(ended(false), ids{1});
  EXPECT_EQ(pipeline.start_appends()[0].epoch, epoch + 1);
}

TEST_F(CommitPipeline, HoldKeepsAppendsBack) {
  pipeline.hold(0);
  push(1, mark(0));
  push(2, mark(1));
  EXPECT_EQ(pipeline.start_appends().size(), 1u);
  EXPECT_TRUE(pipeline.idle(0));
  EXPECT_FALSE(pipeline.idle(1));
  pipeline.release(0);
  EXPECT_EQ(pipeline.start_appends().size(), 1u);
}

TEST_F(CommitPipeline, AGroupIsBoundedInCommits) {
  for (std::uint64_t id = 1; id <= limits::group_commits + 1; ++id)
    push(id, mark(0));
  auto orders = pipeline.start_appends();
  EXPECT_EQ(orders[0].records.size(), limits::group_commits);
  pipeline.appended(0, orders[0].ticket, position_t{1});
  // Another partition's group no longer fits the same write.
  push(9'999, mark(1));
  append_all(1);
  EXPECT_EQ(pipeline.start_write().size(), 1u);
  write_ok();
  EXPECT_TRUE(pipeline.has_ready());
  EXPECT_EQ(pipeline.start_write().size(), 1u);
}

TEST_F(CommitPipeline, AGroupIsBoundedInBytes) {
  std::vector<record> pages;
  for (std::uint32_t number = 0; number < 150; ++number) {
    auto page = samples::page(number, samples::session(), {});
    for (int user = 0; user < 200; ++user)
      page.entries.push_back(
        samples::entry(std::string(100, 'u') + std::to_string(user)));
    pages.push_back(page);
  }
  push(1, commit_of(0, pages));
  push(2, commit_of(0, pages));
  EXPECT_GT(pipeline.queued_bytes(), limits::group_bytes);
  auto orders = pipeline.start_appends();
  // Larger than a group by itself: goes alone, not never.
  EXPECT_EQ(orders[0].records.size(), pages.size());
}

TEST_F(CommitPipeline, AFullQueueRefusesAndTakesNothing) {
  for (std::uint64_t id = 1; id <= limits::commits_per_partition; ++id)
    push(id, mark(0));
  auto bytes = pipeline.queued_bytes();
  auto refused = pipeline.push(0, mark(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_EQ(pipeline.queued_bytes(), bytes);
  EXPECT_TRUE(pipeline.push(0, mark(1)));
}

TEST_F(CommitPipeline, QueuedBytesAreBounded) {
  auto page = samples::page(0, samples::session(), {});
  for (int user = 0; user < 256; ++user)
    page.entries.push_back(
      samples::entry(std::string(100, 'u') + std::to_string(user)));
  std::vector<record> pages(100, page);
  std::uint64_t id = 0;
  while (pipeline.push(++id, commit_of(0, pages)).ok())
    ASSERT_LE(pipeline.queued_bytes(), limits::commit_queue_bytes);
  EXPECT_GT(id, 2u);
}

TEST_F(CommitPipeline, ARefusedRecordRefusesTheWholeCommit) {
  auto bad = samples::member();
  bad.role = std::string(200, 'r');
  auto refused
    = pipeline.push(1, commit_of(0, {samples::plain_session(), bad}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "role");
  EXPECT_TRUE(pipeline.start_appends().empty());
  EXPECT_FALSE(pipeline.push(2, mark(limits::partitions_max)));
}

TEST_F(CommitPipeline, AnErasureWaitsForWhatCameBefore) {
  found = session_keys{{"k1", "k2"}, false};
  push(1, mark(0));
  push(2, commit_of(0, {session_erased{samples::session()}}));
  push(3, mark(0));
  append_all(1);
  EXPECT_EQ(asked, 0);
  (void)pipeline.start_write();
  write_ok();
  auto orders = pipeline.start_appends();
  EXPECT_EQ(asked, 1);
  ASSERT_EQ(orders[0].records.size(), 2u);
  EXPECT_EQ(orders[0].records[0], (encoded_record{"k1", std::nullopt}));
  pipeline.appended(0, orders[0].ticket, position_t{2});
  (void)pipeline.start_write();
  write_ok();
  EXPECT_EQ(ended(true), (ids{1, 2}));
}

TEST_F(CommitPipeline, AnErasureVoidsWhatItsOwnCommitDidBefore) {
  auto other = samples::session("other");
  push(1, commit_of(0, {samples::member(), samples::member("ada", other),
                        session_erased{samples::session()},
                        samples::plain_session()}));
  auto orders = pipeline.start_appends();
  ASSERT_EQ(orders[0].records.size(), 2u);
  EXPECT_EQ(orders[0].records[0].key,
            keys::of_member(0, other, user_id{"ada"}));
  EXPECT_EQ(orders[0].records[1].key, keys::of_session(0, samples::session()));
}

TEST_F(CommitPipeline, ALargeErasureGoesInStepsWithOthersBetween) {
  found = session_keys{{"k1", "k2"}, true};
  push(1, commit_of(0, {session_erased{samples::session()},
                        due_mark{samples::session(), std::nullopt}}));
  push(2, mark(0, "other"));
  auto orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  ASSERT_EQ(orders[0].records.size(), 2u) << "the rest of its commit waits";
  pipeline.appended(0, orders[0].ticket, 1);
  ASSERT_FALSE(pipeline.start_write().empty());
  write_ok();
  EXPECT_TRUE(pipeline.take_answers().empty()) << "it is not done";

  orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].records.size(), 1u) << "those who waited come first";
  pipeline.appended(0, orders[0].ticket, 2);
  ASSERT_FALSE(pipeline.start_write().empty());
  write_ok();
  EXPECT_EQ(ended(true), std::vector<std::uint64_t>{2});

  found = session_keys{{"k3"}, false};
  orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].records.size(), 2u) << "and what came with it";
  pipeline.appended(0, orders[0].ticket, 3);
  ASSERT_FALSE(pipeline.start_write().empty());
  write_ok();
  EXPECT_EQ(ended(true), std::vector<std::uint64_t>{1});
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(pipeline.queued_bytes(), 0u);
}

TEST_F(CommitPipeline, AStepThatIsRefusedEndsTheErasure) {
  found = session_keys{{"k1"}, true};
  push(1, commit_of(0, {session_erased{samples::session()}}));
  auto orders = pipeline.start_appends();
  ASSERT_EQ(orders.size(), 1u);
  pipeline.appended(0, orders[0].ticket, fail(errc::conflict, "a later claim"));
  EXPECT_EQ(ended(false), std::vector<std::uint64_t>{1});
  EXPECT_EQ(pipeline.queued_bytes(), 0u);
  EXPECT_EQ(pipeline.queued(), 0u);
}

TEST_F(CommitPipeline, AnErasureThatCannotBeReadFailsAlone) {
  found = fail(errc::too_large, "too many");
  push(1, commit_of(0, {session_erased{samples::session()}}));
  push(2, mark(0));
  append_all(1);
  auto answers = pipeline.take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].commit, 1u);
  EXPECT_EQ(answers[0].at.error().code, errc::too_large);
  ASSERT_EQ(pipeline.start_write().size(), 1u);
  write_ok();
  EXPECT_EQ(ended(true), ids{2});
  EXPECT_EQ(pipeline.queued_bytes(), 0u);
}

TEST_F(CommitPipeline, AbandonAnswersEverythingOnce) {
  push(1, mark(0));
  append_all(1);
  push(2, mark(0));
  push(3, mark(1));
  pipeline.abandon(fail(errc::unavailable, "over"));
  auto all = ended(false);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (ids{1, 2, 3}));
  EXPECT_EQ(pipeline.queued(), 0u);
  EXPECT_EQ(pipeline.in_flight(), 0u);
}

// Whatever journal and disk do: every commit is answered exactly once, in
// order per partition, and the positions on disk have no gap.
TEST_F(CommitPipeline, HoldsItsPromisesUnderRandomFaults) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    commit_pipeline subject{
      [](auto, const auto&) { return result<session_keys>{session_keys{}}; }};
    std::map<partition_id, position_t> disk;
    std::map<partition_id, ids> pushed;
    std::map<partition_id, ids> answered;
    std::map<std::uint64_t, partition_id> home;
    std::uint64_t id = 0;
    auto drain = [&] {
      for (const auto& one : subject.take_answers())
        answered[home.at(one.commit)].push_back(one.commit);
    };
    auto turn = [&](bool faults) {
      for (const auto& order : subject.start_appends()) {
        if (faults && random() % 5 == 0)
          subject.appended(order.partition, order.ticket,
                           fail(errc::unavailable, "journal"));
        else
          subject.appended(order.partition, order.ticket,
                           disk[order.partition] + 1);
      }
      std::vector<applied_records> groups;
      for (const auto& group : subject.start_write())
        groups.push_back(group);
      if (groups.empty())
        return;
      bool works = !faults || random() % 4 != 0;
      for (const auto& group : groups) {
        ASSERT_EQ(group.at.position, disk[group.partition] + 1);
        if (works)
          disk[group.partition] = group.at.position;
      }
      subject.written(works ? result<done>{done{}}
                            : fail(errc::unavailable, "disk"),
                      [&](auto, auto) { return random() % 2 == 0; });
    };
    for (int step = 0; step < 400; ++step) {
      auto partition = static_cast<partition_id>(random() % 4);
      home[++id] = partition;
      pushed[partition].push_back(id);
      ASSERT_TRUE(subject.push(id, mark(partition)));
      if (random() % 3 == 0)
        turn(true);
      drain();
    }
    for (int step = 0; step < 10; ++step)
      turn(false);
    drain();
    EXPECT_EQ(answered, pushed);
    EXPECT_EQ(subject.queued_bytes(), 0u);
    EXPECT_EQ(subject.in_flight(), 0u);
  }
}

} // namespace rollcall
