#pragma once

// What records say, as the `name=value` words of audit entries. Pure. Names are
// those of docs/protocol.md; nothing in a value can end its word, a space in it
// becomes `_`. Session codes and the names of people are not told, only that
// they are there.

#include "actors/records.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace rollcall {

[[nodiscard]] std::string describe(const session_record& kept);
[[nodiscard]] std::string describe(const member_record& known);
[[nodiscard]] std::string describe(const ban_record& ban);
[[nodiscard]] std::string describe(const round_record& round);

/// Which of several records of its kind it is, if the entry's target does not
/// say that already.
[[nodiscard]] std::string subject_of(const record& one);

/// Those words of `before` that are not in `after`, and the other way round,
/// each within limits::audit_text_bytes.
[[nodiscard]] std::pair<std::string, std::string>
changed_words(std::string_view before, std::string_view after);

} // namespace rollcall
