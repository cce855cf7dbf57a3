#include "persistence/store_reader.hpp"

#include "actors/base/limits.hpp"
#include "unit/persistence/store_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace rollcall {

namespace {

struct StoreReader : store_world {};

TEST_F(StoreReader, AnOpeningKnowsWhoIsDueFirst) {
  std::vector<record> batch;
  constexpr auto count = limits::sessions_per_partition;
  for (std::size_t i = 0; i < count; ++i)
    batch.emplace_back(due_mark{samples::session("s" + std::to_string(i)),
                                millis{static_cast<int>(10 + i % 1'000)}});
  auto last = samples::session("a-much-longer-name");
  batch.emplace_back(due_mark{last, millis{5}});
  put(batch);
  auto due = read_due(disk, home);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->size(), count);
  EXPECT_EQ(std::count(due->begin(), due->end(), std::pair{last, millis{5}}), 1)
    << "the last by its key";
  EXPECT_EQ(
    std::count_if(due->begin(), due->end(),
                  [](const auto& one) { return one.second == millis{1'009}; }),
    64)
    << "one of the 65 latest gave way";
}

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
