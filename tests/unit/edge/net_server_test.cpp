// The server as its clients see it, over loopback.

#include "actors/base/ids.hpp"
#include "edge/net/server.hpp"
#include "unit/edge/net_harness.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace rollcall::edge::test {
namespace {

frame_ptr text(std::string_view payload) {
  return make_frame(dialect::json, payload);
}

std::string heartbeat(int id) {
  return R"({"op":"heartbeat","id":)" + std::to_string(id) + "}";
}

std::string answer(int id) {
  return R"({"re":)" + std::to_string(id) + R"(,"ok":true})";
}

std::string get(std::string_view target, std::string_view extra = {}) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n"
         + std::string{extra} + "\r\n";
}

std::uint64_t closed_with(const server_stats& stats, std::uint16_t code) {
  for (const auto& [each, count] : stats.closed)
    if (each == code)
      return count;
  return 0;
}

// -- upgrade -----------------------------------------------------------------

TEST(NetServer, AnswersARequestOverTheSocket) {
  net_harness net;
  ASSERT_FALSE(net.failed);
  auto client = net.join();
  ASSERT_TRUE(client.send_text(heartbeat(7)));
  const auto frame = client.read_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->op, opcode::text);
  EXPECT_EQ(frame->payload, answer(7));
}

TEST(NetServer, TellsTheFactoryWhoComes) {
  net_harness net;
  auto client = net.connect();
  const auto granted = client.upgrade("rollcall.v1.msgpack, bearer.abc",
                                      "Origin: http://localhost\r\n");
  ASSERT_EQ(granted.status, 101U);
  EXPECT_EQ(granted.header("Sec-WebSocket-Protocol"), "rollcall.v1.msgpack");
  const auto who = net.record.accepted().at(0);
  EXPECT_EQ(who.language, dialect::msgpack);
  EXPECT_EQ(who.token, "abc");
  EXPECT_EQ(who.address, "127.0.0.1");
  EXPECT_EQ(who.origin, "http://localhost");
}

TEST(NetServer, RefusesBadTokensAndOrigins) {
  net_harness net;
  auto client = net.connect();
  const auto refused
    = client.upgrade("rollcall.v1.json", "Authorization: Bearer bad\r\n");
  EXPECT_EQ(refused.status, 401U);
  EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer");
  EXPECT_NE(refused.body.find("\"unauthenticated\""), std::string::npos);
  auto evil = net.connect();
  EXPECT_EQ(
    evil.upgrade("rollcall.v1.json", "Origin: https://evil.example\r\n").status,
    403U);
  EXPECT_TRUE(net.record.accepted().empty());
}

TEST(NetServer, TakesFramesSentAheadWithinBounds) { // hs-pipelined-frames
  net_harness net;
  auto client = net.connect();
  const auto ask
    = get("/v1/connect", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         "Sec-WebSocket-Protocol: rollcall.v1.json\r\n");
  client.send(ask + client_frame(opcode::text, heartbeat(1)));
  EXPECT_EQ(client.read_http().status, 101U);
  EXPECT_EQ(client.read_frame()->payload, answer(1));
  auto pushy = net.connect();
  pushy.send(ask + std::string(8'000, 'x'));
  EXPECT_EQ(pushy.read_http().status, 400U);
}

TEST(NetServer, SurvivesAResetAfterTheUpgrade) { // hs-rst-during-upgrade
  net_harness net;
  net.join().reset();
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 1; }));
  EXPECT_FALSE(net.record.gone()[0].goodbye);
  auto next = net.join();
  next.send_text(heartbeat(1));
  EXPECT_TRUE(next.read_frame());
}

// -- frames ------------------------------------------------------------------

TEST(NetServer, JoinsFragmentsAndAnswersPings) {
  net_harness net;
  auto client = net.join();
  const auto message = heartbeat(3);
  client.send_frame(opcode::text, message.substr(0, 5), false);
  client.send_frame(opcode::ping, "are you there");
  client.send_frame(opcode::continuation, message.substr(5));
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->op, opcode::pong);
  EXPECT_EQ(pong->payload, "are you there");
  EXPECT_EQ(client.read_frame()->payload, answer(3));
}

