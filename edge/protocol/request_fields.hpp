#pragma once

// The composite fields that requests share. Internal to edge/protocol; each
// reads one field of `in` and leaves what is wrong there.

#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "actors/kind.hpp"
#include "edge/protocol/field_reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// Integer or text of 1–64 bytes; monostate when absent or bad.
[[nodiscard]] request_id read_request_id(field_reader& in);

[[nodiscard]] session_id read_session(field_reader& in);

/// `connection_id`, as an answer gave it.
[[nodiscard]] std::optional<connection_id> read_connection(field_reader& in);

[[nodiscard]] op_id read_op_id(field_reader& in);

/// The first eight bytes of the text's SHA-256, as a number.
[[nodiscard]] std::uint64_t short_digest(std::string_view text);

/// A digest of what a request asks: of all its fields, in whatever order and
/// encoding they came, but those that may differ when it is sent again (`id`,
/// `since` and `view`).
[[nodiscard]] std::uint64_t digest_of(const value::map& request);

/// `[epoch, rev]`.
[[nodiscard]] std::optional<version> read_version(field_reader& in,
                                                  std::string_view key);

/// One of `roster`, `events`, `count` and, where `none_allowed`, `none`,
/// which gives nothing. `roster` when absent.
[[nodiscard]] std::optional<view> read_view(field_reader& in,
                                            bool none_allowed);

/// A boolean, a number, or a text of at most limits::live_value_bytes.
[[nodiscard]] std::optional<live_value> as_live_value(const value& content);

/// The map `live`. An absent value (null) only where `removal_allowed`.
[[nodiscard]] live_update read_live(field_reader& in, need how,
                                    bool removal_allowed);

/// `device` and `place`; of the place only what may be kept.
[[nodiscard]] connection_facts read_facts(field_reader& in);

/// Null for `group`, `default_role` or `code` is an empty text: there is none.
[[nodiscard]] settings_patch read_settings(field_reader& in, need how);

/// Whom a command is about: `user` or `participant_id`, one of them.
template <class Command>
void read_target(field_reader& in, Command& out) {
  auto user = in.checked("user", check_id);
  auto participant = in.checked("participant_id", check_id);
  if (user && participant)
    in.refuse("participant_id", "excludes user");
  if (!user && !participant)
    in.refuse("user", "is missing");
  out.user = user_id{std::move(user).value_or("")};
  out.participant = participant_id{std::move(participant).value_or("")};
}

/// The list `permissions`: names, none twice.
/// A list of names of permissions, none twice.
[[nodiscard]] std::optional<std::vector<std::string>>
read_permissions(field_reader& in, std::string_view key);

/// The session's `code`; empty when absent.
[[nodiscard]] std::string read_code(field_reader& in);

} // namespace rollcall::edge
