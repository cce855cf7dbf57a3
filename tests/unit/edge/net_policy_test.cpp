// The pure parts that decide: queues, rates, addresses, origins, evidence,
// inboxes.

#include "actors/base/rate_limiter.hpp"
#include "edge/net/client_address.hpp"
#include "edge/net/evidence_book.hpp"
#include "edge/net/inbox.hpp"
#include "edge/net/origin_policy.hpp"
#include "edge/net/write_queue.hpp"

#include <gtest/gtest.h>

#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rollcall::edge::test {
namespace {

frame_ptr bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string waiting(const write_queue& queue) {
  std::array<std::string_view, 8> pieces;
  std::string all;
  const auto count = queue.gather(pieces);
  for (std::size_t i = 0; i < count; ++i)
    all += pieces[i];
  return all;
}

// -- write queue -------------------------------------------------------------

TEST(WriteQueue, KeepsOrderThroughPartialWrites) {
  write_queue queue;
  queue.push(bytes("abc"));
  queue.push(bytes("defg"));
  queue.push(bytes("hi"));
  EXPECT_EQ(waiting(queue), "abcdefghi");
  EXPECT_EQ(queue.consume(2), 0U);
  EXPECT_EQ(waiting(queue), "cdefghi");
  EXPECT_EQ(queue.consume(3), 1U);
  EXPECT_EQ(waiting(queue), "fghi");
  EXPECT_EQ(queue.consume(4), 2U);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(WriteQueue, SharesFramesInsteadOfCopyingThem) {
  write_queue queue;
  const auto frame = bytes("shared");
  queue.push(frame);
  std::array<std::string_view, 1> piece;
  ASSERT_EQ(queue.gather(piece), 1U);
  EXPECT_EQ(piece[0].data(), frame->data());
  EXPECT_EQ(frame.use_count(), 2);
  queue.consume(6);
  EXPECT_EQ(frame.use_count(), 1);
}

TEST(WriteQueue, ChargesEachFrameForItself) {
  write_queue queue;
  queue.push(bytes("1234"));
  queue.push(bytes("5"));
  EXPECT_EQ(queue.bytes(), 5 + 2 * write_queue::frame_cost);
  queue.consume(1);
  EXPECT_EQ(queue.bytes(), 4 + 2 * write_queue::frame_cost);
  queue.push(nullptr);
  queue.push(bytes(""));
  EXPECT_EQ(queue.frames(), 2U);
}

TEST(WriteQueue, JudgesByBothBounds) {
  const queue_limits bounds{200, 400};
  write_queue queue;
  EXPECT_EQ(queue.judge(100, bounds), write_queue::verdict::fits);
  EXPECT_EQ(queue.judge(200, bounds), write_queue::verdict::over_soft);
  // One frame must always be possible, or it could never be sent.
  EXPECT_EQ(queue.judge(1'000, bounds), write_queue::verdict::over_soft);
  queue.push(bytes(std::string(300, 'x')));
  EXPECT_EQ(queue.judge(1, bounds), write_queue::verdict::over_soft);
  EXPECT_EQ(queue.judge(100, bounds), write_queue::verdict::over_hard);
}

TEST(WriteQueue, ExemptsASnapshotUntilItHasDrained) {
  const queue_limits bounds{200, 400};
  write_queue queue;
  queue.push_exempt(bytes(std::string(5'000, 'x')));
  EXPECT_EQ(queue.judge(100, bounds), write_queue::verdict::fits);
  EXPECT_EQ(queue.judge(300, bounds), write_queue::verdict::over_soft);
  queue.consume(5'000);
  queue.push(bytes(std::string(300, 'x')));
  EXPECT_EQ(queue.judge(1, bounds), write_queue::verdict::over_soft);
}

TEST(WriteQueue, DropsOnlyWhatNobodyWasPromised) {
  write_queue queue;
  for (const auto* text : {"abc", "defg", "hi"})
    queue.push(bytes(text));
  queue.consume(1);
  queue.drop_unsent(0);
  EXPECT_EQ(waiting(queue), "bc");
  queue.push(bytes("defg"));
  queue.push(bytes("hi"));
  // A TLS record may hold the start of the second frame already.
  queue.drop_unsent(3);
  EXPECT_EQ(waiting(queue), "bcdefg");
  EXPECT_EQ(queue.bytes(), 6 + 2 * write_queue::frame_cost);
  queue.consume(6);
  queue.push(bytes("x"));
  queue.drop_unsent(0);
  EXPECT_TRUE(queue.empty());
}

TEST(WriteQueue, NeverLosesABytesOverManyRounds) {
  write_queue queue;
  std::string pushed;
  std::string sent;
  for (int i = 0; i < 1'000; ++i) {
    const auto text = std::to_string(i) + ",";
    pushed += text;
    queue.push(bytes(text));
    if (i % 3 == 0)
      continue;
    const auto part = waiting(queue).substr(0, static_cast<std::size_t>(i % 7));
    sent += part;
    queue.consume(part.size());
  }
  while (!queue.empty()) {
    const auto part = waiting(queue);
    sent += part;
    queue.consume(part.size());
  }
  EXPECT_EQ(sent, pushed);
}

// -- rates -------------------------------------------------------------------

TEST(RateLimiter, AllowsABurstAndThenTheRate) {
  const rate_rule rule{10, 3};
  token_bucket bucket;
  const millis start{1'000'000};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(bucket.take(rule, 1, start));
  EXPECT_FALSE(bucket.take(rule, 1, start));
  EXPECT_EQ(bucket.wait(rule, 1), millis{100});
  EXPECT_FALSE(bucket.take(rule, 1, start + millis{99}));
  EXPECT_TRUE(bucket.take(rule, 1, start + millis{100}));
  EXPECT_FALSE(bucket.take(rule, 1, start + millis{100}));
}

TEST(RateLimiter, NeverHoldsMoreThanItsBurst) {
  const rate_rule rule{10, 3};
  token_bucket bucket;
  EXPECT_TRUE(bucket.take(rule, 1, millis{0}));
  const millis later{3'600'000};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(bucket.take(rule, 1, later));
  EXPECT_FALSE(bucket.take(rule, 1, later));
}

TEST(RateLimiter, RemembersDebts) {
  const rate_rule rule{10, 3};
  token_bucket bucket;
  EXPECT_FALSE(bucket.charge(rule, 3, millis{1}));
  EXPECT_TRUE(bucket.charge(rule, 10, millis{1}));
  EXPECT_EQ(bucket.wait(rule, 0), millis{1'000});
  EXPECT_EQ(bucket.wait(rule, 1), millis{1'100});
  EXPECT_FALSE(bucket.take(rule, 1, millis{1'000}));
  EXPECT_TRUE(bucket.take(rule, 1, millis{1'101}));
}

// -- addresses ---------------------------------------------------------------

client_address address(const char* text) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return client_address::from(reinterpret_cast<const sockaddr&>(v4));
  }
  EXPECT_EQ(::inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
  v6.sin6_family = AF_INET6;
  return client_address::from(reinterpret_cast<const sockaddr&>(v6));
}

TEST(ClientAddress, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(address("192.0.2.7").text(), "192.0.2.7");
  EXPECT_EQ(address("2001:db8::7").text(), "2001:db8::7");
  // A dual-stack socket sees IPv4 clients this way.
  EXPECT_EQ(address("::ffff:192.0.2.7"), address("192.0.2.7"));
}

TEST(ClientAddress, CountsAnIpv6SubscriberOnce) {
  EXPECT_EQ(address("2001:db8:0:1::7").network(),
            address("2001:db8:0:1:ffff::9").network());
  EXPECT_NE(address("2001:db8:0:1::7").network(),
            address("2001:db8:0:2::7").network());
  EXPECT_NE(address("192.0.2.7").network(), address("192.0.2.8").network());
}

TEST(AddressTable, TellsThenDrops) {
  using verdict = address_table::verdict;
  address_table table{2, 1};
  const auto one = address("192.0.2.1");
  EXPECT_EQ(table.enter(one), verdict::admitted);
  EXPECT_EQ(table.enter(one), verdict::admitted);
  EXPECT_EQ(table.enter(one), verdict::over_limit);
  EXPECT_EQ(table.enter(one), verdict::flooding);
  EXPECT_EQ(table.enter(address("192.0.2.2")), verdict::admitted);
  table.leave(one);
  table.leave(one);
  EXPECT_EQ(table.enter(one), verdict::admitted);
}

TEST(AddressTable, ForgetsThoseWhoHaveLeft) {
  address_table table{10};
  const auto one = address("192.0.2.1");
  EXPECT_EQ(table.enter(one), address_table::verdict::admitted);
  EXPECT_EQ(table.networks(), 1U);
  table.leave(one);
  EXPECT_EQ(table.networks(), 0U);
  table.leave(one);
}

TEST(AddressTable, RefusesStrangersWhenItIsFull) {
  address_table table{10};
  auto many = address("10.0.0.0");
  for (std::size_t i = 0; i < limits::tracked_addresses; ++i) {
    many.bytes[14] = static_cast<unsigned char>(i >> 8);
    many.bytes[15] = static_cast<unsigned char>(i);
    ASSERT_EQ(table.enter(many), address_table::verdict::admitted);
  }
  EXPECT_EQ(table.enter(address("192.0.2.1")),
            address_table::verdict::flooding);
  EXPECT_EQ(table.enter(many), address_table::verdict::admitted);
}

// -- origins -----------------------------------------------------------------

TEST(OriginPolicy, MatchesSchemeHostAndPortExactly) {
  auto policy
    = origin_policy::make({"https://good.example", "http://dev.example:8080"});
  ASSERT_TRUE(policy);
  const auto admits = [&](std::string_view origin) {
    return policy->admits(origin, "api.example", true);
  };
  EXPECT_TRUE(admits("https://good.example"));
  EXPECT_TRUE(admits("https://GOOD.example:443"));
  EXPECT_TRUE(admits("http://dev.example:8080"));
  EXPECT_FALSE(admits("http://good.example"));
  EXPECT_FALSE(admits("https://good.example:8443"));
  EXPECT_FALSE(admits("https://evil.example"));          // hs-evil-origin
  EXPECT_FALSE(admits("null"));                          // hs-null-origin
  EXPECT_FALSE(admits("https://good.example.evil.com")); // hs-origin-suffix
  EXPECT_FALSE(admits("https://evil.com/https://good.example"));
  EXPECT_FALSE(admits("https://good.example@evil.com")); // hs-origin-userinfo
  EXPECT_FALSE(admits("https://good.example:443@evil.com"));
  EXPECT_FALSE(admits("https://good.example/"));
  EXPECT_FALSE(admits(""));
  EXPECT_FALSE(admits("https://"));
  EXPECT_FALSE(admits("https://good.example:"));
  EXPECT_FALSE(admits("https://good.example:99999"));
  EXPECT_FALSE(admits("ftp://good.example"));
  EXPECT_FALSE(admits("https://good.example\tx"));
}

TEST(OriginPolicy, AllowsOurOwnPagesAndNonBrowsers) {
  const origin_policy policy;
  EXPECT_TRUE(policy.admits(std::nullopt, "live.example", true));
  EXPECT_TRUE(policy.admits("https://live.example", "live.example", true));
  EXPECT_TRUE(
    policy.admits("https://live.example:8443", "live.example:8443", true));
  EXPECT_TRUE(policy.admits("http://127.0.0.1:8080", "127.0.0.1:8080", false));
  EXPECT_TRUE(policy.admits("http://[::1]:8080", "[::1]:8080", false));
  EXPECT_FALSE(policy.admits("http://live.example", "live.example", true));
  EXPECT_FALSE(policy.admits("https://other.example", "live.example", true));
  EXPECT_FALSE(
    policy.admits("https://live.example:8443", "live.example", true));
  EXPECT_FALSE(policy.admits("https://live.example", "", true));
}

TEST(OriginPolicy, NamesTheEntryThatIsNone) {
  const auto policy
    = origin_policy::make({"https://good.example", "*.example"});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().field, "origins");
  EXPECT_NE(policy.error().message.find("*.example"), std::string::npos);
}

// -- evidence ----------------------------------------------------------------

TEST(EvidenceBook, GathersOneNotePerSession) {
  evidence_book book{millis{10}, node_id{"edge", 5}};
  const session_key board{namespace_id{"default"}, session_id{"board"}};
  const session_key party{namespace_id{"default"}, session_id{"party"}};
  auto* first = book.enter(board);
  EXPECT_EQ(book.enter(board), first);
  auto* second = book.enter(party);
  EXPECT_FALSE(book.due());
  book.add(first, {1, 1}, sign::silent, millis{5'000}, millis{25'000});
  book.add(second, {1, 2}, sign::closed, millis{25'004}, millis{25'004});
  book.add(first, {1, 1}, sign::back, millis{25'006}, millis{25'006});
  EXPECT_EQ(book.due(), millis{25'010});
  const auto notes = book.take(millis{25'010});
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0]->session, board);
  EXPECT_EQ(notes[0]->edge, (node_id{"edge", 5}));
  const auto& items = std::get<evidence>(notes[0]->body).items;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].what, sign::silent);
  EXPECT_EQ(items[0].age, millis{20'010});
  EXPECT_EQ(items[1].what, sign::back);
  EXPECT_EQ(items[1].age, millis{4});
  EXPECT_FALSE(book.due());
  EXPECT_TRUE(book.take(millis{26'000}).empty());
}

TEST(EvidenceBook, HandsOverTheLastWordOfThoseWhoLeft) {
  evidence_book book{millis{10}, {}};
  const session_key board{namespace_id{"default"}, session_id{"board"}};
  auto* page = book.enter(board);
  book.add(page, {1, 1}, sign::closed, millis{0}, millis{0});
  book.leave(page);
  EXPECT_EQ(book.sessions(), 1U);
  EXPECT_EQ(book.take(millis{10}).size(), 1U);
  EXPECT_EQ(book.sessions(), 0U);
  book.leave(book.enter(board));
  EXPECT_EQ(book.sessions(), 0U);
}

// -- inbox -------------------------------------------------------------------

TEST(Inbox, WakesOncePerBurst) {
  inbox box{8};
  EXPECT_FALSE(box.pending());
  EXPECT_TRUE(box.post(publish_message{1, bytes("a")}));
  EXPECT_FALSE(box.post(publish_message{1, bytes("b")}));
  EXPECT_TRUE(box.pending());
  inbox::haul haul;
  box.drain(haul);
  EXPECT_EQ(haul.messages.size(), 2U);
  EXPECT_FALSE(box.pending());
  EXPECT_TRUE(box.post(publish_message{1, bytes("c")}));
  box.drain(haul);
  EXPECT_EQ(haul.messages.size(), 1U);
}

TEST(Inbox, RemembersWhomItFailed) {
  inbox box{1};
  EXPECT_TRUE(box.post(publish_message{1, bytes("a")}));
  (void)box.post(publish_message{7, bytes("b")});
  (void)box.post(deliver_message{9, bytes("c")});
  EXPECT_EQ(box.overflows(), 2U);
  // The end always fits.
  (void)box.post(stop_message{});
  inbox::haul haul;
  box.drain(haul);
  EXPECT_EQ(haul.messages.size(), 2U);
  EXPECT_TRUE(haul.lost_channels.contains(7));
  EXPECT_TRUE(haul.lost_slots.contains(9));
  box.drain(haul);
  EXPECT_TRUE(haul.lost_channels.empty());
}

TEST(Inbox, SwallowsEverythingOnceClosed) {
  inbox box{8};
  const auto frame = bytes("a");
  (void)box.post(publish_message{1, frame});
  box.close();
  EXPECT_FALSE(box.post(publish_message{1, frame}));
  EXPECT_EQ(frame.use_count(), 1);
}

} // namespace
} // namespace rollcall::edge::test