TEST(NetServer, ReadsAMessageThatComesByteByByte) {
  net_harness net;
  auto client = net.join();
  for (const auto c : client_frame(opcode::text, heartbeat(1)))
    client.send(std::string_view{&c, 1});
  EXPECT_EQ(client.read_frame()->payload, answer(1));
}

TEST(NetServer, ClosesBrokenFramingWithoutBye) {
  net_harness net;
  auto client = net.join();
  client.send("\x81\x05Hello");
  const auto frame = client.read_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->op, opcode::close);
  EXPECT_EQ(frame->close_code(), 1002);
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 1; }));
  EXPECT_EQ(closed_with(net.stats(), 1002), 1U);
}

TEST(NetServer, LimitsTheFirstMessageMoreThanOthers) {
  net_harness net;
  const std::string big(20'000, ' ');
  auto hasty = net.join();
  hasty.send_text(big + heartbeat(1));
  EXPECT_EQ(hasty.read_close(), 1009);
  auto patient = net.join();
  patient.send_text(heartbeat(1));
  EXPECT_EQ(patient.read_frame()->payload, answer(1));
  patient.send_text(big + heartbeat(2));
  EXPECT_EQ(patient.read_frame()->payload, answer(2));
}

TEST(NetServer, RefusesTheOtherDialectsFrames) {
  net_harness net;
  auto client = net.join();
  client.send_frame(opcode::binary, "\x80");
  EXPECT_EQ(client.read_close(), 1003);
}

TEST(NetServer, AnswersWhatItCannotDecodeAndStays) {
  net_harness net;
  auto client = net.join();
  client.send_text(R"({"op":"nonsense","id":1})");
  const auto refused = client.read_frame();
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->payload.find("\"bad_request\""), std::string::npos);
  client.send_text(heartbeat(2));
  EXPECT_EQ(client.read_frame()->payload, answer(2));
  EXPECT_EQ(net.record.requests().size(), 1U);
}

TEST(NetServer, KeepsHeartbeatsWithoutIdToItself) {
  net_harness net;
  auto client = net.join();
  client.send_text(R"({"op":"heartbeat"})");
  client.send_text(heartbeat(1));
  EXPECT_EQ(client.read_frame()->payload, answer(1));
  EXPECT_EQ(net.record.requests().size(), 1U);
}

TEST(NetServer, RefusesRequestsBeyondTheRateAndKeepsTheConnection) {
  server_config config;
  config.requests = {50, 3};
  net_harness net{config};
  auto client = net.join();
  std::string burst;
  for (int i = 0; i < 20; ++i)
    burst += client_frame(opcode::text, heartbeat(i));
  client.send(burst);
  int limited = 0;
  for (int i = 0; i < 20; ++i) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame);
    if (frame->payload.find("\"rate_limited\"") == std::string::npos)
      continue;
    ++limited;
    EXPECT_NE(frame->payload.find("\"retry_after_ms\""), std::string::npos);
  }
  EXPECT_GT(limited, 0);
  EXPECT_EQ(net.stats().rate_limited, static_cast<std::uint64_t>(limited));
  // It recovers.
  int id = 100;
  EXPECT_TRUE(eventually([&] {
    client.send_text(heartbeat(++id));
    return client.read_frame()->payload == answer(id);
  }));
}

TEST(NetServer, ReadsAFloodNoFasterThanItsRate) { // fr-ping-flood
  server_config config;
  config.frames = {2'000, 50};
  net_harness net{config};
  auto client = net.join();
  const auto begin = std::chrono::steady_clock::now();
  std::string flood;
  for (int i = 0; i < 600; ++i)
    flood += client_frame(i % 2 == 0 ? opcode::ping : opcode::pong, "x");
  client.send(flood + client_frame(opcode::text, heartbeat(1)));
  while (const auto frame = client.read_frame())
    if (frame->op == opcode::text)
      break;
  const auto took = std::chrono::steady_clock::now() - begin;
  // 601 frames at 2000 a second, less the burst.
  EXPECT_GE(took, std::chrono::milliseconds{250});
  EXPECT_GE(net.stats().throttled, 1U);
  client.send_text(heartbeat(2));
  EXPECT_EQ(client.read_frame()->payload, answer(2));
}

// -- the end of a client -----------------------------------------------------

TEST(NetServer, TellsAGoodbyeFromALoss) {
  net_harness net;
  auto polite = net.join();
  polite.send_frame(opcode::close, "\x03\xe8");
  EXPECT_EQ(polite.read_close(), 1000);
  EXPECT_TRUE(polite.ended());
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 1; }));
  EXPECT_TRUE(net.record.gone()[0].goodbye);
  auto vague = net.join();
  vague.send_frame(opcode::close, "");
  EXPECT_EQ(vague.read_close(), 1005);
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 2; }));
  EXPECT_FALSE(net.record.gone()[1].goodbye);
}

