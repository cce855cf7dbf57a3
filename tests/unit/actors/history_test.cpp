#include "actors/history.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace rollcall;

namespace {

millis at(int minute) {
  return millis{1'000'000 + minute * 60'000};
}

stay closed(const std::string& user, int from, int until,
            std::uint32_t before = 0) {
  static revision_t rev = 0;
  return {user_id{user},      {},    {1, ++rev}, at(from), at(until),
          leave_reason::left, before};
}

stay open(const std::string& user, int from, std::uint32_t before = 0) {
  auto out = closed(user, from, from, before);
  out.until.reset();
  return out;
}

time_window window(int from, int until) {
  return {at(from), at(until)};
}

TEST(History, FiguresOfAWindowAreExact) {
  std::vector<stay> all = {closed("ada", 0, 10), closed("bob", 5, 15),
                           closed("ada", 12, 20, 1), open("cyd", 14)};
  auto all_time = summarize(all, window(0, 30), at(30));
  EXPECT_EQ(all_time.stays, 4U);
  EXPECT_EQ(all_time.unique, 3U);
  EXPECT_EQ(all_time.peak, 3U);
  EXPECT_EQ(all_time.peak_at, at(14));
  EXPECT_EQ(all_time.joins, 4U);
  EXPECT_EQ(all_time.leaves, 3U);
  EXPECT_EQ(all_time.reconnections, 1U);
  EXPECT_EQ(all_time.dwell, millis{(10 + 10 + 8 + 16) * 60'000});
  EXPECT_EQ(all_time.first_seen, at(0));
  EXPECT_EQ(all_time.last_seen, at(30));

  auto part = summarize(all, window(10, 13), at(30));
  EXPECT_EQ(part.stays, 2U) << "a stay ends before its `until`";
  EXPECT_EQ(part.peak, 2U);
  EXPECT_EQ(part.peak_at, at(12));
  EXPECT_EQ(part.joins, 1U);
  EXPECT_EQ(part.leaves, 1U) << "the leave at its beginning is the window's";
  EXPECT_EQ(part.dwell, millis{(3 + 1) * 60'000});
}

TEST(History, WhoWasThereWhenTheWindowBeginsCounts) {
  std::vector<stay> all = {closed("ada", 0, 100), closed("bob", 0, 50)};
  auto part = summarize(all, window(50, 60), at(200));
  EXPECT_EQ(part.peak, 1U);
  EXPECT_EQ(part.peak_at, at(50));
  EXPECT_EQ(summarize(all, window(49, 60), at(200)).peak, 2U);
  EXPECT_EQ(summarize(all, window(100, 160), at(200)).peak, 0U);
  EXPECT_FALSE(summarize(all, window(100, 160), at(200)).peak_at);
}

TEST(History, AMomentIsAStayWithoutTime) {
  std::vector<stay> all = {closed("ada", 5, 5)};
  auto figures = summarize(all, window(0, 10), at(10));
  EXPECT_EQ(figures.stays, 1U);
  EXPECT_EQ(figures.joins, 1U);
  EXPECT_EQ(figures.leaves, 1U);
  EXPECT_EQ(figures.dwell, millis{0});
  EXPECT_EQ(figures.peak, 0U);
}

TEST(History, TimelineSaysWhatHappenedInEachBucket) {
  std::vector<stay> all
    = {closed("ada", 0, 10), closed("bob", 2, 4), open("cyd", 9)};
  auto line = timeline(all, window(0, 12), millis{5 * 60'000});
  ASSERT_TRUE(line);
  ASSERT_EQ(line->size(), 3U);
  EXPECT_EQ(line->at(0), (history_bucket{at(0), 1, 2, 2, 1, 2}));
  EXPECT_EQ(line->at(1), (history_bucket{at(5), 1, 2, 1, 0, 2}));
  EXPECT_EQ(line->at(2), (history_bucket{at(10), 1, 1, 0, 1, 1}));
}

TEST(History, TimelinesAreBounded) {
  std::vector<stay> none;
  auto most = static_cast<int>(limits::history_buckets);
  EXPECT_TRUE(timeline(none, window(0, most - 1), millis{60'000}));
  auto exact = timeline(none, window(0, most), millis{60'000});
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->size(), limits::history_buckets);
  auto over = window(0, most);
  over.until += millis{1};
  EXPECT_FALSE(timeline(none, over, millis{60'000}));
  EXPECT_TRUE(timeline(none, window(0, 0), millis{1})->empty());
  auto refused = timeline(none, window(0, most + 1), millis{60'000});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "bucket_ms");
  EXPECT_FALSE(timeline(none, window(0, 10), millis{0}));
  EXPECT_FALSE(timeline(none, window(10, 0), millis{60'000}));
}

TEST(History, PeopleHaveFirstAndLastSeenDwellAndReturns) {
  std::vector<stay> all = {closed("bob", 0, 10), closed("ada", 5, 6),
                           closed("bob", 20, 25, 1), open("ada", 28, 7)};
  auto people = people_of(all, window(0, 30), at(30));
  ASSERT_EQ(people.size(), 2U);
  const auto& ada = people[0];
  EXPECT_EQ(ada.user.str(), "ada");
  EXPECT_EQ(ada.first_seen, at(5));
  EXPECT_EQ(ada.last_seen, at(30));
  EXPECT_EQ(ada.dwell, millis{3 * 60'000});
  EXPECT_EQ(ada.stays, 2U);
  EXPECT_EQ(ada.reconnections, 7U) << "the stay knows of what was swept";
  EXPECT_TRUE(ada.here);
  const auto& bob = people[1];
  EXPECT_EQ(bob.last_seen, at(25));
  EXPECT_EQ(bob.reconnections, 1U);
  EXPECT_FALSE(bob.here);
}

TEST(History, WhoWasHereAtAMoment) {
  std::vector<stay> all = {closed("ada", 0, 10), open("bob", 10)};
  auto users = [&](millis when) {
    std::string out;
    for (const auto& one : here_at(all, when))
      out += one.user.str();
    return out;
  };
  EXPECT_EQ(users(at(0)), "ada");
  EXPECT_EQ(users(at(10) - millis{1}), "ada");
  EXPECT_EQ(users(at(10)), "bob");
  EXPECT_EQ(users(at(0) - millis{1}), "");
}

TEST(History, VisitsKnowWhatTheNewestStaySays) {
  std::vector<stay> all = {closed("ada", 0, 1, 4), closed("bob", 0, 1),
                           closed("bob", 2, 3, 1), closed("cyd", 4, 5)};
  all[3].reconnections.reset();
  using counts = std::vector<std::pair<user_id, std::uint32_t>>;
  EXPECT_EQ(
    visits_of(all, 10),
    (counts{{user_id{"ada"}, 5}, {user_id{"bob"}, 2}, {user_id{"cyd"}, 1}}));
  EXPECT_EQ(visits_of(all, 2),
            (counts{{user_id{"bob"}, 2}, {user_id{"cyd"}, 1}}))
    << "the latest are remembered";
}

// Against a model that looks at every millisecond.
TEST(History, AgreesWithCountingEveryMoment) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random{seed};
    auto pick = [&](int end) {
      return static_cast<int>(random() % static_cast<unsigned>(end));
    };
    constexpr int end = 40;
    std::vector<stay> all;
    for (int user = 0; user < 4; ++user) {
      std::uint32_t before = 0;
      for (int t = pick(10); t < end; t += 1 + pick(10)) {
        auto until = t + pick(12);
        all.push_back({user_id{std::to_string(user)},
                       {},
                       {1, random()},
                       millis{t},
                       millis{until},
                       leave_reason::left,
                       before++});
        if (until >= end)
          all.back().until.reset();
        t = until;
      }
    }
    time_window w{millis{pick(end)}, millis{0}};
    w.until = w.from + millis{1 + pick(20)};
    auto here = [&](millis when) {
      std::set<user_id> out;
      for (const auto& one : all)
        if (one.from <= when && (!one.until || when < *one.until))
          out.insert(one.user);
      return out;
    };
    std::size_t peak = 0;
    std::size_t dwell = 0;
    for (auto t = w.from; t < w.until; t += millis{1}) {
      peak = std::max(peak, here(t).size());
      dwell += here(t).size();
    }
    auto figures = summarize(all, w, millis{1'000});
    EXPECT_EQ(figures.peak, peak) << seed;
    EXPECT_EQ(figures.dwell.count(), static_cast<std::int64_t>(dwell)) << seed;
    auto width = millis{1 + pick(7)};
    auto line = timeline(all, w, width);
    ASSERT_TRUE(line);
    for (const auto& one : *line) {
      std::size_t most = 0;
      std::set<user_id> seen;
      auto stop = std::min(one.at + width, w.until);
      for (auto t = one.at; t < stop; t += millis{1}) {
        most = std::max(most, here(t).size());
        seen.merge(here(t));
      }
      // Those who came and went at one moment count as seen.
      for (const auto& each : all)
        if (each.until == each.from && each.from >= one.at && each.from < stop)
          seen.insert(each.user);
      EXPECT_EQ(one.present, here(one.at).size()) << seed;
      EXPECT_EQ(one.peak, most) << seed;
      EXPECT_EQ(one.unique, seen.size()) << seed;
    }
  }
}

} // namespace
