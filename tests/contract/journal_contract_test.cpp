// One suite over every journal. An implementation joins by a rig that makes
// it, waits for its answers and does what the store actor does with them.

#include "actors/base/limits.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "support/journal_calls.hpp"
#include "support/nats_server.hpp"

#include <gtest/gtest.h>

#include <map>

namespace rollcall {

namespace {

class journal_rig {
public:
  virtual ~journal_rig() = default;

  /// Claims and waits; writes the claim as the store actor does.
  virtual result<checkpoint> claim(partition_id partition,
                                   const std::string& who)
    = 0;

  /// Appends and waits; applies what was taken unless the disk fails.
  virtual result<position_t> append(partition_id partition, epoch_t epoch,
                                    std::vector<encoded_record> records,
                                    bool disk_works = true)
    = 0;

  /// What is in the store once everything the journal holds is applied.
  virtual std::map<std::string, std::string> content() = 0;

  /// The process ends and another starts.
  virtual void restart() = 0;
};

class embedded_rig final : public journal_rig {
public:
  result<checkpoint> claim(partition_id partition,
                           const std::string& who) override {
    result<checkpoint> out = fail(errc::internal, "no answer");
    int answers = 0;
    journal_->claim(partition, {who, 1}, [&](result<checkpoint> got) {
      ++answers;
      out = std::move(got);
    });
    EXPECT_EQ(answers, 1);
    if (out) {
      applied_records mark{partition, *out, {}};
      EXPECT_TRUE(disk_->write({&mark, 1}));
    }
    return out;
  }

  result<position_t> append(partition_id partition, epoch_t epoch,
                            std::vector<encoded_record> records,
                            bool disk_works) override {
    result<position_t> out = fail(errc::internal, "no answer");
    int answers = 0;
    journal_->append(partition, epoch, records, [&](result<position_t> got) {
      ++answers;
      out = std::move(got);
    });
    EXPECT_EQ(answers, 1);
    if (!out)
      return out;
    if (!disk_works)
      disk_->fail_writes(1);
    applied_records group{partition,
                          {epoch / epoch_generation_unit, *out, epoch},
                          std::move(records)};
    if (auto written = disk_->write({&group, 1}); !written)
      return written.error();
    return out;
  }

  std::map<std::string, std::string> content() override {
    std::map<std::string, std::string> out;
    EXPECT_TRUE(disk_->scan("k", [&](auto key, auto value) {
      out.emplace(key, value);
      return true;
    }));
    return out;
  }

  void restart() override {
    disk_->crash();
    journal_ = std::make_unique<embedded_journal>(disk_);
  }

private:
  std::shared_ptr<memory_store> disk_ = std::make_shared<memory_store>();
  std::unique_ptr<journal> journal_ = std::make_unique<embedded_journal>(disk_);
};

/// Any journal whose answers come later, over a store that `content` rebuilds
/// from nothing: what counts is what the journal holds.
class nats_rig final : public journal_rig {
public:
  nats_rig() {
    start();
  }

  result<checkpoint> claim(partition_id partition,
                           const std::string& who) override {
    auto at = test::claim_and_wait(*journal_, partition, {who, 1});
    if (!at)
      return at;
    if (auto caught = catch_up(*disk_, *journal_, partition); !caught)
      return caught.error();
    applied_records mark{partition, *at, {}};
    EXPECT_TRUE(disk_->write({&mark, 1}));
    incarnations_[partition] = at->incarnation;
    return at;
  }

  result<position_t> append(partition_id partition, epoch_t epoch,
                            std::vector<encoded_record> records,
                            bool disk_works) override {
    auto got = test::append_and_wait(*journal_, partition, epoch, records);
    if (!got)
      return got;
    applied_records group{
      partition,
      {epoch / epoch_generation_unit, *got, epoch, incarnations_[partition]},
      std::move(records)};
    // The journal has it: the store follows, however often it fails.
    if (!disk_works) {
      disk_->fail_writes(1);
      EXPECT_FALSE(disk_->write({&group, 1}));
      EXPECT_TRUE(journal_keeps(*disk_, *journal_, partition, *got));
    }
    EXPECT_TRUE(disk_->write({&group, 1}));
    return got;
  }

