#include "edge/net/answer_frame.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall::edge {

namespace {

constexpr std::string_view exposed_headers
  = "ETag, Link, Location, Retry-After, X-Request-Id";

bool is_request_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= limits::request_name_bytes
         && std::all_of(text.begin(), text.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '-' || c == '_'
                     || c == '.';
            });
}

} // namespace

answer_frame open_frame(const http_request& request,
                        const origin_policy& origins, bool secure,
                        std::string_view drawn) {
  answer_frame out;
  const auto name = request.header("X-Request-Id").value_or("");
  out.request = is_request_name(name) ? name : drawn;
  const auto origin = request.header("Origin");
  if (origin && request.header_count("Origin") == 1
      && origins.admits(origin, request.header("Host").value_or(""), secure))
    out.origin = *origin;
  return out;
}

void close_frame(const answer_frame& frame, http_response& response) {
  auto& headers = response.headers;
  headers.emplace_back("X-Request-Id", frame.request);
  headers.emplace_back("Vary", "Origin, Authorization, Cookie");
  if (!frame.origin)
    return;
  headers.emplace_back("Access-Control-Allow-Origin", *frame.origin);
  headers.emplace_back("Access-Control-Allow-Credentials", "true");
  headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
}

} // namespace rollcall::edge
