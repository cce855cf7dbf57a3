#pragma once

// One well-filled message for every alternative that nodes can send each
// other, the same in every run.

#include "actors/ports.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall::samples {

/// The node that sends the samples, and its steady time.
inline const node_id sender{"core-1", 0x0123456789abcdef};
inline constexpr millis sent_at{1'000'000};

participant_view ada();
participant_view bob();

std::vector<change_body> change_bodies();
snapshot_ptr a_snapshot();

/// Each with a name of its own.
std::vector<std::pair<std::string, node_message>> messages();

} // namespace rollcall::samples
