#include "unit/edge/net_harness.hpp"

#include "edge/protocol/answer_encoder.hpp"

#include <gtest/gtest.h>

namespace rollcall::edge::test {

/// Writes down what it is told, and answers heartbeats.
class recording_handler : public connection_handler {
public:
  recording_handler(net_record& record, server& sink, accepted_client client)
    : record_(record), sink_(sink), client_(std::move(client)) {
    // nop
  }

  void request(client_request_ptr what) override {
    if (std::holds_alternative<heartbeat_request>(what->body))
      sink_.deliver(
        client_.client,
        make_frame(client_.language,
                   encode_ack(client_.language, what->id, heartbeat_ack{})));
    std::lock_guard guard{record_.mutex_};
    record_.requests_.push_back({client_.client, std::move(what)});
  }

  void gone(bool goodbye) override {
    std::lock_guard guard{record_.mutex_};
    record_.gone_.push_back({client_.client, goodbye});
  }

private:
  net_record& record_;
  server& sink_;
  accepted_client client_;
};

net_harness::net_harness(server_config config, server_hooks hooks) {
  if (!hooks.accept)
    hooks.accept = [this](const accepted_client& client)
      -> result<std::shared_ptr<connection_handler>> {
      if (client.token == "bad")
        return fail(errc::unauthenticated, "the token does not verify");
      {
        std::lock_guard guard{record.mutex_};
        record.accepted_.push_back(client);
      }
      return std::shared_ptr<connection_handler>{
        std::make_shared<recording_handler>(record, *sink, client)};
    };
  hooks.resync = [this](channel_id channel, client_ref client) {
    std::lock_guard guard{record.mutex_};
    record.resyncs_.emplace_back(channel, client);
  };
  hooks.notice = [this](note_ptr what) {
    std::lock_guard guard{record.mutex_};
    record.notes_.push_back(std::move(what));
  };
  sink = std::make_unique<server>(std::move(config), std::move(hooks));
  if (auto started = sink->start(); !started)
    failed = started.error();
}

net_harness::~net_harness() {
  sink->shutdown();
}

net_client net_harness::join(bool small_buffers) {
  net_client client{sink->port(), false, small_buffers};
  EXPECT_EQ(client.upgrade().status, 101U);
  return client;
}

} // namespace rollcall::edge::test
