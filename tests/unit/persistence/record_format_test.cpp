#include "persistence/record_format.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>
#include <msgpack.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace rollcall {

namespace {

namespace fs = std::filesystem;

constexpr partition_id partition = 3;

fs::path vectors() {
  return fs::path{ROLLCALL_TESTS_DIR} / "vectors/record/v1";
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

std::string slurp(const fs::path& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string hex_text(const encoded_record& item) {
  auto out = to_hex(item.key) + "\n";
  if (item.value)
    out += to_hex(*item.value) + "\n";
  return out;
}

std::string description(const std::string& name, const encoded_record& item) {
  std::ostringstream out;
  out << "{\"name\": \"" << name << "\", \"partition\": " << partition
      << ", \"key\": \"" << to_hex(item.key) << "\",\n \"value\": ";
  if (item.value)
    out << msgpack::unpack(item.value->data(), item.value->size()).get();
  else
    out << "null";
  out << "}\n";
  return out.str();
}

encoded_record encode_one(const record& value) {
  auto out = encode(value, partition);
  EXPECT_TRUE(out);
  EXPECT_EQ(out->size(), 1u);
  return out->at(0);
}

// Golden files of what stands beside the records.
std::vector<std::pair<std::string, encoded_record>> golden() {
  std::vector<std::pair<std::string, encoded_record>> out;
  for (const auto& [name, value] : samples::all())
    out.emplace_back(name, encode_one(value));
  out.emplace_back("checkpoint",
                   encoded_record{keys::of_checkpoint(partition),
                                  encode_checkpoint({1, 300, 1ULL << 40})});
  out.emplace_back("schema",
                   encoded_record{keys::of_schema(), encode_schema(2)});
  return out;
}

using packer = msgpack::packer<msgpack::sbuffer>;

template <class Write>
std::string packed(Write write) {
  msgpack::sbuffer buffer;
  packer out{buffer};
  write(out);
  return {buffer.data(), buffer.size()};
}

std::string field_of(const result<record>& got) {
  return got ? "(accepted)" : got.error().field;
}

} // namespace

// A failure here means that stores out there can no longer be read: a change
// of format is a new version with a new folder of vectors. To make that
// folder, run with ROLLCALL_WRITE_VECTORS set.
TEST(RecordFormat, WritesTheGoldenBytes) {
  if (std::getenv("ROLLCALL_WRITE_VECTORS") != nullptr) {
    fs::create_directories(vectors());
    for (const auto& [name, item] : golden()) {
      std::ofstream{vectors() / (name + ".hex")} << hex_text(item);
      std::ofstream{vectors() / (name + ".json")} << description(name, item);
    }
  }
  for (const auto& [name, item] : golden()) {
    EXPECT_EQ(slurp(vectors() / (name + ".hex")), hex_text(item)) << name;
    EXPECT_EQ(slurp(vectors() / (name + ".json")), description(name, item));
  }
}

TEST(RecordFormat, ReadsTheGoldenBytes) {
  for (const auto& [name, value] : samples::all()) {
    std::istringstream lines{slurp(vectors() / (name + ".hex"))};
    std::string key;
    std::string bytes;
    std::getline(lines, key);
    if (!std::getline(lines, bytes))
      continue;
    auto got = decode(from_hex(key), from_hex(bytes));
    ASSERT_TRUE(got) << name << ": " << got.error().message << ' '
                     << got.error().field;
    EXPECT_EQ(*got, value) << name;
  }
}

TEST(RecordFormat, HasNoGoldenFileThatNothingReads) {
  std::set<std::string> known;
  for (const auto& [name, item] : golden())
    known.insert({name + ".hex", name + ".json"});
  std::set<std::string> found;
  for (const auto& file : fs::directory_iterator{vectors()})
    found.insert(file.path().filename());
  EXPECT_EQ(found, known);
}

TEST(RecordFormat, OperationsComeBackWithWhatTheyWereAbout) {
  auto kept = samples::plain_session();
  kept.ops = samples::ops(2);
  kept.ops[1].about = 0x0123'4567'89AB'CDEF;
  auto item = encode_one(kept);
  auto got = decode(item.key, *item.value);
  ASSERT_TRUE(got) << got.error().field;
  EXPECT_EQ(*got, record{kept});
}

TEST(RecordFormat, AnEarlierFormLacksWhatCanBeDoneWithout) {
  auto tagged = samples::tagged_session();
  tagged.at.rev = 20;
  ASSERT_NE(tagged.changed, tagged.at);
  auto read = [&](const session_record& from, std::uint32_t form) {
    auto bytes = encode(from, 1, form);
    return std::get<session_record>(
      *decode(bytes->at(0).key, *bytes->at(0).value));
  };
  EXPECT_EQ(read(tagged, 2), tagged);
  auto earlier = tagged;
  earlier.changed = tagged.at;
  EXPECT_EQ(read(tagged, 1), earlier) << "later or the same, never earlier";
  // A build of the first form reads what nobody has used more of.
  EXPECT_EQ(*encode(tagged, 1, 1)->at(0).value,
            *encode(earlier, 1, 2)->at(0).value);
}

TEST(RecordFormat, CheckpointAndSchemaComeBack) {
  checkpoint at{3, ~0ULL, (3ULL << 40) + 17};
  auto got = decode_checkpoint(encode_checkpoint(at));
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, at);
  auto schema = decode_schema(encode_schema(2));
  ASSERT_TRUE(schema);
  EXPECT_EQ(*schema, 2u);
  EXPECT_FALSE(decode_schema(encode_checkpoint(at)));
  EXPECT_FALSE(decode_checkpoint(encode_schema(2)));
}

TEST(RecordFormat, AbsenceIsARemoval) {
  for (const auto& value :
       {record{samples::page(1, samples::session(), {})},
        record{occupied_mark{samples::session(), false}},
        record{due_mark{samples::session(), std::nullopt}},
        record{member_erased{samples::session(), user_id{"ada"}}}})
    EXPECT_FALSE(encode_one(value).value);
  auto erased = encode(session_erased{samples::session()}, partition);
  ASSERT_TRUE(erased);
  EXPECT_TRUE(erased->empty());
}

TEST(RecordFormat, TheLargestPageFitsOneRecord) {
  roster_page page;
  page.session = samples::session(std::string(limits::id_bytes, 's'),
                                  std::string(limits::id_bytes, 'n'));
  for (std::size_t i = 0; i < limits::page_participants; ++i) {
    auto user = std::to_string(i);
    user += std::string(limits::id_bytes - user.size(), 'u');
    roster_entry entry;
    entry.user = user_id{user};
    entry.who.name = std::string(limits::profile_field_bytes, 'x');
    entry.who.email = entry.who.name;
    entry.joined = {~0ULL, ~0ULL};
    entry.since = millis::max();
    entry.reconnections = ~0U;
    for (std::size_t c = 0; c < limits::connections_per_participant; ++c)
      entry.connections.push_back(
        {{~0ULL, ~0ULL}, {std::string(limits::id_bytes, 'e'), c}, {}});
    page.entries.push_back(std::move(entry));
  }
  auto encoded = encode(page, partition);
  ASSERT_TRUE(encoded) << encoded.error().field;
  auto got = decode(encoded->at(0).key, *encoded->at(0).value);
  ASSERT_TRUE(got) << got.error().field;
  EXPECT_EQ(std::get<roster_page>(*got), page);
  page.entries.push_back(page.entries.back());
  auto refused = encode(page, partition);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::too_large);
  EXPECT_EQ(refused.error().field, "entries");
}

