#pragma once

// The claims of a token whose signature is good. Internal to edge/auth.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "edge/auth/token.hpp"
#include "edge/protocol/value.hpp"

namespace rollcall::edge {

/// Checks the claims against the key that signed them and the time. Claims
/// this page does not know are ignored, as RFC 7519 asks.
[[nodiscard]] result<verified_token> read_claims(const value& claims,
                                                 const signing_key& key,
                                                 const token_config& config,
                                                 millis wall_now);

} // namespace rollcall::edge
