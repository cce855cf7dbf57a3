#include "edge/config/values.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace rollcall::edge {
namespace {

raw_value flag(std::string text) {
  return untyped_text{std::move(text)};
}

raw_value text(std::string value) {
  return value;
}

constexpr millis day{86'400'000};

TEST(ConfigValues, ReadDurationsOfEveryUnit) {
  struct pair {
    std::string_view text;
    millis value;
  };
  for (const auto& [written, value] : {pair{"500ms", millis{500}},
                                       {"25s", millis{25'000}},
                                       {"2m", millis{120'000}},
                                       {"3h", millis{10'800'000}},
                                       {"1d", day},
                                       {"0s", millis{0}}}) {
    for (const auto& raw :
         {flag(std::string{written}), text(std::string{written})}) {
      auto read = read_duration(raw, millis{0}, day);
      ASSERT_TRUE(read.ok()) << written;
      EXPECT_EQ(*read, value);
    }
  }
}

TEST(ConfigValues, RefuseOtherDurations) {
  for (std::string_view wrong :
       {"", "5", "s", "5 s", "-5s", "+5s", "5S", "1.5s", "5s ", "5sec",
        "99999999999999999999s", "9223372036854775807d"})
    EXPECT_FALSE(read_duration(flag(std::string{wrong}), millis{0}, day).ok())
      << wrong;
  EXPECT_FALSE(read_duration(raw_value{std::int64_t{5}}, millis{0}, day).ok());
  EXPECT_FALSE(read_duration(flag("2d"), millis{0}, day).ok());
  EXPECT_FALSE(read_duration(flag("4ms"), millis{5}, day).ok());
}

TEST(ConfigValues, ReadSizes) {
  const auto huge = std::size_t{1} << 40;
  EXPECT_EQ(*read_size(flag("64KiB"), 0, huge), 65'536U);
  EXPECT_EQ(*read_size(text("2MiB"), 0, huge), 2'097'152U);
  EXPECT_EQ(*read_size(text("1GiB"), 0, huge), 1'073'741'824U);
  EXPECT_EQ(*read_size(text("7B"), 0, huge), 7U);
  EXPECT_EQ(*read_size(flag("65536"), 0, huge), 65'536U);
  EXPECT_EQ(*read_size(raw_value{std::int64_t{0}}, 0, huge), 0U);
  for (std::string_view wrong : {"", "64KB", "64k", "-1", "1.5MiB", "KiB"})
    EXPECT_FALSE(read_size(flag(std::string{wrong}), 0, huge).ok()) << wrong;
  EXPECT_FALSE(read_size(text("65536"), 0, huge).ok());
  EXPECT_FALSE(read_size(raw_value{std::int64_t{-1}}, 0, huge).ok());
  EXPECT_FALSE(read_size(flag("2KiB"), 0, 1'024).ok());
}

TEST(ConfigValues, ReadNumbersWithinBounds) {
  EXPECT_EQ(*read_integer(flag("12"), 1, 20), 12);
  EXPECT_FALSE(read_integer(flag("12x"), 1, 20).ok());
  EXPECT_FALSE(read_integer(flag(""), 0, 20).ok());
  EXPECT_FALSE(read_integer(flag("21"), 1, 20).ok());
  EXPECT_FALSE(read_integer(text("12"), 1, 20).ok());
  EXPECT_FALSE(read_integer(raw_value{12.0}, 1, 20).ok());
  EXPECT_EQ(*read_number(flag("0.5"), 0, 1), 0.5);
  EXPECT_EQ(*read_number(raw_value{std::int64_t{1}}, 0, 1), 1);
  for (double wrong :
       {-0.1, 1.1, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(read_number(raw_value{wrong}, 0, 1).ok()) << wrong;
}

TEST(ConfigValues, ReadBooleansByTheirNames) {
  EXPECT_TRUE(*read_bool(flag("true")));
  EXPECT_FALSE(*read_bool(flag("false")));
  EXPECT_TRUE(*read_bool(raw_value{true}));
  for (std::string_view wrong : {"", "1", "yes", "True"})
    EXPECT_FALSE(read_bool(flag(std::string{wrong})).ok()) << wrong;
  EXPECT_FALSE(read_bool(text("true")).ok());
}

TEST(ConfigValues, SplitListsOfFlagsAtCommas) {
  using list = std::vector<std::string>;
  EXPECT_EQ(*read_list(flag("a,b"), 9), (list{"a", "b"}));
  EXPECT_EQ(*read_list(flag(""), 9), list{});
  EXPECT_EQ(*read_list(raw_value{list{"a,b"}}, 9), list{"a,b"});
  EXPECT_FALSE(read_list(flag("a,b,c"), 2).ok());
  EXPECT_FALSE(read_list(text("a"), 2).ok());
}

TEST(ConfigValues, SayWhatWasExpectedAndFound) {
  auto wrong = read_duration(raw_value{std::int64_t{15}}, millis{0}, day);
  EXPECT_EQ(wrong.error().message,
            R"(expected a duration such as "25s" or "500ms", )"
            "found the integer 15");
  auto far = read_duration(text("2d"), millis{5}, day);
  EXPECT_EQ(far.error().message,
            R"(expected a duration from 5ms to 1d, found the text "2d")");
  constexpr std::string_view colours[] = {"red", "green"};
  EXPECT_EQ(read_choice(flag("blue"), colours).error().message,
            R"(expected one of red, green, found "blue")");
}

TEST(ConfigValues, KeepControlBytesAndSecretsOutOfMessages) {
  for (const auto& hostile :
       {std::string{"\x1B[2J"}, std::string{"\xFF"}, std::string{"\xC2\x9B"}}) {
    const auto message = read_integer(flag(hostile), 0, 1).error().message;
    EXPECT_EQ(message.find(hostile), std::string::npos);
  }
  const auto longest = std::string(63, 'a') + "\xC3\xA4" + "tail";
  const auto message = read_integer(flag(longest), 0, 1).error().message;
  EXPECT_NE(message.find("aaa\"…"), std::string::npos) << message;
  EXPECT_EQ(message.find("tail"), std::string::npos);
  EXPECT_EQ(
    read_secret(raw_value{std::int64_t{42'424'242}}).error().message.find("42"),
    std::string::npos);
}

TEST(ConfigValues, WriteWhatTheyRead) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng{seed};
  for (int i = 0; i < 1'000; ++i) {
    const millis span{static_cast<millis::rep>(rng() % 1'000'000'000'000)};
    EXPECT_EQ(*read_duration(text(duration_text(span)), millis{0}, never),
              span);
    const auto size = static_cast<std::size_t>(rng() >> 20);
    EXPECT_EQ(*read_size(text(size_text(size)), 0, SIZE_MAX / 2), size);
  }
  EXPECT_EQ(write_duration(millis{90'000}), "\"90s\"");
  EXPECT_EQ(write_duration(millis{0}), "\"0ms\"");
  EXPECT_EQ(write_size(0), "0");
  EXPECT_EQ(write_number(0.1), "0.1");
  EXPECT_EQ(write_text("a\"b\\\n"), R"("a\"b\\\u000A")");
}

TEST(ConfigValues, SuggestTheNearestName) {
  const std::vector<std::string> known = {"listen", "public_url", "origins"};
  EXPECT_EQ(nearest("lisen", known), "listen");
  EXPECT_EQ(nearest("listne", known), "listen");
  EXPECT_EQ(nearest("publik_url", known), "public_url");
  EXPECT_EQ(nearest("origin", known), "origins");
  EXPECT_EQ(nearest("zzzzzzzz", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'a'), known), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

} // namespace
} // namespace rollcall::edge
