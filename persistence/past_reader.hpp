#pragma once

// Answers to questions that may look at many records: the past of a session,
// listings, what is to be swept or erased. Each is bounded, and says where to
// go on. Reads only, on any thread that may read the store.

#include "actors/kind.hpp"
#include "actors/ports.hpp"
#include "actors/store_questions.hpp"

#include <span>

namespace rollcall {

/// Answers `asked`. `kinds` says who may see a session of which kind.
/// `bad_request` names a field of the question; anything else is the store's.
[[nodiscard]] result<store_findings>
answer_question(store& from, std::span<const kind_settings> kinds,
                const store_question& asked);

} // namespace rollcall
