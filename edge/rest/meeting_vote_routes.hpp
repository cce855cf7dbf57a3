#pragma once

// The votes of a meeting, in the words of /meetings: two rounds that somebody
// who moderates has opened, and who has answered them.

#include "edge/rest/route.hpp"

#include <span>

namespace rollcall::edge {

[[nodiscard]] std::span<const route> meeting_vote_routes();

} // namespace rollcall::edge
