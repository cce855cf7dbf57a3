#pragma once

// JSON text to `value` (RFC 8259, stricter where parsers disagree).

#include "actors/base/errors.hpp"
#include "edge/protocol/value.hpp"

#include <string_view>

namespace rollcall::edge {

/// Decodes exactly one JSON text. Refused with `bad_request`, `field` naming
/// the path (`live.step`, `permissions[2]`) where there is one: duplicate
/// keys, more than limits::nesting_depth levels or limits::container_items
/// items, integers beyond ±(2^53 − 1), `-0`, numbers that overflow, text that
/// is not UTF-8 or has lone surrogates, a byte order mark, anything after the
/// value. More than limits::frame_bytes are `too_large`. Needs no recursion.
/// When it fails, `partial` (if given) has what was read before.
[[nodiscard]] result<value> decode_json(std::string_view text,
                                        value* partial = nullptr);

} // namespace rollcall::edge
