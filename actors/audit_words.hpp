#pragma once

// What records say, as the `name=value` words of audit entries. Pure. Names are
// those of docs/protocol.md, but that the setting `host` is `host_policy` here,
// and each of `roles` an `admits`. Nothing in a value can end its word: a space
// in it becomes `_`; in the id of a user `%20`, and `_` and `%` become `%5F`
// and
// `%25`. Session codes and the names of people are not told, only that they are
// there.

#include "actors/records.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace rollcall {

[[nodiscard]] std::string describe(const session_record& kept);
[[nodiscard]] std::string describe(const member_record& known);
[[nodiscard]] std::string describe(const ban_record& ban);
[[nodiscard]] std::string describe(const round_record& round);

/// Whether words of an entry name that user: as a host. Entries of earlier
/// builds have `_` for the spaces of an id, and do not tell it from `_`: they
/// name either user.
[[nodiscard]] bool names_user(std::string_view words, const user_id& user);

/// Which of several records of its kind it is, if the entry's target does not
/// say that already.
[[nodiscard]] std::string subject_of(const record& one);

/// Those words of `before` that are not in `after`, and the other way round,
/// each within limits::audit_text_bytes.
[[nodiscard]] std::pair<std::string, std::string>
changed_words(std::string_view before, std::string_view after);

} // namespace rollcall
