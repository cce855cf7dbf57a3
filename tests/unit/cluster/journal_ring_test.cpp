#include "cluster/journal_ring.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

std::vector<encoded_record> values(std::initializer_list<const char*> keys) {
  std::vector<encoded_record> out;
  for (const auto* key : keys)
    out.push_back({key, "v"});
  return out;
}

std::string front_key(journal_ring& of) {
  auto item = of.front();
  return item ? item->record.key : "-";
}

} // namespace

TEST(JournalRing, IsFullBeforeASlotIsUsedTwice) {
  journal_ring subject{3, 1'000'000};
  for (std::uint64_t group = 1; group <= 3; ++group) {
    EXPECT_FALSE(subject.full());
    EXPECT_EQ(subject.next_group(), group);
    subject.add(group, group * 10, values({"a", "b"}), false);
  }
  EXPECT_TRUE(subject.full());
  // All of the first two were replaced: looking is enough.
  EXPECT_EQ(subject.front()->position, 30u);
  EXPECT_FALSE(subject.full());
}

TEST(JournalRing, SpreadsWhatIsStillTheLastOfItsKey) {
  journal_ring subject{8, 1'000'000};
  subject.add(1, 10, values({"a", "b", "c"}), false);
  subject.add(2, 20, values({"b"}), false);
  subject.written_alone("c");
  EXPECT_EQ(front_key(subject), "a");
  subject.pop();
  EXPECT_EQ(front_key(subject), "b");
  EXPECT_EQ(subject.front()->position, 20u);
  subject.pop();
  EXPECT_EQ(front_key(subject), "-");
  EXPECT_EQ(subject.groups(), 0u);
}

TEST(JournalRing, TheLastOfTwoValuesInOneGroupCounts) {
  journal_ring subject{8, 1'000'000};
  subject.add(1, 10, {{"a", "first"}, {"b", "v"}, {"a", std::nullopt}}, true);
  auto item = subject.front();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->record, (encoded_record{"a", std::nullopt}));
  EXPECT_TRUE(item->inherited);
  subject.pop();
  EXPECT_EQ(front_key(subject), "b");
  subject.pop();
  EXPECT_EQ(front_key(subject), "-");
}

TEST(JournalRing, WantsSpreadingByBytesAndByGroups) {
  journal_ring subject{8, 1'000};
  EXPECT_FALSE(subject.wants_spreading());
  subject.add(1, 10, {{"a", std::string(2'000, 'x')}}, false);
  EXPECT_TRUE(subject.wants_spreading());
  EXPECT_EQ(front_key(subject), "a");
  subject.pop();
  EXPECT_FALSE(subject.wants_spreading());
  for (std::uint64_t group = 2; group <= 8; ++group)
    subject.add(group, group, values({"k"}), false);
  EXPECT_TRUE(subject.wants_spreading());
}

TEST(JournalRing, AGroupThatWasGivenUpUsesItsNumber) {
  journal_ring subject{2, 1'000'000};
  subject.add(1, 10, values({"a"}), false);
  subject.skip(2);
  EXPECT_EQ(subject.next_group(), 3u);
  EXPECT_TRUE(subject.full());
}
