#include "edge/rest/plain_paths.hpp"

#include "edge/net/handshake.hpp"
#include "edge/rest/target.hpp"

#include <utility>

namespace rollcall::edge {

namespace {

/// A board on the socket of the native protocol, which names no session.
result<plain_socket> board_of(std::string_view query) {
  auto fields = decode_query(query);
  if (!fields)
    return fields.error();
  plain_socket out{{}, vocabulary::board};
  for (const auto& [name, text] : *fields) {
    if (name != "session")
      return fail(errc::bad_request, "is not known", name);
    auto good = check_id(text, "session");
    if (!good)
      return good.error();
    out.session = session_id{std::move(*good)};
  }
  if (out.session.empty())
    return fail(errc::bad_request, "is missing", "session");
  return out;
}

} // namespace

std::optional<result<plain_socket>>
find_plain_socket(const http_request& request) {
  const auto path = request.path();
  if (path == connect_path)
    return wants_board(request) ? std::optional{board_of(request.query())}
                                : std::nullopt;
  constexpr std::string_view tail = "/participants/ws";
  auto words = vocabulary::stream;
  if (path.starts_with("/boards/"))
    words = vocabulary::board;
  else if (!path.starts_with("/streams/"))
    return std::nullopt;
  if (!path.ends_with(tail))
    return std::nullopt;
  auto segments = decode_path(path);
  if (!segments)
    return result<plain_socket>{segments.error()};
  if (segments->size() != 4)
    return std::nullopt;
  return result<plain_socket>{
    plain_socket{session_id{std::move((*segments)[1])}, words}};
}

} // namespace rollcall::edge
