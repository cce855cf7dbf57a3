// What happens when there are no descriptors left.

#include "unit/edge/net_harness.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::edge::test {
namespace {

constexpr rlim_t descriptors = 48;

/// Serves with few descriptors until `orders` ends, then reports how often
/// the listener backed off.
[[noreturn]] void serve_with_few(int orders, int reports) {
  const rlimit few{descriptors, descriptors};
  ::setrlimit(RLIMIT_NOFILE, &few);
  {
    net_harness net;
    std::uint64_t word = net.failed ? 0 : net.sink->port();
    [[maybe_unused]] auto moved = ::write(reports, &word, sizeof word);
    char end = 0;
    moved = ::read(orders, &end, 1);
    word = net.stats().accept_backoffs;
    moved = ::write(reports, &word, sizeof word);
  }
  ::_exit(0);
}

TEST(NetListener, BacksOffWithoutDescriptorsAndRecovers) {
  int orders[2];
  int reports[2];
  ASSERT_EQ(::pipe(orders), 0);
  ASSERT_EQ(::pipe(reports), 0);
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(orders[1]);
    ::close(reports[0]);
    serve_with_few(orders[0], reports[1]);
  }
  ::close(orders[0]);
  ::close(reports[1]);
  std::uint64_t port = 0;
  ASSERT_EQ(::read(reports[0], &port, sizeof port),
            static_cast<ssize_t>(sizeof port));
  ASSERT_NE(port, 0U);
  {
    net_client first{static_cast<std::uint16_t>(port)};
    ASSERT_EQ(first.upgrade().status, 101U);
    // Once before descriptors run out: sanitizers need some of their own the
    // first time they see a type.
    first.send_text(R"({"op":"heartbeat","id":1})");
    ASSERT_TRUE(first.read_frame());
    std::vector<net_client> many;
    for (rlim_t i = 0; i < 2 * descriptors; ++i)
      many.emplace_back(static_cast<std::uint16_t>(port));
    // Those who are in are served as before.
    for (int i = 0; i < 5; ++i) {
      first.send_text(R"({"op":"heartbeat","id":1})");
      ASSERT_TRUE(first.read_frame());
    }
    // One of those who are not is turned away, so that it learns.
    EXPECT_TRUE(eventually([&] {
      for (auto& each : many)
        if (each.has_input())
          return true;
      return false;
    }));
    many.clear();
    EXPECT_TRUE(eventually([&] {
      net_client next{static_cast<std::uint16_t>(port)};
      return next.upgrade().status == 101;
    }));
  }
  ::close(orders[1]);
  std::uint64_t backoffs = 0;
  EXPECT_EQ(::read(reports[0], &backoffs, sizeof backoffs),
            static_cast<ssize_t>(sizeof backoffs));
  ::close(reports[0]);
  EXPECT_GE(backoffs, 1U);
  // A spinning listener would have thousands.
  EXPECT_LE(backoffs, 300U);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

} // namespace
} // namespace rollcall::edge::test
