#include "edge/protocol/request_decoder.hpp"

#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "edge/protocol/request_fields.hpp"

#include <algorithm>
#include <array>

namespace rollcall::edge {

namespace {

// Each decoder reads what its operation has beside `op` and `id`.
using body_decoder = request_body (*)(field_reader&);

// -- the connection ----------------------------------------------------------

request_body decode_hello(field_reader& in) {
  hello_request out;
  if (const auto* token = in.text("token", limits::token_bytes))
    out.token = *token;
  if (const auto* resume = in.text("resume", limits::resume_key_bytes))
    out.resume = *resume;
  return out;
}

request_body decode_refresh(field_reader& in) {
  refresh_request out;
  if (const auto* token = in.text("token", limits::token_bytes, need::required))
    out.token = *token;
  return out;
}

request_body decode_heartbeat(field_reader&) {
  return heartbeat_request{};
}

request_body decode_attach(field_reader& in) {
  attach_request out;
  out.session = read_session(in);
  out.wanted = read_view(in, false).value_or(view::roster);
  out.since = read_version(in, "since");
  return out;
}

request_body decode_detach(field_reader& in) {
  return detach_request{read_session(in)};
}

// -- presence ----------------------------------------------------------------

session_request to_session(field_reader& in, command_body body) {
  session_request out;
  out.session = read_session(in);
  out.body = std::move(body);
  return out;
}

request_body decode_join(field_reader& in) {
  join_command body;
  for (auto& [key, content] : read_live(in, need::optional, false))
    body.live.emplace(key, std::move(*content));
  body.create_kind = in.checked("create", check_name);
  if (const auto* span = in.integer("lease_ms", 0, limits::lease_most.count()))
    body.lease = millis{*span};
  auto out = to_session(in, std::move(body));
  out.op = read_op_id(in);
  out.wanted = read_view(in, true);
  out.since = read_version(in, "since");
  return out;
}

request_body decode_leave(field_reader& in) {
  return to_session(in, leave_command{read_connection(in), false});
}

request_body decode_renew(field_reader& in) {
  return to_session(in, renew_command{read_connection(in)});
}

request_body decode_set_live(field_reader& in) {
  set_live_command body;
  body.live = read_live(in, need::required, true);
  if (const auto* age = in.integer("age_ms", 0, max_integer))
    body.age = millis{*age};
  return to_session(in, std::move(body));
}

request_body decode_get_roster(field_reader& in) {
  get_roster_command body;
  body.after = read_version(in, "after");
  if (const auto* limit
      = in.integer("limit", 1, std::int64_t{limits::roster_page_items}))
    body.limit = static_cast<std::uint32_t>(*limit);
  return to_session(in, body);
}

// -- durable -----------------------------------------------------------------

session_request durable(field_reader& in, command_body body) {
  auto out = to_session(in, std::move(body));
  out.op = read_op_id(in);
  return out;
}

request_body decode_create(field_reader& in) {
  create_command body;
  body.kind = in.checked("kind", check_name, need::required).value_or("");
  body.settings = read_settings(in, need::optional);
  return durable(in, std::move(body));
}

request_body decode_configure(field_reader& in) {
  return durable(in, configure_command{read_settings(in, need::required)});
}

request_body decode_end(field_reader& in) {
  return durable(in, end_command{});
}

request_body decode_set_member(field_reader& in) {
  set_member_command body;
  read_target(in, body);
  body.role = in.checked("role", check_name);
  body.permissions = read_permissions(in);
  return durable(in, std::move(body));
}

request_body decode_kick(field_reader& in) {
  kick_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

request_body decode_transfer_host(field_reader& in) {
  transfer_host_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

// -- the table ---------------------------------------------------------------

struct operation {
  std::string_view name;
  body_decoder decode;
};

constexpr std::array<operation, 16> operations = {{
  {"hello", decode_hello},
  {"refresh_token", decode_refresh},
  {"heartbeat", decode_heartbeat},
  {"attach", decode_attach},
  {"detach", decode_detach},
  {"join", decode_join},
  {"leave", decode_leave},
  {"renew", decode_renew},
  {"set_live", decode_set_live},
  {"get_roster", decode_get_roster},
  {"create_session", decode_create},
  {"configure_session", decode_configure},
  {"end_session", decode_end},
  {"set_member", decode_set_member},
  {"kick", decode_kick},
  {"transfer_host", decode_transfer_host},
}};

const operation* find_operation(std::string_view name) {
  const auto* found
    = std::find_if(operations.begin(), operations.end(),
                   [=](const auto& each) { return each.name == name; });
  return found == operations.end() ? nullptr : found;
}

/// What can still be said about a frame that did not decode.
request_id rescued_id(const value& partial) {
  const auto* fields = partial.get_if<value::map>();
  if (fields == nullptr)
    return {};
  field_reader in{*fields};
  return read_request_id(in);
}

std::variant<client_request, decode_failure>
decode_fields(const value::map& fields) {
  field_reader in{fields};
  client_request out;
  out.id = read_request_id(in);
  const operation* op = nullptr;
  if (const auto* name = in.text("op", limits::name_bytes, need::required)) {
    op = find_operation(*name);
    if (op == nullptr)
      in.refuse("op", "is not known");
  }
  if (op != nullptr)
    out.body = op->decode(in);
  if (auto why = in.finish())
    return decode_failure{std::move(out.id), std::move(*why)};
  return out;
}

struct name_of_command {
  std::string_view operator()(const join_command&) const {
    return "join";
  }
  std::string_view operator()(const leave_command&) const {
    return "leave";
  }
  std::string_view operator()(const set_live_command&) const {
    return "set_live";
  }
  std::string_view operator()(const get_roster_command&) const {
    return "get_roster";
  }
  std::string_view operator()(const observe_command&) const {
    return "attach";
  }
  std::string_view operator()(const renew_command&) const {
    return "renew";
  }
  std::string_view operator()(const create_command&) const {
    return "create_session";
  }
  std::string_view operator()(const configure_command&) const {
    return "configure_session";
  }
  std::string_view operator()(const end_command&) const {
    return "end_session";
  }
  std::string_view operator()(const set_member_command&) const {
    return "set_member";
  }
  std::string_view operator()(const kick_command&) const {
    return "kick";
  }
  std::string_view operator()(const transfer_host_command&) const {
    return "transfer_host";
  }
};

struct name_of_request {
  std::string_view operator()(const hello_request&) const {
    return "hello";
  }
  std::string_view operator()(const refresh_request&) const {
    return "refresh_token";
  }
  std::string_view operator()(const attach_request&) const {
    return "attach";
  }
  std::string_view operator()(const detach_request&) const {
    return "detach";
  }
  std::string_view operator()(const heartbeat_request&) const {
    return "heartbeat";
  }
  std::string_view operator()(const session_request& request) const {
    return std::visit(name_of_command{}, request.body);
  }
};

} // namespace

std::variant<client_request, decode_failure>
decode_request(dialect language, std::string_view bytes) {
  value partial;
  auto root = language == dialect::json ? decode_json(bytes, &partial)
                                        : decode_msgpack(bytes, &partial);
  if (!root)
    return decode_failure{rescued_id(partial), root.error()};
  const auto* fields = root->get_if<value::map>();
  if (fields == nullptr)
    return decode_failure{{}, fail(errc::bad_request, "must be a map")};
  return decode_fields(*fields);
}

std::string_view op_name(const client_request& request) {
  return std::visit(name_of_request{}, request.body);
}

} // namespace rollcall::edge
