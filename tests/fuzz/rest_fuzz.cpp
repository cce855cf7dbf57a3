// Bytes are an HTTP request that is refused in the form of all refusals, or a
// command within every bound.

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/rest/exchange.hpp"

#include <cstdint>
#include <cstdlib>

using namespace rollcall;
using namespace rollcall::edge;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

http_request read_request(std::string_view bytes) {
  http_request out;
  out.method = take_line(bytes);
  out.target = '/';
  out.target += take_line(bytes);
  for (auto line = take_line(bytes); !line.empty(); line = take_line(bytes)) {
    const auto colon = std::min(line.find(':'), line.size());
    out.headers.emplace_back(line.substr(0, colon),
                             line.substr(std::min(colon + 1, line.size())));
  }
  out.body = bytes.substr(0, limits::http_body_bytes);
  return out;
}

/// A session that a path can name, or the place of a group.
bool is_place(const session_id& id) {
  return is_group(id) ? check_group_id(group_at(id), "group").ok()
                      : check_id(id.str(), "session").ok();
}

void check(const http_response& answer) {
  if (answer.status < 400)
    return;
  auto body = decode_json(answer.body);
  require(body.ok() && body->find("code") != nullptr
          && body->find("detail") != nullptr);
}

} // namespace

/// A line with the method, one with the target, headers, an empty line, the
/// body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  auto request = read_request({reinterpret_cast<const char*>(data), size});
  frame_rules rules;
  rules.cookie = "token";
  auto open = open_exchange(rules, request, "drawn");
  auto verdict = admit(rules, open, request);
  if (auto* refused = std::get_if<http_response>(&verdict)) {
    check(finish(open, std::move(*refused)));
    return 0;
  }
  const auto& call = std::get<admitted_call>(verdict).call;
  require(call.op.str().size() <= limits::op_id_bytes);
  if (call.to->decode == nullptr)
    return 0;
  auto order = call.to->decode(call);
  if (!order) {
    require(!order.error().field.empty());
    return 0;
  }
  require(order->session.empty()
            ? call.to->draws_session || order->everywhere.has_value()
            : is_place(order->session));
  return 0;
}
