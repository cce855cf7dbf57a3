#pragma once

// What the server says unasked: the pushes of docs/protocol.md as bytes.
// The hot path: one pass, one growing string, no tree. Pure; safe on any
// thread. All functions return the payload, not yet framed for WebSocket.

#include "actors/base/instant.hpp"
#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "actors/notes.hpp"
#include "edge/protocol/close_codes.hpp"
#include "edge/protocol/visibility.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// The first word to an authenticated connection.
struct welcome_push {
  /// The `hello` it answers, if any.
  request_id re;
  connection_id connection;
  /// The secret of edge/auth/resume_key.hpp.
  std::string resume;
  millis beat{0};
  std::string node;
  /// Empty for an anonymous connection.
  user_id user;
  participant_id participant;
  /// Until the token ends.
  std::optional<millis> expires_in;
  /// What the connection may do at most.
  std::size_t frame_bytes = 0;
  std::size_t sessions = 0;
  std::size_t requests_per_second = 0;
};

[[nodiscard]] std::string encode_welcome(dialect language,
                                         const welcome_push& what);

/// A session as `who` sees it. `why` is one of the words of the page
/// (`attached`, `too_old`, …). `steady_now` is on the clock of
/// `participant_view::expires`. `stale`: this node is cut off, others may know
/// better.
[[nodiscard]] std::string
encode_snapshot(dialect language, const viewer& who, const snapshot& what,
                std::string_view why, millis steady_now, bool stale = false);

/// One tick as `who` sees it. A batch without visible changes is encoded all
/// the same: its versions and counts count.
[[nodiscard]] std::string encode_changes(dialect language, const viewer& who,
                                         const batch& what, millis steady_now,
                                         bool stale = false);

/// Successive batches as one push, for clients that resume. They must not be
/// empty and each must start where the one before ended.
[[nodiscard]] std::string encode_changes(dialect language, const viewer& who,
                                         std::span<const batch_ptr> what,
                                         millis steady_now, bool stale = false);

[[nodiscard]] std::string encode_direct(dialect language, const direct& what);

/// Precedes a close. `after` is for codes that invite to come back later.
[[nodiscard]] std::string encode_bye(dialect language, close_code code,
                                     std::optional<millis> after = {});

} // namespace rollcall::edge
