#include "persistence/migrations.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"
#include "persistence/store_reader.hpp"
#include "unit/persistence/faulty_store.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

namespace rollcall {

namespace {

using content = std::map<std::string, std::string>;

content all_of(store& from) {
  content out;
  EXPECT_TRUE(from.scan("", [&](auto key, auto value) {
    out.emplace(key, value);
    return true;
  }));
  return out;
}

void put(store& to, partition_id partition, const std::vector<record>& values) {
  applied_records group{partition, {1, 4, epoch_generation_unit + 1}, {}};
  for (const auto& value : values)
    group.records.push_back(encode(value, partition)->at(0));
  ASSERT_TRUE(to.write({&group, 1}));
}

void stamp(store& to, std::uint32_t schema) {
  applied_records group{
    store_wide, {}, {{keys::of_schema(), encode_schema(schema)}}};
  ASSERT_TRUE(to.write({&group, 1}));
}

// A store as a build of schema 1 has left it.
void fill_schema_1(store& to, int sessions) {
  stamp(to, 1);
  std::vector<record> values;
  for (int i = 0; i < sessions; ++i) {
    auto key = samples::session("s" + std::to_string(i));
    values.push_back(samples::plain_session(key));
    if (i % 2 == 0) {
      values.push_back(samples::page(0, key, {"a"}));
      values.push_back(samples::page(1, key, {"b"}));
    }
  }
  put(to, 3, values);
  put(to, 7, {samples::page(0, samples::session("far"), {"a"})});
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned char byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

std::string from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

std::uint32_t schema_of(store& at) {
  auto got = read_schema(at);
  EXPECT_TRUE(got);
  return got->value_or(0);
}

} // namespace

TEST(Migrations, ANewStoreIsStamped) {
  memory_store subject;
  ASSERT_TRUE(migrate(subject));
  EXPECT_EQ(schema_of(subject), schema_current);
  EXPECT_EQ(all_of(subject).size(), 1u);
  ASSERT_TRUE(migrate(subject));
  EXPECT_EQ(all_of(subject).size(), 1u);
}

TEST(Migrations, AreNumberedWithoutGaps) {
  std::uint32_t last = 1;
  for (const auto& step : migrations()) {
    EXPECT_EQ(step.to, ++last);
    EXPECT_NE(step.apply, nullptr);
    EXPECT_NE(step.rollback, nullptr);
  }
  EXPECT_EQ(last, schema_current);
}

TEST(Migrations, Schema2HasAnOccupiedIndex) {
  memory_store subject;
  fill_schema_1(subject, 5);
  EXPECT_TRUE(read_occupied(subject, 3)->empty());
  ASSERT_TRUE(migrate(subject));
  EXPECT_EQ(schema_of(subject), schema_current);
  EXPECT_EQ(*read_occupied(subject, 3),
            (std::vector{samples::session("s0"), samples::session("s2"),
                         samples::session("s4")}));
  EXPECT_EQ(*read_occupied(subject, 7), std::vector{samples::session("far")});
  EXPECT_EQ(subject.where(3)->position, 4u);
}

// -- schema 3, on a store that schema 2 has left -----------------------------

namespace fs = std::filesystem;

fs::path kept_store() {
  return fs::path{ROLLCALL_TESTS_DIR} / "vectors" / "store" / "schema-2.hex";
}

// What a build of schema 2 wrote: stays that know nothing of each other.
void write_schema_2(const fs::path& to) {
  memory_store store;
  stamp(store, 2);
  auto key = samples::session();
  std::vector<record> values{samples::full_session(key),
                             samples::member(),
                             samples::page(0, key, {"cyd"}),
                             occupied_mark{key, true},
                             due_mark{key, millis{1'700'000'000'006}},
                             samples::audit()};
  for (std::uint64_t i = 1; i <= 3; ++i)
    values.push_back(samples::interval("ada", {1'099'511'627'777, 10 * i}));
  values.push_back(samples::interval("bob", {1'099'511'627'777, 15}));
  put(store, 3, values);
  fs::create_directories(to.parent_path());
  std::ofstream out{to};
  for (const auto& [one, value] : all_of(store))
    out << to_hex(one) << ' ' << to_hex(value) << '\n';
}

void load(store& to, const fs::path& from) {
  std::ifstream in{from};
  std::string key;
  std::string value;
  applied_records group{store_wide, {}, {}};
  while (in >> key >> value)
    group.records.push_back({from_hex(key), from_hex(value)});
  ASSERT_FALSE(group.records.empty());
  ASSERT_TRUE(to.write({&group, 1}));
}

TEST(Migrations, AStoreOfSchema2IsTakenAndGivenBack) {
  if (std::getenv("ROLLCALL_WRITE_VECTORS") != nullptr)
    write_schema_2(kept_store());
  memory_store subject;
  load(subject, kept_store());
  auto before = all_of(subject);
  ASSERT_EQ(schema_of(subject), 2u);
  ASSERT_TRUE(migrate(subject));
  EXPECT_EQ(schema_of(subject), 3u);
  auto counts = [&] {
    std::string out;
    EXPECT_TRUE(
      subject.scan(keys::prefix(3, table::interval), [&](auto key, auto value) {
        auto closed = std::get<interval_record>(*decode(key, value));
        out += closed.user.str() + std::to_string(*closed.reconnections) + ' ';
        return true;
      }));
    return out;
  };
  EXPECT_EQ(counts(), "ada0 bob0 ada1 ada2 ");
  auto read = read_session(subject, 3, samples::session());
  ASSERT_TRUE(read);
  using departed = std::vector<std::pair<user_id, std::uint32_t>>;
  EXPECT_EQ(read->departed,
            (departed{{user_id{"ada"}, 3}, {user_id{"bob"}, 1}}));

  // An entry of this build is given back in a form the one before reads.
  put(subject, 3, {samples::worded_audit()});
  ASSERT_TRUE(migrate_to(subject, 2));
  EXPECT_EQ(all_of(subject), before);
}

TEST(Migrations, CountingStaysMayBeBrokenOffAtAnyWrite) {
  auto fill = [](store& to) {
    stamp(to, 2);
    std::vector<record> values{samples::plain_session()};
    constexpr std::uint64_t stays = 2 * limits::group_commits + 10;
    for (std::uint64_t i = 1; i <= stays; ++i)
      values.push_back(samples::interval("u" + std::to_string(i % 7), {1, i}));
    put(to, 3, values);
  };
  memory_store whole;
  fill(whole);
  auto before = all_of(whole);
  ASSERT_TRUE(migrate(whole));
  auto after = all_of(whole);
  for (std::size_t writes = 0; writes < 6; ++writes) {
    faulty_store subject;
    fill(subject);
    subject.writes_left = writes;
    (void)migrate(subject);
    subject.writes_left = std::numeric_limits<std::size_t>::max();
    ASSERT_TRUE(migrate(subject));
    EXPECT_EQ(all_of(subject), after) << writes;
    EXPECT_LE(subject.largest, 2 * limits::group_commits + 11);
    subject.writes_left = writes;
    (void)migrate_to(subject, 2);
    subject.writes_left = std::numeric_limits<std::size_t>::max();
    ASSERT_TRUE(migrate_to(subject, 2));
    EXPECT_EQ(all_of(subject), before) << writes;
  }
}

TEST(Migrations, RollbackGivesBackWhatWasThere) {
  memory_store subject;
  fill_schema_1(subject, 5);
  auto before = all_of(subject);
  ASSERT_TRUE(migrate(subject));
  EXPECT_NE(all_of(subject), before);
  ASSERT_TRUE(migrate_to(subject, 1));
  EXPECT_EQ(all_of(subject), before);
}

TEST(Migrations, WorkInBoundedWrites) {
  faulty_store subject;
  constexpr int sessions = 10'000;
  fill_schema_1(subject, sessions);
  subject.largest = 0;
  ASSERT_TRUE(migrate_to(subject, 2));
  EXPECT_EQ(read_occupied(subject, 3)->size(), sessions / 2);
  ASSERT_TRUE(migrate_to(subject, 1));
  EXPECT_LE(subject.largest, limits::group_commits);
  EXPECT_GT(subject.written, 4u);
}

TEST(Migrations, MayBeBrokenOffAtAnyWriteAndStartedAgain) {
  faulty_store whole;
  fill_schema_1(whole, 10'000);
  auto at_1 = all_of(whole);
  auto begin = whole.written;
  ASSERT_TRUE(migrate_to(whole, 2));
  auto writes = whole.written - begin;
  auto at_2 = all_of(whole);
  ASSERT_GE(writes, 3u);
  for (std::size_t broken = 0; broken < writes; ++broken) {
    SCOPED_TRACE(broken);
    faulty_store subject;
    fill_schema_1(subject, 10'000);
    subject.writes_left = broken;
    EXPECT_FALSE(migrate_to(subject, 2));
    EXPECT_EQ(schema_of(subject), 1u);
    subject.writes_left = 1'000;
    ASSERT_TRUE(migrate_to(subject, 2));
    EXPECT_EQ(all_of(subject), at_2);
    // And back, broken off as far in.
    subject.writes_left = broken;
    EXPECT_FALSE(migrate_to(subject, 1));
    EXPECT_EQ(schema_of(subject), broken == 0 ? 2u : 1u);
    subject.writes_left = 1'000;
    ASSERT_TRUE(migrate_to(subject, 2));
    EXPECT_EQ(all_of(subject), at_2);
    ASSERT_TRUE(migrate_to(subject, 1));
    EXPECT_EQ(all_of(subject), at_1);
  }
}

TEST(Migrations, MarksLeftByABrokenRollbackAreNotTrusted) {
  memory_store subject;
  fill_schema_1(subject, 2);
  // An old build has emptied this session after the rollback broke off.
  put(subject, 3, {occupied_mark{samples::session("s1"), true}});
  ASSERT_TRUE(migrate(subject));
  EXPECT_EQ(*read_occupied(subject, 3), std::vector{samples::session("s0")});
}

TEST(Migrations, RefuseAStoreOfANewerBuildAndSayHowToMend) {
  memory_store subject;
  stamp(subject, schema_current + 1);
  auto before = all_of(subject);
  auto refused = migrate(subject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_NE(refused.error().message.find("start the build that wrote it"),
            std::string::npos);
  EXPECT_EQ(all_of(subject), before);
}

TEST(Migrations, RefuseWhatIsNotAStoreOfOurs) {
  memory_store subject;
  put(subject, 0, {samples::member()});
  auto refused = migrate(subject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::internal);
  memory_store damaged;
  applied_records group{store_wide, {}, {{keys::of_schema(), "x"}}};
  ASSERT_TRUE(damaged.write({&group, 1}));
  EXPECT_FALSE(migrate(damaged));
}

TEST(Migrations, RefuseSchemasThatDoNotExist) {
  memory_store subject;
  EXPECT_FALSE(migrate_to(subject, 0));
  EXPECT_FALSE(migrate_to(subject, schema_current + 1));
  EXPECT_TRUE(all_of(subject).empty());
}

} // namespace rollcall
