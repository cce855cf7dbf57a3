// One suite over every store: what a store promises, whatever is below it.

#include "persistence/key_schema.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "persistence/rocksdb_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include <stdlib.h>

namespace rollcall {

namespace {

namespace fs = std::filesystem;

class scratch_directory {
public:
  scratch_directory() {
    auto pattern = (fs::temp_directory_path() / "rollcall-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }

  ~scratch_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const fs::path& path() const {
    return path_;
  }

private:
  fs::path path_;
};

// Makes stores, and starts the last one again as a restart would.
class store_maker {
public:
  virtual ~store_maker() = default;
  virtual std::shared_ptr<store> make() = 0;
  virtual std::shared_ptr<store> again(std::shared_ptr<store> last) = 0;
};

class memory_maker final : public store_maker {
public:
  std::shared_ptr<store> make() override {
    return std::make_shared<memory_store>();
  }

  std::shared_ptr<store> again(std::shared_ptr<store> last) override {
    dynamic_cast<memory_store&>(*last).crash();
    return last;
  }
};

class rocksdb_maker final : public store_maker {
public:
  std::shared_ptr<store> make() override {
    auto opened = rocksdb_store::open({directory_.path() / "store"});
    if (!opened)
      throw std::runtime_error{opened.error().message};
    return *opened;
  }

  std::shared_ptr<store> again(std::shared_ptr<store> last) override {
    last.reset();
    return make();
  }

private:
  scratch_directory directory_;
};

using maker_factory = std::unique_ptr<store_maker> (*)();

template <class Maker>
std::unique_ptr<store_maker> make_maker() {
  return std::make_unique<Maker>();
}

struct StoreContract : testing::TestWithParam<maker_factory> {
  std::unique_ptr<store_maker> maker = GetParam()();
  std::shared_ptr<store> subject = maker->make();

  void restart() {
    subject = maker->again(std::exchange(subject, nullptr));
  }

  void put(partition_id partition, checkpoint at,
           std::vector<encoded_record> records) {
    applied_records group{partition, at, std::move(records)};
    auto written = subject->write({&group, 1});
    ASSERT_TRUE(written) << written.error().message;
  }

  std::vector<encoded_record> all(std::string_view prefix) {
    std::vector<encoded_record> out;
    EXPECT_TRUE(subject->scan(prefix, [&](auto key, auto value) {
      out.push_back({std::string{key}, std::string{value}});
      return true;
    }));
    return out;
  }
};

using pairs = std::vector<encoded_record>;

} // namespace

TEST_P(StoreContract, ANewStoreIsEmpty) {
  EXPECT_EQ(all(""), pairs{});
  EXPECT_EQ(*subject->where(5), checkpoint{});
  EXPECT_FALSE(*subject->get("k"));
}

TEST_P(StoreContract, AWriteIsReadBackAndOutlivesARestart) {
  checkpoint at{2, 9, 77};
  put(5, at, {{"k1", "v1"}, {"k2", std::string{"\0\xff", 2}}, {"k3", ""}});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(*subject->get("k1"), "v1");
    EXPECT_EQ(*subject->get("k2"), (std::string{"\0\xff", 2}));
    EXPECT_EQ(*subject->get("k3"), "");
    EXPECT_EQ(*subject->where(5), at);
    EXPECT_EQ(*subject->where(6), checkpoint{});
    restart();
  }
}

TEST_P(StoreContract, RecordsOfAGroupApplyInOrder) {
  put(0, {1, 1, 1},
      {{"k", "old"},
       {"k", std::nullopt},
       {"k", "new"},
       {"gone", "x"},
       {"gone", std::nullopt},
       {"never", std::nullopt}});
  EXPECT_EQ(*subject->get("k"), "new");
  EXPECT_FALSE(*subject->get("gone"));
  put(0, {1, 2, 1}, {{"k", std::nullopt}});
  restart();
  EXPECT_FALSE(*subject->get("k"));
}

TEST_P(StoreContract, GroupsOfOneWriteAllApply) {
  std::vector<applied_records> groups;
  for (partition_id partition = 0; partition < 20; ++partition)
    groups.push_back({partition,
                      {1, partition + 1, 1},
                      {{"key" + std::to_string(partition), "v"}}});
  ASSERT_TRUE(subject->write(groups));
  restart();
  EXPECT_EQ(all("key").size(), 20u);
  for (partition_id partition = 0; partition < 20; ++partition)
    EXPECT_EQ(subject->where(partition)->position, partition + 1);
}

TEST_P(StoreContract, AnEmptyWriteIsFine) {
  EXPECT_TRUE(subject->write({}));
  put(1, {1, 1, 1}, {});
  EXPECT_EQ(subject->where(1)->position, 1u);
}

TEST_P(StoreContract, TheStoreAsAWholeHasNoCheckpoint) {
  put(store_wide, {1, 1, 1}, {{keys::of_schema(), encode_schema(2)}});
  EXPECT_EQ(all("").size(), 1u);
}

TEST_P(StoreContract, AScanSeesItsPrefixInOrder) {
  using namespace std::string_literals;
  put(0, {1, 1, 1},
      {{"b", "3"},
       {"a\xff", "2"},
       {"a", "0"},
       {"a\0"s, "1"},
       {"\xff\xff", "5"},
       {"\xff", "4"}});
  EXPECT_EQ(all("a"), (pairs{{"a", "0"}, {"a\0"s, "1"}, {"a\xff", "2"}}));
  EXPECT_EQ(all("\xff"), (pairs{{"\xff", "4"}, {"\xff\xff", "5"}}));
  EXPECT_EQ(all("c"), pairs{});
}

TEST_P(StoreContract, AScanStopsWhenTold) {
  put(0, {1, 1, 1}, {{"a1", ""}, {"a2", ""}, {"a3", ""}});
  int seen = 0;
  EXPECT_TRUE(subject->scan("a", [&](auto, auto) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST_P(StoreContract, AWalkGoesEitherWayFromAnywhere) {
  applied_records group{3, {1, 1, epoch_generation_unit + 1}, {}};
  const std::string edge{"\xFF\xFF"};
  for (const std::string& key :
       {std::string{"a"}, std::string{"b1"}, std::string{"b2"},
        std::string{"b3"}, std::string{"c"}, edge + "1", edge + "2"})
    group.records.push_back({key, "v" + key});
  ASSERT_TRUE(subject->write({&group, 1}));
  auto walk = [&](const std::string& prefix, const std::string& start,
                  walk_way way, std::size_t most = 99) {
    std::vector<std::string> out;
    EXPECT_TRUE(subject->walk(prefix, start, way, [&](auto key, auto value) {
      EXPECT_EQ("v" + std::string{key}, value);
      out.emplace_back(key);
      return out.size() < most;
    }));
    return out;
  };
  using keys = std::vector<std::string>;
  EXPECT_EQ(walk("b", "", walk_way::up), (keys{"b1", "b2", "b3"}));
  EXPECT_EQ(walk("b", "", walk_way::down), (keys{"b3", "b2", "b1"}));
  EXPECT_EQ(walk("b", "b1", walk_way::up), (keys{"b2", "b3"}));
  EXPECT_EQ(walk("b", "b3", walk_way::down), (keys{"b2", "b1"}));
  EXPECT_EQ(walk("b", "b22", walk_way::up), (keys{"b3"}))
    << "a start that is not there";
  EXPECT_EQ(walk("b", "b22", walk_way::down), (keys{"b2", "b1"}));
  EXPECT_EQ(walk("b", "b3", walk_way::up), (keys{}));
  EXPECT_EQ(walk("b", "b1", walk_way::down), (keys{}));
  EXPECT_EQ(walk("b", "", walk_way::down, 2), (keys{"b3", "b2"}));
  EXPECT_EQ(walk(edge, "", walk_way::down), (keys{edge + "2", edge + "1"}))
    << "a prefix that nothing is behind";
  EXPECT_EQ(walk("x", "", walk_way::down), (keys{}));
}

TEST_P(StoreContract, AVisitorMayWrite) {
  put(0, {1, 1, 1}, {{"a1", ""}, {"a2", ""}, {"a3", ""}});
  int seen = 0;
  EXPECT_TRUE(subject->scan("a", [&](auto key, auto) {
    ++seen;
    put(0, {1, 2, 1},
        {{std::string{key}, std::nullopt}, {"b" + std::string{key}, ""}});
    return true;
  }));
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(all("a"), pairs{});
  EXPECT_EQ(all("b").size(), 3u);
}

TEST_P(StoreContract, LargeValuesComeBack) {
  std::string big(1 << 20, 'x');
  put(0, {1, 1, 1}, {{"big", big}});
  restart();
  EXPECT_EQ(*subject->get("big"), big);
}

TEST_P(StoreContract, BehavesLikeAMapOverRestarts) {
  std::mt19937 random{99};
  RecordProperty("seed", 99);
  std::map<std::string, std::string> model;
  for (position_t position = 1; position <= 300; ++position) {
    std::vector<encoded_record> records;
    for (auto count = random() % 10; count > 0; --count) {
      auto key = "k" + std::to_string(random() % 50);
      if (random() % 3 == 0) {
        model.erase(key);
        records.push_back({key, std::nullopt});
      } else {
        model[key] = std::to_string(random());
        records.push_back({key, model[key]});
      }
    }
    put(0, {1, position, 1}, records);
    if (position % 100 == 0)
      restart();
  }
  pairs expected;
  for (const auto& [key, value] : model)
    expected.push_back({key, value});
  EXPECT_EQ(all("k"), expected);
  EXPECT_EQ(subject->where(0)->position, 300u);
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         testing::Values(&make_maker<memory_maker>));
INSTANTIATE_TEST_SUITE_P(Rocksdb, StoreContract,
                         testing::Values(&make_maker<rocksdb_maker>));

// -- what only the one or the other does -------------------------------------

TEST(MemoryStore, FailsOnDemandAndChangesNothing) {
  memory_store subject;
  subject.fail_writes(1);
  applied_records group{0, {1, 1, 1}, {{"k", "v"}}};
  EXPECT_FALSE(subject.write({&group, 1}));
  EXPECT_FALSE(*subject.get("k"));
  EXPECT_EQ(*subject.where(0), checkpoint{});
  EXPECT_TRUE(subject.write({&group, 1}));
  subject.fail_reads(1);
  EXPECT_FALSE(subject.get("k"));
  EXPECT_EQ(*subject.get("k"), "v");
}

TEST(MemoryStore, ACrashForgetsWhatWasNotSynced) {
  memory_store subject;
  applied_records first{0, {1, 1, 1}, {{"k", "kept"}}};
  applied_records second{0, {1, 2, 1}, {{"k", "lost"}}};
  ASSERT_TRUE(subject.write({&first, 1}));
  subject.syncing(false);
  ASSERT_TRUE(subject.write({&second, 1}));
  EXPECT_EQ(*subject.get("k"), "lost");
  subject.crash();
  EXPECT_EQ(*subject.get("k"), "kept");
  EXPECT_EQ(subject.where(0)->position, 1u);
}

TEST(RocksdbStore, SaysThatAnotherHasItOpen) {
  scratch_directory scratch;
  auto first = rocksdb_store::open({scratch.path()});
  ASSERT_TRUE(first);
  auto second = rocksdb_store::open({scratch.path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::unavailable);
  EXPECT_NE(second.error().message.find("another process has it open"),
            std::string::npos)
    << second.error().message;
}

TEST(RocksdbStore, LetsNobodyElseIn) {
  scratch_directory scratch;
  auto inside = scratch.path() / "a/b";
  ASSERT_TRUE(rocksdb_store::open({inside}));
  EXPECT_EQ(fs::status(inside).permissions(), fs::perms::owner_all);
}

TEST(RocksdbStore, LeavesForeignDirectoriesAlone) {
  scratch_directory scratch;
  fs::permissions(scratch.path(),
                  fs::perms::owner_all | fs::perms::others_read);
  std::ofstream{scratch.path() / "letter.txt"} << "dear";
  auto before = fs::status(scratch.path()).permissions();
  auto opened = rocksdb_store::open({scratch.path()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::bad_request);
  EXPECT_EQ(fs::status(scratch.path()).permissions(), before);
}

TEST(RocksdbStore, RefusesWritesBeforeTheDiskIsFull) {
  scratch_directory scratch;
  rocksdb_options options{scratch.path()};
  options.free_bytes_min = ~std::uintmax_t{0} - 1;
  auto opened = rocksdb_store::open(options);
  ASSERT_TRUE(opened);
  applied_records group{0, {1, 1, 1}, {{"k", "v"}}};
  auto refused = (*opened)->write({&group, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_FALSE(*(*opened)->get("k"));
}

TEST(RocksdbStore, ADamagedDirectoryIsRefusedAndNotEnded) {
  scratch_directory scratch;
  ASSERT_TRUE(rocksdb_store::open({scratch.path()}));
  std::ofstream{scratch.path() / "CURRENT"} << "MANIFEST-999999\n";
  auto opened = rocksdb_store::open({scratch.path()});
  EXPECT_FALSE(opened);
}

TEST(RocksdbStore, ATornLogIsAPrefix) {
  scratch_directory scratch;
  {
    auto opened = rocksdb_store::open({scratch.path()});
    ASSERT_TRUE(opened);
    for (position_t position = 1; position <= 200; ++position) {
      applied_records group{
        0, {1, position, 1}, {{"k" + std::to_string(position), "v"}}};
      ASSERT_TRUE((*opened)->write({&group, 1}));
    }
  }
  fs::path log;
  for (const auto& file : fs::directory_iterator{scratch.path()})
    if (file.path().extension() == ".log" && fs::file_size(file) > 0)
      log = file.path();
  ASSERT_FALSE(log.empty());
  fs::resize_file(log, fs::file_size(log) / 2);
  auto opened = rocksdb_store::open({scratch.path()});
  ASSERT_TRUE(opened) << opened.error().message;
  auto last = (*opened)->where(0)->position;
  EXPECT_GT(last, 0u);
  EXPECT_LT(last, 200u);
  for (position_t position = 1; position <= 200; ++position)
    EXPECT_EQ((*opened)->get("k" + std::to_string(position))->has_value(),
              position <= last);
}

} // namespace rollcall
