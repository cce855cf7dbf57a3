#pragma once

// All clients of a relay that receive the same bytes, and those bytes.

#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "actors/ports.hpp"
#include "edge/protocol/visibility.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace rollcall::edge {

struct variant_key {
  dialect language = dialect::json;
  viewer who;
  vocabulary words = vocabulary::native;

  /// The low byte of the channel's number.
  [[nodiscard]] std::uint64_t code() const noexcept {
    // Only the native words come in two languages.
    auto form = words == vocabulary::native
                  ? static_cast<std::uint64_t>(language)
                  : 1 + static_cast<std::uint64_t>(words);
    return (form & 1) | static_cast<std::uint64_t>(who.wanted) << 1
           | static_cast<std::uint64_t>(who.rank) << 3
           | static_cast<std::uint64_t>(who.shown) << 5 | (form >> 1) << 7;
  }
};

/// When something is said, and by a node that is cut off or not.
struct said_at {
  instant now;
  bool stale = false;
};

/// The whole session.
[[nodiscard]] frame_ptr frame_of(const variant_key& to, const snapshot& whole,
                                 std::string_view why, said_at when);

/// One tick. Null where these clients are told nothing of it. Several messages
/// are several WebSocket frames, one behind the other.
[[nodiscard]] frame_ptr frame_of(const variant_key& to, const batch& next,
                                 said_at when);

/// Successive ticks, not empty.
[[nodiscard]] frame_ptr frame_of(const variant_key& to,
                                 std::span<const batch_ptr> missed,
                                 said_at when);

} // namespace rollcall::edge
