#include "edge/rest/session_routes.hpp"

#include "edge/protocol/request_fields.hpp"
#include "edge/protocol/round_fields.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// -- requests ----------------------------------------------------------------

/// Whether a path can name the session: an id may hold what a path may not.
bool fits_path(const std::string& session) {
  return decode_path('/' + encode_segment(session)).ok();
}

result<session_order> decode_create(const rest_call& call) {
  field_reader in{call.body};
  create_command body;
  auto session = in.checked("session", check_id);
  if (session && !fits_path(*session))
    in.refuse("session", "cannot be part of a path");
  body.kind = in.checked("kind", check_name, need::required).value_or("");
  body.settings = read_settings(in, need::optional);
  body.starts_at = read_start(in, false).value_or(std::nullopt);
  if (auto why = in.finish())
    return *why;
  return session_order{session_id{std::move(session).value_or("")},
                       std::move(body)};
}

result<session_order> decode_observe(const rest_call& call) {
  return order_for(call, observe_command{});
}

result<session_order> decode_list(const rest_call& call) {
  get_roster_command body;
  for (const auto& [name, text] : call.query) {
    if (name == "limit") {
      auto limit = read_limit(text, limits::roster_page_items);
      if (!limit)
        return limit.error();
      body.limit = *limit;
    } else {
      body.after = read_cursor(text);
      if (!body.after)
        return fail(errc::bad_request, "is not a cursor of ours", name);
    }
  }
  return order_for(call, std::move(body));
}

result<session_order> decode_one(const rest_call& call) {
  get_roster_command body;
  body.limit = 1;
  body.only = call.parameters[1];
  return order_for(call, std::move(body));
}

// -- answers -----------------------------------------------------------------

http_response encode_created(const rest_answer& what) {
  auto out = change_answer(what);
  out.status = 201;
  out.headers.emplace_back(
    "Location", "/v1/sessions/" + encode_segment(what.order.session.str()));
  return out;
}

void write_place(json_writer& to, const rest_answer& what) {
  to.key<"session">();
  to.text(what.order.session.str());
  to.key<"at">();
  write_version(to, what.what.at);
  to.key<"present">();
  to.integer(what.what.present);
  to.key<"total">();
  to.integer(what.what.total);
}

http_response encode_session(const rest_answer& what) {
  const auto& found = std::get<observe_reply>(what.what.body);
  auto out = json_answer(
    200,
    [&](json_writer& to) {
      to.open_map();
      write_place(to, what);
      to.key<"kind">();
      to.text(found.settings.kind);
      to.key<"settings">();
      write_settings(to, found.settings);
      to.key<"ended">();
      to.boolean(found.ended);
      to.key<"created_at">();
      to.integer(found.created.count());
      if (found.starts_at) {
        to.key<"starts_at">();
        to.integer(found.starts_at->count());
      }
      if (found.host) {
        to.key<"host">();
        to.text(found.host->str());
      }
      to.key<"rights">();
      write_rights(to, found.rights);
      to.key<"is_member">();
      to.boolean(found.member);
      to.key<"is_present">();
      to.boolean(found.here);
      to.close_map();
    },
    1024);
  return tagged_answer(std::move(out), what, found.changed);
}

result<session_order> decode_member(const rest_call& call) {
  get_members_command body;
  body.only = user_id{call.parameters[1]};
  return order_for(call, std::move(body));
}

http_response encode_member(const rest_answer& what) {
  const auto& one = std::get<members_reply>(what.what.body).members.front();
  return tagged_answer(
    json_answer(200, [&](json_writer& to) { write_member(to, one); }), what,
    one.changed);
}

http_response encode_list(const rest_answer& what) {
  const auto& page = std::get<roster_reply>(what.what.body);
  auto out = json_answer(
    200,
    [&](json_writer& to) {
      to.open_map();
      write_place(to, what);
      to.key<"participants">();
      to.open_array(page.participants.size());
      for (const auto& each : page.participants)
        write_participant(to, each, true, what.steady_now);
      to.close_array();
      if (page.next) {
        to.key<"next">();
        to.text(write_cursor(*page.next));
      }
      to.close_map();
    },
    512 + 384 * page.participants.size());
  return read_answer(std::move(out), what);
}

http_response encode_one(const rest_answer& what) {
  const auto& page = std::get<roster_reply>(what.what.body);
  auto out = json_answer(200, [&](json_writer& to) {
    write_participant(to, page.participants.front(), true, what.steady_now);
  });
  return read_answer(std::move(out), what);
}

// -- the table ---------------------------------------------------------------

using enum caller_rule;

constexpr std::array<route, 5> table = {{
  {"POST", "/v1/sessions", known, body_rule::required, decode_create,
   encode_created, "", true},
  {"GET", "/v1/sessions/{session}", anybody, body_rule::none, decode_observe,
   encode_session},
  {"GET", "/v1/sessions/{session}/participants", known, body_rule::none,
   decode_list, encode_list, "limit,cursor"},
  {"GET", "/v1/sessions/{session}/participants/{participant}", known,
   body_rule::none, decode_one, encode_one},
  {"GET", "/v1/sessions/{session}/members/{user}", known, body_rule::none,
   decode_member, encode_member},
}};

} // namespace

std::span<const route> session_routes() {
  return table;
}

} // namespace rollcall::edge