TEST(NetServer, SendsTheLastFrameBeforeItCloses) {
  net_harness net;
  auto client = net.join();
  net.sink->deliver(net.last(), text("first"));
  net.sink->close(net.last(), 3502, "kicked", text("bye"));
  net.sink->deliver(net.last(), text("too late"));
  EXPECT_EQ(client.read_frame()->payload, "first");
  EXPECT_EQ(client.read_frame()->payload, "bye");
  const auto last = client.read_frame();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->op, opcode::close);
  EXPECT_EQ(last->close_code(), 3502);
  EXPECT_EQ(last->payload.substr(2), "kicked");
  client.send_frame(opcode::close, "\x0d\xae");
  EXPECT_TRUE(client.ended());
}

TEST(NetServer, SaysByeWhenItShutsDown) {
  server_config config;
  config.shutdown_spread = millis{100};
  net_harness net{config};
  auto client = net.join();
  std::thread stopping{[&] { net.sink->shutdown(); }};
  const auto bye = client.read_frame();
  ASSERT_TRUE(bye);
  EXPECT_NE(bye->payload.find(R"("code":3000)"), std::string::npos);
  EXPECT_NE(bye->payload.find(R"("after_ms")"), std::string::npos);
  EXPECT_EQ(client.read_close(), 3000);
  client.send_frame(opcode::close, "\x0b\xb8");
  EXPECT_TRUE(client.ended());
  stopping.join();
  EXPECT_EQ(net.record.gone().size(), 1U);
  EXPECT_EQ(net.stats().sockets, 0U);
  net_client late{net.sink->port()};
  EXPECT_FALSE(late.connected());
}

TEST(NetServer, ShutsDownInTimeWhateverClientsDo) {
  server_config config;
  config.shutdown_drain = millis{100};
  net_harness net{config};
  auto deaf = net.join();
  auto asking = net.connect();
  asking.send("GET / HT");
  const auto begin = std::chrono::steady_clock::now();
  net.sink->shutdown();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
  EXPECT_EQ(net.record.gone().size(), 1U);
}

// -- channels ----------------------------------------------------------------

TEST(NetChannels, SendOnceForEachClientAndPublish) {
  server_config config;
  config.io_threads = 2;
  net_harness net{config};
  constexpr int count = 200;
  std::vector<net_client> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(net.join());
    net.sink->subscribe(net.last(), 9, text("snapshot"));
  }
  for (auto& client : clients)
    ASSERT_EQ(client.read_frame()->payload, "snapshot");
  const auto before = net.stats();
  constexpr int rounds = 5;
  for (int round = 0; round < rounds; ++round) {
    const auto payload = "changes " + std::to_string(round);
    net.sink->publish(9, text(payload));
    for (auto& client : clients)
      ASSERT_EQ(client.read_frame()->payload, payload);
  }
  // A client may have its frame before the loop has counted it.
  EXPECT_TRUE(eventually(
    [&] { return net.stats().sends - before.sends >= count * rounds; }));
  const auto after = net.stats();
  EXPECT_EQ(after.deliveries - before.deliveries, count * rounds);
  EXPECT_EQ(after.sends - before.sends, count * rounds);
  EXPECT_EQ(after.publishes - before.publishes, 2U * rounds);
  EXPECT_EQ(after.queued_bytes, 0U);
}

