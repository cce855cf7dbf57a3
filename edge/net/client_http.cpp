// The HTTP half of a client's socket.

#include "edge/net/client_connection.hpp"
#include "edge/net/client_loop.hpp"
#include "edge/net/connection_handler.hpp"
#include "edge/net/handshake.hpp"
#include "edge/web_assets.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace rollcall::edge {

namespace {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
// Frames a client may send before it has read our 101.
constexpr std::size_t pipelined_bytes = std::size_t{4} << 10;
// What one HTTP request costs of the client's frames.
constexpr double request_cost = 10;

http_response method_refusal(std::string_view allowed) {
  auto response = problem(405, "bad_request", "the method is not allowed");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

const web_asset* find_asset(std::string_view path) {
  const auto name
    = path == "/" ? std::string_view{"index.html"} : path.substr(1);
  const auto assets = web_assets();
  const auto found
    = std::find_if(assets.begin(), assets.end(),
                   [&](const web_asset& each) { return each.path == name; });
  return found == assets.end() ? nullptr : &*found;
}

refusal_reason reason_of(unsigned status) noexcept {
  switch (status) {
  case 401:
    return refusal_reason::unauthorised;
  case 403:
    return refusal_reason::origin;
  case 429:
    return refusal_reason::address_limit;
  case 503:
    return refusal_reason::overloaded;
  default:
    return refusal_reason::bad_request;
  }
}

} // namespace

bool client_connection::process_http(std::span<char>& input) {
  if (over_limit_ && !input.empty()) {
    auto response
      = problem(429, "rate_limited", "too many connections from your address");
    response.headers.emplace_back("Retry-After", "5");
    refuse(refusal_reason::address_limit, std::move(response));
    return true;
  }
  if (input.empty())
    return false;
  const auto& config = loop_.core().config;
  if (!http_) {
    http_ = std::make_unique<http_parser>(config.http);
    deadline_ = loop_.now() + config.handshake_timeout;
  }
  std::string_view text{input.data(), input.size()};
  const auto status = http_->feed(text);
  input = input.subspan(input.size() - text.size());
  switch (status) {
  case http_parser::status::wants_continue:
    push(std::make_shared<const std::string>(continue_line));
    return false;
  case http_parser::status::need_more:
    return false;
  case http_parser::status::failed: {
    keep_alive_ = false;
    refuse(refusal_reason::bad_request, http_->refusal());
    return true;
  }
  case http_parser::status::complete:
    break;
  }
  auto request = http_->take();
  http_.reset();
  request.remote = from_.text();
  open_answer(request);
  head_request_ = request.method == "HEAD";
  keep_alive_ = request.keep_alive && request.http11;
  loop_.counters().http_requests.add();
  if (frames_.charge(config.frames, request_cost, loop_.now()))
    throttle();
  if (input.size() > pipelined_bytes && request.path() == connect_path) {
    keep_alive_ = false;
    refuse(refusal_reason::bad_request,
           problem(400, "bad_request", "too much was sent ahead of the 101"));
    return true;
  }
  handle(std::move(request));
  return true;
}

void client_connection::handle(http_request request) {
  auto& core = loop_.core();
  if (core.draining.load(std::memory_order_relaxed)) {
    auto response = problem(503, "unavailable", "the server is going down");
    response.headers.emplace_back("Retry-After", "1");
    keep_alive_ = false;
    refuse(refusal_reason::overloaded, std::move(response));
    return;
  }
  if (core.hooks.plain && core.config.clients)
    if (auto socket = core.hooks.plain(request)) {
      handle_plain(request, std::move(*socket));
      return;
    }
  if (request.path() == connect_path && core.config.clients) {
    auto decision = negotiate_upgrade(request, core.origins, pipe_.secure());
    if (auto* refusal = std::get_if<http_response>(&decision))
      refuse(std::move(*refusal));
    else
      grant(std::move(std::get<upgrade>(decision)), std::nullopt);
    return;
  }
  if (serve(request))
    return;
  phase_ = phase::answering;
  deadline_ = loop_.now() + core.config.response_timeout;
  const auto exchange = ++exchange_;
  if (core.hooks.http && core.config.clients) {
    auto shared = std::make_shared<const http_request>(std::move(request));
    const auto taken = core.hooks.http(
      shared, [owner = loop_.weak_from_this(), slot = self_.slot,
               exchange](http_response response) {
        const auto loop = owner.lock();
        if (!loop)
          return;
        auto message = std::make_unique<respond_message>();
        message->slot = slot;
        message->exchange = exchange;
        message->response = std::move(response);
        loop->post(std::move(message));
      });
    if (taken) {
      update_interest();
      return;
    }
  }
  send_response(problem(404, "not_found", "there is nothing here"));
}

bool client_connection::serve(const http_request& request) {
  const auto& hooks = loop_.core().hooks;
  const auto path = request.path();
  const auto is_health = path == "/healthz";
  const auto is_ready = path == "/readyz";
  const auto is_metrics = path == "/metrics" && hooks.metrics != nullptr;
  const auto* asset = loop_.core().config.clients ? find_asset(path) : nullptr;
  if (!is_health && !is_ready && !is_metrics && asset == nullptr)
    return false;
  if (request.method != "GET" && request.method != "HEAD") {
    send_response(method_refusal("GET, HEAD"));
    return true;
  }
  http_response response;
  if (is_health) {
    response.body = "ok\n";
  } else if (is_ready) {
    const auto why = hooks.not_ready ? hooks.not_ready() : std::string{};
    response.status = why.empty() ? 200 : 503;
    response.body = why.empty() ? "ready\n" : "not ready: " + why + "\n";
  } else if (is_metrics) {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = hooks.metrics();
  } else {
    response.content_type = asset->content_type;
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.body = asset->body;
  }
  send_response(std::move(response));
  return true;
}

void client_connection::handle_plain(const http_request& request,
                                     result<plain_socket> socket) {
  const auto& core = loop_.core();
  auto decision = negotiate_plain(request, core.origins, pipe_.secure(),
                                  core.config.token_cookie);
  if (!socket)
    decision = problem(socket.error());
  if (auto* refusal = std::get_if<http_response>(&decision))
    refuse(std::move(*refusal));
  else
    grant(std::move(std::get<upgrade>(decision)), std::move(socket.value()));
}

void client_connection::grant(upgrade granted,
                              std::optional<plain_socket> plain) {
  auto& core = loop_.core();
  accepted_client client;
  client.client = self_;
  client.language = granted.language;
  client.token = std::move(granted.token);
  client.address = from_.text();
  client.origin = std::move(granted.origin);
  client.plain = plain;
  result<std::shared_ptr<connection_handler>> handler
    = fail(errc::unavailable, "nobody takes clients yet");
  try {
    if (core.hooks.accept)
      handler = core.hooks.accept(client);
  } catch (const std::exception&) {
    handler = fail(errc::internal, "the upgrade failed");
  }
  if (!handler || *handler == nullptr) {
    auto response
      = problem(handler ? fail(errc::unavailable, "nobody takes this client")
                        : handler.error());
    const auto unauthorised = response.status == 401 || response.status == 403;
    const auto why = unauthorised ? refusal_reason::unauthorised
                                  : reason_of(response.status);
    refuse(why, std::move(response));
    return;
  }
  handler_ = std::move(*handler);
  language_ = granted.language;
  plain_ = std::move(plain);
  frame_.reset();
  websocket_ = true;
  phase_ = phase::open;
  last_heard_ = loop_.now();
  frames_ = {};
  push(std::make_shared<const std::string>(std::move(granted.response)));
  loop_.counters().upgraded.add();
  loop_.counters().clients.add();
}

void client_connection::refuse(refusal_reason why, http_response response) {
  loop_.counters().refused[static_cast<std::size_t>(why)].add();
  send_response(std::move(response));
}

void client_connection::refuse(http_response response) {
  const auto why = reason_of(response.status);
  refuse(why, std::move(response));
}

void client_connection::respond(std::uint32_t exchange,
                                http_response response) {
  if (phase_ != phase::answering || exchange != exchange_)
    return;
  send_response(std::move(response));
  if (phase_ == phase::reading) {
    take({});
    read_pending();
    update_interest();
  }
}

void client_connection::open_answer(const http_request& request) {
  auto& core = loop_.core();
  const connection_id drawn{
    core.run, core.last_unnamed.fetch_add(1, std::memory_order_relaxed) + 1};
  frame_ = std::make_unique<answer_frame>(
    open_frame(request, core.origins, pipe_.secure(), to_string(drawn)));
}

void client_connection::frame_response(http_response& response) {
  if (has_header(response, "X-Request-Id"))
    return;
  if (!frame_)
    open_answer(http_ ? http_->known() : http_request{});
  if (response.status >= 400)
    close_frame(*frame_, response);
  else
    response.headers.emplace_back("X-Request-Id", frame_->request);
}

void client_connection::send_response(http_response response) {
  frame_response(response);
  frame_.reset();
  http_.reset();
  http_writing how;
  how.head = head_request_;
  how.keep_alive = keep_alive_ && !loop_.stopping();
  how.secure = pipe_.secure();
  push(std::make_shared<const std::string>(encode_response(response, how)));
  head_request_ = false;
  if (how.keep_alive) {
    phase_ = phase::reading;
  } else {
    phase_ = phase::closing;
  }
  rearm();
}

} // namespace rollcall::edge
