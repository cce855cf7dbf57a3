#include "edge/rest/group_routes.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/past_writers.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"
#include "edge/rest/op_calls.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// -- requests ----------------------------------------------------------------

/// `body` for the group that the path names.
result<session_order> of_group(const rest_call& call, command_body body) {
  auto group = check_group_id(call.parameters.front(), "group");
  if (!group)
    return group.error();
  return session_order{place_of_group(*group), std::move(body)};
}

result<session_order> decode_put(const rest_call& call) {
  field_reader in{call.body};
  put_group_command body;
  body.name = in.checked("name", check_id, need::required).value_or("");
  if (auto why = in.finish())
    return *why;
  return of_group(call, std::move(body));
}

result<session_order> decode_get(const rest_call& call) {
  return of_group(call, get_group_command{});
}

result<session_order> decode_delete(const rest_call& call) {
  return of_group(call, delete_command{});
}

result<session_order> decode_set_member(const rest_call& call) {
  field_reader in{call.body};
  set_member_command body;
  body.user = user_id{call.parameters[1]};
  body.role = in.checked("role", check_name);
  if (auto why = in.finish())
    return *why;
  return of_group(call, std::move(body));
}

result<session_order> decode_remove_member(const rest_call& call) {
  kick_command body;
  body.user = user_id{call.parameters[1]};
  return of_group(call, std::move(body));
}

result<session_order> decode_members(const rest_call& call) {
  get_members_command body;
  if (const auto* text = call.field("limit")) {
    auto limit = read_limit(*text, limits::roster_page_items);
    if (!limit)
      return limit.error();
    body.limit = *limit;
  }
  if (const auto* text = call.field("cursor")) {
    auto after = check_id(*text, "cursor");
    if (!after)
      return after.error();
    body.after = user_id{std::move(*after)};
  }
  return of_group(call, std::move(body));
}

result<session_order> decode_audit(const rest_call& call) {
  auto asked = decode_operation(call);
  if (!asked)
    return asked.error();
  return of_group(call, std::move(asked->body));
}

result<session_order> decode_list(const rest_call& call) {
  list_sessions_command body;
  body.groups = true;
  if (const auto* text = call.field("mine")) {
    if (*text != "true" && *text != "false")
      return fail(errc::bad_request, "must be true or false", "mine");
    body.mine = *text == "true";
  }
  if (const auto* text = call.field("limit")) {
    auto limit = read_limit(*text, limits::list_page_items);
    if (!limit)
      return limit.error();
    body.limit = *limit;
  }
  if (const auto* text = call.field("cursor")) {
    auto after = check_group_id(*text, "cursor");
    if (!after)
      return after.error();
    body.after = place_of_group(*after);
  }
  session_order out;
  out.everywhere = std::move(body);
  return out;
}

// -- answers -----------------------------------------------------------------

void write_group(json_writer& to, const rest_answer& what) {
  to.key<"group">();
  to.text(group_at(what.order.session));
  to.key<"at">();
  write_version(to, what.what.at);
}

http_response encode_change(const rest_answer& what) {
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_group(to, what);
    to.key<"level">();
    if (what.what.level == ack_level::committed)
      to.word<"committed">();
    else
      to.word<"accepted">();
    write_count(to, "members", what.what.total);
    to.close_map();
  });
}

http_response encode_put(const rest_answer& what) {
  auto out = encode_change(what);
  const auto* found = std::get_if<group_reply>(&what.what.body);
  if (found == nullptr || !found->created)
    return out;
  out.status = 201;
  out.headers.emplace_back(
    "Location",
    "/v1/groups/" + encode_segment(std::string{group_at(what.order.session)}));
  return out;
}

/// The group's sessions follow.
http_response encode_deleted(const rest_answer& what) {
  auto out = encode_change(what);
  out.status = 202;
  return out;
}

