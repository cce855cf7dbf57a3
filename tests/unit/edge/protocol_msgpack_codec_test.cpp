#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "unit/edge/protocol_requests.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rollcall::edge {

namespace {

using namespace std::string_literals;
using test::from_hex;

std::string refused_field(std::string_view hex) {
  auto out = decode_msgpack(from_hex(hex));
  if (out.ok()) {
    ADD_FAILURE() << "accepted: " << hex.substr(0, 200);
    return "accepted";
  }
  EXPECT_FALSE(out.error().message.empty());
  return out.error().field;
}

std::string repeated(std::string_view hex, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += hex;
  return out;
}

} // namespace

TEST(MsgpackCodec, KeepsEveryTypeAndTheOrderOfKeys) {
  // {"z": nil, "a": [true, false, -7, 0.5 (32 bit), 1.0, "x"], "m": {"": {}}}
  auto out = decode_msgpack(
    from_hex("83a17ac0a16196c3c2f9ca3f000000cb3ff0000000000000a178a16d81a080"));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(
    *out,
    *decode_json(R"({"z":null,"a":[true,false,-7,0.5,1.0,"x"],"m":{"":{}}})"));
}

TEST(MsgpackCodec, ReadsEveryWidthOfAnInteger) {
  auto out = decode_msgpack(
    from_hex("9ad0ffd1fffed2fffffffdd3fffffffffffffffccc01cd0002ce00000003"
             "cf000000000000000400e0"));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(*out, *decode_json("[-1,-2,-3,-4,1,2,3,4,0,-32]"));
}

TEST(MsgpackCodec, RefusesIntegersThatOthersWouldRound) {
  EXPECT_EQ(refused_field("81a161cf0020000000000000"), "a");
  EXPECT_EQ(refused_field("cfffffffffffffffff"), "");
  EXPECT_EQ(refused_field("9200d38000000000000000"), "[1]");
  EXPECT_TRUE(decode_msgpack(from_hex("cf001fffffffffffff")).ok());
}

TEST(MsgpackCodec, RefusesNumbersThatAreNotFinite) {
  EXPECT_EQ(refused_field("81a161cb7ff8000000000000"), "a");
  EXPECT_EQ(refused_field("81a161cb7ff0000000000000"), "a");
  EXPECT_EQ(refused_field("81a161caff800000"), "a");
}

TEST(MsgpackCodec, BelievesNoAnnouncedSize) {
  EXPECT_EQ(refused_field("81a161ddffffffff"), "a");
  EXPECT_EQ(refused_field("81a161dfffffffff"), "a");
  refused_field("ddffffffff");
  refused_field("dfffffffff");
  refused_field("db7fffffff");
  refused_field("dbffffffff61");
  refused_field("dc0401" + repeated("00", 1'025));
  EXPECT_TRUE(decode_msgpack(from_hex("dc0400" + repeated("00", 1'024))).ok());
}

TEST(MsgpackCodec, RefusesDeepNestingWithoutRecursion) {
  refused_field(repeated("91", 60'000));
  refused_field(repeated("91", 33) + "00");
  refused_field(repeated("81a161", 33) + "00");
  EXPECT_TRUE(decode_msgpack(from_hex(repeated("91", 32) + "00")).ok());
}

TEST(MsgpackCodec, RefusesMoreThanAFrame) {
  auto out = decode_msgpack("\xdb\x00\x01\x00\x00"s + std::string(65'536, 'x'));
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, errc::too_large);
}

TEST(MsgpackCodec, RefusesWhatJsonCannotSay) {
  EXPECT_EQ(refused_field("81a161c40100"), "a");
  EXPECT_EQ(refused_field("81a161c400"), "a");
  EXPECT_EQ(refused_field("81a161d40100"), "a");
  EXPECT_EQ(refused_field("81a161c7000100"), "a");
  EXPECT_EQ(refused_field("81a161d6ff00000000"), "a");
  refused_field("c1");
  EXPECT_EQ(refused_field("81a161c1"), "a");
}

TEST(MsgpackCodec, RefusesKeysThatAreNotText) {
  for (const auto* hex :
       {"810101", "81c001", "81c301", "81cb3ff000000000000001", "819001",
        "818001", "81c4016101", "81d4010001", "819161a001"})
    refused_field(hex);
}

TEST(MsgpackCodec, RefusesDuplicateKeysByName) {
  EXPECT_EQ(refused_field("82a26f7001a26f7002"), "op");
  EXPECT_EQ(refused_field("81a16182a162c0a162c0"), "a.b");
  EXPECT_EQ(refused_field("82a16101d9016102"), "a");
}

TEST(MsgpackCodec, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(refused_field("81a161a2c080"), "a");
  EXPECT_EQ(refused_field("81a161a3eda080"), "a");
  EXPECT_EQ(refused_field("81a1ff01"), "");
}

TEST(MsgpackCodec, RefusesTooFewAndTooManyBytes) {
  for (const auto* hex : {"", "81", "81a1", "81a161", "92c0", "cd01", "c0c0",
                          "8080", "80c1", "a3616263ff"})
    refused_field(hex);
}

TEST(MsgpackCodec, SurvivesRandomBytes) {
  std::mt19937_64 draw{20'240'602};
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes(draw() % 40, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(draw());
    if (!bytes.empty() && draw() % 2 == 0)
      bytes.front() = static_cast<char>(0x80 | draw() % 32);
    auto out = decode_msgpack(bytes);
    EXPECT_TRUE(out.ok() || !out.error().message.empty());
  }
}

} // namespace rollcall::edge
