#include "persistence/key_search.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "unit/persistence/store_world.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace rollcall {

namespace {

struct KeySearch : store_world {
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

TEST_F(KeySearch, WhatWasSetAsideIsErasedForItsUserAlone) {
  const user_id ada{"a"};
  const auto other = home + 1;
  auto strange = samples::audit();
  strange.actor = ada;
  strange.target = user_id{"bob"};
  std::vector<std::pair<std::string, std::string>> of_ada{
    // A record that could not be read, by its key.
    {keys::of_member(home, session, ada), "\xC1"},
    // A record of another partition, which can.
    {encode(strange, other)->at(0).key, *encode(strange, other)->at(0).value},
    // One that cannot, by what stands in it.
    {keys::of_page(home, session, 1), "\xC1\xA1"
                                      "a\xC0"},
  };
  const std::vector<std::pair<std::string, std::string>> of_others{
    {keys::of_member(home, session, user_id{"ada"}), "\xC1"},
    {keys::of_page(home, session, 2), "\xC1\xA3"
                                      "ada banana"},
    {keys::of_session(home, session), "a"},
  };
  std::vector<encoded_record> aside;
  std::map<session_key, std::set<std::string>> wanted;
  auto put_aside = [&](const session_key& where, const auto& items, bool his) {
    for (const auto& [key, value] : items) {
      auto at = keys::of_set_aside(home, where, key);
      aside.push_back({at, value});
      if (his)
        wanted[where].insert(at);
    }
  };
  put_aside(session, of_ada, true);
  put_aside(session, of_others, false);
  // Keys that are none: nobody knows the session.
  using items = std::vector<std::pair<std::string, std::string>>;
  put_aside({}, items{{of_ada[0].first + "tail", "?"}}, true);
  put_aside({}, items{{of_others[0].first + "tail", "?"}}, false);
  put_aside(samples::session("s", "other"), of_ada, false);
  // An entry of the log that cannot be read is its target's.
  auto entry_key = keys::of_audit(home, session, {5, 1}, "kick", ada);
  aside.push_back({entry_key, "\xC1"});
  wanted[session].insert(entry_key);
  put_raw(std::move(aside));
  auto found = find_user(disk, {home, session.ns, ada, {}});
  ASSERT_TRUE(found);
  std::map<session_key, std::set<std::string>> got;
  for (const auto& [where, all] : found->keys) {
    got[where].insert(all.begin(), all.end());
    // As an erasure asks for it.
    EXPECT_TRUE(encode(keys_erased{where, all}, home));
  }
  EXPECT_EQ(got, wanted);
}

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

TEST_F(KeySearch, ASweepNamesWhoIsDue) {
  auto late = samples::session("late");
  auto soon = samples::session("soon");
  put({due_mark{session, millis{999}}, due_mark{late, millis{1'001}},
       due_mark{soon, millis{1'000}}, closed("u", 1, 0, 1)});
  auto found = find_aged(
    disk, aged_question{home, millis{1'000}, {millis{500}, {}}, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sessions, (std::set{session, soon}));
  EXPECT_EQ(found->keys.size(), 1u) << "marks are for their sessions to remove";
}

} // namespace

} // namespace rollcall
