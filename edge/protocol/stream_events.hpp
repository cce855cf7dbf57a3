#pragma once

// Joins and leaves in the words of `vocabulary::stream` (docs/rest.md, "Plain
// WebSocket"): JSON, one message for each. Pure; payloads, not yet framed.

#include "actors/changes.hpp"
#include "edge/protocol/visibility.hpp"

#include <cstdint>
#include <string>

namespace rollcall::edge {

/// How many are here.
[[nodiscard]] std::string encode_stream_count(const session_key& session,
                                              std::uint32_t present);

/// Calls `each` with every message that `who` is to be told of the batch, in
/// the order of its revisions. Who may see counts alone is told the last one.
template <class Each>
void for_each_stream_event(const viewer& who, const batch& what,
                           const Each& each);

/// A join or a leave.
[[nodiscard]] std::string encode_stream_event(const session_key& session,
                                              const change& what);

/// Whether the change is a join or a leave.
[[nodiscard]] bool is_stream_event(const change& what) noexcept;

template <class Each>
void for_each_stream_event(const viewer& who, const batch& what,
                           const Each& each) {
  bool counted = false;
  for (const auto& one : what.changes) {
    if (!is_stream_event(one))
      continue;
    counted = true;
    if (shows_change(who, one))
      each(encode_stream_event(what.session, one));
  }
  if (counted && granted_view(who) == view::count)
    each(encode_stream_count(what.session, what.present));
}

} // namespace rollcall::edge
