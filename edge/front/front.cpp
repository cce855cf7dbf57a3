#include "edge/front/front.hpp"

#include "edge/ops/metrics_text.hpp"
#include "edge/past/gather.hpp"
#include "edge/relay/relay_actor.hpp"
#include "edge/rest/plain_paths.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <thread>
#include <utility>

namespace rollcall::edge {

namespace {

server_config make_server_config(const node_config& config,
                                 const node_id& self) {
  auto cores = std::thread::hardware_concurrency();
  server_config out;
  out.address = config.server.listen.address;
  out.port = config.server.listen.port;
  out.tls_certificate = config.server.tls_cert;
  out.tls_key = config.server.tls_key;
  out.io_threads = thread_counts_for(config, cores).io;
  out.origins = config.server.origins;
  out.node = self;
  out.clients = config.cluster.roles.edge;
  out.connections_per_address = config.limits.connections_per_address;
  out.requests
    = {config.limits.requests_per_second, config.limits.request_burst};
  out.send_buffer = config.limits.send_buffer;
  out.token_cookie = config.server.token_cookie;
  return out;
}

server_hooks make_hooks(front& edge, const router_actor& router,
                        metrics::registry& figures) {
  server_hooks out;
  out.accept
    = [&edge](const accepted_client& who) { return edge.gate->accept(who); };
  out.resync = [&edge](channel_id channel, client_ref client) {
    caf::anon_send(edge.hub, resync_order{channel, client});
  };
  out.metrics = [&figures] { return metrics_text(figures.read()); };
  out.not_ready = [&edge] { return edge.ready.why_not(); };
  out.notice
    = [router](note_ptr told) { caf::anon_send(router, std::move(told)); };
  out.plain = find_plain_socket;
  out.http = [&edge](const std::shared_ptr<const http_request>& request,
                     http_responder respond) {
    return edge.rest->take(request, std::move(respond));
  };
  return out;
}

frame_rules make_frame_rules(const node_config& config) {
  frame_rules out;
  // The server refuses to start with origins that are none.
  if (auto origins = origin_policy::make(config.server.origins))
    out.origins = std::move(*origins);
  out.secure = !config.server.tls_cert.empty();
  out.cookie = config.server.token_cookie;
  return out;
}

} // namespace

void build_front(caf::actor_system& system, const node_config& config,
                 token_verifier tokens, const router_actor& router,
                 const node_id& self, metrics::registry& figures, front& out) {
  out.network = std::make_shared<server>(make_server_config(config, self),
                                         make_hooks(out, router, figures));
  relay_env relays;
  relays.router = router;
  relays.sink = out.network;
  relays.self = self;
  relays.partitions = config.engine.partitions;
  if (!config.cluster.nats.empty())
    relays.announce_every = millis{5'000};
  out.hub = spawn_relay_hub(system, relays);
  auto rules = std::make_shared<connection_rules>(connection_rules{
    std::move(tokens), config.id_secret, config.engine.default_grants});
  auto connections = std::make_shared<connection_env>();
  connections->rules = rules;
  connections->router = router;
  connections->self = self;
  connections->requests_per_second
    = static_cast<std::size_t>(config.limits.requests_per_second);
  connections->hub = out.hub;
  out.gather = spawn_gather(system, {router, config.engine.partitions, self});
  connections->gather = out.gather;
  connections->sink = out.network;
  out.gate = std::make_shared<client_gate>(system, std::move(connections));
  rest_env rest;
  rest.rules = rules;
  rest.router = router;
  rest.gather = out.gather;
  rest.self = self;
  rest.frame = make_frame_rules(config);
  out.rest = std::make_shared<rest_gate>(system, std::move(rest));
}

} // namespace rollcall::edge
