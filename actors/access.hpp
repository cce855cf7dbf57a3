#pragma once

// Who may see a session and who may enter it, and what the names of roles and
// permissions are good for. Pure.

#include "actors/changes.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

// Roles and permissions with a meaning of their own. All other names are the
// caller's business.
inline constexpr std::string_view owner_role = "owner";
inline constexpr std::string_view moderator_role = "moderator";
inline constexpr std::string_view can_speak = "can_speak";
inline constexpr std::string_view can_video = "can_video";
inline constexpr std::string_view can_moderate = "can_moderate";
/// Lets a member choose a name where `own_names` is not set.
inline constexpr std::string_view own_name = "own_name";

/// How a session knows a caller.
struct standing {
  bool is_member = false;
  bool is_present = false;
  bool is_creator = false;
  /// The session's group has it as a member, or had when it joined: whoever
  /// is taken out is here no more.
  bool in_group = false;
};

/// What the access of a session lets a caller do.
struct admittance {
  /// Otherwise there is no such session.
  bool sees = false;
  bool enters = false;

  friend bool operator==(const admittance&, const admittance&) = default;
};

/// Decides for a caller with a user id. `code` is the session's own. Whoever
/// created a session sees it, and enters as others do.
[[nodiscard]] admittance admit(const kind_settings& settings,
                               std::string_view code, const identity& caller,
                               standing known);

/// Whether the token names the session's group.
[[nodiscard]] bool claims_group(const kind_settings& settings,
                                const identity& caller);

[[nodiscard]] bool has_name(const std::vector<std::string>& names,
                            std::string_view name);

/// The permission needed to turn on a live key where media are gated; empty:
/// none.
[[nodiscard]] std::string_view gate_of(std::string_view live_key) noexcept;

/// Whether a value of a gated key turns it on: anything but false.
[[nodiscard]] bool turns_on(const live_value& value) noexcept;

} // namespace rollcall
