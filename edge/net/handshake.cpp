#include "edge/net/handshake.hpp"

#include "actors/base/limits.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>

namespace rollcall::edge {

namespace {

constexpr std::string_view json_protocol = "rollcall.v1.json";
constexpr std::string_view msgpack_protocol = "rollcall.v1.msgpack";
constexpr std::string_view events_protocol = "rollcall.events.json";
constexpr std::string_view board_protocol = "rollcall.board.json";
constexpr std::string_view bearer_prefix = "bearer.";

/// Calls `each` for every element of the comma-separated lists in all headers
/// of that name.
template <class Each>
void for_each_element(const http_request& request, std::string_view name,
                      const Each& each) {
  for (const auto& [key, value] : request.headers) {
    if (!equal_ignoring_case(key, name))
      continue;
    std::string_view rest{value};
    while (true) {
      const auto comma = rest.find(',');
      if (const auto element = trimmed(rest.substr(0, comma)); !element.empty())
        each(element);
      if (comma == std::string_view::npos)
        break;
      rest.remove_prefix(comma + 1);
    }
  }
}

/// The first of the subprotocols offered that is one of `known`; else empty.
std::string_view first_offered(const http_request& request,
                               std::initializer_list<std::string_view> known) {
  std::string_view found;
  for_each_element(
    request, "Sec-WebSocket-Protocol", [&](std::string_view element) {
      const auto* at = std::find(known.begin(), known.end(), element);
      if (found.empty() && at != known.end())
        found = *at;
    });
  return found;
}

bool lists(const http_request& request, std::string_view name,
           std::string_view wanted) {
  bool found = false;
  for_each_element(request, name, [&](std::string_view element) {
    found = found || equal_ignoring_case(element, wanted);
  });
  return found;
}

/// 16 bytes in base64: 22 characters and two signs of padding.
bool is_key(std::string_view key) noexcept {
  if (key.size() != 24 || key.substr(22) != "==")
    return false;
  for (const auto c : key.substr(0, 22))
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9') || c == '+' || c == '/'))
      return false;
  return true;
}

bool has_query_token(std::string_view query) noexcept {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto name = pair.substr(0, pair.find('='));
    if (equal_ignoring_case(name, "token")
        || equal_ignoring_case(name, "access_token"))
      return true;
    if (end == std::string_view::npos)
      break;
    query.remove_prefix(end + 1);
  }
  return false;
}

struct offer {
  std::optional<dialect> language;
  std::string_view token;
};

offer read_offer(const http_request& request) {
  offer result;
  for_each_element(request, "Sec-WebSocket-Protocol",
                   [&](std::string_view element) {
                     if (element.starts_with(bearer_prefix)) {
                       if (result.token.empty())
                         result.token = element.substr(bearer_prefix.size());
                     }
                   });
  const auto chosen = first_offered(request, {json_protocol, msgpack_protocol});
  if (!chosen.empty())
    result.language
      = chosen == json_protocol ? dialect::json : dialect::msgpack;
  constexpr std::string_view scheme = "bearer ";
  if (const auto header = request.header("Authorization");
      header && header->size() > scheme.size()
      && equal_ignoring_case(header->substr(0, scheme.size()), scheme))
    result.token = trimmed(header->substr(scheme.size()));
  return result;
}

/// What is wrong with the request as an upgrade, if anything.
std::optional<http_response> refuse_form(const http_request& request) {
  if (request.method != "GET") {
    auto response = problem(405, "bad_request", "an upgrade is a GET");
    response.headers.emplace_back("Allow", "GET");
    return response;
  }
  if (!request.http11)
    return problem(400, "bad_request", "an upgrade needs HTTP/1.1");
  if (!lists(request, "Upgrade", "websocket")
      || !lists(request, "Connection", "upgrade")) {
    auto response
      = problem(426, "bad_request", "a WebSocket is to be opened here");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  if (request.header_count("Sec-WebSocket-Version") != 1
      || request.header("Sec-WebSocket-Version") != "13") {
    auto response = problem(426, "bad_request",
                            "only version 13 of WebSocket is spoken here");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  if (request.header_count("Sec-WebSocket-Key") != 1
      || !is_key(*request.header("Sec-WebSocket-Key")))
    return problem(400, "bad_request",
                   "Sec-WebSocket-Key must be 16 bytes in base64");
  if (!request.body.empty())
    return problem(400, "bad_request", "an upgrade has no body");
  if (request.header_count("Authorization") > 1)
    return problem(400, "bad_request",
                   "there must be one Authorization header");
  if (has_query_token(request.query()))
    return problem(400, "bad_request",
                   "a token does not belong into a URL; send it as header, "
                   "subprotocol or hello");
  return std::nullopt;
}

std::optional<http_response> refuse(const http_request& request,
                                    const origin_policy& origins, bool secure) {
  if (auto refusal = refuse_form(request))
    return refusal;
  if (request.header_count("Origin") > 1
      || !origins.admits(request.header("Origin"),
                         request.header("Host").value_or(""), secure))
    return problem(403, "forbidden", "this origin may not connect");
  return std::nullopt;
}

/// The upgrade, without a subprotocol where `protocol` is empty.
std::variant<upgrade, http_response> granted(const http_request& request,
                                             dialect language,
                                             std::string_view token,
                                             std::string_view protocol) {
  if (token.size() > limits::token_bytes)
    return problem(401, "unauthenticated", "the token is too long");
  upgrade out;
  out.language = language;
  out.token = token;
  out.origin = request.header("Origin").value_or("");
  out.response = "HTTP/1.1 101 Switching Protocols\r\n"
                 "Upgrade: websocket\r\n"
                 "Connection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: ";
  out.response += accept_key(*request.header("Sec-WebSocket-Key"));
  if (!protocol.empty()) {
    out.response += "\r\nSec-WebSocket-Protocol: ";
    out.response += protocol;
  }
  out.response += "\r\n\r\n";
  return out;
}

} // namespace

std::string accept_key(std::string_view key) {
  std::string text{key};
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(),
                 nullptr)
      != 1)
    return {};
  std::array<unsigned char, 64> encoded{};
  const auto length
    = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()),
          static_cast<std::size_t>(length)};
}

std::variant<upgrade, http_response>
negotiate_upgrade(const http_request& request, const origin_policy& origins,
                  bool secure) {
  if (auto refusal = refuse(request, origins, secure))
    return std::move(*refusal);
  const auto offered = read_offer(request);
  if (!offered.language)
    return problem(400, "bad_request",
                   "offer the subprotocol rollcall.v1.json or "
                   "rollcall.v1.msgpack");
  return granted(request, *offered.language, offered.token,
                 offered.language == dialect::json ? json_protocol
                                                   : msgpack_protocol);
}

bool wants_board(const http_request& request) {
  return first_offered(request,
                       {json_protocol, msgpack_protocol, board_protocol})
         == board_protocol;
}

std::variant<upgrade, http_response>
negotiate_plain(const http_request& request, const origin_policy& origins,
                bool secure, std::string_view cookie) {
  if (auto refusal = refuse(request, origins, secure))
    return std::move(*refusal);
  auto token = read_offer(request).token;
  if (token.empty())
    token = request.cookie(cookie);
  return granted(request, dialect::json, token,
                 first_offered(request, {events_protocol, board_protocol}));
}

} // namespace rollcall::edge
