#include "edge/rest/stream_routes.hpp"

#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// Pages that know no heartbeat: whoever asks for the count, or looks on over a
// plain WebSocket with a token, is there; others for this long.
constexpr millis stream_lease{30 * 60'000};

result<session_order> decode_count(const rest_call& call) {
  auto out = order_for(call, observe_command{});
  out.renews = true;
  return out;
}

result<session_order> decode_join(const rest_call& call) {
  field_reader in{call.body};
  join_command body;
  body.lease = stream_lease;
  auto out = finished(in, call, std::move(body));
  if (out)
    out->device = "";
  return out;
}

/// Ends what this route began. A socket of the user's keeps them here: a page
/// that leaves over HTTP must not throw out its other windows.
result<session_order> decode_leave(const rest_call& call) {
  field_reader in{call.body};
  leave_command body;
  body.every_lease = true;
  return finished(in, call, body);
}

/// `active_count` as it is right after.
void write_stream(json_writer& to, const rest_answer& what) {
  to.key<"stream_id">();
  to.text(what.order.session.str());
  to.key<"active_count">();
  to.integer(what.what.present);
}

/// The count and nothing of anybody.
http_response encode_count(const rest_answer& what) {
  auto out = json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_stream(to, what);
    to.close_map();
  });
  return read_answer(std::move(out), what);
}

http_response encode_join(const rest_answer& what) {
  const auto& found = std::get<join_reply>(what.what.body);
  const auto before = found.admitted.reconnections;
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_stream(to, what);
    to.key<"participant_id">();
    to.text(found.participant.str());
    to.key<"join_count">();
    to.integer(before + 1);
    to.key<"is_reconnection">();
    to.boolean(before > 0);
    to.key<"reconnection_count">();
    to.integer(before);
    to.close_map();
  });
}

http_response encode_leave(const rest_answer& what) {
  const auto& found = std::get<leave_reply>(what.what.body);
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_stream(to, what);
    to.key<"participant_id">();
    to.text(found.participant.str());
    to.key<"leave_count">();
    to.integer(found.leaves);
    to.close_map();
  });
}

constexpr std::array<route, 3> table = {{
  {"POST", "/streams/{stream}/join", caller_rule::known, body_rule::optional,
   decode_join, encode_join},
  {"POST", "/streams/{stream}/leave", caller_rule::known, body_rule::optional,
   decode_leave, encode_leave},
  {"GET", "/streams/{stream}/participants", caller_rule::anybody,
   body_rule::none, decode_count, encode_count},
}};

} // namespace

std::span<const route> stream_routes() {
  return table;
}

} // namespace rollcall::edge
