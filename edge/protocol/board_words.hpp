#pragma once

// The messages of `vocabulary::board` (docs/rest.md, "Boards"): JSON, a name
// and data. Pure; payloads, not yet framed.

#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "edge/protocol/visibility.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// What a client says of a session, as the protocol has it:
/// `participant-joined` is a leased join, `status-update` sets live keys,
/// `heartbeat` renews, `participant-left` leaves, `request-sync` attaches.
[[nodiscard]] result<client_request> decode_board(std::string_view payload,
                                                  const session_id& session);

/// `participants-sync`: everyone.
[[nodiscard]] std::string encode_board_sync(const viewer& who,
                                            const snapshot& what, millis wall);

/// Calls `each` with every message that `who` is to be told of the batch, in
/// the order of its revisions.
void for_each_board_message(
  const viewer& who, const batch& what, millis wall,
  const std::function<void(const std::string&)>& each);

[[nodiscard]] std::string encode_board_error(const failure& why);

/// `participant-left`: the one who is told.
[[nodiscard]] std::string encode_board_left(const participant_id& who,
                                            leave_reason reason, millis wall);

/// A live key in the board's spelling, and back: `current_step`, `currentStep`.
[[nodiscard]] std::string to_camel(std::string_view key);
[[nodiscard]] std::string to_snake(std::string_view key);

} // namespace rollcall::edge
