#pragma once

// The keyed and plain hashes that ids are turned into, all SHA-256 (OpenSSL).

#include "actors/base/ids.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall {

using digest256 = std::array<unsigned char, 32>;

[[nodiscard]] digest256 sha256(std::string_view bytes);
[[nodiscard]] digest256 hmac_sha256(std::string_view key,
                                    std::string_view bytes);

/// Compares in a time that does not depend on where the difference is.
[[nodiscard]] bool equal_constant_time(std::string_view a,
                                       std::string_view b) noexcept;

/// Bytes from the operating system's generator.
[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::uint64_t random_u64();

/// Which partition a session belongs to: the first eight bytes of
/// SHA-256(namespace, 0, id), big-endian, modulo `partitions`. Fixed for the
/// life of a cluster.
[[nodiscard]] partition_id partition_of(const session_key& key,
                                        std::uint32_t partitions);

/// The public id of a user: base64url of the first 16 bytes of
/// HMAC-SHA256(secret, namespace, 0, user). Deterministic per namespace and
/// not invertible without the secret.
[[nodiscard]] participant_id make_participant_id(std::string_view secret,
                                                 const namespace_id& ns,
                                                 const user_id& user);

} // namespace rollcall
