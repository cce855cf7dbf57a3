#pragma once

// Typed requests back to bytes, for tests: every field spelled out, so that
// equal texts mean equal requests.

#include "actors/client.hpp"

#include <random>
#include <string>
#include <string_view>

namespace rollcall::edge::test {

[[nodiscard]] std::string encode_request(dialect language,
                                         const client_request& what);

/// A request that decodes, drawn from everything the protocol allows.
[[nodiscard]] client_request random_request(std::mt19937_64& draw);

[[nodiscard]] std::string from_hex(std::string_view digits);
[[nodiscard]] std::string to_hex(std::string_view bytes);

} // namespace rollcall::edge::test
