#include "edge/net/origin_policy.hpp"

#include <algorithm>
#include <charconv>

namespace rollcall::edge {

namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_host_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_';
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253)
    return false;
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']')
      return false;
    const auto inner = host.substr(1, host.size() - 2);
    return std::all_of(inner.begin(), inner.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':'
             || c == '.';
    });
  }
  return std::all_of(host.begin(), host.end(), is_host_char);
}

} // namespace

std::optional<web_origin> parse_origin(std::string_view text) {
  web_origin result;
  const auto lowered = lower(text);
  std::string_view rest{lowered};
  const auto colon = rest.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  result.scheme = rest.substr(0, colon);
  if (result.scheme != "http" && result.scheme != "https")
    return std::nullopt;
  rest.remove_prefix(colon + 3);
  result.port = result.scheme == "https" ? 443 : 80;
  const auto bracket = rest.rfind(']');
  const auto port
    = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port != std::string_view::npos) {
    const auto digits = rest.substr(port + 1);
    const auto* end = digits.data() + digits.size();
    const auto [at, failed] = std::from_chars(digits.data(), end, result.port);
    if (digits.empty() || failed != std::errc{} || at != end
        || result.port == 0)
      return std::nullopt;
    rest = rest.substr(0, port);
  }
  if (!is_host(rest))
    return std::nullopt;
  result.host = rest;
  return result;
}

result<origin_policy>
origin_policy::make(const std::vector<std::string>& allowed) {
  origin_policy result;
  for (const auto& entry : allowed) {
    auto origin = parse_origin(entry);
    if (!origin)
      return fail(errc::bad_request,
                  "\"" + entry
                    + "\" is not an origin; write scheme://host[:port], "
                      "without a path or wildcard",
                  "origins");
    result.allowed_.push_back(std::move(*origin));
  }
  return result;
}

bool origin_policy::admits(std::optional<std::string_view> origin,
                           std::string_view host, bool secure) const {
  if (!origin)
    return true;
  const auto page = parse_origin(*origin);
  if (!page)
    return false;
  if (std::find(allowed_.begin(), allowed_.end(), *page) != allowed_.end())
    return true;
  if (secure && page->scheme != "https")
    return false;
  const auto self = parse_origin(page->scheme + "://" + std::string{host});
  return self && *self == *page;
}

} // namespace rollcall::edge
