#include "persistence/layout.hpp"

#include "persistence/memory_store.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

namespace {

void claim_all(store& at, std::uint32_t partitions, position_t position) {
  std::vector<applied_records> groups;
  for (partition_id p = 0; p < partitions; ++p)
    groups.push_back({p, {0, position, 1}, {}});
  ASSERT_TRUE(at.write(groups).ok());
}

TEST(Layout, ANewStoreKeepsTheFirstCount) {
  memory_store at;
  EXPECT_TRUE(check_partition_count(at, 64).ok());
  EXPECT_FALSE(check_partition_count(at, 8).ok());
  EXPECT_TRUE(check_partition_count(at, 64).ok());
}

TEST(Layout, ANodeThatOwnsAFewPartitionsKeepsTheCount) {
  memory_store at;
  EXPECT_TRUE(check_partition_count(at, 64).ok());
  claim_all(at, 7, 5);
  EXPECT_TRUE(check_partition_count(at, 64).ok());
  EXPECT_FALSE(check_partition_count(at, 7).ok());
}

TEST(Layout, AUsedStoreKeepsItsCount) {
  memory_store at;
  claim_all(at, 64, 2);
  EXPECT_TRUE(check_partition_count(at, 64).ok());
  for (std::uint32_t other : {8U, 63U, 65U, 128U}) {
    auto refused = check_partition_count(at, other);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, errc::conflict);
    EXPECT_EQ(refused.error().field, "engine.partitions");
    EXPECT_NE(refused.error().message.find("64"), std::string::npos);
  }
}

TEST(Layout, AFirstStartCutShortMayGoOn) {
  memory_store at;
  claim_all(at, 30, 1);
  EXPECT_TRUE(check_partition_count(at, 64).ok());
}

TEST(Layout, KeepsTheNamesOfOtherNodes) {
  memory_store at;
  EXPECT_TRUE(read_nodes(at)->empty());
  ASSERT_TRUE(write_nodes(at, {"core-1", "core-2"}));
  EXPECT_EQ(*read_nodes(at), (std::vector<std::string>{"core-1", "core-2"}));
  ASSERT_TRUE(write_nodes(at, {}));
  EXPECT_TRUE(read_nodes(at)->empty());
}

} // namespace
