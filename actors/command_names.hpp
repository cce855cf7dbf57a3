#pragma once

// What commands are called: in the audit log, and where the protocol has no
// other word.

#include "actors/commands.hpp"

#include <string_view>

namespace rollcall {

/// Lives as long as the program.
[[nodiscard]] std::string_view name_of(const command_body& body);

} // namespace rollcall
