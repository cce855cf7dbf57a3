#include "actors/base/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace rollcall {
namespace {

std::string hex(const digest256& digest) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (auto byte : digest) {
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
  }
  return out;
}

session_key key(std::string ns, std::string id) {
  return {namespace_id{std::move(ns)}, session_id{std::move(id)}};
}

TEST(Hash, Sha256AgreesWithFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb924"
                             "27ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223"
                                "b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
    hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67"
            "f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, HmacAgreesWithRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b"
            "881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c7"
            "5a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a7"
            "2959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - "
                            "Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f"
            "8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, ComparesBytesAndLengths) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_constant_time("abc", std::string_view{"abc\0", 4}));
}

TEST(Hash, DrawsBytesThatDiffer) {
  EXPECT_EQ(random_bytes(0), "");
  std::set<std::string> drawn;
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1'000; ++i) {
    drawn.insert(random_bytes(16));
    numbers.insert(random_u64());
  }
  EXPECT_EQ(drawn.size(), 1'000U);
  EXPECT_EQ(numbers.size(), 1'000U);
}

// SHA-256("default", 0, "demo") begins with 6b e8 ce fd 74 b2 a3 fc. These
// values are on disks: they must never change.
TEST(Hash, KeepsSessionsInTheirPartition) {
  EXPECT_EQ(partition_of(key("default", "demo"), 64), 60U);
  EXPECT_EQ(partition_of(key("default", "demo"), 256), 252U);
  EXPECT_EQ(partition_of(key("default", "demo"), 1), 0U);
}

TEST(Hash, SeparatesNamespaceFromId) {
  // Without the zero between them these would be one string.
  EXPECT_NE(partition_of(key("ab", "c"), 1U << 31),
            partition_of(key("a", "bc"), 1U << 31));
}

TEST(Hash, SpreadsSessionsOverPartitions) {
  std::vector<int> counts(64);
  for (int i = 0; i < 64'000; ++i)
    ++counts[partition_of(key("default", "s" + std::to_string(i)), 64)];
  // 1000 each; six standard deviations are 190.
  for (int count : counts)
    EXPECT_NEAR(count, 1'000, 190);
}

TEST(Hash, NamesParticipantsByKeyNamespaceAndUser) {
  const namespace_id ns{"default"};
  const user_id ada{"ada"};
  const auto id = make_participant_id("secret", ns, ada);
  EXPECT_EQ(id.str(), "Qln4ODuXT3Q-EuecGDyb0w");
  EXPECT_EQ(make_participant_id("secret", ns, ada), id);
  EXPECT_NE(make_participant_id("other", ns, ada), id);
  EXPECT_NE(make_participant_id("secret", namespace_id{"x"}, ada), id);
  EXPECT_NE(make_participant_id("secret", ns, user_id{"bob"}), id);
}

} // namespace
} // namespace rollcall