TEST(NetChannels, CoalesceWhatIsWaiting) {
  // Published from the loop's own thread, which finds them all at once.
  net_harness* self = nullptr;
  server_hooks hooks;
  hooks.not_ready = [&] {
    for (int i = 0; i < 50; ++i)
      self->sink->publish(4, text("tick " + std::to_string(i)));
    return std::string{};
  };
  net_harness net{{}, hooks};
  self = &net;
  auto watcher = net.join();
  net.sink->subscribe(net.last(), 4, text("snapshot"));
  ASSERT_EQ(watcher.read_frame()->payload, "snapshot");
  EXPECT_TRUE(eventually([&] { return net.stats().sends == 2; }));
  auto trigger = net.connect();
  trigger.send(get("/readyz"));
  EXPECT_EQ(trigger.read_http().status, 200U);
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(watcher.read_frame()->payload, "tick " + std::to_string(i));
  // One more for the HTTP response, and one for all fifty frames.
  EXPECT_TRUE(eventually([&] { return net.stats().sends >= 4; }));
  EXPECT_EQ(net.stats().sends, 4U);
}

TEST(NetChannels, ReachOnlyTheirMembers) {
  net_harness net;
  auto one = net.join();
  const auto first = net.last();
  auto two = net.join();
  const auto second = net.last();
  net.sink->subscribe(first, 1, nullptr);
  net.sink->subscribe(second, 1, nullptr);
  net.sink->subscribe(second, 2, nullptr);
  net.sink->publish(1, text("both"));
  net.sink->unsubscribe(first, 1);
  net.sink->publish(1, text("second only"));
  net.sink->publish(2, text("other channel"));
  net.sink->publish(3, text("nobody"));
  net.sink->deliver(first, text("end"));
  net.sink->deliver(second, text("end"));
  EXPECT_EQ(one.read_frame()->payload, "both");
  EXPECT_EQ(one.read_frame()->payload, "end");
  EXPECT_EQ(two.read_frame()->payload, "both");
  EXPECT_EQ(two.read_frame()->payload, "second only");
  EXPECT_EQ(two.read_frame()->payload, "other channel");
  EXPECT_EQ(two.read_frame()->payload, "end");
}

TEST(NetChannels, SwallowWhatIsSentToClientsWhoHaveGone) {
  net_harness net;
  auto client = net.join();
  const auto gone = net.last();
  net.sink->subscribe(gone, 1, nullptr);
  client.close();
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));
  net.sink->deliver(gone, text("x"));
  net.sink->subscribe(gone, 1, text("x"));
  net.sink->publish(1, text("x"));
  net.sink->close(gone, 3502, "kicked", nullptr);
  // The slot's next tenant gets nothing of it.
  auto next = net.join();
  net.sink->deliver(net.last(), text("mine"));
  EXPECT_EQ(next.read_frame()->payload, "mine");
  EXPECT_FALSE(next.has_input());
}

// -- slow readers ------------------------------------------------------------

server_config small_queues() {
  server_config config;
  config.queue = {32 << 10, 128 << 10};
  config.send_buffer = 4'096;
  return config;
}

