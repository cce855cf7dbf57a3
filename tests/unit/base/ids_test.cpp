#include "actors/base/ids.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace rollcall {
namespace {

template <class A, class B>
concept comparable = requires(A a, B b) {
  a == b;
};

static_assert(!comparable<session_id, user_id>);
static_assert(!std::is_convertible_v<std::string, user_id>);

// The edges of Unicode's table 3-7 and what lies just beyond them.
TEST(Utf8, AcceptsWellFormedSequences) {
  for (std::string_view text : {"",
                                "a",
                                "\x7F",
                                "\xC2\x80",
                                "\xDF\xBF",
                                "\xE0\xA0\x80",
                                "\xE0\xBF\xBF",
                                "\xE1\x80\x80",
                                "\xEC\xBF\xBF",
                                "\xED\x80\x80",
                                "\xED\x9F\xBF",
                                "\xEE\x80\x80",
                                "\xEF\xBF\xBF",
                                "\xF0\x90\x80\x80",
                                "\xF0\xBF\xBF\xBF",
                                "\xF1\x80\x80\x80",
                                "\xF3\xBF\xBF\xBF",
                                "\xF4\x80\x80\x80",
                                "\xF4\x8F\xBF\xBF",
                                "Z\xC3\xBCrich \xF0\x9F\x91\x8B"})
    EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
  EXPECT_TRUE(is_utf8(std::string_view{"a\0b", 3}));
}

TEST(Utf8, RefusesMalformedSequences) {
  for (std::string_view text : {
         "\x80",
         "\xBF", // tails alone
         "\xC0\x80",
         "\xC1\xBF", // overlong, two bytes
         "\xE0\x80\x80",
         "\xE0\x9F\xBF", // overlong, three
         "\xF0\x80\x80\x80",
         "\xF0\x8F\xBF\xBF", // overlong, four
         "\xED\xA0\x80",
         "\xED\xBF\xBF", // surrogates
         "\xF4\x90\x80\x80",
         "\xF5\x80\x80\x80",
         "\xFE",
         "\xFF",
         "\xC2",
         "\xE1\x80",
         "\xF1\x80\x80", // cut off
         "\xC2"
         "a",
         "\xE1\x80"
         "a",
         "\xE1"
         "a\x80",
         "\xF1\x80\x80"
         "a",
         "\xF1\x80"
         "a\x80",
         "\xC2\xC2\x80",
         "ok\xFFok",
       })
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

TEST(Utf8, CountsCodePointsOverTheWholeRange) {
  // Encodes every scalar value and every surrogate by the book.
  auto encode = [](std::uint32_t cp) {
    std::string out;
    auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (cp < 0x80) {
      put(cp);
    } else if (cp < 0x800) {
      put(0xC0 | cp >> 6);
      put(0x80 | (cp & 0x3F));
    } else if (cp < 0x10000) {
      put(0xE0 | cp >> 12);
      put(0x80 | (cp >> 6 & 0x3F));
      put(0x80 | (cp & 0x3F));
    } else {
      put(0xF0 | cp >> 18);
      put(0x80 | (cp >> 12 & 0x3F));
      put(0x80 | (cp >> 6 & 0x3F));
      put(0x80 | (cp & 0x3F));
    }
    return out;
  };
  std::uint32_t accepted = 0;
  for (std::uint32_t cp = 0; cp < 0x120000; ++cp)
    accepted += is_utf8(encode(cp)) ? 1 : 0;
  EXPECT_EQ(accepted, 0x110000U - 0x800U);
}

TEST(CheckId, AcceptsOneTo128BytesOfText) {
  for (const auto& text :
       {std::string{"a"}, std::string{"room 1/\"x\""}, std::string(128, 'a'),
        std::string{"Z\xC3\xBCrich"}, std::string{"\xC2\xA0"}}) {
    auto checked = check_id(text, "session");
    ASSERT_TRUE(checked.ok()) << text;
    EXPECT_EQ(*checked, text);
  }
}

TEST(CheckId, RefusesWhatIsEmptyLongMalformedOrHasControls) {
  for (const auto& text :
       {std::string{}, std::string(129, 'a'), std::string{"a\xFF"},
        std::string{"a\0b", 3}, std::string{"a\nb"}, std::string{"\x1F"},
        std::string{"\x7F"}, std::string{"\xC2\x80"},
        std::string{"a\xC2\x9F"}}) {
    auto checked = check_id(text, "session");
    ASSERT_FALSE(checked.ok()) << testing::PrintToString(text);
    EXPECT_EQ(checked.error().code, errc::bad_request);
    EXPECT_EQ(checked.error().field, "session");
  }
}

TEST(CheckName, AcceptsLowerCaseWords) {
  EXPECT_TRUE(check_name("a", "role").ok());
  EXPECT_TRUE(check_name("co-host_2.x", "role").ok());
  EXPECT_TRUE(check_name(std::string(32, 'z'), "role").ok());
}

TEST(CheckName, RefusesEverythingElse) {
  for (const auto& text :
       {std::string{}, std::string(33, 'a'), std::string{"Host"},
        std::string{"a b"}, std::string{"a/b"}, std::string{"\xC3\xA4"},
        std::string{"a\0", 2}}) {
    auto checked = check_name(text, "role");
    ASSERT_FALSE(checked.ok()) << testing::PrintToString(text);
    EXPECT_EQ(checked.error().field, "role");
  }
}

TEST(ConnectionId, ReadsWhatItWrites) {
  const connection_id id{0x0123456789ABCDEF, 42};
  EXPECT_EQ(to_string(id), "0123456789abcdef000000000000002a");
  auto read = parse_connection_id(to_string(id));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, id);
}

TEST(ConnectionId, RefusesOtherSpellings) {
  for (std::string_view text :
       {"", "0123456789abcdef000000000000002",
        "0123456789ABCDEF000000000000002a", "0123456789abcdef000000000000002a0",
        "0123456789abcdefg00000000000002a", " 123456789abcdef000000000000002a"})
    EXPECT_FALSE(parse_connection_id(text).ok()) << text;
}

TEST(ConnectionId, IsInvalidOnlyWhenZero) {
  EXPECT_FALSE(connection_id{}.valid());
  EXPECT_TRUE((connection_id{1, 0}).valid());
  EXPECT_TRUE((connection_id{0, 1}).valid());
}

TEST(Version, OrdersByEpochFirst) {
  EXPECT_LT((version{1, 9}), (version{2, 1}));
  EXPECT_LT((version{2, 1}), (version{2, 2}));
  EXPECT_EQ(epoch_generation_unit, 1'099'511'627'776U);
}

TEST(SessionKey, HashesBothParts) {
  std::unordered_set<session_key> all;
  for (int i = 0; i < 100; ++i)
    for (int j = 0; j < 100; ++j)
      all.insert(
        {namespace_id{std::to_string(i)}, session_id{std::to_string(j)}});
  EXPECT_EQ(all.size(), 10'000U);
  std::unordered_set<std::size_t> hashes;
  for (const auto& key : all)
    hashes.insert(std::hash<session_key>{}(key));
  EXPECT_GT(hashes.size(), 9'990U);
}

} // namespace
} // namespace rollcall
