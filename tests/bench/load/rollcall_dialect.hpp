#pragma once

#include <memory>
#include <string>

#include "tests/bench/load/dialect.hpp"

namespace rollcall::bench {

/// The native protocol in JSON (docs/protocol.md), with a token per member
/// that is signed here with `secret` (HS256).
[[nodiscard]] std::unique_ptr<dialect>
make_rollcall_dialect(std::string secret);

} // namespace rollcall::bench
