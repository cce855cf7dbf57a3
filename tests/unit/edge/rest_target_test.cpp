#include "actors/base/limits.hpp"
#include "edge/rest/target.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rollcall::edge {
namespace {

std::string joined(const result<path_segments>& path) {
  if (!path)
    return "refused";
  std::string out;
  for (const auto& segment : *path)
    out += '[' + segment + ']';
  return out;
}

TEST(RestTarget, DecodesOnce) {
  EXPECT_EQ(joined(decode_path("/v1/sessions/a%20b")), "[v1][sessions][a b]");
  EXPECT_EQ(joined(decode_path("/a+b;c=d@:!$&'()*,~")), "[a+b;c=d@:!$&'()*,~]");
  EXPECT_EQ(joined(decode_path("/%e2%82%ac")), "[\u20ac]");
  EXPECT_EQ(joined(decode_path("/100%25")), "[100%]");
}

TEST(RestTarget, RefusesWhatProxiesReadDifferently) {
  for (auto bad :
       {"",       "a",        "/",           "//",        "/a/",    "/a//b",
        "/.",     "/..",      "/%2e",        "/%2e%2E/a", "/a%2fb", "/a%2Fb",
        "/a%5cb", "/a\\b",    "/a%00",       "/a%0a",     "/a%7f",  "/%",
        "/%4",    "/%4g",     "/%252f",      "/%25%32f",  "/a b",   "/a\x01",
        "/a%ff",  "/a%c0%af", "/a%ed%a0%80", "/a<",       "/a\"",   "/a|b",
        "/a^",    "/\xc3\xa9"})
    EXPECT_EQ(joined(decode_path(bad)), "refused") << bad;
  EXPECT_EQ(decode_path("/a%00").error().field, "path");
}

TEST(RestTarget, HasBounds) {
  std::string longest(limits::id_bytes, 'x');
  EXPECT_TRUE(decode_path("/" + longest));
  EXPECT_FALSE(decode_path("/x" + longest));
  std::string deep;
  for (std::size_t i = 0; i < limits::path_segments; ++i)
    deep += "/a";
  EXPECT_TRUE(decode_path(deep));
  EXPECT_FALSE(decode_path(deep + "/a"));
}

TEST(RestTarget, ReadsQueries) {
  auto fields = decode_query("limit=5&cursor=1-2&x=");
  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields,
            (query_fields{{"limit", "5"}, {"cursor", "1-2"}, {"x", ""}}));
  EXPECT_TRUE(decode_query("")->empty());
  EXPECT_EQ(decode_query("a=1&a=2").error().field, "a");
  EXPECT_EQ(decode_query("a=%00").error().field, "a");
  for (auto bad : {"a", "=1", "&", "a=1&", "a=1&&b=2", "a=%", "a=b=c d"})
    EXPECT_FALSE(decode_query(bad)) << bad;
  EXPECT_FALSE(decode_query("a=&b=&c=&d=&e=&f=&g=&h=&i="));
}

TEST(RestTarget, EncodesWhatItDecodes) {
  std::mt19937 random{7};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (auto n = 1 + random() % 20; n > 0; --n)
      text += static_cast<char>(' ' + random() % 95);
    auto path = decode_path('/' + encode_segment(text));
    if (path)
      EXPECT_EQ(joined(path), '[' + text + ']');
    else
      EXPECT_TRUE(text.find_first_of("/\\%.") != std::string::npos) << text;
  }
}

} // namespace
} // namespace rollcall::edge
