#include "edge/net/http_message.hpp"

#include <algorithm>
#include <array>

namespace rollcall::edge {

namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct status_text {
  unsigned status;
  std::string_view reason;
};

constexpr auto reasons = std::to_array<status_text>({
  {200, "OK"},
  {201, "Created"},
  {202, "Accepted"},
  {204, "No Content"},
  {304, "Not Modified"},
  {400, "Bad Request"},
  {401, "Unauthorized"},
  {403, "Forbidden"},
  {404, "Not Found"},
  {405, "Method Not Allowed"},
  {408, "Request Timeout"},
  {409, "Conflict"},
  {412, "Precondition Failed"},
  {413, "Content Too Large"},
  {415, "Unsupported Media Type"},
  {417, "Expectation Failed"},
  {426, "Upgrade Required"},
  {429, "Too Many Requests"},
  {431, "Request Header Fields Too Large"},
  {500, "Internal Server Error"},
  {501, "Not Implemented"},
  {503, "Service Unavailable"},
  {505, "HTTP Version Not Supported"},
});

std::string_view reason_of(unsigned status) noexcept {
  const auto found
    = std::find_if(reasons.begin(), reasons.end(),
                   [&](const auto& each) { return each.status == status; });
  return found == reasons.end() ? std::string_view{"Status"} : found->reason;
}

unsigned status_of(errc code) noexcept {
  switch (code) {
  case errc::bad_request:
    return 400;
  case errc::unauthenticated:
  case errc::token_expired:
    return 401;
  case errc::forbidden:
  case errc::not_invited:
  case errc::banned:
    return 403;
  case errc::not_found:
    return 404;
  case errc::session_full:
  case errc::session_locked:
  case errc::session_ended:
  case errc::conflict:
    return 409;
  case errc::precondition_failed:
    return 412;
  case errc::rate_limited:
    return 429;
  case errc::too_large:
    return 413;
  case errc::unavailable:
    return 503;
  case errc::internal:
    return 500;
  }
  return 500;
}

void append_json_text(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 0xF];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_header(std::string& out, std::string_view name,
                   std::string_view value) {
  out += name;
  out += ": ";
  // A line break in a value would let it write headers of its own.
  for (const auto c : value)
    if (c != '\r' && c != '\n' && c != '\0')
      out += c;
  out += "\r\n";
}

using default_header = std::pair<std::string_view, std::string_view>;

constexpr std::array<default_header, 6> security_headers{{
  {"Cache-Control", "no-store"},
  {"Content-Security-Policy",
   "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
   "object-src 'none'; base-uri 'none'; form-action 'none'; "
   "frame-ancestors 'none'"},
  {"Cross-Origin-Resource-Policy", "same-origin"},
  {"Referrer-Policy", "no-referrer"},
  {"X-Content-Type-Options", "nosniff"},
  {"X-Frame-Options", "DENY"},
}};

} // namespace

// -- requests ----------------------------------------------------------------

std::string_view http_request::path() const noexcept {
  return std::string_view{target}.substr(0, target.find('?'));
}

std::string_view http_request::query() const noexcept {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view{}
                                   : std::string_view{target}.substr(mark + 1);
}

std::optional<std::string_view>
http_request::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers)
    if (equal_ignoring_case(key, name))
      return value;
  return std::nullopt;
}

std::string_view http_request::cookie(std::string_view name) const noexcept {
  if (name.empty())
    return {};
  for (const auto& [key, text] : headers) {
    if (!equal_ignoring_case(key, "Cookie"))
      continue;
    std::string_view rest{text};
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      const auto pair = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const auto equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == name)
        return pair.substr(equals + 1);
    }
  }
  return {};
}

std::size_t http_request::header_count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
    std::count_if(headers.begin(), headers.end(), [&](const auto& header) {
      return equal_ignoring_case(header.first, name);
    }));
}

// -- responses ---------------------------------------------------------------

bool has_header(const http_response& response, std::string_view name) noexcept {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) {
                       return equal_ignoring_case(header.first, name);
                     });
}

namespace {

/// The object without its closing brace.
http_response open_problem(unsigned status, std::string_view code,
                           std::string_view detail) {
  http_response response;
  response.status = status;
  response.content_type = "application/problem+json";
  auto& body = response.body;
  body = "{\"type\":\"about:blank\",\"title\":";
  append_json_text(body, reason_of(status));
  body += ",\"status\":" + std::to_string(status) + ",\"code\":";
  append_json_text(body, code);
  body += ",\"detail\":";
  append_json_text(body, detail);
  return response;
}

} // namespace

http_response problem(unsigned status, std::string_view code,
                      std::string_view detail) {
  auto response = open_problem(status, code, detail);
  response.body += "}\n";
  return response;
}

http_response problem(const failure& why) {
  auto response
    = open_problem(status_of(why.code), to_string(why.code), why.message);
  auto& body = response.body;
  if (!why.field.empty()) {
    body += ",\"field\":";
    append_json_text(body, why.field);
  }
  body += ",\"retryable\":";
  body += is_retryable(why.code) ? "true" : "false";
  if (why.retry_after)
    body += ",\"retry_after_ms\":" + std::to_string(why.retry_after->count());
  body += "}\n";
  if (response.status == 401)
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (why.retry_after) {
    const auto seconds = (why.retry_after->count() + 999) / 1000;
    response.headers.emplace_back("Retry-After", std::to_string(seconds));
  }
  return response;
}

std::string encode_response(const http_response& response,
                            const http_writing& how) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  out += reason_of(response.status);
  out += "\r\n";
  for (const auto& [name, value] : response.headers)
    append_header(out, name, value);
  for (const auto& [name, value] : security_headers)
    if (!has_header(response, name))
      append_header(out, name, value);
  if (how.secure)
    append_header(out, "Strict-Transport-Security", "max-age=31536000");
  const auto bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    append_header(out, "Content-Type", response.content_type);
    append_header(out, "Content-Length", std::to_string(response.body.size()));
  }
  append_header(out, "Connection", how.keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  if (!bodiless && !how.head)
    out += response.body;
  return out;
}

// -- text --------------------------------------------------------------------

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size()
         && std::equal(a.begin(), a.end(), b.begin(),
                       [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  const auto last = text.find_last_not_of(" \t");
  return text.substr(first, last - first + 1);
}

} // namespace rollcall::edge
