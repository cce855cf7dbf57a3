// What every client_sink promises (actors/ports.hpp), held against the server
// with real sockets and the one without any.

#include "edge/net/memory_sink.hpp"
#include "edge/net/server.hpp"
#include "unit/edge/net_client.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rollcall::edge::test {
namespace {

const session_key board{namespace_id{"default"}, session_id{"board"}};
const connection_id connection{1, 2};

frame_ptr text(std::string_view payload) {
  return make_frame(dialect::json, payload);
}

/// The signs of life that were handed over.
class sign_book {
public:
  void add(const note_ptr& what) {
    std::lock_guard guard{mutex_};
    for (const auto& item : std::get<evidence>(what->body).items)
      items_.push_back(item);
  }

  [[nodiscard]] std::vector<evidence_item> items() const {
    std::lock_guard guard{mutex_};
    return items_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<evidence_item> items_;
};

/// The server, with clients over loopback.
class socket_world {
public:
  socket_world() {
    server_hooks hooks;
    hooks.accept = [this](const accepted_client& client)
      -> result<std::shared_ptr<connection_handler>> {
      std::lock_guard guard{mutex_};
      last_ = client.client;
      return std::shared_ptr<connection_handler>{std::make_shared<ear>()};
    };
    hooks.notice = [this](const note_ptr& what) { signs.add(what); };
    server_ = std::make_unique<server>(server_config{}, std::move(hooks));
    EXPECT_TRUE(server_->start());
  }

  ~socket_world() {
    clients_.clear();
    server_->shutdown();
  }

  client_sink& sink() {
    return *server_;
  }

  client_ref connect() {
    auto client = std::make_unique<net_client>(server_->port());
    EXPECT_EQ(client->upgrade().status, 101U);
    std::lock_guard guard{mutex_};
    clients_[last_] = std::move(client);
    return last_;
  }

  /// The next payload; close frames as their code.
  std::string next(client_ref client) {
    const auto frame = clients_.at(client)->read_frame();
    if (!frame)
      return "(nothing)";
    return frame->op == opcode::close ? std::to_string(frame->close_code())
                                      : frame->payload;
  }

  void vanish(client_ref client) {
    const auto before = server_->stats().sockets;
    clients_.erase(client);
    EXPECT_TRUE(eventually([&] { return server_->stats().sockets < before; }));
  }

  sign_book signs;

private:
  class ear : public connection_handler {
    void request(client_request_ptr) override {
      // nop
    }

    void gone(bool) override {
      // nop
    }
  };

  std::mutex mutex_;
  client_ref last_;
  std::map<client_ref, std::unique_ptr<net_client>> clients_;
  std::unique_ptr<server> server_;
};

/// The sink without sockets.
class memory_world {
public:
  memory_world()
    : sink_({}, [this](const note_ptr& what) { signs.add(what); }) {
    // nop
  }

  client_sink& sink() {
    return sink_;
  }

  client_ref connect() {
    return sink_.connect();
  }

  std::string next(client_ref client) {
    auto& waiting = waiting_[client];
    for (const auto& frame : sink_.take(client))
      waiting.push_back(frame);
    if (waiting.empty())
      return "(nothing)";
    const std::string frame = *waiting.front();
    waiting.erase(waiting.begin());
    // Short, unmasked frames: two bytes of header.
    const server_frame read{static_cast<opcode>(frame[0] & 0x0F),
                            frame.substr(2)};
    return read.op == opcode::close ? std::to_string(read.close_code())
                                    : read.payload;
  }

  void vanish(client_ref client) {
    sink_.disconnect(client, false);
  }

