#include "edge/protocol/request_decoder.hpp"
#include "unit/edge/protocol_requests.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rollcall::edge {

namespace {

constexpr std::uint64_t seed = 20'240'603;

} // namespace

TEST(RequestProperties, WhatIsEncodedDecodesTheSameInBothDialects) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 draw{seed};
  for (int round = 0; round < 5'000; ++round) {
    auto wanted = test::random_request(draw);
    auto text = test::encode_request(dialect::json, wanted);
    for (auto language : {dialect::json, dialect::msgpack}) {
      auto out
        = decode_request(language, test::encode_request(language, wanted));
      if (const auto* bad = std::get_if<decode_failure>(&out))
        FAIL() << "round " << round << ": " << bad->why.field << ' '
               << bad->why.message << '\n'
               << text;
      EXPECT_EQ(
        test::encode_request(dialect::json, std::get<client_request>(out)),
        text);
    }
  }
}

TEST(RequestProperties, DamagedRequestsAreRequestsOrRefusals) {
  SCOPED_TRACE("seed " + std::to_string(seed + 1));
  std::mt19937_64 draw{seed + 1};
  int refusals = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto language = round % 2 == 0 ? dialect::json : dialect::msgpack;
    auto bytes = test::encode_request(language, test::random_request(draw));
    for (auto faults = 1 + draw() % 3; faults > 0 && !bytes.empty(); --faults) {
      auto at = draw() % bytes.size();
      switch (draw() % 4) {
      case 0:
        bytes.erase(at, 1 + draw() % 4);
        break;
      case 1:
        bytes.insert(at, 1, static_cast<char>(draw()));
        break;
      case 2:
        bytes.resize(at);
        break;
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << draw() % 8));
      }
    }
    auto out = decode_request(language, bytes);
    if (const auto* bad = std::get_if<decode_failure>(&out)) {
      EXPECT_FALSE(bad->why.message.empty());
      EXPECT_TRUE(is_utf8(bad->why.field));
      ++refusals;
    } else {
      // Whatever is accepted is in its canonical form a request again.
      const auto& request = std::get<client_request>(out);
      auto again
        = decode_request(language, test::encode_request(language, request));
      EXPECT_TRUE(std::holds_alternative<client_request>(again))
        << test::encode_request(dialect::json, request);
    }
  }
  EXPECT_GT(refusals, 10'000);
}

} // namespace rollcall::edge
