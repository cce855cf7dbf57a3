#pragma once

// The bytes of what nodes tell each other. A message is a msgpack array
// `[magic, version, min_reader, kind, name, incarnation, body]`: the versions
// say what wrote it and what can read it, name and incarnation whose it is.
// A body is an array of positional fields, nested ones likewise.
//
// Between versions: new fields go to the end of their array, where older
// readers skip them; whatever older readers would get wrong raises
// `wire_min_reader`, and is not written until every node announces a version
// that reads it. Tags and positions are never reused. Golden vectors:
// tests/vectors/node/v1/.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/ports.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// The version written today.
inline constexpr std::uint32_t wire_version = 1;
/// The oldest version that reads what is written today.
inline constexpr std::uint32_t wire_min_reader = 1;

/// A message that came in.
struct received_message {
  node_id from;
  /// What the sender writes; at least `wire_min_reader` of its time.
  std::uint32_t version = 0;
  /// Never null, nor is anything it points to.
  node_message message;
};

/// The bytes of `message` as `from` sends it. Deadlines (`expires`) travel as
/// durations from `now`, the sender's steady time. Fails with `too_large`,
/// naming the field, for what is over its bound in limits.hpp, and with
/// `internal` for a null message, text that is not UTF-8 and numbers that are
/// not finite.
[[nodiscard]] result<std::string> encode(const node_message& message,
                                         const node_id& from, millis now);

/// Reads a message. `now` is the reader's steady time, which its deadlines
/// count from. Trusts nothing: every length, count and depth is checked before
/// memory is taken for it. Fails with `bad_request`, naming the field, for what
/// is malformed, of an unknown kind, or written for newer readers only. Never
/// throws but for want of memory.
[[nodiscard]] result<received_message> decode(std::string_view bytes,
                                              millis now);

} // namespace rollcall::cluster
