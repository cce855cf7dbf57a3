#pragma once

// What `/metrics` answers. Pure.

#include "actors/base/metrics.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// The media type of `metrics_text`.
inline constexpr std::string_view metrics_content_type
  = "text/plain; version=0.0.4; charset=utf-8";

/// The text exposition format of Prometheus, version 0.0.4.
[[nodiscard]] std::string
metrics_text(const std::vector<metrics::metric_reading>& all);

/// The rows of docs/metrics.md: name, type, labels, help.
[[nodiscard]] std::string
metrics_table(const std::vector<metrics::metric_reading>& all);

} // namespace rollcall::edge