TEST(NetSlowReader, LosesItsChannelsAndIsCalledBackOnceDrained) {
  net_harness net{small_queues()};
  auto slow = net.join(true);
  const auto ref = net.last();
  net.sink->subscribe(ref, 7, nullptr);
  net.sink->subscribe(ref, 8, nullptr);
  const std::string chunk(2'000, 'x');
  EXPECT_TRUE(eventually([&] {
    net.sink->publish(7, text(chunk));
    return net.stats().lagging == 1;
  }));
  const auto lost = net.stats();
  EXPECT_EQ(lost.lost_places, 2U);
  // Bounded, whatever is published meanwhile.
  for (int i = 0; i < 200; ++i)
    net.sink->publish(7, text(chunk));
  EXPECT_TRUE(
    eventually([&] { return net.stats().publishes >= lost.publishes + 200; }));
  EXPECT_LE(net.stats().queued_bytes, std::size_t{32} << 10);
  EXPECT_TRUE(net.record.resyncs().empty());
  // It reads again.
  EXPECT_TRUE(eventually([&] {
    while (slow.has_input())
      if (slow.discard_some() == 0)
        return false;
    return net.record.resyncs().size() == 2;
  }));
  for (const auto& [channel, client] : net.record.resyncs()) {
    EXPECT_TRUE(channel == 7 || channel == 8);
    EXPECT_EQ(client, ref);
  }
  EXPECT_EQ(net.stats().lagging, 0U);
  net.sink->publish(7, text("not for it"));
  net.sink->subscribe(ref, 7, text("snapshot"));
  net.sink->publish(7, text("changes"));
  EXPECT_EQ(slow.read_frame()->payload, "snapshot");
  EXPECT_EQ(slow.read_frame()->payload, "changes");
}

TEST(NetSlowReader, IsCutAfterItsGrace) {
  auto config = small_queues();
  config.slow_reader_grace = millis{50};
  config.close_timeout = millis{50};
  net_harness net{config};
  auto slow = net.join(true);
  net.sink->subscribe(net.last(), 7, nullptr);
  const auto chunk = text(std::string(2'000, 'x'));
  EXPECT_TRUE(eventually([&] {
    net.sink->publish(7, chunk);
    return net.record.gone().size() == 1;
  }));
  EXPECT_EQ(closed_with(net.stats(), 3001), 1U);
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));
  EXPECT_EQ(net.stats().queued_bytes, 0U);
  EXPECT_EQ(net.stats().lagging, 0U);
}

TEST(NetSlowReader, IsCutAtTheHardBound) { // fr-stalled-reader
  net_harness net{small_queues()};
  auto slow = net.join(true);
  const auto chunk = text(std::string(2'000, 'x'));
  EXPECT_TRUE(eventually([&] {
    net.sink->deliver(net.last(), chunk);
    return net.record.gone().size() == 1;
  }));
  EXPECT_EQ(closed_with(net.stats(), 3001), 1U);
  // What was queued is dropped, so that the end can come through.
  EXPECT_LE(net.stats().queued_bytes, 8'192U);
  EXPECT_EQ(slow.read_close(), 3001);
}

TEST(NetSlowReader, DoesNotHoldUpOthers) {
  net_harness net{small_queues()};
  auto slow = net.join(true);
  net.sink->subscribe(net.last(), 7, nullptr);
  auto quick = net.join();
  net.sink->subscribe(net.last(), 7, nullptr);
  for (int i = 0; i < 500; ++i) {
    const auto payload = std::to_string(i) + std::string(2'000, 'x');
    net.sink->publish(7, text(payload));
    ASSERT_EQ(quick.read_frame()->payload, payload);
  }
  EXPECT_TRUE(slow.connected());
}

// -- signs of life -----------------------------------------------------------

const session_key board{namespace_id{"default"}, session_id{"board"}};
const connection_id who{1, 2};

TEST(NetSigns, ReportSilenceOnceAndTheReturn) {
  server_config config;
  config.node = {"edge", 9};
  net_harness net{config};
  auto client = net.join();
  net.sink->watch(net.last(), who, board, millis{60});
  ASSERT_TRUE(eventually([&] { return !net.record.signs().empty(); }));
  const auto silent = net.record.signs().at(0);
  EXPECT_EQ(silent.connection, who);
  EXPECT_EQ(silent.what, sign::silent);
  EXPECT_GE(silent.age, millis{60});
  EXPECT_EQ(net.record.notes().at(0)->session, board);
  EXPECT_EQ(net.record.notes().at(0)->edge, (node_id{"edge", 9}));
  client.send_text(R"({"op":"heartbeat"})");
  ASSERT_TRUE(eventually([&] { return net.record.signs().size() >= 2; }));
  EXPECT_EQ(net.record.signs().at(1).what, sign::back);
  EXPECT_LT(net.record.signs().at(1).age, millis{1'000});
  // And again, because it is silent again; each only once.
  ASSERT_TRUE(eventually([&] { return net.record.signs().size() >= 3; }));
  EXPECT_EQ(net.record.signs().at(2).what, sign::silent);
}

TEST(NetSigns, AnyWholeFrameCountsAndHalfOnesDoNot) {
  net_harness net;
  auto client = net.join();
  net.sink->watch(net.last(), who, board, millis{80});
  const auto begin = std::chrono::steady_clock::now();
  const auto frame = client_frame(opcode::text, heartbeat(1));
  while (std::chrono::steady_clock::now() - begin
         < std::chrono::milliseconds{240}) {
    client.send_frame(opcode::pong, "");
    client.send_frame(opcode::ping, "x");
    (void)client.read_frame();
  }
  EXPECT_TRUE(net.record.signs().empty());
  std::size_t at = 0;
  EXPECT_TRUE(eventually([&] {
    if (at + 1 < frame.size())
      client.send(frame.substr(at++, 1));
    return !net.record.signs().empty();
  }));
}

TEST(NetSigns, ReportALossAndNotAGoodbye) {
  net_harness net;
  auto lost = net.join();
  net.sink->watch(net.last(), who, board, millis{20'000});
  auto polite = net.join();
  net.sink->watch(net.last(), {3, 4}, board, millis{20'000});
  auto unwatched = net.join();
  net.sink->watch(net.last(), {5, 6}, board, millis{20'000});
  net.sink->watch(net.last(), {5, 6}, board, millis{0});
  // Not before the loop has taken that in.
  net.sink->deliver(net.last(), text("settled"));
  EXPECT_EQ(unwatched.read_frame()->payload, "settled");
  polite.send_frame(opcode::close, "\x03\xe9");
  EXPECT_EQ(polite.read_close(), 1001);
  unwatched.close();
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 2; }));
  lost.close();
  ASSERT_TRUE(eventually([&] { return !net.record.signs().empty(); }));
  EXPECT_EQ(net.record.signs().size(), 1U);
  EXPECT_EQ(net.record.signs().at(0).connection, who);
  EXPECT_EQ(net.record.signs().at(0).what, sign::closed);
}

TEST(NetSigns, ReportAClientThatWentBeforeItWasWatched) {
  net_harness net;
  auto client = net.join();
  const auto ref = net.last();
  client.close();
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));
  net.sink->watch(ref, who, board, millis{20'000});
  ASSERT_TRUE(eventually([&] { return !net.record.signs().empty(); }));
  EXPECT_EQ(net.record.signs().at(0).what, sign::closed);
}

TEST(NetSigns, CloseThoseWhoStaySilent) {
  server_config config;
  config.idle_timeout = millis{60};
  net_harness net{config};
  auto client = net.join();
  const auto bye = client.read_frame();
  ASSERT_TRUE(bye);
  EXPECT_NE(bye->payload.find(R"("code":3002)"), std::string::npos);
  EXPECT_EQ(client.read_close(), 3002);
}

// -- start -------------------------------------------------------------------

TEST(NetStart, NamesWhatToMend) {
  net_harness first;
  server_config config;
  config.port = first.sink->port();
  net_harness second{config};
  ASSERT_TRUE(second.failed);
  EXPECT_EQ(second.failed->code, errc::conflict);
  EXPECT_EQ(second.failed->field, "listen.port");
  EXPECT_NE(second.failed->message.find("in use"), std::string::npos);
  config.port = 0;
  config.address = "nowhere";
  EXPECT_EQ(net_harness{config}.failed->field, "listen.address");
  config.address = "192.0.2.1";
  EXPECT_EQ(net_harness{config}.failed->field, "listen.address");
  config.address = "127.0.0.1";
  config.origins = {"good.example"};
  EXPECT_EQ(net_harness{config}.failed->field, "origins");
  config.origins = {};
  config.tls_certificate = "/nowhere/cert.pem";
  EXPECT_EQ(net_harness{config}.failed->field, "tls.key");
  config.tls_key = "/nowhere/key.pem";
  const auto failed = net_harness{config}.failed;
  EXPECT_EQ(failed->field, "tls.certificate");
  EXPECT_NE(failed->message.find("/nowhere/cert.pem"), std::string::npos);
}

TEST(NetStart, ServesBothFamiliesOnTheWildcard) {
  server_config config;
  config.address = "::";
  net_harness net{config};
  if (net.failed)
    GTEST_SKIP() << "no IPv6 here";
  auto client = net.connect();
  EXPECT_EQ(client.upgrade().status, 101U);
  EXPECT_EQ(net.record.accepted().at(0).address, "127.0.0.1");
}

} // namespace
} // namespace rollcall::edge::test
