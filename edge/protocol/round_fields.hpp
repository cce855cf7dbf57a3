#pragma once

// The fields of requests about rounds. Internal to edge/protocol; each reads
// one field of `in` and leaves what is wrong there.

#include "actors/records.hpp"
#include "edge/protocol/field_reader.hpp"

#include <optional>

namespace rollcall::edge {

/// `schema`, `roles`, `revise`, `results`, `progress`. Whether the schema makes
/// sense is the session's to say.
[[nodiscard]] round_rules read_round_rules(field_reader& in);

/// The map `answer`.
[[nodiscard]] datum read_answer(field_reader& in);

/// `starts_at`: absent, null (no start) or Unix milliseconds.
[[nodiscard]] std::optional<std::optional<millis>>
read_start(field_reader& in, bool removal_allowed);

} // namespace rollcall::edge
