#pragma once

// Where log lines go: JSON lines for machines, text for terminals.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/log.hpp"
#include "actors/base/metrics.hpp"
#include "actors/base/rate_limiter.hpp"
#include "edge/config/config.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rollcall::edge {

/// `{"at":"2025-01-31T12:00:00.000Z","level":"info","subject":…,"event":…}`
/// and the fields, without line end. Texts are cut at log_field::most,
/// malformed UTF-8 is replaced and control characters are escaped. `suppressed`
/// lines before this one are mentioned.
[[nodiscard]] std::string json_line(const log_line& line, millis wall,
                                    std::uint64_t suppressed);

/// The same for people: `2025-01-31T12:00:00.000Z info  subject event a=1`.
[[nodiscard]] std::string text_line(const log_line& line, millis wall,
                                    std::uint64_t suppressed);

/// Lets each (subject, event) pass so often: a flood of one line must not
/// bury the others. Beyond limits::log_event_keys pairs share one allowance.
/// Not thread-safe.
class log_gate {
public:
  explicit log_gate(rate_rule rule) : rule_(rule) {
    // nop
  }

  /// Nothing if the line is to be dropped, else how many lines of its kind
  /// were dropped since the last one that passed.
  [[nodiscard]] std::optional<std::uint64_t>
  admit(std::string_view subject, std::string_view event, millis now);

private:
  struct entry {
    token_bucket bucket;
    std::uint64_t suppressed = 0;
  };

  rate_rule rule_;
  std::map<std::pair<std::string, std::string>, entry> entries_;
  entry others_;
};

/// Opens the sink and makes it the process's own. A second call replaces the
/// first. Fails if the file cannot be opened. Counts lines in `figures`,
/// which must live until `stop_logging`.
[[nodiscard]] result<done> start_logging(const log_settings& settings,
                                         metrics::registry& figures);

/// Writes what is queued and closes. Later lines are dropped.
void stop_logging() noexcept;

} // namespace rollcall::edge