  sign_book signs;

private:
  memory_sink sink_;
  std::map<client_ref, std::vector<frame_ptr>> waiting_;
};

template <class World>
class ClientSink : public testing::Test {
protected:
  World world_;
};

using worlds = testing::Types<socket_world, memory_world>;
TYPED_TEST_SUITE(ClientSink, worlds);

TYPED_TEST(ClientSink, DeliversInOrder) {
  auto& world = this->world_;
  const auto client = world.connect();
  for (int i = 0; i < 100; ++i)
    world.sink().deliver(client, text(std::to_string(i)));
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(world.next(client), std::to_string(i));
}

TYPED_TEST(ClientSink, SubscribesFromTheFirstFrameOn) {
  auto& world = this->world_;
  const auto client = world.connect();
  world.sink().publish(7, text("before"));
  world.sink().subscribe(client, 7, text("first"));
  world.sink().publish(7, text("after"));
  world.sink().subscribe(client, 8, nullptr);
  world.sink().publish(8, text("other"));
  EXPECT_EQ(world.next(client), "first");
  EXPECT_EQ(world.next(client), "after");
  EXPECT_EQ(world.next(client), "other");
}

TYPED_TEST(ClientSink, PublishesOnceHoweverOftenOneSubscribes) {
  auto& world = this->world_;
  const auto client = world.connect();
  world.sink().subscribe(client, 7, text("first"));
  world.sink().subscribe(client, 7, text("again"));
  world.sink().publish(7, text("once"));
  world.sink().deliver(client, text("end"));
  for (const auto* expected : {"first", "again", "once", "end"})
    EXPECT_EQ(world.next(client), expected);
}

TYPED_TEST(ClientSink, PublishesToMembersOnly) {
  auto& world = this->world_;
  const auto in = world.connect();
  const auto out = world.connect();
  world.sink().subscribe(in, 7, nullptr);
  world.sink().subscribe(out, 7, nullptr);
  world.sink().unsubscribe(out, 7);
  world.sink().unsubscribe(out, 9);
  world.sink().publish(7, text("changes"));
  world.sink().deliver(out, text("end"));
  EXPECT_EQ(world.next(in), "changes");
  EXPECT_EQ(world.next(out), "end");
}

TYPED_TEST(ClientSink, ClosesAfterTheLastFrameAndSwallowsTheRest) {
  auto& world = this->world_;
  const auto client = world.connect();
  world.sink().subscribe(client, 7, text("first"));
  world.sink().close(client, 3504, "replaced", text("bye"));
  world.sink().deliver(client, text("late"));
  world.sink().publish(7, text("late"));
  world.sink().close(client, 3000, "shutdown", text("late"));
  EXPECT_EQ(world.next(client), "first");
  EXPECT_EQ(world.next(client), "bye");
  EXPECT_EQ(world.next(client), "3504");
}

TYPED_TEST(ClientSink, SwallowsWhatIsSentToTheGone) {
  auto& world = this->world_;
  const auto gone = world.connect();
  world.sink().subscribe(gone, 7, nullptr);
  world.vanish(gone);
  const auto here = world.connect();
  EXPECT_NE(gone, here);
  world.sink().deliver(gone, text("x"));
  world.sink().subscribe(gone, 7, text("x"));
  world.sink().publish(7, text("x"));
  world.sink().close(gone, 3000, "shutdown", nullptr);
  world.sink().deliver(client_ref{99, 1}, text("x"));
  world.sink().deliver(here, text("end"));
  EXPECT_EQ(world.next(here), "end");
}

TYPED_TEST(ClientSink, ReportsTheLossOfAWatchedClient) {
  auto& world = this->world_;
  const auto watched = world.connect();
  world.sink().watch(watched, connection, board, millis{20'000});
  const auto ignored = world.connect();
  world.sink().watch(ignored, {3, 4}, board, millis{20'000});
  world.sink().watch(ignored, {3, 4}, board, millis{0});
  // Not before the sink has taken that in.
  world.sink().deliver(ignored, text("settled"));
  EXPECT_EQ(world.next(ignored), "settled");
  world.vanish(ignored);
  world.vanish(watched);
  ASSERT_TRUE(eventually([&] { return !world.signs.items().empty(); }));
  ASSERT_EQ(world.signs.items().size(), 1U);
  EXPECT_EQ(world.signs.items()[0].connection, connection);
  EXPECT_EQ(world.signs.items()[0].what, sign::closed);
}

TYPED_TEST(ClientSink, ReportsAWatchThatCameTooLate) {
  auto& world = this->world_;
  const auto client = world.connect();
  world.vanish(client);
  world.sink().watch(client, connection, board, millis{0});
  world.sink().watch(client, connection, board, millis{20'000});
  ASSERT_TRUE(eventually([&] { return !world.signs.items().empty(); }));
  EXPECT_EQ(world.signs.items()[0].what, sign::closed);
}

} // namespace
} // namespace rollcall::edge::test
