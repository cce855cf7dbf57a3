#include "persistence/key_schema.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace rollcall {

namespace {

session_key key_of(std::string ns, std::string id) {
  return {namespace_id{std::move(ns)}, session_id{std::move(id)}};
}

// Ids chosen to break a schema that separates instead of measuring.
std::vector<std::string> hostile_ids() {
  using namespace std::string_literals;
  return {"a",
          "ab",
          "abc",
          "\0"s,
          "\0\0"s,
          "a\0"s,
          "a\0b"s,
          "\x01"
          "a",
          "\x02"
          "ab",
          "\xff",
          "\xff\xff\xff\xff",
          std::string(limits::id_bytes, 'x'),
          std::string(limits::id_bytes - 1, 'x'),
          std::string(limits::id_bytes, '\0')};
}

std::vector<session_key> hostile_sessions() {
  std::vector<session_key> out;
  for (const auto& ns : hostile_ids())
    for (const auto& id : hostile_ids())
      out.push_back(key_of(ns, id));
  return out;
}

} // namespace

TEST(KeySchema, TagsAndLayoutStayAsTheyAre) {
  using namespace std::string_literals;
  auto session = key_of("ns", "room");
  auto head = [](char tag) { return "\0\0\1\2"s + tag + "\2ns\4room"; };
  auto number = "\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\x9"s;
  EXPECT_EQ(keys::of_session(258, session), head('\x01'));
  EXPECT_EQ(keys::of_member(258, session, user_id{"u"}), head('\x02') + "\1u");
  EXPECT_EQ(keys::of_page(258, session, 513), head('\x03') + "\0\0\2\1"s);
  EXPECT_EQ(keys::of_occupied(258, session), head('\x04'));
  EXPECT_EQ(keys::of_due(258, session), head('\x05'));
  EXPECT_EQ(keys::of_interval(258, session, {7, 9}, user_id{"u"}),
            head('\x06') + number + "\1u");
  EXPECT_EQ(keys::of_audit(258, session, {7, 9}, "kick", user_id{"u"}),
            head('\x07') + number + "\4kick\1u");
  EXPECT_EQ(keys::of_set_aside(258, session, "old"), head('\xEE') + "old");
  EXPECT_EQ(keys::of_checkpoint(258), "\0\0\1\2\xF0"s);
  EXPECT_EQ(keys::of_schema(), "\xFF\xFF\xFF\xFF\xF1");
  EXPECT_EQ(keys::of_layout(), "\xFF\xFF\xFF\xFF\xF2");
  EXPECT_EQ(keys::of_nodes(), "\xFF\xFF\xFF\xFF\xF3");
}

TEST(KeySchema, EveryKeyParsesBackToItsParts) {
  for (const auto& session : hostile_sessions()) {
    for (const auto& name : hostile_ids()) {
      user_id user{name};
      auto member = keys::parse(keys::of_member(3, session, user));
      ASSERT_TRUE(member);
      EXPECT_EQ(*member,
                (keys::parsed{3, table::member, session, user, 0, {}, {}}));
      auto stay = keys::parse(keys::of_interval(3, session, {5, 6}, user));
      ASSERT_TRUE(stay);
      EXPECT_EQ(*stay, (keys::parsed{
                         3, table::interval, session, user, 0, {5, 6}, {}}));
      auto entry = keys::parse(keys::of_audit(3, session, {5, 6}, name, user));
      ASSERT_TRUE(entry);
      EXPECT_EQ(*entry, (keys::parsed{
                          3, table::audit, session, user, 0, {5, 6}, name}));
      auto aside = keys::parse(keys::of_set_aside(3, session, name));
      ASSERT_TRUE(aside);
      EXPECT_EQ(*aside,
                (keys::parsed{3, table::set_aside, session, {}, 0, {}, name}));
    }
    auto page = keys::parse(keys::of_page(3, session, 0xFFFF'FFFF));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->number, 0xFFFF'FFFF);
    EXPECT_EQ(page->session, session);
  }
}

TEST(KeySchema, NoSessionReachesIntoTheRangeOfAnother) {
  auto sessions = hostile_sessions();
  std::vector<std::string> all;
  for (const auto& session : sessions) {
    all.push_back(keys::of_session(1, session));
    for (const auto& name : hostile_ids())
      all.push_back(keys::of_member(1, session, user_id{name}));
  }
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  for (const auto& session : sessions) {
    auto prefix = keys::prefix(1, table::member, session);
    auto inside = std::count_if(all.begin(), all.end(), [&](const auto& key) {
      return key.starts_with(prefix);
    });
    EXPECT_EQ(inside, static_cast<long>(hostile_ids().size()));
  }
}

TEST(KeySchema, PartitionsAndTablesDoNotOverlap) {
  auto session = key_of("a", "b");
  auto key = keys::of_due(1, session);
  EXPECT_TRUE(key.starts_with(keys::prefix(1)));
  EXPECT_TRUE(key.starts_with(keys::prefix(1, table::due)));
  EXPECT_FALSE(key.starts_with(keys::prefix(256)));
  EXPECT_FALSE(key.starts_with(keys::prefix(1, table::occupied)));
}

TEST(KeySchema, VersionsAndPagesSortAsNumbers) {
  auto session = key_of("a", "b");
  EXPECT_LT(keys::of_page(1, session, 255), keys::of_page(1, session, 256));
  EXPECT_LT(keys::of_interval(1, session, {1, 256}, user_id{"z"}),
            keys::of_interval(1, session, {2, 255}, user_id{"a"}));
  EXPECT_LT(keys::of_audit(1, session, {1, 255}, "a", {}),
            keys::of_audit(1, session, {1, 256}, "a", {}));
}

TEST(KeySchema, RefusesEveryTruncationAndAnyTail) {
  auto session = key_of("tenant", "room");
  std::vector<std::string> whole
    = {keys::of_session(1, session),
       keys::of_member(1, session, user_id{"u"}),
       keys::of_page(1, session, 1),
       keys::of_interval(1, session, {1, 2}, user_id{"u"}),
       keys::of_audit(1, session, {1, 2}, "kick", user_id{"u"}),
       keys::of_checkpoint(1),
       keys::of_schema(),
       keys::of_layout(),
       keys::of_nodes()};
  for (const auto& key : whole) {
    ASSERT_TRUE(keys::parse(key));
    for (std::size_t size = 0; size < key.size(); ++size)
      EXPECT_FALSE(keys::parse(std::string_view{key}.substr(0, size)));
    auto longer = keys::parse(key + '\0');
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().field, "trailing bytes");
  }
}

TEST(KeySchema, RefusesUnknownTablesAndMisplacedMeta) {
  using namespace std::string_literals;
  auto unknown = keys::parse("\0\0\0\1\x7F"s);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().field, "table");
  EXPECT_FALSE(keys::parse("\0\0\0\1\xF1"s));
  EXPECT_FALSE(keys::parse("\xFF\xFF\xFF\xFF\xF0"s));
}

TEST(KeySchema, NeverFailsOnRandomBytes) {
  std::mt19937 random{20'260'101};
  for (int round = 0; round < 20'000; ++round) {
    std::string key(random() % 40, '\0');
    for (auto& c : key)
      c = static_cast<char>(random());
    if (key.size() > 4)
      key[4] = static_cast<char>(random() % 9);
    if (auto got = keys::parse(key); got) {
      EXPECT_EQ(got->partition, keys::parse(key)->partition);
      EXPECT_GE(key.size(), 5u);
    }
  }
}

} // namespace rollcall
