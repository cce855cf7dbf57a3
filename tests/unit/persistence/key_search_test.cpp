#include "persistence/key_search.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace rollcall {

namespace {

constexpr partition_id home = 3;

struct KeySearch : testing::Test {
  memory_store disk;
  session_key session = samples::session();

  void put(const std::vector<record>& values) {
    applied_records group{home, {1, 9, epoch_generation_unit + 1}, {}};
    for (const auto& value : values)
      group.records.push_back(encode(value, home)->at(0));
    ASSERT_TRUE(disk.write({&group, 1}));
  }

  void put_raw(std::vector<encoded_record> items) {
    applied_records group{
      home, {1, 9, epoch_generation_unit + 1}, std::move(items)};
    ASSERT_TRUE(disk.write({&group, 1}));
  }

  interval_record closed(const std::string& user, revision_t rev, int from,
                         int until) {
    auto out = samples::interval(user, {5, rev});
    out.from = millis{from};
    out.until = millis{until};
    return out;
  }

  audit_record entry(revision_t rev) {
    auto out = samples::audit();
    out.at = {5, rev};
    out.when = millis{1};
    return out;
  }
};

TEST_F(KeySearch, ALongStayDoesNotKeepShorterOnes) {
  put({samples::plain_session(), closed("long", 1, 0, 600),
       closed("short", 2, 0, 100), closed("late", 3, 501, 502),
       closed("behind", 4, 0, 100)});
  auto found = find_aged(
    disk, aged_question{home, millis{1'000}, {millis{500}, {}}, {}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->keys.size(), 1u);
  EXPECT_EQ(
    found->keys.at(session),
    std::vector{keys::of_interval(home, session, {5, 2}, user_id{"short"})})
    << "what began too late ends the look at a session";
}

TEST_F(KeySearch, WhatCannotBeReadDoesNotEndASweep) {
  put({samples::plain_session(), closed("short", 2, 0, 100)});
  put_raw({{keys::of_interval(home, session, {5, 1}, user_id{"x"}), "\xC1"}});
  auto found = find_aged(
    disk, aged_question{home, millis{1'000}, {millis{500}, {}}, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->keys[session].size(), 1u);
}

TEST_F(KeySearch, ASweepThatFillsItsStepWithStaysComesToTheLog) {
  std::vector<record> batch{samples::plain_session()};
  for (std::size_t i = 1; i <= limits::sweep_step; ++i)
    batch.emplace_back(closed("u", static_cast<revision_t>(i), 0, 1));
  batch.emplace_back(entry(1));
  put(batch);
  aged_question asked{home, millis{1'000}, {millis{500}, {}}, {}};
  auto first = find_aged(disk, asked);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->keys[session].size(), limits::sweep_step);
  ASSERT_FALSE(first->next.empty());
  asked.after = first->next;
  auto second = find_aged(disk, asked);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->keys[session].size(), 1u);
  EXPECT_TRUE(second->next.empty());
}

} // namespace

} // namespace rollcall