TEST(RecordFormat, EncodeNamesTheFieldThatIsTooLarge) {
  auto field = [](const record& value) {
    auto got = encode(value, partition);
    return got ? std::string{"(accepted)"} : got.error().field;
  };
  std::string big(limits::id_bytes + 1, 'x');
  auto member = samples::member();
  member.role = std::string(limits::name_bytes + 1, 'r');
  EXPECT_EQ(field(member), "role");
  member = samples::member();
  member.permissions.assign(limits::permissions_per_member + 1, "p");
  EXPECT_EQ(field(member), "permissions");
  member = samples::member();
  member.ops = samples::ops(limits::op_ids_per_record + 1);
  EXPECT_EQ(field(member), "ops");
  EXPECT_EQ(field(samples::member(big)), "user");
  EXPECT_EQ(field(samples::plain_session(samples::session(big))), "session");
  EXPECT_EQ(field(occupied_mark{samples::session("s", big), true}),
            "namespace");
  auto audit = samples::audit();
  audit.action = big;
  EXPECT_EQ(field(audit), "action");
}

TEST(RecordFormat, RefusesTruncationsAndTails) {
  for (const auto& [name, value] : samples::all()) {
    auto item = encode_one(value);
    if (!item.value)
      continue;
    for (std::size_t size = 0; size < item.value->size(); ++size)
      EXPECT_FALSE(decode(item.key, item.value->substr(0, size))) << name;
    auto got = decode(item.key, *item.value + '\0');
    EXPECT_EQ(field_of(got), "record") << name;
  }
}

