#include "edge/protocol/stream_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rollcall::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

batch a_tick() {
  batch out;
  out.session = {namespace_id{"n"}, session_id{"s\"1"}};
  out.present = 4;
  joined_change joined;
  joined.participant.participant = participant_id{"p1"};
  joined.participant.user = user_id{"ada"};
  joined.participant.who.name = "Ada";
  joined.is_reconnection = true;
  out.changes.push_back({7, audience::everyone, 5, 9, joined});
  out.changes.push_back(
    {8, audience::everyone, 5, 9,
     live_change{participant_id{"p1"}, {{"hand", live_value{true}}}}});
  out.changes.push_back(
    {9, audience::everyone, 4, 8,
     left_change{participant_id{"p2"}, leave_reason::timeout}});
  return out;
}

std::vector<std::string> told(const viewer& who, const batch& what) {
  std::vector<std::string> out;
  for_each_stream_event(who, what,
                        [&](std::string text) { out.push_back(text); });
  return out;
}

TEST(StreamEvents, TellEachJoinAndLeaveAndNothingElse) {
  EXPECT_THAT(
    told({view::events, audience::everyone, identity_mode::pseudonymous},
         a_tick()),
    ElementsAre(R"({"type":"participant_joined","participant_id":"p1",)"
                R"("is_reconnection":true,"stream_id":"s\"1",)"
                R"("active_count":5})",
                R"({"type":"participant_left","participant_id":"p2",)"
                R"("reason":"timeout","stream_id":"s\"1","active_count":4})"));
}

TEST(StreamEvents, TellOneCountWhereNobodyIsShown) {
  viewer counts{view::events, audience::everyone, identity_mode::count_only};
  EXPECT_THAT(told(counts, a_tick()),
              ElementsAre(R"({"type":"participant_count",)"
                          R"("stream_id":"s\"1","active_count":4})"));
  auto quiet = a_tick();
  quiet.changes.erase(quiet.changes.begin());
  quiet.changes.pop_back();
  EXPECT_THAT(told(counts, quiet), IsEmpty());
  EXPECT_THAT(
    told({view::events, audience::everyone, identity_mode::named}, quiet),
    IsEmpty());
}

} // namespace
} // namespace rollcall::edge
