#include "persistence/store_reader.hpp"

#include "actors/base/limits.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

namespace rollcall {

namespace {

constexpr partition_id home = 3;

struct StoreReader : testing::Test {
  memory_store disk;
  session_key session = samples::session();

  void put(const std::vector<record>& values) {
    applied_records group{home, {1, 9, epoch_generation_unit + 1}, {}};
    for (const auto& value : values)
      group.records.push_back(encode(value, home)->at(0));
    ASSERT_TRUE(disk.write({&group, 1}));
  }
};

TEST_F(StoreReader, WhatWentOverABoundIsReadAgain) {
  std::vector<record> batch{samples::plain_session()};
  for (std::size_t i = 0; i < limits::members_per_session + 200; ++i) {
    auto one = samples::member("u" + std::to_string(i));
    one.ops.clear();
    batch.emplace_back(one);
  }
  put(batch);
  auto read = read_session(disk, home, session);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->members.size(), limits::members_per_session + 200);
}

} // namespace

} // namespace rollcall
