#pragma once

// The secret a client puts into its next `hello` to continue a connection.
// Stateless: any node with the namespace's secret can open what another made.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"

#include <string>
#include <string_view>

namespace rollcall::edge {

/// Binds `connection` to its user: 43 characters of base64url. An anonymous
/// connection has an empty user.
[[nodiscard]] std::string make_resume_key(std::string_view secret,
                                          const namespace_id& ns,
                                          const user_id& user,
                                          const connection_id& connection);

/// The connection that `key` continues. `unauthenticated` on `resume` for
/// whatever was not made by `make_resume_key` with the same secret, namespace
/// and user.
[[nodiscard]] result<connection_id> open_resume_key(std::string_view secret,
                                                    const namespace_id& ns,
                                                    const user_id& user,
                                                    std::string_view key);

} // namespace rollcall::edge
