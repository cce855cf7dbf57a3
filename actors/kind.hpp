#pragma once

// Kinds: one engine, configured. A kind is a preset of settings; a session
// may override each of them (design section 2).

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// Whether belonging to the session outlives being present in it.
enum class membership_mode : std::uint8_t { ephemeral, durable };

/// Who may enter. To others the session does not exist, unless it is `open`.
enum class access_mode : std::uint8_t {
  /// Everyone with a token for it.
  open,
  /// Members: those who were invited.
  members,
  /// Members of the session's `group`, and those whose token names it.
  group,
  /// Those whose token has one of the session's `roles`.
  roles,
  /// Those who know the session's `code`, and its members.
  code,
};

/// How the host is found. Under each but `none` somebody may be appointed,
/// who is host while present and for `host_reclaim` after.
enum class host_policy : std::uint8_t {
  none,
  /// The present member admitted first.
  oldest_member,
  /// Whoever has been present longest.
  oldest_present,
  /// The appointed member, while present and for `host_reclaim` after.
  appointed,
  /// The member admitted first, present or not.
  oldest_member_any,
};

/// What ordinary participants are shown of each other.
enum class identity_mode : std::uint8_t { count_only, pseudonymous, named };

/// What happens when a user who is here connects once more.
enum class duplicate_policy : std::uint8_t { allow, kick_old, reject_new };

/// The rules of one session.
struct kind_settings {
  std::string kind = "stream";
  membership_mode membership = membership_mode::ephemeral;
  access_mode access = access_mode::open;
  host_policy host = host_policy::none;
  identity_mode identity = identity_mode::named;
  duplicate_policy duplicates = duplicate_policy::allow;
  /// Participants at once; 0 means the limit of the build.
  std::uint32_t capacity = 0;
  /// Nobody new may enter; those inside stay and may come back.
  bool locked = false;
  /// Observers without a token may have the `count` and `events` views.
  bool anonymous_views = false;
  /// How often clients are asked for a sign of life.
  millis beat{15'000};
  /// From the last sign of life until `suspected`.
  millis suspect_after{20'000};
  /// From the last sign of life until `left: timeout`.
  millis timeout{45'000};
  /// From a socket closing without goodbye until `left: network`; zero
  /// removes at once.
  millis drop_grace{10'000};
  /// How long an appointed host who left is still the host.
  millis host_reclaim{30'000};
  /// Which group, under `access_mode::group`.
  std::string group{};
  /// One of which a token must have, under `access_mode::roles`.
  std::vector<std::string> roles{};
  /// The role of those who become members by joining.
  std::string default_role{};
  /// `can_speak` is needed to turn on the live keys `audio` and `speaking`,
  /// `can_video` for `video`.
  bool gated_media = false;
  /// Live updates of one participant per second in the long run, over all its
  /// connections, and at once; 0: no limit of its own.
  std::uint32_t live_rate = 0;
  std::uint32_t live_burst = 20;
  /// Everyone may give themselves a name; others with `own_name` alone.
  bool own_names = false;

  friend bool operator==(const kind_settings&, const kind_settings&) = default;
};

/// Overrides of a preset: what is unset keeps the kind's value. An empty text
/// is none, whatever the kind says.
struct settings_patch {
  std::optional<membership_mode> membership{};
  std::optional<access_mode> access{};
  std::optional<host_policy> host{};
  std::optional<identity_mode> identity{};
  std::optional<duplicate_policy> duplicates{};
  std::optional<std::uint32_t> capacity{};
  std::optional<bool> locked{};
  std::optional<bool> anonymous_views{};
  std::optional<millis> beat{};
  std::optional<millis> suspect_after{};
  std::optional<millis> timeout{};
  std::optional<millis> drop_grace{};
  std::optional<millis> host_reclaim{};
  std::optional<std::string> group{};
  std::optional<std::vector<std::string>> roles{};
  std::optional<std::string> default_role{};
  std::optional<bool> gated_media{};
  std::optional<std::uint32_t> live_rate{};
  std::optional<std::uint32_t> live_burst{};
  std::optional<bool> own_names{};
  /// The code of `access_mode::code`: not a part of `kind_settings`, which all
  /// who see the session are shown.
  std::optional<std::string> code{};

  [[nodiscard]] bool empty() const {
    return *this == settings_patch{};
  }

  friend bool operator==(const settings_patch&, const settings_patch&)
    = default;
};

/// The five presets of the seeds: stream, stage, meeting, party, board.
[[nodiscard]] std::span<const kind_settings> preset_kinds();

/// The kind of the sessions that groups are kept as. No configuration and no
/// client can name it.
[[nodiscard]] const kind_settings& group_kind();

/// `base` with `patch` laid over it.
[[nodiscard]] kind_settings with_patch(kind_settings base,
                                       const settings_patch& patch);

/// `older` with the fields set in `newer` replaced.
[[nodiscard]] settings_patch merged(settings_patch older,
                                    const settings_patch& newer);

/// Refuses rules that contradict each other; names the field.
[[nodiscard]] result<done> check(const kind_settings& settings);
/// The same for a session, whose own patch has been laid over its kind.
[[nodiscard]] result<done> check(const kind_settings& settings,
                                 const settings_patch& overrides);

// The names used in configuration and on the wire.
[[nodiscard]] std::string_view to_string(membership_mode mode) noexcept;
[[nodiscard]] std::string_view to_string(access_mode mode) noexcept;
[[nodiscard]] std::string_view to_string(host_policy policy) noexcept;
[[nodiscard]] std::string_view to_string(identity_mode mode) noexcept;
[[nodiscard]] std::string_view to_string(duplicate_policy policy) noexcept;

/// The value with that name, for each of the enumerations above.
template <class Enum>
[[nodiscard]] std::optional<Enum> parse_setting(std::string_view name);

} // namespace rollcall
