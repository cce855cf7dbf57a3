#pragma once

// Who is asking, and what they may do. Made by the edge from a verified token,
// never from a payload.

#include "actors/base/ids.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// One right. The values are bits of `capability_set`.
enum class capability : std::uint16_t {
  observe_count = 1 << 0,
  observe_roster = 1 << 1,
  join = 1 << 2,
  publish = 1 << 3,
  moderate = 1 << 4,
  host = 1 << 5,
  configure = 1 << 6,
  create = 1 << 7,
  admin = 1 << 8,
  /// To watch without being seen by anybody but the audit log. Given by the
  /// token alone.
  observe_hidden = 1 << 9,
};

/// A set of rights.
class capability_set {
public:
  constexpr capability_set() = default;

  constexpr capability_set(std::initializer_list<capability> rights) {
    for (auto right : rights)
      bits_ |= static_cast<std::uint16_t>(right);
  }

  [[nodiscard]] constexpr bool has(capability right) const noexcept {
    return (bits_ & static_cast<std::uint16_t>(right)) != 0;
  }

  constexpr void add(capability right) noexcept {
    bits_ |= static_cast<std::uint16_t>(right);
  }

  [[nodiscard]] constexpr std::uint16_t bits() const noexcept {
    return bits_;
  }

  [[nodiscard]] static constexpr capability_set
  from_bits(std::uint16_t bits) noexcept {
    capability_set out;
    out.bits_ = bits;
    return out;
  }

  friend constexpr capability_set operator&(capability_set a,
                                            capability_set b) noexcept {
    return from_bits(a.bits_ & b.bits_);
  }

  friend constexpr capability_set operator|(capability_set a,
                                            capability_set b) noexcept {
    return from_bits(a.bits_ | b.bits_);
  }

  friend constexpr bool operator==(capability_set, capability_set) = default;

private:
  std::uint16_t bits_ = 0;
};

[[nodiscard]] std::string_view to_string(capability right) noexcept;
[[nodiscard]] std::optional<capability>
parse_capability(std::string_view name) noexcept;

/// What a token without `grants` allows at most: all but create and admin.
inline constexpr capability_set default_grants
  = {capability::observe_count, capability::observe_roster, capability::join,
     capability::publish,       capability::moderate,       capability::host,
     capability::configure};

/// What others may be shown of a user. Bounded by limits::profile_field_bytes.
struct profile {
  std::string name;
  std::string email;
  /// Further fields by the names that the configuration gives them; at most
  /// limits::profile_fields, of limits::profile_more_bytes each.
  std::map<std::string, std::string> more{};

  friend bool operator==(const profile&, const profile&) = default;
};

/// Why a name (UTF-8) may not be shown to others; nothing where it may. It
/// must have something to see, and nothing that changes how text around it is
/// read: no control characters, no embeddings, overrides or isolates of the
/// Unicode bidirectional algorithm.
[[nodiscard]] const char* refuses_shown(std::string_view name) noexcept;

/// The caller of one command.
struct identity {
  /// Empty for an anonymous observer.
  user_id user;
  participant_id participant;
  profile who;
  /// The upper bound the token sets for this session.
  capability_set grants;
  /// The token's groups and role; a session may admit by them.
  std::vector<std::string> groups{};
  std::string role{};
  /// The session's code, where the client gave one.
  std::string code{};
  /// The group that says it has this user as a member. From the session's
  /// owner, who has asked; it does not travel.
  std::string vouched{};

  friend bool operator==(const identity&, const identity&) = default;
};

} // namespace rollcall
