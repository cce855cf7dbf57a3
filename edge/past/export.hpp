#pragma once

// Pages of history as files: newline-delimited JSON, or CSV (RFC 4180). Pure;
// one call for each page, so that an export of any size is written page by
// page. The first page of a CSV begins with the names of its columns.

#include "actors/history.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall::edge {

enum class export_format : std::uint8_t { ndjson, csv };

/// `application/x-ndjson`, `text/csv; charset=utf-8; header=present`.
[[nodiscard]] std::string_view content_type(export_format format) noexcept;

/// The stays, or the people, of an answer to `get_history`; of a summary its
/// timeline. Times are Unix milliseconds.
[[nodiscard]] std::string export_page(export_format format,
                                      const history_reply& page, bool first);

[[nodiscard]] std::string export_page(export_format format,
                                      const audit_reply& page, bool first);

} // namespace rollcall::edge
