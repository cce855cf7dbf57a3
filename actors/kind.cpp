#include "actors/kind.hpp"

#include "actors/base/limits.hpp"

namespace rollcall {

namespace {

template <class Enum>
struct names;

template <>
struct names<membership_mode> {
  static constexpr std::array list = {"ephemeral", "durable"};
};

template <>
struct names<access_mode> {
  static constexpr std::array list
    = {"open", "members", "group", "roles", "code"};
};

template <>
struct names<host_policy> {
  static constexpr std::array list = {"none", "oldest_member", "oldest_present",
                                      "appointed", "oldest_member_any"};
};

template <>
struct names<identity_mode> {
  static constexpr std::array list = {"count_only", "pseudonymous", "named"};
};

template <>
struct names<duplicate_policy> {
  static constexpr std::array list = {"allow", "kick_old", "reject_new"};
};

template <class Enum>
std::string_view name_of(Enum value) noexcept {
  return names<Enum>::list.at(static_cast<std::size_t>(value));
}

std::array<kind_settings, 5> make_presets() {
  kind_settings stream;
  stream.identity = identity_mode::pseudonymous;
  stream.anonymous_views = true;

  kind_settings stage;
  stage.kind = "stage";
  stage.membership = membership_mode::durable;
  stage.host = host_policy::appointed;
  stage.default_role = "viewer";
  stage.gated_media = true;

  kind_settings meeting;
  meeting.kind = "meeting";
  meeting.membership = membership_mode::durable;
  meeting.access = access_mode::members;
  meeting.timeout = millis{30'000};
  meeting.drop_grace = millis{0};

  kind_settings party;
  party.kind = "party";
  party.membership = membership_mode::durable;
  party.host = host_policy::oldest_member;
  party.own_names = true;

  kind_settings board;
  board.kind = "board";
  board.capacity = 50;
  board.beat = millis{30'000};
  board.suspect_after = millis{60'000};
  board.timeout = millis{120'000};
  for (auto* each : {&stream, &stage, &meeting, &party}) {
    each->live_rate = 20;
    each->live_burst = 40;
  }
  board.live_rate = 10;
  board.live_burst = 20;
  return {stream, stage, meeting, party, board};
}

template <class T>
void overlay(T& target, const std::optional<T>& value) {
  if (value)
    target = *value;
}

template <class T>
void overlay(std::optional<T>& target, const std::optional<T>& value) {
  if (value)
    target = value;
}

// Both `kind_settings` and `settings_patch` have these fields.
template <class Target>
void overlay_all(Target& target, const settings_patch& patch) {
  overlay(target.membership, patch.membership);
  overlay(target.access, patch.access);
  overlay(target.host, patch.host);
  overlay(target.identity, patch.identity);
  overlay(target.duplicates, patch.duplicates);
  overlay(target.capacity, patch.capacity);
  overlay(target.locked, patch.locked);
  overlay(target.anonymous_views, patch.anonymous_views);
  overlay(target.beat, patch.beat);
  overlay(target.suspect_after, patch.suspect_after);
  overlay(target.timeout, patch.timeout);
  overlay(target.drop_grace, patch.drop_grace);
  overlay(target.host_reclaim, patch.host_reclaim);
  overlay(target.group, patch.group);
  overlay(target.roles, patch.roles);
  overlay(target.default_role, patch.default_role);
  overlay(target.gated_media, patch.gated_media);
  overlay(target.live_rate, patch.live_rate);
  overlay(target.live_burst, patch.live_burst);
  overlay(target.own_names, patch.own_names);
}

} // namespace

std::span<const kind_settings> preset_kinds() {
  static const auto presets = make_presets();
  return presets;
}

const kind_settings& group_kind() {
  static const auto kind = [] {
    kind_settings out;
    out.kind = ":group";
    out.membership = membership_mode::durable;
    out.access = access_mode::members;
    out.default_role = "member";
    return out;
  }();
  return kind;
}

kind_settings with_patch(kind_settings base, const settings_patch& patch) {
  overlay_all(base, patch);
  return base;
}

settings_patch merged(settings_patch older, const settings_patch& newer) {
  overlay_all(older, newer);
  overlay(older.code, newer.code);
  return older;
}

result<done> check(const kind_settings& settings) {
  constexpr millis day{86'400'000};
  auto refuse = [](const char* message, const char* field) {
    return fail(errc::bad_request, message, field);
  };
  if (settings.beat < millis{1'000} || settings.beat > day)
    return refuse("must be between 1 s and 24 h", "beat_ms");
  if (settings.suspect_after <= settings.beat)
    return refuse("must be longer than beat_ms", "suspect_after_ms");
  if (settings.timeout < settings.suspect_after)
    return refuse("must not be shorter than suspect_after_ms", "timeout_ms");
  if (settings.timeout > day)
    return refuse("must not be longer than 24 h", "timeout_ms");
  if (settings.drop_grace < millis{0} || settings.drop_grace > day)
    return refuse("must be between 0 and 24 h", "drop_grace_ms");
  if (settings.host_reclaim < millis{0} || settings.host_reclaim > day)
    return refuse("must be between 0 and 24 h", "host_reclaim_ms");
  if (settings.capacity > limits::participants_per_session)
    return refuse("must not exceed 50000", "capacity");
  if ((settings.host == host_policy::oldest_member
       || settings.host == host_policy::oldest_member_any)
      && settings.membership != membership_mode::durable)
    return refuse("oldest_member needs durable membership", "host");
  if (settings.access == access_mode::members
      && settings.membership != membership_mode::durable)
    return refuse("members needs durable membership", "access");
  if (settings.group.size() > limits::id_bytes)
    return refuse("must be at most 128 bytes", "group");
  if (settings.roles.size() > limits::admitted_roles)
    return refuse("must be at most 16", "roles");
  for (const auto& role : settings.roles)
    if (role.empty() || role.size() > limits::id_bytes)
      return refuse("must be 1 to 128 bytes each", "roles");
  if (settings.default_role.size() > limits::name_bytes)
    return refuse("must be at most 32 bytes", "default_role");
  if (settings.live_rate > limits::live_rate)
    return refuse("must not exceed 1000", "live_rate");
  if (settings.live_burst < 1 || settings.live_burst > limits::live_rate)
    return refuse("must be between 1 and 1000", "live_burst");
  return done{};
}

result<done> check(const kind_settings& settings,
                   const settings_patch& overrides) {
  auto refuse = [](const char* message, const char* field) {
    return fail(errc::bad_request, message, field);
  };
  if (auto good = check(settings); !good)
    return good;
  if (settings.access == access_mode::group && settings.group.empty())
    return refuse("is needed where access is group", "group");
  if (settings.access == access_mode::roles && settings.roles.empty())
    return refuse("is needed where access is roles", "roles");
  const auto code = overrides.code.value_or("");
  if (!code.empty()
      && (code.size() < limits::code_bytes_least
          || code.size() > limits::code_bytes))
    return refuse("must be 4 to 64 bytes", "code");
  if (settings.access == access_mode::code && code.empty())
    return refuse("is needed where access is code", "code");
  return done{};
}

std::string_view to_string(membership_mode mode) noexcept {
  return name_of(mode);
}

std::string_view to_string(access_mode mode) noexcept {
  return name_of(mode);
}

std::string_view to_string(host_policy policy) noexcept {
  return name_of(policy);
}

std::string_view to_string(identity_mode mode) noexcept {
  return name_of(mode);
}

std::string_view to_string(duplicate_policy policy) noexcept {
  return name_of(policy);
}

template <class Enum>
std::optional<Enum> parse_setting(std::string_view name) {
  const auto& list = names<Enum>::list;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (name == list[i])
      return static_cast<Enum>(i);
  return std::nullopt;
}

template std::optional<membership_mode> parse_setting(std::string_view);
template std::optional<access_mode> parse_setting(std::string_view);
template std::optional<host_policy> parse_setting(std::string_view);
template std::optional<identity_mode> parse_setting(std::string_view);
template std::optional<duplicate_policy> parse_setting(std::string_view);

} // namespace rollcall
