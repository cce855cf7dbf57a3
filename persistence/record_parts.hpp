#pragma once

// What several fields of a record have in common to write and to read: the
// parts of a session's record, and answers with their schemas.

#include "actors/datum.hpp"
#include "actors/kind.hpp"
#include "actors/records.hpp"
#include "actors/schema.hpp"
#include "persistence/record_reader.hpp"
#include "persistence/record_writer.hpp"

#include <cstddef>

namespace rollcall {

/// What a session has of its own instead of its kind's settings.
void write_overrides(record_writer& out, const settings_patch& patch);
[[nodiscard]] settings_patch read_overrides(record_reader& in);

/// Start, phase and barrier.
void write_plan(record_writer& out, const session_record& rec);
void read_plan(record_reader& in, session_record& out);

/// What a group has beside.
void write_group(record_writer& out, const group_state& group);
[[nodiscard]] group_state read_group(record_reader& in);

/// At most limits::answer_depth deep; read by `record_reader::tree`.
void write_datum(record_writer& out, const datum& value, std::size_t depth = 0);

void write_schema(record_writer& out, const answer_schema& schema);
[[nodiscard]] answer_schema read_schema(record_reader& in);

} // namespace rollcall
