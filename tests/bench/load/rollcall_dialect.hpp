#pragma once

#include "tests/bench/load/dialect.hpp"

#include <memory>
#include <string>

namespace rollcall::bench {

/// The native protocol in JSON (docs/protocol.md), with a token per member
/// that is signed here with `secret` (HS256).
[[nodiscard]] std::unique_ptr<dialect>
make_rollcall_dialect(std::string secret);

} // namespace rollcall::bench
