#pragma once

// How routes read a call. Internal to edge/rest.

#include "actors/base/errors.hpp"
#include "edge/protocol/field_reader.hpp"
#include "edge/rest/route.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rollcall::edge {

/// `body` for the session that the path names first.
[[nodiscard]] session_order order_for(const rest_call& call, command_body body);

/// The same, unless something in the request's body was wrong or is left over.
[[nodiscard]] result<session_order>
finished(field_reader& in, const rest_call& call, command_body body);

/// The query's `limit`: 1 to `most`.
[[nodiscard]] result<std::uint32_t> read_limit(std::string_view text,
                                               std::size_t most);

} // namespace rollcall::edge
