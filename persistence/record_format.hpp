#pragma once

// The bytes of what is kept. A value is a msgpack array
// `[version, kind, fields...]`; the kind is the table's tag and the fields
// are positional. What the key says is not repeated in the value. Golden
// vectors: tests/vectors/record/v1/.

#include "actors/base/errors.hpp"
#include "actors/ports.hpp"
#include "actors/records.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// The version written today. A build reads this one and all before it.
inline constexpr std::uint32_t record_version = 1;

/// The keys and values that make `value` durable: one for most records, none
/// for `session_erased`, which has to look into the store first (see
/// commit_pipeline.hpp). Fails with `too_large` naming the field that is over
/// its bound in limits.hpp.
///
/// `form`: 1 to `record_form`. A record in an earlier form lacks what came
/// later and can be done without. What cannot be is written in any form once
/// somebody has used it: a build of that form cannot read this one record.
[[nodiscard]] result<std::vector<encoded_record>>
encode(const record& value, partition_id partition,
       std::uint32_t form = record_form);

/// Reads one key and its value back. Never throws; refuses unknown versions
/// and kinds, trailing bytes, wrong types and values over their bounds with
/// `internal`, naming the field.
[[nodiscard]] result<record> decode(std::string_view key,
                                    std::string_view value);

/// A partition's place in its journal, under `keys::of_checkpoint`.
[[nodiscard]] std::string encode_checkpoint(const checkpoint& at);
[[nodiscard]] result<checkpoint> decode_checkpoint(std::string_view value);

/// The schema version, under `keys::of_schema`.
[[nodiscard]] std::string encode_schema(std::uint32_t schema);
[[nodiscard]] result<std::uint32_t> decode_schema(std::string_view value);

/// How many partitions there are, under `keys::of_layout`.
[[nodiscard]] std::string encode_layout(std::uint32_t partitions);
[[nodiscard]] result<std::uint32_t> decode_layout(std::string_view value);

/// The other nodes that may have copies, under `keys::of_nodes`. Names are
/// within limits::name_bytes, and at most limits::nodes.
[[nodiscard]] std::string encode_nodes(const std::vector<std::string>& names);
[[nodiscard]] result<std::vector<std::string>>
decode_nodes(std::string_view value);

} // namespace rollcall
