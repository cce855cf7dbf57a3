#include "edge/rest/presence_routes.hpp"

#include "edge/protocol/request_fields.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// -- requests ----------------------------------------------------------------

/// `body` about the device that the request names; where it names none, about
/// the nameless one, or about all of them.
result<session_order> about_device(field_reader& in, const rest_call& call,
                                   command_body body, bool or_all) {
  auto device = in.checked("device", check_name);
  auto out = finished(in, call, std::move(body));
  if (out && (device || !or_all))
    out->device = std::move(device).value_or("");
  return out;
}

result<session_order> decode_join(const rest_call& call) {
  field_reader in{call.body};
  join_command body;
  for (auto& [key, content] : read_live(in, need::optional, false))
    body.live.emplace(key, std::move(*content));
  body.create_kind = in.checked("create", check_name);
  const auto* lease = in.integer("lease_ms", 0, limits::lease_most.count());
  body.lease = millis{lease != nullptr ? *lease : 0};
  return about_device(in, call, std::move(body), false);
}

result<session_order> decode_leave(const rest_call& call) {
  field_reader in{call.body};
  leave_command body;
  body.every_lease = call.body.empty();
  return about_device(in, call, body, true);
}

result<session_order> decode_heartbeat(const rest_call& call) {
  field_reader in{call.body};
  return about_device(in, call, renew_command{}, true);
}

result<session_order> decode_live(const rest_call& call) {
  field_reader in{call.body};
  set_live_command body;
  body.live = read_live(in, need::required, true);
  if (const auto* age = in.integer("age_ms", 0, max_integer))
    body.age = millis{*age};
  return about_device(in, call, std::move(body), false);
}

result<session_order> decode_ready(const rest_call& call) {
  field_reader in{call.body};
  set_ready_command body;
  if (const auto* ready = in.boolean("ready", need::required))
    body.ready = *ready;
  return about_device(in, call, body, false);
}

// -- answers -----------------------------------------------------------------

http_response encode_join(const rest_answer& what) {
  const auto& found = std::get<join_reply>(what.what.body);
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_change(to, what);
    to.key<"participant_id">();
    to.text(found.participant.str());
    to.key<"is_reconnection">();
    to.boolean(found.admitted.reconnections > 0);
    to.key<"reconnections">();
    to.integer(found.admitted.reconnections);
    to.key<"kind">();
    to.text(found.settings.kind);
    to.key<"lease_ms">();
    to.integer(found.lease.value_or(millis{0}).count());
    to.key<"rights">();
    write_rights(to, found.rights);
    to.close_map();
  });
}

http_response encode_heartbeat(const rest_answer& what) {
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_change(to, what);
    to.key<"lease_ms">();
    to.integer(std::get<renew_reply>(what.what.body).lease.count());
    to.close_map();
  });
}

// -- the table ---------------------------------------------------------------

using enum caller_rule;

constexpr std::array<route, 5> table = {{
  {"POST", "/v1/sessions/{session}/join", known, body_rule::optional,
   decode_join, encode_join},
  {"POST", "/v1/sessions/{session}/leave", known, body_rule::optional,
   decode_leave, change_answer},
  {"POST", "/v1/sessions/{session}/heartbeat", known, body_rule::optional,
   decode_heartbeat, encode_heartbeat},
  {"PATCH", "/v1/sessions/{session}/live", known, body_rule::required,
   decode_live, change_answer},
  {"PUT", "/v1/sessions/{session}/ready", known, body_rule::required,
   decode_ready, change_answer},
}};

} // namespace

std::span<const route> presence_routes() {
  return table;
}

} // namespace rollcall::edge