http_response encode_get(const rest_answer& what) {
  const auto& found = std::get<group_reply>(what.what.body);
  auto out = json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_group(to, what);
    to.key<"name">();
    to.text(found.name);
    write_count(to, "members", what.what.total);
    write_time(to, "created_at", found.created_at);
    if (!found.created_by.empty()) {
      to.key<"created_by">();
      to.text(found.created_by.str());
    }
    to.key<"is_member">();
    to.boolean(found.member);
    if (found.member) {
      to.key<"role">();
      to.text(found.role);
    }
    to.close_map();
  });
  return read_answer(std::move(out), what);
}

void write_member(json_writer& to, const member_view& each) {
  to.open_map();
  to.key<"user">();
  to.text(each.user.str());
  to.key<"participant_id">();
  to.text(each.participant.str());
  if (!each.role.empty()) {
    to.key<"role">();
    to.text(each.role);
  }
  write_time(to, "added_at", each.admitted_at);
  to.close_map();
}

http_response encode_members(const rest_answer& what) {
  const auto& page = std::get<members_reply>(what.what.body);
  auto out = json_answer(
    200,
    [&](json_writer& to) {
      to.open_map();
      write_group(to, what);
      write_count(to, "total", what.what.total);
      to.key<"members">();
      to.open_array(page.members.size());
      for (const auto& each : page.members)
        write_member(to, each);
      to.close_array();
      if (!page.next.empty()) {
        to.key<"next">();
        to.text(page.next.str());
      }
      to.close_map();
    },
    512 + 192 * page.members.size());
  return read_answer(std::move(out), what);
}

http_response encode_audit(const rest_answer& what) {
  if (auto file = page_as_file(what))
    return std::move(*file);
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_group(to, what);
    write_audit(to, std::get<audit_reply>(what.what.body));
    to.close_map();
  });
}

http_response encode_list(const gathered& found) {
  const auto& page = std::get<listing>(found);
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_time(to, "as_of", page.as_of);
    to.key<"complete">();
    to.boolean(page.complete);
    to.key<"groups">();
    to.open_array(page.sessions.size());
    for (const auto& one : page.sessions) {
      to.open_map();
      to.key<"group">();
      to.text(group_at(one.id));
      to.key<"name">();
      to.text(one.name);
      write_time(to, "created_at", one.created_at);
      write_count(to, "members", one.members);
      to.key<"is_member">();
      to.boolean(one.is_member);
      to.close_map();
    }
    to.close_array();
    if (page.next) {
      to.key<"next">();
      to.text(group_at(*page.next));
    }
    to.close_map();
  });
}

// -- the table ---------------------------------------------------------------

constexpr route row(std::string_view method, std::string_view pattern,
                    body_rule body, decltype(route::decode) decode,
                    decltype(route::encode) encode,
                    std::string_view query = {}) {
  route out;
  out.method = method;
  out.pattern = pattern;
  out.body = body;
  out.decode = decode;
  out.encode = encode;
  out.query = query;
  if (encode == nullptr)
    out.gathered = encode_list;
  return out;
}

using enum body_rule;

constexpr route named(std::string_view op, route to) {
  to.op = op;
  return to;
}

constexpr std::array table = {
  row("GET", "/v1/groups", none, decode_list, nullptr, "mine,limit,cursor"),
  row("PUT", "/v1/groups/{group}", required, decode_put, encode_put),
  row("GET", "/v1/groups/{group}", none, decode_get, encode_get),
  row("DELETE", "/v1/groups/{group}", none, decode_delete, encode_deleted),
  row("GET", "/v1/groups/{group}/members", none, decode_members, encode_members,
      "limit,cursor"),
  row("PUT", "/v1/groups/{group}/members/{user}", optional, decode_set_member,
      encode_change),
  row("DELETE", "/v1/groups/{group}/members/{user}", none, decode_remove_member,
      encode_change),
  named("get_audit",
        row("GET", "/v1/groups/{group}/audit", none, decode_audit, encode_audit,
            "from,until,user,action,order,limit,cursor,format")),
};

} // namespace

std::span<const route> group_routes() {
  return table;
}

} // namespace rollcall::edge
