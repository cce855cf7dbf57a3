#include "edge/rest/exchange.hpp"

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/meeting_routes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view allowed_headers
  = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "Session-Code, X-Request-Id";

http_response method_refusal(const std::string& allowed) {
  auto out = problem(405, "bad_request", "the method is not allowed here");
  out.headers.emplace_back("Allow", allowed);
  return out;
}

bool changes_nothing(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

/// Calls `each` for the elements of a list that is separated by `mark`.
template <class Each>
void split(std::string_view text, char mark, const Each& each) {
  while (true) {
    auto end = text.find(mark);
    each(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos)
      return;
    text.remove_prefix(end + 1);
  }
}

// -- who ---------------------------------------------------------------------

/// The token, from the header or else from the cookie.
result<std::string> find_token(const frame_rules& rules,
                               const http_request& request) {
  constexpr std::string_view scheme = "bearer ";
  std::string out;
  if (request.header_count("Authorization") > 1)
    return fail(errc::bad_request, "there must be one", "Authorization");
  if (auto header = request.header("Authorization")) {
    if (header->size() <= scheme.size()
        || !equal_ignoring_case(header->substr(0, scheme.size()), scheme))
      return fail(errc::unauthenticated, "must be Bearer and a token",
                  "Authorization");
    out = trimmed(header->substr(scheme.size()));
  } else if (auto cookie = request.cookie(rules.cookie); !cookie.empty()) {
    // A browser sends it whoever wrote the page that asks.
    if (!changes_nothing(request.method) && !request.header("Origin"))
      return fail(errc::forbidden, "a change by cookie needs an Origin",
                  "Origin");
    out = cookie;
  }
  if (out.size() > limits::token_bytes)
    return fail(errc::unauthenticated, "the token is too long", "token");
  return out;
}

// -- what --------------------------------------------------------------------

std::optional<http_response> read_body(const http_request& request,
                                       body_rule rule, rest_call& out) {
  if (request.body.empty()) {
    if (rule == body_rule::required)
      return problem(
        fail(errc::bad_request, "a JSON object is needed", "body"));
    return std::nullopt;
  }
  if (rule == body_rule::none)
    return problem(fail(errc::bad_request, "there must be none", "body"));
  auto type = request.header("Content-Type").value_or("");
  if (!equal_ignoring_case(trimmed(type.substr(0, type.find(';'))), json_type)
      || request.header_count("Content-Type") != 1
      || request.header("Content-Encoding"))
    return problem(415, "bad_request",
                   "the body must be application/json, as it is");
  auto decoded = decode_json(request.body);
  if (!decoded)
    return problem(decoded.error());
  auto* members = decoded->get_if<value::map>();
  if (members == nullptr)
    return problem(fail(errc::bad_request, "must be a JSON object", "body"));
  out.body = std::move(*members);
  return std::nullopt;
}

std::optional<failure> read_query(const http_request& request,
                                  std::string_view known, rest_call& out) {
  auto fields = decode_query(request.query());
  if (!fields)
    return fields.error();
  for (const auto& [name, content] : *fields) {
    bool found = false;
    split(known, ',', [&, &wanted = name](std::string_view each) {
      found = found || (!each.empty() && each == wanted);
    });
    if (!found)
      return fail(errc::bad_request, "is not known here", name);
  }
  out.query = std::move(*fields);
  return std::nullopt;
}

std::optional<failure> read_conditions(const http_request& request,
                                       rest_call& out) {
  // Whoever sends it relies on it.
  for (auto name : {"If-Unmodified-Since", "Range"})
    if (request.header(name))
      return fail(errc::bad_request, "is not understood here", name);
  if (request.header("If-Match")) {
    if (out.to->guard == tag_rule::none)
      return fail(errc::bad_request, "is not understood here", "If-Match");
    auto wanted = request.header_count("If-Match") == 1
                    ? read_condition(*request.header("If-Match"))
                    : std::nullopt;
    if (!wanted)
      return fail(errc::bad_request, "must be one tag of ours, or *",
                  "If-Match");
    out.expected = *wanted;
    out.expected->of_member = out.to->guard == tag_rule::member;
  }
  if (auto code = request.header("Session-Code")) {
    if (code->empty() || code->size() > limits::code_bytes || !is_utf8(*code)
        || request.header_count("Session-Code") > 1)
      return fail(errc::bad_request, "is no code", "Session-Code");
    out.code = *code;
  }
  auto key = request.header("Idempotency-Key");
  if (!key)
    return std::nullopt;
  if (request.header_count("Idempotency-Key") > 1)
    return fail(errc::bad_request, "there must be one", "Idempotency-Key");
  if (key->size() > limits::op_id_bytes)
    return fail(errc::bad_request, "is longer than 64 bytes",
                "Idempotency-Key");
  auto good = check_id(*key, "Idempotency-Key");
  if (!good)
    return good.error();
  out.op = op_id{std::move(*good)};
  return std::nullopt;
}

/// Weakly (RFC 9110, section 8.8.3.2), as If-None-Match is to be compared.
bool is_same_tag(std::string_view a, std::string_view b) noexcept {
  constexpr std::string_view weak = "W/";
  for (auto* each : {&a, &b})
    if (each->starts_with(weak))
      each->remove_prefix(weak.size());
  return a == b;
}

/// The answer to OPTIONS: CORS preflight, or just what may be done.
http_response preflight(const exchange& open, const std::string& allowed) {
  http_response out;
  out.status = 204;
  out.headers.emplace_back("Allow", allowed);
  if (open.origin) {
    out.headers.emplace_back("Access-Control-Allow-Methods", allowed);
    out.headers.emplace_back("Access-Control-Allow-Headers", allowed_headers);
    out.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  return out;
}

} // namespace

exchange open_exchange(const frame_rules& rules, const http_request& request,
                       std::string_view drawn) {
  exchange out;
  static_cast<answer_frame&>(out)
    = open_frame(request, rules.origins, rules.secure, drawn);
  out.if_none_match = request.header("If-None-Match").value_or("");
  out.of_meeting = is_meeting_path(request.path());
  return out;
}

bool is_rest_path(std::string_view path) noexcept {
  return path.starts_with("/v1/") || path.starts_with("/streams/")
         || is_meeting_path(path);
}

std::variant<admitted_call, http_response> admit(const frame_rules& rules,
                                                 const exchange& open,
                                                 const http_request& request) {
  if (request.header("Origin") && !open.origin)
    return problem(403, "forbidden", "this origin may not ask");
  auto path = decode_path(request.path());
  if (!path)
    return problem(path.error());
  auto found = find_route(all_routes(), request.method, *path);
  if (std::holds_alternative<no_route>(found))
    return problem(404, "not_found", "there is nothing here");
  if (auto* other = std::get_if<other_method>(&found))
    return request.method == "OPTIONS" ? preflight(open, other->allowed)
                                       : method_refusal(other->allowed);
  auto& match = std::get<route_match>(found);
  auto token = find_token(rules, request);
  if (!token)
    return problem(token.error());
  if (token->empty() && match.to->who == caller_rule::known)
    return problem(
      fail(errc::unauthenticated, "a token is needed", "Authorization"));
  rest_call call;
  call.to = match.to;
  call.parameters = std::move(match.parameters);
  call.request = open.request;
  if (auto why = read_query(request, call.to->query, call))
    return problem(*why);
  if (auto why = read_conditions(request, call))
    return problem(*why);
  if (auto refusal = read_body(request, call.to->body, call))
    return std::move(*refusal);
  return admitted_call{std::move(call), std::move(*token)};
}

http_response finish(const exchange& open, http_response response) {
  if (open.of_meeting && response.status >= 400)
    response = as_meeting_refusal(std::move(response));
  close_frame(open, response);
  auto tag
    = std::find_if(response.headers.begin(), response.headers.end(),
                   [](const auto& header) { return header.first == "ETag"; });
  if (tag == response.headers.end() || response.status != 200)
    return response;
  bool known = false;
  split(open.if_none_match, ',', [&](std::string_view each) {
    known = known || each == "*" || is_same_tag(each, tag->second);
  });
  if (known) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

} // namespace rollcall::edge
