#pragma once

// Session ids that the server makes up: eight characters that people can read
// to each other.

#include "actors/base/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// Drawn from the operating system's generator: 40 bits.
[[nodiscard]] std::string draw_session_code();

/// The same code for the same operation of the same user, so that a repetition
/// finds what was made. `draw` counts from one.
[[nodiscard]] std::string session_code_for(std::string_view secret,
                                           const namespace_id& ns,
                                           const user_id& user, const op_id& op,
                                           std::uint32_t draw);

} // namespace rollcall::edge
