#pragma once

// Who sees what. Every rule about hiding is here and nowhere else; the
// encoders only ask.

#include "actors/changes.hpp"
#include "actors/client.hpp"
#include "actors/kind.hpp"

#include <variant>

namespace rollcall::edge {

/// All clients for which the same bytes are right (besides the dialect).
struct viewer {
  /// What was asked for; `granted_view` says what is given.
  view wanted = view::roster;
  audience rank = audience::everyone;
  /// The session's identity mode.
  identity_mode shown = identity_mode::named;

  friend bool operator==(const viewer&, const viewer&) = default;
};

/// Moderators see everyone whatever the mode.
[[nodiscard]] constexpr bool is_moderator(const viewer& who) noexcept {
  return who.rank == audience::moderator;
}

/// Under `count_only` others than moderators get the `count` view.
[[nodiscard]] constexpr view granted_view(const viewer& who) noexcept {
  return who.shown == identity_mode::count_only && !is_moderator(who)
           ? view::count
           : who.wanted;
}

/// Whether `user`, `name` and `email` are shown.
[[nodiscard]] constexpr bool shows_identity(const viewer& who) noexcept {
  return is_moderator(who) || who.shown == identity_mode::named;
}

/// Whether the roster (participants, host) is shown.
[[nodiscard]] constexpr bool shows_roster(const viewer& who) noexcept {
  return granted_view(who) == view::roster;
}

/// Whether a change reaches the viewer at all.
[[nodiscard]] inline bool shows_change(const viewer& who,
                                       const change& what) noexcept {
  if (what.seen_by > who.rank)
    return false;
  const auto* member = std::get_if<member_change>(&what.body);
  switch (granted_view(who)) {
  case view::roster:
    return member == nullptr || shows_identity(who)
           || !member->is_of_name_alone();
  case view::events:
    return std::holds_alternative<joined_change>(what.body)
           || std::holds_alternative<left_change>(what.body);
  case view::count:
    return false;
  }
  return false;
}

/// The same viewer with everything that makes no difference to the bytes set
/// to its default, so that few variants have to be encoded.
[[nodiscard]] constexpr viewer canonical(viewer who) noexcept {
  who.wanted = granted_view(who);
  if (who.wanted == view::count)
    return {view::count, audience::everyone, identity_mode::named};
  if (who.wanted == view::events || is_moderator(who))
    who.shown = identity_mode::named;
  return who;
}

} // namespace rollcall::edge
