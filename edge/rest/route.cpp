#include "edge/rest/route.hpp"

#include "edge/rest/group_routes.hpp"
#include "edge/rest/meeting_routes.hpp"
#include "edge/rest/meeting_vote_routes.hpp"
#include "edge/rest/op_routes.hpp"
#include "edge/rest/presence_routes.hpp"
#include "edge/rest/session_routes.hpp"
#include "edge/rest/stream_routes.hpp"
#include "edge/rest/user_routes.hpp"

#include <algorithm>

namespace rollcall::edge {

namespace {

bool is_parameter(std::string_view segment) noexcept {
  return segment.starts_with('{');
}

/// The parameters, where `path` fits the pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const path_segments& path) {
  std::vector<std::string> out;
  for (const auto& segment : path) {
    if (pattern.empty())
      return std::nullopt;
    pattern.remove_prefix(1);
    auto end = std::min(pattern.find('/'), pattern.size());
    auto wanted = pattern.substr(0, end);
    if (is_parameter(wanted))
      out.push_back(segment);
    else if (wanted != segment)
      return std::nullopt;
    pattern.remove_prefix(end);
  }
  if (!pattern.empty())
    return std::nullopt;
  return out;
}

std::string all_allowed(std::span<const route> routes,
                        const path_segments& path) {
  std::string out;
  for (const auto& each : routes)
    if (match(each.pattern, path)) {
      out += each.method;
      out += each.method == "GET" ? ", HEAD, " : ", ";
    }
  return out + "OPTIONS";
}

} // namespace

const std::string* rest_call::field(std::string_view name) const {
  auto at = std::find_if(query.begin(), query.end(),
                         [&](const auto& each) { return each.first == name; });
  return at == query.end() ? nullptr : &at->second;
}

std::variant<route_match, no_route, other_method>
find_route(std::span<const route> routes, std::string_view method,
           const path_segments& path) {
  auto wanted = method == "HEAD" ? std::string_view{"GET"} : method;
  bool known = false;
  for (const auto& each : routes) {
    auto parameters = match(each.pattern, path);
    if (!parameters)
      continue;
    known = true;
    if (each.method == wanted)
      return route_match{&each, std::move(*parameters)};
  }
  if (!known)
    return no_route{};
  return other_method{all_allowed(routes, path)};
}

std::span<const route> all_routes() {
  static const auto all = [] {
    std::vector<route> out;
    for (auto table : {session_routes(), op_routes(), presence_routes(),
                       stream_routes(), meeting_routes(), meeting_vote_routes(),
                       user_routes(), group_routes()})
      out.insert(out.end(), table.begin(), table.end());
    return out;
  }();
  return all;
}

} // namespace rollcall::edge
