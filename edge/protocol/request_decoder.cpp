#include "edge/protocol/request_decoder.hpp"

#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "edge/protocol/past_writers.hpp"
#include "edge/protocol/request_fields.hpp"
#include "edge/protocol/round_fields.hpp"

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
  out.code = read_code(in);
  if (const auto* hidden = in.boolean("hidden"))
    out.hidden = *hidden;
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
  body.facts = read_facts(in);
  auto out = to_session(in, std::move(body));
  out.op = read_op_id(in);
  out.wanted = read_view(in, true);
  out.since = read_version(in, "since");
  out.code = read_code(in);
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

// -- the past ----------------------------------------------------------------

/// `newest` first or, as a rule, `oldest`.
bool read_order(field_reader& in) {
  const auto* order = in.text("order", limits::name_bytes);
  if (order != nullptr && *order != "newest" && *order != "oldest")
    in.refuse("order", "is neither newest nor oldest");
  return order != nullptr && *order == "newest";
}

/// The window and the page, which both questions have.
template <class Command>
void read_window(field_reader& in, Command& out) {
  if (const auto* from = in.integer("from", 0, max_integer))
    out.from = millis{*from};
  if (const auto* until = in.integer("until", 0, max_integer))
    out.until = millis{*until};
  out.user = user_id{in.checked("user", check_id).value_or("")};
  out.newest_first = read_order(in);
  if (const auto* after = in.text("after", limits::cursor_bytes))
    out.after = *after;
  if (const auto* limit
      = in.integer("limit", 1, std::int64_t{limits::history_page_items}))
    out.limit = static_cast<std::uint32_t>(*limit);
}

request_body decode_get_history(field_reader& in) {
  get_history_command body;
  if (const auto* what = in.text("what", limits::name_bytes)) {
    const auto* at
      = std::find(history_views.begin(), history_views.end(), *what);
    if (at == history_views.end())
      in.refuse("what", "is none of stays, people, summary, here");
    else
      body.what = static_cast<history_view>(at - history_views.begin());
  }
  read_window(in, body);
  if (auto participant = in.checked("participant_id", check_id)) {
    if (!body.user.empty())
      in.refuse("participant_id", "excludes user");
    body.participant = participant_id{*participant};
  }
  if (const auto* bucket = in.integer("bucket_ms", 1, max_integer))
    body.bucket = millis{*bucket};
  return to_session(in, std::move(body));
}

request_body decode_get_audit(field_reader& in) {
  get_audit_command body;
  read_window(in, body);
  body.action = in.checked("action", check_name).value_or("");
  return to_session(in, std::move(body));
}

// -- namespaces --------------------------------------------------------------

std::optional<bool> read_flag(field_reader& in, std::string_view key) {
  const auto* found = in.boolean(key);
  return found != nullptr ? std::optional{*found} : std::nullopt;
}

request_body decode_list_sessions(field_reader& in) {
  list_sessions_command body;
  body.kind = in.checked("kind", check_name);
  body.occupied = read_flag(in, "occupied");
  body.ended = read_flag(in, "ended");
  body.mine = read_flag(in, "mine").value_or(false);
  body.upcoming = read_flag(in, "upcoming").value_or(false);
  body.after = session_id{in.checked("after", check_id).value_or("")};
  if (const auto* limit
      = in.integer("limit", 1, std::int64_t{limits::list_page_items}))
    body.limit = static_cast<std::uint32_t>(*limit);
  return namespace_request{std::move(body)};
}

request_body decode_erase_user(field_reader& in) {
  erase_user_command body;
  body.user
    = user_id{in.checked("user", check_id, need::required).value_or("")};
  return namespace_request{std::move(body)};
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
  body.starts_at = read_start(in, false).value_or(std::nullopt);
  return durable(in, std::move(body));
}

request_body decode_configure(field_reader& in) {
  configure_command body;
  body.starts_at = read_start(in, true);
  body.settings
    = read_settings(in, body.starts_at ? need::optional : need::required);
  return durable(in, std::move(body));
}

request_body decode_end(field_reader& in) {
  return durable(in, end_command{});
}

request_body decode_set_member(field_reader& in) {
  set_member_command body;
  read_target(in, body);
  body.role = in.checked("role", check_name);
  body.permissions = read_permissions(in, "permissions");
  body.give = read_permissions(in, "give").value_or(body.give);
  body.take = read_permissions(in, "take").value_or(body.take);
  if (body.permissions && !(body.give.empty() && body.take.empty()))
    in.refuse("permissions", "excludes give and take");
  return durable(in, std::move(body));
}

