#include "actors/base/limits.hpp"
#include "edge/protocol/board_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rollcall::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const session_id board{"b1"};
constexpr millis now{1'700'000'000'000};

result<client_request> read(const std::string& text) {
  return decode_board(text, board);
}

std::string refused(const std::string& text) {
  auto got = read(text);
  if (got)
    return "accepted";
  return std::string{to_string(got.error().code)} + ' ' + got.error().field;
}

template <class Command>
const Command& command_in(const result<client_request>& what) {
  const auto& request = std::get<session_request>(what->body);
  EXPECT_EQ(request.session, board);
  return std::get<Command>(request.body);
}

TEST(BoardWords, AJoinIsLeasedAndHasItsKeys) {
  auto got = read(R"({"name":"participant-joined","data":{"participant":{)"
                  R"("id":"ada","name":"Eve","lastActive":5,"status":"x",)"
                  R"("currentStep":2,"revealTop3":true},"timestamp":7}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->claims, "ada");
  EXPECT_EQ(got->said, millis{7});
  const auto& join = command_in<join_command>(got);
  EXPECT_EQ(join.lease, millis{0});
  EXPECT_EQ(join.live, (live_map{{"current_step", std::int64_t{2}},
                                 {"reveal_top3", true}}));
}

TEST(BoardWords, EveryMessageBecomesARequest) {
  auto left = read(R"({"name":"participant-left","data":{"participantId":)"
                   R"("ada","reason":"intentional","timestamp":7}})");
  ASSERT_TRUE(left);
  (void)command_in<leave_command>(left);
  auto status = read(R"({"name":"status-update","data":{"participantId":"ada",)"
                     R"("updates":{"step":3,"revealTop3":null},)"
                     R"("timestamp":9}})");
  ASSERT_TRUE(status);
  EXPECT_EQ(command_in<set_live_command>(status).live,
            (live_update{{"step", live_value{std::int64_t{3}}},
                         {"reveal_top3", std::nullopt}}));
  EXPECT_EQ(status->said, millis{9});
  auto beat = read(
    R"({"name":"heartbeat","data":{"participantId":"ada","timestamp":7}})");
  ASSERT_TRUE(beat);
  (void)command_in<renew_command>(beat);
  auto sync = read(
    R"({"name":"request-sync","data":{"requesterId":"ada","timestamp":7}})");
  ASSERT_TRUE(sync);
  EXPECT_EQ(sync->claims, "ada");
  EXPECT_TRUE(std::holds_alternative<attach_request>(sync->body));
}

TEST(BoardWords, RefuseWhatIsNone) {
  EXPECT_EQ(refused("x"), "bad_request ");
  EXPECT_EQ(refused("[]"), "bad_request ");
  EXPECT_EQ(refused("{}"), "bad_request name");
  EXPECT_EQ(refused(R"({"name":"x","data":{}})"), "bad_request name");
  EXPECT_EQ(refused(R"({"name":"heartbeat"})"), "bad_request data");
  EXPECT_EQ(refused(R"({"name":"heartbeat","data":{},"more":1})"),
            "bad_request more");
  EXPECT_EQ(refused(R"({"name":"heartbeat","data":{"timestamp":1}})"),
            "bad_request data.participantId");
  EXPECT_EQ(refused(R"({"name":"heartbeat","data":{"participantId":"a"}})"),
            "bad_request data.timestamp");
  EXPECT_EQ(refused(R"({"name":"heartbeat","data":{"participantId":"a",)"
                    R"("timestamp":1,"x":1}})"),
            "bad_request data.x");
  EXPECT_EQ(refused(R"({"name":"participants-sync","data":{}})"),
            "forbidden name");
  for (const auto* bad : {R"({"Step":1})", R"({"a b":1})", R"({"x":[]})",
                          R"({"x":{}})", R"({"a_b":1})"})
    EXPECT_NE(refused(R"({"name":"status-update","data":{"participantId":"a",)"
                      R"("timestamp":1,"updates":)"
                      + std::string{bad} + "}}"),
              "accepted")
      << bad;
}

TEST(BoardWords, KeysComeBackAsTheyWere) {
  for (const auto* key : {"step", "currentStep", "revealTop8", "a", "aB1Cd"})
    EXPECT_EQ(to_camel(to_snake(key)), key);
  for (const auto* key : {"step", "current_step", "a_1", "x.y", "_a", "a_"})
    EXPECT_EQ(to_snake(to_camel(key)), key);
}

batch a_tick() {
  batch out;
  out.session = {namespace_id{"n"}, board};
  joined_change joined;
  joined.participant.participant = participant_id{"p1"};
  joined.participant.user = user_id{"ada"};
  joined.participant.who.name = "Ada";
  joined.participant.since = millis{5};
  joined.participant.last_active = millis{6};
  joined.participant.live = {{"current_step", std::int64_t{2}}};
  out.changes.push_back({7, audience::everyone, 5, 9, joined});
  out.changes.push_back(
    {8, audience::everyone, 5, 9,
     live_change{participant_id{"p1"},
                 {{"reveal_top3", live_value{true}}, {"x", std::nullopt}}}});
  out.changes.push_back(
    {9, audience::everyone, 4, 8,
     left_change{participant_id{"p2"}, leave_reason::timeout}});
  out.changes.push_back(
    {9, audience::everyone, 4, 8,
     left_change{participant_id{"p3"}, leave_reason::kicked}});
  return out;
}

std::vector<std::string> told(const viewer& who) {
  std::vector<std::string> out;
  for_each_board_message(who, a_tick(), now,
                         [&](const std::string& text) { out.push_back(text); });
  return out;
}

TEST(BoardWords, ChangesAreMessages) {
  EXPECT_THAT(
    told({view::roster, audience::everyone, identity_mode::named}),
    ElementsAre(R"({"name":"participant-joined","data":{"participant":{)"
                R"("id":"p1","userId":"ada","name":"Ada","joinedAt":5,)"
                R"("lastActive":6,"status":"online","currentStep":2},)"
                R"("timestamp":1700000000000}})",
                R"({"name":"status-update","data":{"participantId":"p1",)"
                R"("updates":{"revealTop3":true,"x":null},)"
                R"("timestamp":1700000000000}})",
                R"({"name":"participant-left","data":{"participantId":"p2",)"
                R"("reason":"timeout","timestamp":1700000000000}})",
                R"({"name":"participant-left","data":{"participantId":"p3",)"
                R"("detail":"kicked","timestamp":1700000000000}})"));
}

TEST(BoardWords, PseudonymsAreAllThatIsSaidWhereNobodyIsNamed) {
  auto first
    = told({view::roster, audience::everyone, identity_mode::pseudonymous})
        .front();
  EXPECT_EQ(first.find("ada"), std::string::npos);
  EXPECT_EQ(first.find("Ada"), std::string::npos);
  EXPECT_THAT(told({view::count, audience::everyone, identity_mode::named}),
              IsEmpty());
}

} // namespace
} // namespace rollcall::edge
