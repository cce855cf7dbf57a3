#pragma once

// What answers are made of, for all routes.

#include "actors/base/errors.hpp"
#include "edge/net/http_message.hpp"
#include "edge/protocol/message_parts.hpp"
#include "edge/rest/route.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// An answer that `write(json_writer&)` writes.
template <class Write>
[[nodiscard]] http_response json_answer(unsigned status, Write write,
                                        std::size_t expected = 512) {
  http_response out;
  out.status = status;
  out.content_type = "application/json";
  out.body.reserve(expected);
  json_writer to{out.body};
  write(to);
  to.finish();
  out.body += '\n';
  return out;
}

/// The tag of what a caller with these rights sees at `at`. Weak: spans such
/// as `expires_in_ms` pass without a new version.
[[nodiscard]] std::string entity_tag(const version& at, capability_set grants);

/// `out` with the headers of something that was read: may be kept, but is to
/// be asked for again each time.
[[nodiscard]] http_response read_answer(http_response out,
                                        const rest_answer& what);

/// The tag of something that can be changed, as a caller with these rights sees
/// it at `at`: `"<changed>.<at>-<rights>"`. Presence changes only the second
/// half; `If-Match` is about the first.
[[nodiscard]] std::string record_tag(const version& changed, const version& at,
                                     capability_set grants);

/// What an `If-Match` wants: a tag of ours, the first half of one, or `*`.
[[nodiscard]] std::optional<precondition> read_condition(std::string_view text);

/// As read_answer, of something that can be changed.
[[nodiscard]] http_response tagged_answer(http_response out,
                                          const rest_answer& what,
                                          const version& changed);

/// What every change is answered with, into a map that is open.
void write_change(json_writer& to, const rest_answer& what);

/// The answer to a change: `session`, `level`, `at`, `present`, `total`.
[[nodiscard]] http_response change_answer(const rest_answer& what);

/// Where a page of a list goes on.
[[nodiscard]] std::string write_cursor(const version& after);
[[nodiscard]] std::optional<version> read_cursor(std::string_view text);

} // namespace rollcall::edge
