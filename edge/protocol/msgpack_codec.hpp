#pragma once

// msgpack bytes to `value`: the part of msgpack that JSON can say.

#include "actors/base/errors.hpp"
#include "edge/protocol/value.hpp"

#include <string_view>

namespace rollcall::edge {

/// Decodes exactly one msgpack object, under the rules of `decode_json`.
/// Refused besides: `bin` and `ext`, keys that are not `str`, the reserved
/// byte 0xc1, numbers that are not finite, missing and trailing bytes.
/// Announced sizes are believed only as far as bytes follow.
[[nodiscard]] result<value> decode_msgpack(std::string_view bytes,
                                           value* partial = nullptr);

} // namespace rollcall::edge