TEST(RecordFormat, RefusesOtherVersionsAndKinds) {
  auto item = encode_one(occupied_mark{samples::session(), true});
  auto head = [](auto version, auto kind) {
    return packed([&](packer& out) {
      out.pack_array(2);
      out.pack(version);
      out.pack(kind);
    });
  };
  ASSERT_TRUE(decode(item.key, head(1, 4)));
  EXPECT_EQ(field_of(decode(item.key, head(0, 4))), "version");
  EXPECT_EQ(field_of(decode(item.key, head(2, 4))), "version");
  EXPECT_EQ(field_of(decode(item.key, head("1", 4))), "version");
  EXPECT_EQ(field_of(decode(item.key, head(-1, 4))), "version");
  EXPECT_EQ(field_of(decode(item.key, head(1, 5))), "kind");
  EXPECT_EQ(field_of(decode(item.key, head(1, 300))), "kind");
  EXPECT_EQ(field_of(decode(item.key, "\x80")), "record");
  EXPECT_EQ(field_of(decode(item.key, "")), "record");
}

TEST(RecordFormat, NamesTheFieldOfTheWrongType) {
  auto key = encode_one(samples::interval()).key;
  auto interval = [](auto from, auto until, auto reason) {
    return packed([&](packer& out) {
      out.pack_array(5);
      out.pack(1);
      out.pack(6);
      out.pack(from);
      out.pack(until);
      out.pack(reason);
    });
  };
  ASSERT_TRUE(decode(key, interval(1, 2, 0)));
  ASSERT_TRUE(decode(key, interval(-1, 2, 0)));
  EXPECT_EQ(field_of(decode(key, interval("1", 2, 0))), "from");
  EXPECT_EQ(field_of(decode(key, interval(1, 2.5, 0))), "until");
  EXPECT_EQ(field_of(decode(key, interval(1, ~0ULL, 0))), "until");
  EXPECT_EQ(field_of(decode(key, interval(1, 2, 7))), "reason");
  EXPECT_EQ(field_of(decode(key, interval(1, 2, true))), "reason");
}

TEST(RecordFormat, RefusesDepthAndLengthsThatAreLies) {
  auto key = encode_one(samples::page()).key;
  EXPECT_FALSE(decode(key, std::string(100'000, '\x91')));
  EXPECT_FALSE(decode(key, std::string{"\xdd\xff\xff\xff\xff", 5}));
  EXPECT_FALSE(decode(key, std::string{"\xdb\xff\xff\xff\xff", 5}));
  EXPECT_FALSE(decode(key, std::string{"\xdf\xff\xff\xff\xff", 5}));
  EXPECT_FALSE(decode(key, std::string{"\xc6\xff\xff\xff\xff", 5}));
}

TEST(RecordFormat, AConnectionMustNameAnEdgeOfItsPage) {
  auto page = samples::page(1, samples::session(), {"ada"});
  page.entries[0].connections.resize(1);
  auto item = encode_one(page);
  // The last two bytes are the index of the edge and the source.
  auto& bytes = *item.value;
  ASSERT_EQ(bytes[bytes.size() - 2], '\0');
  bytes[bytes.size() - 2] = '\1';
  EXPECT_EQ(field_of(decode(item.key, bytes)), "connections");
}

TEST(RecordFormat, NeverThrowsOnDamagedBytes) {
  std::mt19937 random{4'711};
  RecordProperty("seed", 4'711);
  int survived = 0;
  for (int round = 0; round < 3'000; ++round)
    for (const auto& [name, value] : samples::all()) {
      auto item = encode_one(value);
      if (!item.value)
        continue;
      auto bytes = *item.value;
      for (auto flips = 1 + random() % 3; flips > 0; --flips)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      if (auto got = decode(item.key, bytes)) {
        ++survived;
        // What is accepted can be written again.
        EXPECT_TRUE(encode(*got, partition)) << name;
      }
    }
  EXPECT_GT(survived, 0);
}

} // namespace rollcall
