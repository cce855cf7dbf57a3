#pragma once

// base64url without padding (RFC 4648, section 5), strict both ways.

#include "actors/base/errors.hpp"

#include <string>
#include <string_view>

namespace rollcall {

[[nodiscard]] std::string base64url_encode(std::string_view bytes);

/// Refuses padding, foreign characters, impossible lengths and non-zero spare
/// bits, so that every byte string has exactly one accepted spelling.
[[nodiscard]] result<std::string> base64url_decode(std::string_view text);

} // namespace rollcall
