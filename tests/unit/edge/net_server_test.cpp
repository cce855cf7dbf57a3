#include "edge/net/server.hpp"

#include <gtest/gtest.h>

#include "unit/edge/net_harness.hpp"

namespace rollcall::edge::test {
namespace {

TEST(NetServer, AnswersARequestOverTheSocket) {
  net_harness net;
  ASSERT_FALSE(net.failed);
  auto client = net.join();
  ASSERT_TRUE(client.send_text(R"({"op":"heartbeat","id":7})"));
  const auto frame = client.read_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->op, opcode::text);
  EXPECT_EQ(frame->payload, R"({"re":7,"ok":true})");
}

} // namespace
} // namespace rollcall::edge::test
