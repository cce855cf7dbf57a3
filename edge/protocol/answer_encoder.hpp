#pragma once

// What the server answers: `re`, `ok` and the fields of each operation.
// Pure; returns the payload, not yet framed. An answer without request id is
// nobody's business: the callers check `wants_answer` first. The exception is
// a frame that could not be decoded, answered with `re` null.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "actors/client.hpp"
#include "actors/gather.hpp"
#include "actors/replies.hpp"
#include "edge/protocol/visibility.hpp"

#include <string>

namespace rollcall::edge {

/// Whether the client asked for an answer.
[[nodiscard]] inline bool wants_answer(const request_id& id) noexcept {
  return !std::holds_alternative<std::monostate>(id);
}

/// Answers `heartbeat`.
struct heartbeat_ack {};

/// Answers `refresh_token`.
struct refresh_ack {
  millis expires_in{0};
};

/// Answers `attach`; `granted` is what `granted_view` said.
struct attach_ack {
  session_id session;
  view granted = view::roster;
};

/// Answers `detach`.
struct detach_ack {
  session_id session;
};

/// Answers a session's operation. `who` decides what a roster page shows; the
/// other answers need no more than the session and its reply.
struct session_ack {
  const session_id& session;
  const reply& what;
  viewer who;
  millis steady_now{0};
  /// The leased connection that a join has made.
  std::optional<connection_id> connection{};
};

/// Answers `list_sessions` and `erase_user`.
struct namespace_ack {
  const gathered& what;
};

[[nodiscard]] std::string encode_error(dialect language, const request_id& id,
                                       const failure& why);

[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const heartbeat_ack& what);
[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const refresh_ack& what);
[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const attach_ack& what);
[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const detach_ack& what);
[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const session_ack& what);
[[nodiscard]] std::string encode_ack(dialect language, const request_id& id,
                                     const namespace_ack& what);

/// What the answers above say beside `re` and `ok`: a map of its own.
[[nodiscard]] std::string encode_outcome(dialect language,
                                         const session_ack& what);
[[nodiscard]] std::string encode_outcome(dialect language,
                                         const namespace_ack& what);

} // namespace rollcall::edge
