#pragma once

// What a client says in the words of `vocabulary::board`. It is present by a
// lease: whoever says nothing for the session's `timeout` is gone.

#include "actors/client.hpp"
#include "edge/connection/onlooker_shell.hpp"

namespace rollcall::edge {

/// Does what was asked, if it is from whom it says; else says why not.
void take_board_message(onlooker_ptr self, const client_request& asked);

/// The client was removed from the session.
void take_board_removal(onlooker_ptr self, const removed_direct& why);

/// Its socket is gone: on purpose, or it may come back while the lease lasts;
/// what it then left behind is continued (see `board_seats`).
void leave_board(onlooker_ptr self, bool goodbye);

} // namespace rollcall::edge
