#include "edge/rest/op_calls.hpp"

#include "edge/past/export.hpp"
#include "edge/protocol/request_decoder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace rollcall::edge {

namespace {

/// The names in a pattern's braces, in order.
std::vector<std::string> parameter_names(std::string_view pattern) {
  std::vector<std::string> out;
  for (auto open = pattern.find('{'); open != std::string_view::npos;
       open = pattern.find('{', open + 1))
    out.emplace_back(
      pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  return out;
}

template <std::size_t Size>
bool is_one_of(std::string_view name,
               const std::array<std::string_view, Size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_of_group(const route& to) {
  return to.pattern.find("{group}") != std::string_view::npos;
}

/// A query's text as the value that the operation expects.
value query_value(std::string_view name, const std::string& text) {
  constexpr std::array<std::string_view, 4> numbers
    = {"limit", "from", "until", "bucket_ms"};
  constexpr std::array<std::string_view, 4> flags
    = {"occupied", "ended", "mine", "upcoming"};
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  if (is_one_of(name, numbers)) {
    auto [at, failed] = std::from_chars(text.data(), end, number);
    if (failed == std::errc{} && at == end)
      return value{number};
  }
  if (is_one_of(name, flags) && (text == "true" || text == "false"))
    return value{text == "true"};
  return value{text};
}

bool has(const value::map& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& each) { return each.first == name; });
}

// By reference: GCC 12 takes a value that is moved for one that was never
// initialized.
void put(value::map& to, std::string_view name, const value& what) {
  to.emplace_back(name, what);
}

/// The request as the protocol has it.
result<value::map> to_fields(const rest_call& call) {
  auto out = call.body;
  // What the frame of the protocol has is said otherwise here.
  for (auto name : {"op", "id", "op_id"})
    if (has(out, name))
      return fail(errc::bad_request, "is not known", name);
  auto names = parameter_names(call.to->pattern);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (has(out, names[i]))
      return fail(errc::bad_request, "stands in the path", names[i]);
    // A group is asked what a session is asked.
    put(out, names[i] == "group" ? "session" : names[i],
        value{call.parameters[i]});
  }
  for (const auto& [name, text] : call.query)
    if (name != "format")
      put(out, name == "cursor" ? "after" : name, query_value(name, text));
  put(out, "op", value{std::string{call.to->op}});
  return out;
}

std::optional<export_format> format_of(const rest_call& call) {
  const auto* name = call.field("format");
  if (name == nullptr || *name == "json")
    return std::nullopt;
  return *name == "csv" ? export_format::csv : export_format::ndjson;
}

/// Where the next page is, for those who read lines.
void link_next(http_response& out, const rest_answer& what,
               const std::string& next) {
  if (next.empty())
    return;
  auto names = parameter_names(what.call.to->pattern);
  std::string target{what.call.to->pattern};
  for (std::size_t i = 0; i < names.size(); ++i)
    target.replace(target.find('{' + names[i]), names[i].size() + 2,
                   encode_segment(what.call.parameters[i]));
  char mark = '?';
  for (const auto& [name, text] : what.call.query)
    if (name != "cursor") {
      target += mark + name + '=' + encode_segment(text);
      mark = '&';
    }
  target += mark + std::string{"cursor="} + encode_segment(next);
  out.headers.emplace_back("Link", '<' + target + ">; rel=\"next\"");
}

template <class Page>
http_response export_of(const rest_answer& what, export_format format,
                        const Page& page) {
  http_response out;
  out.content_type = content_type(format);
  out.body = export_page(format, page, what.call.field("cursor") == nullptr);
  link_next(out, what, page.next);
  return out;
}

} // namespace

result<session_order> decode_operation(const rest_call& call) {
  if (const auto* name = call.field("format"))
    if (*name != "json" && *name != "csv" && *name != "ndjson")
      return fail(errc::bad_request, "must be json, ndjson or csv", "format");
  // Lines of a summary are those of its timeline.
  const auto* what = call.field("what");
  if (format_of(call) && what != nullptr && *what == "summary"
      && call.field("bucket_ms") == nullptr)
    return fail(errc::bad_request, "is needed for the lines of a summary",
                "bucket_ms");
  auto fields = to_fields(call);
  if (!fields)
    return fields.error();
  auto decoded = decode_request(*fields);
  if (auto* refused = std::get_if<decode_failure>(&decoded)) {
    auto& field = refused->why.field;
    if (field == "after")
      field = "cursor";
    else if (field == "session" && is_of_group(*call.to))
      field = "group";
    return refused->why;
  }
  auto& body = std::get<client_request>(decoded).body;
  session_order out;
  if (auto* asked = std::get_if<session_request>(&body)) {
    out.session = std::move(asked->session);
    out.body = std::move(asked->body);
  } else if (auto* all = std::get_if<namespace_request>(&body)) {
    out.everywhere = std::move(all->what);
  } else {
    return fail(errc::internal, "the route is no operation of a session");
  }
  return out;
}

std::optional<http_response> page_as_file(const rest_answer& what) {
  auto format = format_of(what.call);
  if (!format)
    return std::nullopt;
  if (const auto* past = std::get_if<history_reply>(&what.what.body))
    return export_of(what, *format, *past);
  if (const auto* log = std::get_if<audit_reply>(&what.what.body))
    return export_of(what, *format, *log);
  return std::nullopt;
}

} // namespace rollcall::edge
