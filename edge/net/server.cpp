#include "edge/net/server.hpp"

#include "edge/net/client_loop.hpp"
#include "edge/net/listener.hpp"
#include "edge/net/tls_context.hpp"

#include <string>
#include <utility>

namespace rollcall::edge {

namespace {

constexpr std::size_t most_threads = 64;

result<done> check(const server_config& config) {
  if (config.io_threads < 1 || config.io_threads > most_threads)
    return fail(errc::bad_request, "1 to 64 io threads are possible",
                "listen.threads");
  if (config.tls_certificate.empty() != config.tls_key.empty())
    return fail(errc::bad_request, "TLS needs both a certificate and a key",
                config.tls_key.empty() ? "tls.key" : "tls.certificate");
  if (config.queue.soft >= config.queue.hard
      || config.queue.hard > limits::write_queue_hard_bytes)
    return fail(errc::bad_request,
                "the soft bound of a queue must be below its hard bound, "
                "and that within the limit of the build",
                "queue");
  if (config.http.header_bytes > limits::http_header_bytes
      || config.http.body_bytes > limits::http_body_bytes
      || config.http.header_lines > limits::http_header_lines)
    return fail(errc::bad_request, "the limits of HTTP may only be lowered",
                "http");
  if (config.requests.per_second <= 0 || config.requests.burst < 1
      || config.frames.per_second <= 0 || config.frames.burst < 1)
    return fail(errc::bad_request, "rates must be above zero", "rates");
  return done{};
}

} // namespace

server::server(server_config config, server_hooks hooks)
  : core_(std::make_unique<server_core>(std::move(config), std::move(hooks))) {
  // nop
}

server::~server() {
  shutdown();
}

result<done> server::start() {
  const auto& config = core_->config;
  if (running_)
    return fail(errc::conflict, "the server runs already");
  if (auto checked = check(config); !checked)
    return checked;
  auto origins = origin_policy::make(config.origins);
  if (!origins)
    return origins.error();
  core_->origins = std::move(*origins);
  if (!config.tls_certificate.empty()) {
    auto tls = tls_context::load(config.tls_certificate, config.tls_key);
    if (!tls)
      return tls.error();
    core_->tls = std::move(*tls);
  }
  listener accepting;
  if (auto opened = accepting.open(config.address, config.port,
                                   config.send_buffer, config.receive_buffer);
      !opened)
    return opened;
  core_->loops.clear();
  for (std::size_t i = 0; i < config.io_threads; ++i) {
    auto loop
      = std::make_shared<client_loop>(static_cast<std::uint32_t>(i), *core_);
    if (auto opened = loop->open(); !opened) {
      core_->loops.clear();
      return opened;
    }
    core_->loops.push_back(std::move(loop));
  }
  port_ = accepting.port();
  core_->loops.front()->adopt(std::move(accepting));
  core_->draining = false;
  for (auto& loop : core_->loops)
    loop->start();
  running_ = true;
  return done{};
}

std::uint16_t server::port() const noexcept {
  return port_;
}

void server::shutdown() {
  if (!std::exchange(running_, false))
    return;
  core_->draining = true;
  for (auto& loop : core_->loops)
    loop->post(stop_message{});
  for (auto& loop : core_->loops)
    loop->join();
}

server_stats server::stats() const {
  server_stats sum;
  for (const auto& loop : core_->loops) {
    loop->stats().add_to(sum);
    sum.inbox_overflows += loop->inbox_overflows();
  }
  return sum;
}

void server::deliver(client_ref client, frame_ptr frame) {
  if (client.loop < core_->loops.size())
    core_->loops[client.loop]->post(
      deliver_message{client.slot, std::move(frame)});
}

void server::subscribe(client_ref client, channel_id channel, frame_ptr first) {
  if (client.loop < core_->loops.size())
    core_->loops[client.loop]->post(
      subscribe_message{client.slot, channel, std::move(first)});
}

void server::unsubscribe(client_ref client, channel_id channel) {
  if (client.loop < core_->loops.size())
    core_->loops[client.loop]->post(unsubscribe_message{client.slot, channel});
}

void server::publish(channel_id channel, frame_ptr frame) {
  for (auto& loop : core_->loops)
    loop->post(publish_message{channel, frame});
}

void server::watch(client_ref client, connection_id connection,
                   const session_key& session, millis suspect_after) {
  if (client.loop >= core_->loops.size())
    return;
  auto message = std::make_unique<watch_message>();
  message->slot = client.slot;
  message->connection = connection;
  message->session = session;
  message->suspect_after = suspect_after;
  core_->loops[client.loop]->post(std::move(message));
}

void server::close(client_ref client, std::uint16_t code,
                   std::string_view reason, frame_ptr last) {
  if (client.loop >= core_->loops.size())
    return;
  auto message = std::make_unique<close_message>();
  message->slot = client.slot;
  message->code = code;
  message->reason = reason;
  message->last = std::move(last);
  core_->loops[client.loop]->post(std::move(message));
}

} // namespace rollcall::edge
