#include "edge/rest/stream_routes.hpp"

#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

result<session_order> decode_count(const rest_call& call) {
  return order_for(call, observe_command{});
}

/// The count and nothing of anybody.
http_response encode_count(const rest_answer& what) {
  auto out = json_answer(200, [&](json_writer& to) {
    to.open_map();
    to.key<"stream_id">();
    to.text(what.order.session.str());
    to.key<"active_count">();
    to.integer(what.what.present);
    to.close_map();
  });
  return read_answer(std::move(out), what);
}

constexpr std::array<route, 1> table = {{
  {"GET", "/streams/{stream}/participants", caller_rule::anybody,
   body_rule::none, decode_count, encode_count},
}};

} // namespace

std::optional<result<session_id>> stream_socket(std::string_view path) {
  constexpr std::string_view head = "/streams/";
  constexpr std::string_view tail = "/participants/ws";
  if (!path.starts_with(head) || !path.ends_with(tail))
    return std::nullopt;
  auto segments = decode_path(path);
  if (!segments)
    return result<session_id>{segments.error()};
  if (segments->size() != 4)
    return std::nullopt;
  return result<session_id>{session_id{std::move((*segments)[1])}};
}

std::span<const route> stream_routes() {
  return table;
}

} // namespace rollcall::edge
