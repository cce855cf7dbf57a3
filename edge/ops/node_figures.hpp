#pragma once

// Figures of the process and of its sockets, for `/metrics`.

#include "actors/base/instant.hpp"
#include "actors/base/metrics.hpp"
#include "edge/net/net_stats.hpp"

#include <functional>
#include <string>
#include <vector>

namespace rollcall::edge {

using figure_handles = std::vector<metrics::registry::callback_handle>;

/// Registers version, start (wall time), memory and descriptors. The handles
/// must not outlive `to`.
[[nodiscard]] figure_handles
register_process_figures(metrics::registry& to, const std::string& version,
                         millis started);

/// Registers what the network side counts. `read` must be thread-safe while
/// the handle lives.
[[nodiscard]] metrics::registry::callback_handle
register_network_figures(metrics::registry& to,
                         std::function<server_stats()> read);

} // namespace rollcall::edge
