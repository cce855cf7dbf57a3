#pragma once

// What a NATS server says of itself before anything else, and whether a
// journal can be trusted to it.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"

#include <string>
#include <string_view>

namespace rollcall::cluster {

/// A server's first line (INFO), which is not encrypted.
struct nats_greeting {
  std::string version;
  bool jetstream = false;
};

/// Refuses servers without JetStream, those older than what the journal was
/// tested with, and those that are known to lose acknowledged messages: 2.10.20
/// to 2.10.22 (whole streams, nats-server#6888), 2.12.7 to 2.12.9 and 2.14.0 to
/// 2.14.1 (last values per subject at a restart, nats-server#8254). The
/// failure says what to install or set. Pure.
[[nodiscard]] result<done> check_greeting(const nats_greeting& of);

/// Reads the greeting out of an INFO line. Pure.
[[nodiscard]] result<nats_greeting> parse_greeting(std::string_view line);

/// Connects, reads the line and goes; waits at most `patience` for each step.
/// `unavailable` when nobody answers.
[[nodiscard]] result<nats_greeting> ask_greeting(const std::string& url,
                                                 millis patience);

} // namespace rollcall::cluster
