#pragma once

// The ids of connections that HTTP leases. A client without a socket need not
// remember one: its user and the name it gives its device make it, on every
// node alike. So a repeated join renews, and never adds.

#include "actors/base/ids.hpp"

#include <string_view>

namespace rollcall::edge {

/// The leased connection of `user` in `session` that is called `device` (may
/// be empty). Keyed by `secret`: it cannot be guessed, nor taken for a
/// socket's.
[[nodiscard]] connection_id make_lease_id(std::string_view secret,
                                          const session_key& session,
                                          const user_id& user,
                                          std::string_view device);

} // namespace rollcall::edge
