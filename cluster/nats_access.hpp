#pragma once

// Whether NATS lets a node do what it needs, asked before it starts: later a
// missing right looks like silence.

#include "actors/base/errors.hpp"
#include "cluster/nats_connection.hpp"

namespace rollcall::cluster {

/// Subscribes and publishes once where this node will, over a connection of
/// its own, in ways that have no effect. A `core` node needs JetStream as
/// well. Waits for a server as `nats_connection::open` does, and fails with
/// the same; also with `forbidden`, which names every right that is missing
/// and the setting, and `unavailable` when JetStream is off.
[[nodiscard]] result<done> check_nats_access(const nats_options& options,
                                             bool core);

} // namespace rollcall::cluster
