#pragma once

// What the answers of /meetings have in common. Internal to edge/rest.

#include "actors/changes.hpp"
#include "edge/protocol/writers.hpp"
#include "edge/rest/route.hpp"

#include <cstddef>
#include <string>

namespace rollcall::edge {

/// About what one person takes in an answer.
inline constexpr std::size_t person_bytes = 256;

/// `2025-11-21T10:00:00.000Z`: what pages give to `new Date`.
[[nodiscard]] std::string iso_time(millis wall);

/// The keys `fullName`, `email`, `joinedAt` and `lastSeen`.
void write_facts(json_writer& to, const participant_view& who);

/// The keys `success` and `meetingId`.
void write_success(json_writer& to, const rest_answer& what);

} // namespace rollcall::edge
