#include "edge/rest/op_routes.hpp"

#include "edge/protocol/answer_encoder.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/op_calls.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// -- answers -----------------------------------------------------------------

http_response encode_op(const rest_answer& what) {
  if (auto file = page_as_file(what))
    return std::move(*file);
  http_response out;
  out.content_type = "application/json";
  // What may be shown to whom is the owner's decision, taken already.
  out.body = encode_outcome(
    dialect::json,
    session_ack{what.order.session,
                what.what,
                {view::roster, audience::moderator, identity_mode::named},
                what.steady_now});
  out.body += '\n';
  // The past goes on without a new version.
  bool timeless = !std::holds_alternative<history_reply>(what.what.body)
                  && !std::holds_alternative<audit_reply>(what.what.body);
  return what.call.to->method == "GET" && timeless
           ? read_answer(std::move(out), what)
           : out;
}

// -- the table ---------------------------------------------------------------

constexpr route op(std::string_view method, std::string_view pattern,
                   std::string_view name, body_rule body,
                   std::string_view query = {}) {
  route out;
  out.method = method;
  out.pattern = pattern;
  out.op = name;
  out.body = body;
  out.query = query;
  out.decode = decode_operation;
  out.encode = encode_op;
  return out;
}

/// `to`, with what an `If-Match` is about.
constexpr route guarded(tag_rule by, route to) {
  to.guard = by;
  return to;
}

using enum body_rule;

constexpr std::array table = {
  op("GET", "/v1/sessions", "list_sessions", none,
     "kind,occupied,ended,mine,upcoming,limit,cursor"),
  guarded(tag_rule::session,
          op("PATCH", "/v1/sessions/{session}", "configure_session", required)),
  guarded(tag_rule::session,
          op("DELETE", "/v1/sessions/{session}", "delete_session", none)),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/end", "end_session", optional)),
  guarded(tag_rule::member, op("PUT", "/v1/sessions/{session}/members/{user}",
                               "set_member", required)),
  guarded(tag_rule::member,
          op("DELETE", "/v1/sessions/{session}/members/{user}", "kick", none)),
  op("GET", "/v1/sessions/{session}/members", "get_members", none,
     "limit,cursor"),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/invitations", "invite", required)),
  guarded(tag_rule::member,
          op("DELETE", "/v1/sessions/{session}/invitations/{user}", "uninvite",
             none)),
  op("POST", "/v1/sessions/{session}/withdraw", "withdraw", optional),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/kick", "kick", required)),
  op("GET", "/v1/sessions/{session}/bans", "get_bans", none, "limit,cursor"),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/bans", "ban", required)),
  guarded(tag_rule::session,
          op("DELETE", "/v1/sessions/{session}/bans/{user}", "unban", none)),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/host", "transfer_host", required)),
  op("GET", "/v1/sessions/{session}/course", "get_course", none),
  guarded(tag_rule::session,
          op("PATCH", "/v1/sessions/{session}/phase", "set_phase", required)),
  guarded(tag_rule::session, op("PUT", "/v1/sessions/{session}/rounds/{round}",
                                "open_round", required)),
  op("GET", "/v1/sessions/{session}/rounds/{round}", "get_round", none,
     "limit,cursor"),
  guarded(tag_rule::session,
          op("POST", "/v1/sessions/{session}/rounds/{round}/close",
             "close_round", optional)),
  op("POST", "/v1/sessions/{session}/rounds/{round}/submissions", "submit",
     required),
  guarded(tag_rule::session, op("PUT", "/v1/sessions/{session}/barrier",
                                "start_barrier", required)),
  op("PUT", "/v1/sessions/{session}/reminder", "set_reminder", required),
  op("PUT", "/v1/sessions/{session}/name", "set_name", required),
  op("GET", "/v1/sessions/{session}/history", "get_history", none,
     "what,from,until,user,participant_id,bucket_ms,order,limit,cursor,"
     "format"),
  op("GET", "/v1/sessions/{session}/audit", "get_audit", none,
     "from,until,user,action,order,limit,cursor,format"),
  op("DELETE", "/v1/users/{user}", "erase_user", none),
};

} // namespace

std::span<const route> op_routes() {
  return table;
}

} // namespace rollcall::edge
