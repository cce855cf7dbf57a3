#pragma once

// The target of a request, decoded once and strictly: what a proxy and we
// could read differently is refused.

#include "actors/base/errors.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::edge {

/// The segments of a path, decoded.
using path_segments = std::vector<std::string>;

/// Splits `path` at its slashes and decodes each segment once. `bad_request`
/// on `path` for: segments that are empty or `.` or `..`, bytes that a URL must
/// not have, `%` without two hex digits, an encoded slash or control character,
/// an escape that is there still after decoding, text that is not UTF-8, a
/// segment of more than limits::id_bytes, and more than limits::path_segments
/// segments.
[[nodiscard]] result<path_segments> decode_path(std::string_view path);

using query_fields = std::vector<std::pair<std::string, std::string>>;

/// The fields of a query, in order. Values are decoded as path segments are
/// (`+` is a plus sign). No name twice; at most limits::query_fields.
/// `field` of a refusal is the name.
[[nodiscard]] result<query_fields> decode_query(std::string_view query);

/// `text` as one segment of a path.
[[nodiscard]] std::string encode_segment(std::string_view text);

} // namespace rollcall::edge
