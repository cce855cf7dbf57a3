#pragma once

// Strong ids. Two ids of different kinds never compare, and an id that was
// not checked never becomes one: `make_*` is the only door from user input.

#include "actors/base/errors.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace rollcall {

/// Text with a meaning: `Tag` keeps the meanings apart at compile time.
template <class Tag>
class text_id {
public:
  text_id() = default;

  explicit text_id(std::string value) : value_(std::move(value)) {
    // nop
  }

  [[nodiscard]] const std::string& str() const noexcept {
    return value_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return value_.empty();
  }

  friend auto operator<=>(const text_id&, const text_id&) = default;

private:
  std::string value_;
};

using namespace_id = text_id<struct namespace_tag>;
using session_id = text_id<struct session_tag>;
using user_id = text_id<struct user_tag>;
/// The public name of a user: a keyed hash, 22 characters of base64url.
using participant_id = text_id<struct participant_tag>;
/// A client's operation id; empty when the client gave none.
using op_id = text_id<struct op_tag>;

/// Checks user input against the rule for ids: 1–128 bytes of UTF-8 without
/// control characters, compared bytewise (no normalisation).
/// `field` is named in the failure.
[[nodiscard]] result<std::string> check_id(std::string_view text,
                                           std::string_view field);

/// Checks a short name (role, permission, live key): `[a-z0-9_.-]{1,32}`.
[[nodiscard]] result<std::string> check_name(std::string_view text,
                                             std::string_view field);

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// What a session is addressed by, everywhere.
struct session_key {
  namespace_id ns;
  session_id id;

  friend auto operator<=>(const session_key&, const session_key&) = default;
};

// Groups are kept among the sessions, under ids that `check_id` refuses: no
// client can name one of these, and nobody can be in it.

/// Checks the id of a group that is kept: as `check_id`, and at most
/// limits::group_id_bytes.
[[nodiscard]] result<std::string> check_group_id(std::string_view text,
                                                 std::string_view field);

/// Where a group is kept.
[[nodiscard]] session_id place_of_group(std::string_view group);

/// Whether a group is kept there, and which.
[[nodiscard]] bool is_group(const session_id& id) noexcept;
[[nodiscard]] std::string_view group_at(const session_id& place) noexcept;

/// A running node. A restarted node is another node: `incarnation` is drawn
/// at start and never repeats.
struct node_id {
  std::string name;
  std::uint64_t incarnation = 0;

  friend auto operator<=>(const node_id&, const node_id&) = default;
};

/// One client's way in. Never reused: a resume is a new id naming the old.
/// `high` is drawn at the node's start, `low` counts there.
struct connection_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] bool valid() const noexcept {
    return high != 0 || low != 0;
  }

  friend auto operator<=>(const connection_id&, const connection_id&) = default;
};

/// 32 hex digits.
[[nodiscard]] std::string to_string(const connection_id& id);
[[nodiscard]] result<connection_id> parse_connection_id(std::string_view text);

/// A slice of all entities. `partition_of` decides; see hash.hpp.
using partition_id = std::uint32_t;

/// An ownership of a partition: `generation * 2^40 + claim sequence`. Grows
/// with every claim; stays below 2^53 so that JSON carries it exactly.
using epoch_t = std::uint64_t;
/// Per session, +1 for each visible change.
using revision_t = std::uint64_t;
/// A place in a partition's journal.
using position_t = std::uint64_t;

inline constexpr std::uint64_t epoch_generation_unit = std::uint64_t{1} << 40;

/// Orders everything an observer of a session sees.
struct version {
  epoch_t epoch = 0;
  revision_t rev = 0;

  friend auto operator<=>(const version&, const version&) = default;
};

} // namespace rollcall

template <class Tag>
struct std::hash<rollcall::text_id<Tag>> {
  std::size_t operator()(const rollcall::text_id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};

template <>
struct std::hash<rollcall::session_key> {
  std::size_t operator()(const rollcall::session_key& key) const noexcept {
    auto seed = std::hash<std::string>{}(key.ns.str());
    return seed * 1'099'511'628'211ULL ^ std::hash<std::string>{}(key.id.str());
  }
};

template <>
struct std::hash<rollcall::connection_id> {
  std::size_t operator()(const rollcall::connection_id& id) const noexcept {
    return static_cast<std::size_t>(id.high * 0x9E3779B97F4A7C15ULL ^ id.low);
  }
};
