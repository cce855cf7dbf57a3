#include "actors/base/base64url.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rollcall {
namespace {

struct vector {
  std::string_view bytes;
  std::string_view text;
};

// RFC 4648, section 10, without padding; then the two characters in which
// base64url differs from base64.
constexpr vector vectors[] = {
  {"", ""},
  {"f", "Zg"},
  {"fo", "Zm8"},
  {"foo", "Zm9v"},
  {"foob", "Zm9vYg"},
  {"fooba", "Zm9vYmE"},
  {"foobar", "Zm9vYmFy"},
  {"\xFB\xFF", "-_8"},
  {"\xFF\xFF\xFF", "____"},
};

TEST(Base64Url, AgreesWithRfc4648) {
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64url_encode(bytes), text);
    auto decoded = base64url_decode(text);
    ASSERT_TRUE(decoded.ok()) << text;
    EXPECT_EQ(*decoded, bytes);
  }
}

TEST(Base64Url, AcceptsOneSpellingOnly) {
  for (std::string_view text : {"Zg==", "Zg=", "Z", "Zm9vY", "Zm9v\n", " Zm9v",
                                "+/8", "Zh", "Zm9", "Zm 9", "Zm9v."})
    EXPECT_FALSE(base64url_decode(text).ok()) << text;
  EXPECT_FALSE(base64url_decode(std::string_view{"Zm9\0", 4}).ok());
  EXPECT_FALSE(base64url_decode("\xC3\xA4zz").ok());
}

TEST(Base64Url, GivesBackWhatItEncoded) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 rng{seed};
  std::uniform_int_distribution<int> byte{0, 255};
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(byte(rng));
    const auto text = base64url_encode(bytes);
    EXPECT_EQ(text.size(), (size * 8 + 5) / 6);
    auto decoded = base64url_decode(text);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, bytes);
  }
}

} // namespace
} // namespace rollcall
