#include "edge/rest/plain_paths.hpp"

#include "edge/rest/target.hpp"

#include <utility>

namespace rollcall::edge {

std::optional<result<plain_socket>> find_plain_socket(std::string_view path) {
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
