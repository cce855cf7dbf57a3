#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rollcall::edge {

namespace {

using namespace std::string_literals;

/// The field named by the refusal of `text`; fails the test if it is accepted.
std::string refused_field(std::string_view text) {
  auto out = decode_json(text);
  if (out.ok()) {
    ADD_FAILURE() << "accepted: " << text.substr(0, 200);
    return "accepted";
  }
  EXPECT_FALSE(out.error().message.empty());
  EXPECT_TRUE(is_utf8(out.error().field));
  return out.error().field;
}

std::string nested(std::size_t levels, std::string_view open,
                   std::string_view inner, std::string_view close) {
  std::string out;
  for (std::size_t i = 0; i < levels; ++i)
    out += open;
  out += inner;
  for (std::size_t i = 0; i < levels; ++i)
    out += close;
  return out;
}

} // namespace

TEST(JsonCodec, KeepsEveryTypeAndTheOrderOfKeys) {
  auto out = decode_json(
    R"( {"z":null,"a":[true,false,-7,0.5,1.0,"xö"],"m":{"":{}}} )");
  ASSERT_TRUE(out.ok()) << out.error().message;
  value::map expected;
  expected.emplace_back("z", value{});
  expected.emplace_back(
    "a", value{value::array{value{true}, value{false}, value{std::int64_t{-7}},
                            value{0.5}, value{1.0}, value{"xö"s}}});
  expected.emplace_back("m", value{value::map{{"", value{value::map{}}}}});
  EXPECT_EQ(*out, value{expected});
}

TEST(JsonCodec, DecodesEscapesAndSurrogatePairs) {
  auto out = decode_json(R"("\u0041\n\"\\\/\ud83c\udf89\u0000")");
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(*out, value{"A\n\"\\/🎉\0"s});
}

TEST(JsonCodec, RefusesDeepNestingWithoutRecursion) {
  refused_field(std::string(60'000, '['));
  refused_field(nested(33, "[", "", "]"));
  refused_field(nested(33, R"({"a":)", "1", "}"));
  EXPECT_TRUE(decode_json(nested(32, "[", "", "]")).ok());
}

TEST(JsonCodec, RefusesMoreThanAFrame) {
  auto out = decode_json('"' + std::string(std::size_t{4} << 20, 'x') + '"');
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, errc::too_large);
}

TEST(JsonCodec, RefusesDuplicateKeysByName) {
  EXPECT_EQ(refused_field(R"({"op":"a","op":"b"})"), "op");
  EXPECT_EQ(refused_field(R"({"a":{"b":1,"c":2,"b":1}})"), "a.b");
  EXPECT_EQ(refused_field(R"({"a":1,"\u0061":2})"), "a");
}

TEST(JsonCodec, RefusesIntegersThatOthersWouldRound) {
  EXPECT_EQ(refused_field(R"({"a":9007199254740992})"), "a");
  EXPECT_EQ(refused_field(R"({"a":[0,-9007199254740992]})"), "a[1]");
  EXPECT_EQ(refused_field(R"([18446744073709551617])"), "[0]");
  EXPECT_EQ(refused_field(R"({"a":-0})"), "a");
  auto out = decode_json("[9007199254740991,-9007199254740991]");
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(*out,
            (value{value::array{value{max_integer}, value{-max_integer}}}));
}

TEST(JsonCodec, RefusesNumbersThatAreNoDoubles) {
  for (const auto* text :
       {"1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "+1", "01",
        "1.", ".5", "1e", "0x10", "1_000", "--1"})
    refused_field(text);
  EXPECT_EQ(*decode_json("1e3"), value{1000.0});
}

TEST(JsonCodec, RefusesByteOrderMarksAndTrailingGarbage) {
  for (const auto& text :
       {"\xEF\xBB\xBF{}"s, "{}x"s, "{} {}"s, "{}\0x"s, "{}\0"s, "\0{}"s, ""s,
        " "s, "{"s, "{\"a\"}"s, "[1,]"s, "{\"a\":1,}"s, "'a'"s, "{a:1}"s,
        "// c\n{}"s, "[1 2]"s, "tru"s, "\"a"s})
    refused_field(text);
}

TEST(JsonCodec, RefusesTextThatIsNotUtf8) {
  for (const auto* text :
       {R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xFF\"", "\"\xE2\x82\"",
        R"("\u12G4")", "\"\x01\"", "\"\n\""})
    refused_field(text);
  EXPECT_EQ(refused_field("{\"a\":\"\xFF\"}"), "a");
  EXPECT_EQ(refused_field(R"({"\udc00":1})"), "");
}

TEST(JsonCodec, BoundsItemsOfArraysAndMaps) {
  std::string items = "0";
  std::string members = "\"k0\":0";
  for (std::size_t i = 1; i < limits::container_items; ++i) {
    items += ",0";
    members += ",\"k" + std::to_string(i) + "\":0";
  }
  EXPECT_TRUE(decode_json('[' + items + ']').ok());
  EXPECT_TRUE(decode_json('{' + members + '}').ok());
  refused_field('[' + items + ",0]");
  refused_field('{' + members + ",\"one more\":0}");
}

TEST(JsonCodec, BoundsThePathItReports) {
  std::string key(4'000, 'k');
  auto field = refused_field("{\"" + key + "\":-0}");
  EXPECT_EQ(field, key.substr(0, 128));
  std::string wide;
  for (int i = 0; i < 1'000; ++i)
    wide += "ö";
  refused_field("{\"" + wide + "\":{\"x" + wide + "\":-0}}");
}

TEST(JsonCodec, GivesWhatItReadBeforeTheFault) {
  value partial;
  EXPECT_FALSE(decode_json(R"({"id":7,"x":1e999})", &partial).ok());
  ASSERT_NE(partial.find("id"), nullptr);
  EXPECT_EQ(*partial.find("id"), value{std::int64_t{7}});
}

TEST(JsonCodec, SurvivesRandomBytes) {
  std::mt19937_64 draw{20'240'601};
  static constexpr std::string_view likely
    = "{}[]\",:0123456789eE+-.truefalsn\\ ";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(draw() % 48, ' ');
    for (auto& c : text)
      c = draw() % 8 == 0 ? static_cast<char>(draw())
                          : likely[draw() % likely.size()];
    auto out = decode_json(text);
    EXPECT_TRUE(out.ok() || !out.error().message.empty());
  }
}

} // namespace rollcall::edge