request_body decode_kick(field_reader& in) {
  kick_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

request_body decode_invite(field_reader& in) {
  invite_command body;
  body.user
    = user_id{in.checked("user", check_id, need::required).value_or("")};
  body.role = in.checked("role", check_name);
  return durable(in, std::move(body));
}

request_body decode_uninvite(field_reader& in) {
  uninvite_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

request_body decode_withdraw(field_reader& in) {
  return durable(in, withdraw_command{});
}

request_body decode_set_name(field_reader& in) {
  set_name_command body;
  const auto* found = in.take("name");
  if (found == nullptr)
    in.refuse("name", "is missing");
  else if (!found->is_null())
    body.name = in.checked("name", check_id);
  return durable(in, std::move(body));
}

request_body decode_ban(field_reader& in) {
  ban_command body;
  read_target(in, body);
  if (const auto* span = in.integer("for_ms", 1, limits::ban_most.count()))
    body.lasts = millis{*span};
  body.reason = in.checked("reason", check_id).value_or("");
  return durable(in, std::move(body));
}

request_body decode_unban(field_reader& in) {
  unban_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

/// A page of a list in order of users.
template <class Command>
request_body decode_page(field_reader& in) {
  Command body;
  body.after = user_id{in.checked("after", check_id).value_or("")};
  if (const auto* limit
      = in.integer("limit", 1, std::int64_t{limits::roster_page_items}))
    body.limit = static_cast<std::uint32_t>(*limit);
  return to_session(in, std::move(body));
}

request_body decode_transfer_host(field_reader& in) {
  transfer_host_command body;
  read_target(in, body);
  return durable(in, std::move(body));
}

request_body decode_delete(field_reader& in) {
  return durable(in, delete_command{});
}

// -- the course of a session -------------------------------------------------

std::optional<millis> read_span(field_reader& in, std::string_view key) {
  if (const auto* span = in.integer(key, 0, max_integer))
    return millis{*span};
  return std::nullopt;
}

std::string read_name(field_reader& in, std::string_view key) {
  return in.checked(key, check_name, need::required).value_or("");
}

request_body decode_set_phase(field_reader& in) {
  set_phase_command body;
  body.phase = in.checked("phase", check_name);
  body.status = in.checked("status", check_name);
  body.duration = read_span(in, "duration_ms");
  body.next = in.checked("next", check_name).value_or("");
  return durable(in, std::move(body));
}

request_body decode_open_round(field_reader& in) {
  open_round_command body;
  body.round = read_name(in, "round");
  body.rules = read_round_rules(in);
  return durable(in, std::move(body));
}

request_body decode_close_round(field_reader& in) {
  return durable(in, close_round_command{read_name(in, "round")});
}

request_body decode_submit(field_reader& in) {
  submit_command body;
  body.round = read_name(in, "round");
  body.answer = read_answer(in);
  return durable(in, std::move(body));
}

request_body decode_get_course(field_reader& in) {
  return to_session(in, get_course_command{});
}

request_body decode_get_round(field_reader& in) {
  get_round_command body;
  body.round = read_name(in, "round");
  if (auto after = in.checked("after", check_id))
    body.after = participant_id{std::move(*after)};
  if (const auto* limit
      = in.integer("limit", 1, std::int64_t{limits::answers_page}))
    body.limit = static_cast<std::uint32_t>(*limit);
  return to_session(in, std::move(body));
}

request_body decode_start_barrier(field_reader& in) {
  start_barrier_command body;
  body.barrier = read_name(in, "barrier");
  body.timeout = read_span(in, "timeout_ms");
  return durable(in, std::move(body));
}

request_body decode_set_ready(field_reader& in) {
  set_ready_command body;
  if (const auto* ready = in.boolean("ready", need::required))
    body.ready = *ready;
  return to_session(in, body);
}

request_body decode_set_reminder(field_reader& in) {
  set_reminder_command body;
  if (const auto* enabled = in.boolean("enabled", need::required))
    body.enabled = *enabled;
  body.lead = read_span(in, "lead_ms").value_or(millis{0});
  return durable(in, body);
}

// -- the table ---------------------------------------------------------------

struct operation {
  std::string_view name;
  body_decoder decode;
};

constexpr std::array<operation, 38> operations = {{
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
  {"get_history", decode_get_history},
  {"get_audit", decode_get_audit},
  {"list_sessions", decode_list_sessions},
  {"erase_user", decode_erase_user},
  {"delete_session", decode_delete},
  {"set_phase", decode_set_phase},
  {"open_round", decode_open_round},
  {"close_round", decode_close_round},
  {"submit", decode_submit},
  {"get_round", decode_get_round},
  {"start_barrier", decode_start_barrier},
  {"set_ready", decode_set_ready},
  {"set_reminder", decode_set_reminder},
  {"invite", decode_invite},
  {"uninvite", decode_uninvite},
  {"withdraw", decode_withdraw},
  {"ban", decode_ban},
  {"unban", decode_unban},
  {"get_members", decode_page<get_members_command>},
  {"get_bans", decode_page<get_bans_command>},
  {"get_course", decode_get_course},
  {"set_name", decode_set_name},
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

} // namespace

std::variant<client_request, decode_failure>
decode_request(const value::map& fields) {
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
  if (auto* asked = std::get_if<session_request>(&out.body))
    if (!asked->op.empty())
      asked->about = digest_of(fields);
  return out;
}

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
  return decode_request(*fields);
}

} // namespace rollcall::edge