  std::map<std::string, std::string> content() override {
    auto own = content_of(*disk_);
    memory_store copy;
    for (partition_id partition = 0; partition < 2; ++partition) {
      auto outcome = catch_up(copy, *journal_, partition);
      EXPECT_TRUE(outcome) << outcome.error().message;
    }
    EXPECT_EQ(content_of(copy), own);
    return own;
  }

  void restart() override {
    journal_.reset();
    disk_->crash();
    start();
  }

private:
  static std::map<std::string, std::string> content_of(store& from) {
    std::map<std::string, std::string> out;
    EXPECT_TRUE(from.scan("k", [&](auto key, auto value) {
      out.emplace(key, value);
      return true;
    }));
    return out;
  }

  void start() {
    journal_ = test::open_journal(server_, disk_);
  }

  test::nats_server server_;
  std::map<partition_id, std::uint64_t> incarnations_;
  std::shared_ptr<memory_store> disk_ = std::make_shared<memory_store>();
  std::unique_ptr<journal> journal_;
};

using rig_factory = std::unique_ptr<journal_rig> (*)();

struct JournalContract : testing::TestWithParam<rig_factory> {
  std::unique_ptr<journal_rig> rig = GetParam()();
};

} // namespace

TEST_P(JournalContract, EpochsGrowWithEveryClaim) {
  epoch_t last = 0;
  for (int round = 0; round < 5; ++round) {
    auto at = rig->claim(0, "a");
    ASSERT_TRUE(at);
    EXPECT_GT(at->epoch, last);
    EXPECT_EQ(at->epoch / epoch_generation_unit, at->generation);
    EXPECT_GE(at->generation, 1u);
    EXPECT_LT(at->epoch, 1ULL << 53);
    last = at->epoch;
  }
}

TEST_P(JournalContract, EpochsGrowAcrossRestarts) {
  auto first = rig->claim(0, "a");
  ASSERT_TRUE(rig->append(0, first->epoch, {{"k", "v"}}));
  rig->restart();
  auto second = rig->claim(0, "a");
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_EQ(rig->content().at("k"), "v");
}

TEST_P(JournalContract, PositionsOfAPartitionGrow) {
  auto at = rig->claim(0, "a");
  auto last = at->position;
  for (int round = 0; round < 5; ++round) {
    auto got = rig->append(0, at->epoch, {{"k" + std::to_string(round), "v"}});
    ASSERT_TRUE(got);
    EXPECT_GT(*got, last);
    last = *got;
  }
  EXPECT_GE(rig->claim(0, "b")->position, last);
}

TEST_P(JournalContract, ALaterClaimFences) {
  auto first = rig->claim(0, "a");
  ASSERT_TRUE(rig->append(0, first->epoch, {{"k", "first"}}));
  auto second = rig->claim(0, "b");
  auto refused = rig->append(0, first->epoch, {{"k", "zombie"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_TRUE(rig->append(0, second->epoch, {{"k2", "second"}}));
  EXPECT_FALSE(rig->append(0, first->epoch, {{"k", "zombie"}}));
  EXPECT_EQ(rig->content(), (std::map<std::string, std::string>{
                              {"k", "first"}, {"k2", "second"}}));
}

TEST_P(JournalContract, NothingIsAppendedWithoutAClaim) {
  auto refused = rig->append(0, epoch_generation_unit + 1, {{"k", "v"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_FALSE(rig->append(0, 0, {{"k", "v"}}));
  EXPECT_TRUE(rig->content().empty());
}

TEST_P(JournalContract, ARestartEndsEveryClaim) {
  auto at = rig->claim(0, "a");
  rig->restart();
  EXPECT_FALSE(rig->append(0, at->epoch, {{"k", "v"}}));
}

TEST_P(JournalContract, AnEpochFromTheFutureIsRefused) {
  auto at = rig->claim(0, "a");
  EXPECT_FALSE(rig->append(0, at->epoch + 1, {{"k", "v"}}));
  EXPECT_TRUE(rig->append(0, at->epoch, {{"k", "v"}}));
}

TEST_P(JournalContract, PartitionsAreIndependent) {
  auto a = rig->claim(0, "a");
  auto b = rig->claim(1, "b");
  ASSERT_TRUE(rig->claim(1, "c"));
  EXPECT_TRUE(rig->append(0, a->epoch, {{"k", "v"}}));
  if (a->epoch != b->epoch) {
    EXPECT_FALSE(rig->append(0, b->epoch, {{"k", "v"}}));
  }
  EXPECT_FALSE(rig->append(1, b->epoch, {{"k", "v"}}));
}

TEST_P(JournalContract, AFailedDiskLeavesARetryPossible) {
  auto at = rig->claim(0, "a");
  (void)rig->append(0, at->epoch, {{"k", "v"}}, false);
  ASSERT_TRUE(rig->append(0, at->epoch, {{"k", "v"}}));
  EXPECT_EQ(rig->content().size(), 1u);
  rig->restart();
  EXPECT_EQ(rig->content().at("k"), "v");
}

TEST_P(JournalContract, ThereAreNoMorePartitionsThanTheLimit) {
  EXPECT_TRUE(rig->claim(limits::partitions_max - 1, "a"));
  auto refused = rig->claim(limits::partitions_max, "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "partition");
}

TEST_P(JournalContract, AnAppendIsOneWhateverItsSize) {
  auto at = rig->claim(0, "a");
  std::vector<encoded_record> many;
  many.reserve(300);
  for (int i = 0; i < 300; ++i)
    many.push_back({"k" + std::to_string(i), std::string(5'000, 'x')});
  ASSERT_TRUE(rig->append(0, at->epoch, many));
  ASSERT_TRUE(rig->append(0, at->epoch, {{"k0", std::nullopt}, {"k", ""}}));
  ASSERT_TRUE(rig->append(0, at->epoch, {{"k1", std::nullopt}}));
  rig->restart();
  ASSERT_TRUE(rig->claim(0, "a"));
  auto content = rig->content();
  EXPECT_EQ(content.size(), 299u);
  EXPECT_EQ(content.at("k299"), std::string(5'000, 'x'));
  EXPECT_EQ(content.at("k"), "");
}

INSTANTIATE_TEST_SUITE_P(Embedded, JournalContract,
                         testing::Values(+[]() -> std::unique_ptr<journal_rig> {
                           return std::make_unique<embedded_rig>();
                         }));

INSTANTIATE_TEST_SUITE_P(Nats, JournalContract,
                         testing::Values(+[]() -> std::unique_ptr<journal_rig> {
                           return std::make_unique<nats_rig>();
                         }));

// -- what only the embedded one does -----------------------------------------

TEST(EmbeddedJournal, AFailedWriteGivesItsPositionBack) {
  embedded_rig rig;
  auto at = rig.claim(0, "a");
  EXPECT_FALSE(rig.append(0, at->epoch, {{"k", "lost"}}, false));
  auto got = rig.append(0, at->epoch, {{"k2", "v"}}, true);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, at->position + 1);
  EXPECT_FALSE(rig.content().contains("k"));
}

TEST(EmbeddedJournal, AClaimSaysWhenTheStoreCannotBeRead) {
  auto disk = std::make_shared<memory_store>();
  embedded_journal subject{disk};
  disk->fail_reads(1);
  bool refused = false;
  subject.claim(0, {"a", 1},
                [&](const result<checkpoint>& got) { refused = !got; });
  EXPECT_TRUE(refused);
}

TEST(EmbeddedJournal, ClaimsOfAGenerationEnd) {
  auto disk = std::make_shared<memory_store>();
  applied_records last{0, {1, 5, 2 * epoch_generation_unit - 1}, {}};
  ASSERT_TRUE(disk->write({&last, 1}));
  embedded_journal subject{disk};
  bool refused = false;
  subject.claim(0, {"a", 1},
                [&](const result<checkpoint>& got) { refused = !got; });
  EXPECT_TRUE(refused);
}

} // namespace rollcall
