#include "actors/kind.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace rollcall {
namespace {

kind_settings preset(std::string_view name) {
  for (const auto& settings : preset_kinds())
    if (settings.kind == name)
      return settings;
  ADD_FAILURE() << "no preset " << name;
  return {};
}

struct timing {
  int beat;
  int suspect;
  int timeout;
  int grace;
};

void expect_timing(const kind_settings& got, timing seconds) {
  EXPECT_EQ(got.beat, std::chrono::seconds{seconds.beat}) << got.kind;
  EXPECT_EQ(got.suspect_after, std::chrono::seconds{seconds.suspect});
  EXPECT_EQ(got.timeout, std::chrono::seconds{seconds.timeout}) << got.kind;
  EXPECT_EQ(got.drop_grace, std::chrono::seconds{seconds.grace}) << got.kind;
}

TEST(Kind, HasFiveValidPresets) {
  ASSERT_EQ(preset_kinds().size(), 5U);
  for (const auto& settings : preset_kinds())
    EXPECT_TRUE(check(settings).ok()) << settings.kind;
}

TEST(Kind, PresetsAreWhatTheirUsesNeed) {
  const auto stream = preset("stream");
  expect_timing(stream, {15, 20, 45, 10});
  EXPECT_EQ(stream.membership, membership_mode::ephemeral);
  EXPECT_EQ(stream.host, host_policy::none);
  EXPECT_EQ(stream.identity, identity_mode::pseudonymous);
  EXPECT_TRUE(stream.anonymous_views);

  const auto stage = preset("stage");
  expect_timing(stage, {15, 20, 45, 10});
  EXPECT_EQ(stage.membership, membership_mode::durable);
  EXPECT_EQ(stage.host, host_policy::appointed);
  EXPECT_EQ(stage.default_role, "viewer");

  const auto meeting = preset("meeting");
  expect_timing(meeting, {15, 20, 30, 0});
  EXPECT_EQ(meeting.membership, membership_mode::durable);
  EXPECT_EQ(meeting.access, access_mode::members);
  EXPECT_EQ(meeting.host, host_policy::none);
  EXPECT_FALSE(meeting.anonymous_views);

  const auto party = preset("party");
  expect_timing(party, {15, 20, 45, 10});
  EXPECT_EQ(party.host, host_policy::oldest_member);
  EXPECT_EQ(party.membership, membership_mode::durable);

  const auto board = preset("board");
  expect_timing(board, {30, 60, 120, 10});
  EXPECT_EQ(board.capacity, 50U);
  EXPECT_EQ(board.live_rate, 10U);
  EXPECT_EQ(board.live_burst, 20U);
  EXPECT_EQ(board.membership, membership_mode::ephemeral);

  for (const auto& settings : preset_kinds())
    EXPECT_EQ(settings.duplicates, duplicate_policy::allow);
}

TEST(Kind, RefusesContradictionsAndNamesTheField) {
  struct wrong {
    std::string_view field;
    std::function<void(kind_settings&)> spoil;
  };
  const wrong cases[] = {
    {"beat_ms", [](auto& s) { s.beat = millis{999}; }},
    {"beat_ms", [](auto& s) { s.beat = millis{86'400'001}; }},
    {"suspect_after_ms", [](auto& s) { s.suspect_after = s.beat; }},
    {"timeout_ms", [](auto& s) { s.timeout = s.suspect_after - millis{1}; }},
    {"timeout_ms", [](auto& s) { s.timeout = millis{86'400'001}; }},
    {"drop_grace_ms", [](auto& s) { s.drop_grace = millis{-1}; }},
    {"drop_grace_ms", [](auto& s) { s.drop_grace = millis{86'400'001}; }},
    {"host_reclaim_ms", [](auto& s) { s.host_reclaim = millis{-1}; }},
    {"host_reclaim_ms", [](auto& s) { s.host_reclaim = millis{86'400'001}; }},
    {"live_rate", [](auto& s) { s.live_rate = 1'001; }},
    {"live_burst", [](auto& s) { s.live_burst = 0; }},
    {"live_burst", [](auto& s) { s.live_burst = 1'001; }},
    {"capacity", [](auto& s) { s.capacity = 50'001; }},
    {"host", [](auto& s) { s.host = host_policy::oldest_member; }},
    {"access", [](auto& s) { s.access = access_mode::members; }},
  };
  for (const auto& [field, spoil] : cases) {
    auto settings = preset("stream");
    spoil(settings);
    auto checked = check(settings);
    ASSERT_FALSE(checked.ok()) << field;
    EXPECT_EQ(checked.error().code, errc::bad_request);
    EXPECT_EQ(checked.error().field, field);
  }
}

TEST(Kind, AcceptsTheBoundsThemselves) {
  auto settings = preset("stream");
  settings.beat = millis{1'000};
  settings.suspect_after = millis{1'001};
  settings.timeout = millis{1'001};
  settings.drop_grace = millis{0};
  settings.host_reclaim = millis{0};
  settings.capacity = 50'000;
  EXPECT_TRUE(check(settings).ok());
  settings.timeout = settings.drop_grace = settings.host_reclaim
    = millis{86'400'000};
  EXPECT_TRUE(check(settings).ok());
}

settings_patch full_patch() {
  settings_patch patch;
  patch.membership = membership_mode::durable;
  patch.access = access_mode::members;
  patch.host = host_policy::appointed;
  patch.identity = identity_mode::count_only;
  patch.duplicates = duplicate_policy::reject_new;
  patch.capacity = 7;
  patch.locked = true;
  patch.anonymous_views = true;
  patch.beat = millis{1};
  patch.suspect_after = millis{2};
  patch.timeout = millis{3};
  patch.drop_grace = millis{4};
  patch.host_reclaim = millis{5};
  patch.live_rate = 6;
  patch.live_burst = 7;
  patch.own_names = true;
  return patch;
}

TEST(SettingsPatch, ReplacesEveryFieldItSets) {
  kind_settings expected{"board",
                         membership_mode::durable,
                         access_mode::members,
                         host_policy::appointed,
                         identity_mode::count_only,
                         duplicate_policy::reject_new,
                         7,
                         true,
                         true,
                         millis{1},
                         millis{2},
                         millis{3},
                         millis{4},
                         millis{5}};
  expected.live_rate = 6;
  expected.live_burst = 7;
  expected.own_names = true;
  EXPECT_EQ(with_patch(preset("board"), full_patch()), expected);
}

TEST(SettingsPatch, KeepsWhatItDoesNotSet) {
  EXPECT_TRUE(settings_patch{}.empty());
  EXPECT_FALSE(full_patch().empty());
  EXPECT_EQ(with_patch(preset("party"), {}), preset("party"));
  settings_patch patch;
  patch.capacity = 3;
  auto expected = preset("party");
  expected.capacity = 3;
  EXPECT_EQ(with_patch(preset("party"), patch), expected);
}

TEST(SettingsPatch, MergesTheNewerOverTheOlder) {
  EXPECT_EQ(merged({}, full_patch()), full_patch());
  EXPECT_EQ(merged(full_patch(), {}), full_patch());
  settings_patch newer;
  newer.capacity = 8;
  auto expected = full_patch();
  expected.capacity = 8;
  EXPECT_EQ(merged(full_patch(), newer), expected);
  // One after the other is the same as both merged.
  const auto base = preset("stage");
  EXPECT_EQ(with_patch(with_patch(base, full_patch()), newer),
            with_patch(base, merged(full_patch(), newer)));
}

template <class Enum>
void expect_names(std::initializer_list<std::string_view> names) {
  std::uint8_t i = 0;
  for (auto name : names) {
    EXPECT_EQ(to_string(static_cast<Enum>(i)), name);
    EXPECT_EQ(parse_setting<Enum>(name), static_cast<Enum>(i));
    ++i;
  }
  EXPECT_EQ(parse_setting<Enum>(""), std::nullopt);
  EXPECT_EQ(parse_setting<Enum>("other"), std::nullopt);
}

TEST(Kind, NamesItsChoicesAsTheProtocolDoes) {
  expect_names<membership_mode>({"ephemeral", "durable"});
  expect_names<access_mode>({"open", "members"});
  expect_names<host_policy>(
    {"none", "oldest_member", "oldest_present", "appointed"});
  expect_names<identity_mode>({"count_only", "pseudonymous", "named"});
  expect_names<duplicate_policy>({"allow", "kick_old", "reject_new"});
}

} // namespace
} // namespace rollcall
