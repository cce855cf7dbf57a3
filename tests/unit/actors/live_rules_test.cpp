#include "actors/live_rules.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

namespace {

std::string field_of(std::string_view kind, const live_update& update) {
  auto out = check(live_rules_of(kind), update);
  return out ? "" : out.error().field;
}

TEST(LiveRules, BoardsHaveThreeStepsAndReveals) {
  for (std::int64_t step : {1, 2, 3})
    EXPECT_EQ(field_of("board", {{"step", live_value{step}}}), "");
  for (std::int64_t step : {0, 4, -1})
    EXPECT_EQ(field_of("board", {{"step", live_value{step}}}), "live.step");
  EXPECT_EQ(field_of("board", {{"step", live_value{1.0}}}), "live.step");
  EXPECT_EQ(field_of("board", {{"reveal_top8", live_value{true}}}), "");
  EXPECT_EQ(field_of("board", {{"reveal_top3", live_value{std::int64_t{1}}}}),
            "live.reveal_top3");
}

TEST(LiveRules, StagesHaveMediaAndQuality) {
  for (const auto* key : {"speaking", "audio", "video"}) {
    EXPECT_EQ(field_of("stage", {{key, live_value{false}}}), "");
    EXPECT_EQ(field_of("stage", {{key, live_value{std::string{"on"}}}}),
              std::string{"live."} + key);
  }
  auto quality = [](const char* name) {
    return live_update{{"quality", live_value{std::string{name}}}};
  };
  EXPECT_EQ(field_of("stage", quality("good")), "");
  EXPECT_EQ(field_of("stage", quality("splendid")), "live.quality");
  EXPECT_EQ(field_of("stage", {{"quality", live_value{0.5}}}), "live.quality");
}

TEST(LiveRules, OtherKeysAreFreeAndAnyMayBeRemoved) {
  EXPECT_EQ(field_of("board", {{"hat", live_value{std::string{"red"}}}}), "");
  EXPECT_EQ(field_of("board", {{"step", std::nullopt}}), "");
  EXPECT_EQ(field_of("stream", {{"step", live_value{std::int64_t{9}}}}), "");
}

} // namespace
