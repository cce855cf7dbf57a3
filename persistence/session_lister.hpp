#pragma once

// One partition's page of a listing: which sessions or groups there are, as far
// as the caller may know; and which sessions a group has. Reads only.

#include "actors/kind.hpp"
#include "actors/ports.hpp"
#include "actors/store_questions.hpp"

#include <span>

namespace rollcall {

/// Sessions of a namespace behind `after`, in key order; looks at
/// limits::list_scan of them at most. `kinds` says who may see a session of
/// which kind.
[[nodiscard]] result<list_reply>
list_sessions(store& from, std::span<const kind_settings> kinds,
              const list_question& asked);

/// The sessions of a group, likewise.
[[nodiscard]] result<found_sessions>
find_sessions_of(store& from, std::span<const kind_settings> kinds,
                 const group_question& asked);

} // namespace rollcall
