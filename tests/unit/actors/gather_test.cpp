#include "actors/gather.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace rollcall;

namespace {

session_summary named(const std::string& id) {
  session_summary out;
  out.id = session_id{id};
  return out;
}

list_reply part(std::vector<std::string> ids,
                std::optional<std::string> reached = {}, int as_of = 10) {
  list_reply out;
  out.as_of = millis{as_of};
  for (const auto& id : ids)
    out.sessions.push_back(named(id));
  if (reached)
    out.reached = session_id{*reached};
  return out;
}

std::vector<std::string> ids_of(const listing& page) {
  std::vector<std::string> out;
  for (const auto& one : page.sessions)
    out.push_back(one.id.str());
  return out;
}

using ids = std::vector<std::string>;

TEST(ListingMerge, OrdersWhatPartitionsSay) {
  listing_merge merge{10};
  merge.add(part({"b", "aa"}, {}, 20));
  merge.add(part({"a", "c"}, {}, 15));
  auto page = merge.finish();
  EXPECT_EQ(ids_of(page), (ids{"a", "b", "c", "aa"}));
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.as_of, millis{15});
  EXPECT_FALSE(page.next);
}

TEST(ListingMerge, GoesNoFurtherThanEveryPartitionHasLooked) {
  listing_merge merge{10};
  merge.add(part({"a", "f"}, "f"));
  merge.add(part({"b", "c"}, "c"));
  auto page = merge.finish();
  EXPECT_EQ(ids_of(page), (ids{"a", "b", "c"}));
  EXPECT_EQ(page.next, session_id{"c"});
}

TEST(ListingMerge, CutsAtTheLimit) {
  listing_merge merge{2};
  merge.add(part({"a", "d"}));
  merge.add(part({"b"}));
  auto page = merge.finish();
  EXPECT_EQ(ids_of(page), (ids{"a", "b"}));
  EXPECT_EQ(page.next, session_id{"b"});
}

TEST(ListingMerge, APageMayBeEmptyAndStillGoOn) {
  listing_merge merge{2};
  merge.add(part({}, "k"));
  auto page = merge.finish();
  EXPECT_TRUE(page.sessions.empty());
  EXPECT_EQ(page.next, session_id{"k"});
}

TEST(ListingMerge, SaysThatSomebodyIsMissing) {
  listing_merge merge{2};
  merge.add(part({"a"}));
  merge.add_missing();
  EXPECT_FALSE(merge.finish().complete);
}

// Sessions come and go between pages: what stays is seen exactly once.
TEST(ListingMerge, PagesAreStableWhileSessionsComeAndGo) {
  struct less {
    bool operator()(const std::string& a, const std::string& b) const {
      return listed_before(session_id{a}, session_id{b});
    }
  };
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random{seed};
    std::vector<std::set<std::string, less>> partitions(4);
    std::set<std::string> steady;
    auto draw = [&](const char* prefix) {
      return prefix + std::to_string(random() % 2'000);
    };
    for (int i = 0; i < 60; ++i) {
      auto id = draw("s");
      if (steady.insert(id).second)
        partitions[std::hash<std::string>{}(id) % 4].insert(id);
    }
    std::multiset<std::string> seen;
    session_id after;
    for (int pages = 0; pages < 200; ++pages) {
      for (int i = 0; i < 5; ++i) {
        auto id = draw("t");
        auto& where = partitions[std::hash<std::string>{}(id) % 4];
        if (!where.erase(id))
          where.insert(id);
      }
      auto limit = static_cast<std::uint32_t>(1 + random() % 9);
      listing_merge merge{limit};
      for (const auto& where : partitions) {
        list_reply part;
        for (const auto& id : where) {
          if (!after.empty() && !listed_before(after, session_id{id}))
            continue;
          if (part.sessions.size() == limit) {
            part.reached = part.sessions.back().id;
            break;
          }
          part.sessions.push_back(named(id));
        }
        merge.add(std::move(part));
      }
      auto page = merge.finish();
      for (const auto& one : page.sessions)
        seen.insert(one.id.str());
      if (!page.next)
        break;
      after = *page.next;
    }
    for (const auto& id : steady)
      EXPECT_EQ(seen.count(id), 1U) << id << " seed " << seed;
  }
}

} // namespace
