#pragma once

// One message at the end of a stream that others may be writing: a claim, or
// a seal (docs/decisions/0013-fenced-claims.md).

#include "actors/base/limits.hpp"
#include "cluster/journal_format.hpp"
#include "cluster/nats_requests.hpp"
#include "cluster/stream_api.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// What it asks of a stream; all on the caller's thread.
struct end_calls {
  /// Publishes under the message's subject and waits for the answer.
  std::function<asked(const nats_requests::headers&, std::string_view,
                      steady_time until)>
    publish;
  /// The last message under that subject, by the stream's leader.
  std::function<result<std::optional<message_answer>>(steady_time until)> last;
  /// The stream's last sequence, by its leader.
  std::function<result<position_t>(steady_time until)> end;
  std::function<void(steady_time until)> pause;
  std::function<bool()> stopped;
  std::function<steady_time()> now;
};

/// Over a real stream. `ask` outlives it.
[[nodiscard]] end_calls end_calls_of(nats_requests& ask,
                                     const std::string& stream,
                                     const std::string& subject);

/// Where the end is believed to be, and at how many ends it may be tried.
struct end_place {
  position_t end = 0;
  std::size_t tries = limits::journal_end_tries;
};

struct end_written {
  position_t position = 0;
  /// How many ends it was tried at: 1 where nobody else wrote.
  std::size_t tries = 0;
};

/// Writes `entry`, which gets its `op` and `epoch` here, at `place`, or
/// behind whatever others have written by then. Each try expects one end and
/// has an id of its own, so that it is taken once or never, on all replicas
/// alike. Where an answer was lost, only what is the last under its subject is
/// ours: one that another has followed is nobody's.
///
/// `unavailable` when it was not taken until `until`, nor at
/// as many ends as it may be tried at. Should it have arrived all the same, its
/// place is known to nobody: it only fences.
[[nodiscard]] result<end_written>
write_at_end(const end_calls& with, const std::string& stream,
             journal_entry entry, end_place place, millis resend_after,
             steady_time until);

} // namespace rollcall::cluster
