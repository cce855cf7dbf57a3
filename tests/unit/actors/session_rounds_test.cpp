#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionRounds : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(s.create("board").ok());
    ASSERT_TRUE(s.join("ada", 1).ok());
    ASSERT_TRUE(s.join("bob", 2).ok());
    (void)s.changes();
  }

  static round_rules rules() {
    answer_rule root;
    root.below = 1;
    answer_rule score;
    score.name = "score";
    score.type = answer_type::integer;
    score.least = 0;
    score.most = 100;
    return {{root, score}};
  }

  static datum score(std::int64_t value) {
    return {datum::fields{{"score", {value}}}};
  }

  result<reply> open(round_rules of = rules(),
                     const std::string& by = "owner") {
    return s.run(by, 9'999, open_round_command{"vote", std::move(of)});
  }

  result<reply> close() {
    return s.run("owner", 9'999, close_round_command{"vote"});
  }

  result<reply> submit(const std::string& user, std::int64_t value,
                       std::string op = {}) {
    return s.run(user, user == "ada" ? 1 : 2,
                 submit_command{"vote", score(value)}, std::move(op));
  }

  round_view view() {
    auto all = s.look().rounds;
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? round_view{} : all[0];
  }

  round_reply page_of(const std::string& user, std::uint32_t limit = 100,
                      std::optional<participant_id> after = {}) {
    auto answer
      = s.run(user, 7, get_round_command{"vote", std::move(after), limit});
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? std::get<round_reply>(answer->body) : round_reply{};
  }

  session_harness s;
};

TEST_F(SessionRounds, ProgressIsOfThosePresent) {
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(view().eligible, 2U);
  EXPECT_EQ(view().submitted, 0U);
  auto answer = submit("ada", 90);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->level, ack_level::committed);
  EXPECT_EQ(view().submitted, 1U);
  EXPECT_EQ(view().participants, std::vector{s.id_of("ada")});
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  EXPECT_EQ(view().eligible, 1U);
  EXPECT_EQ(view().submitted, 0U);
  EXPECT_EQ(view().answers, 1U) << "a vote stays, whoever leaves";
  ASSERT_TRUE(s.join("ada", 3).ok());
  EXPECT_EQ(view().submitted, 1U);
}

TEST_F(SessionRounds, ProgressOfOneTickIsOneChange) {
  ASSERT_TRUE(open().ok());
  (void)s.changes();
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  auto changes = s.changes();
  ASSERT_EQ(count_changes<submission_change>(changes), 1U);
  const auto& told = find_change<submission_change>(changes)->round;
  EXPECT_EQ(told.submitted, 2U);
  EXPECT_EQ(told.participants.size(), 2U);
}

TEST_F(SessionRounds, CountsDoNotNameAnybody) {
  auto of = rules();
  of.progress = progress_policy::counts;
  ASSERT_TRUE(open(of).ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  auto changes = s.changes();
  EXPECT_TRUE(
    find_change<submission_change>(changes)->round.participants.empty());
  EXPECT_TRUE(view().participants.empty());
  EXPECT_EQ(view().submitted, 1U);
}

TEST_F(SessionRounds, OnceMeansOnce) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  EXPECT_EQ(submit("ada", 2).error().code, errc::conflict);
  EXPECT_EQ(page_of("owner").answers.at(0).answer, score(1));
}

TEST_F(SessionRounds, ARevisionReplacesTheAnswer) {
  auto of = rules();
  of.revise = true;
  ASSERT_TRUE(open(of).ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("ada", 2).ok());
  auto page = page_of("owner");
  ASSERT_EQ(page.answers.size(), 1U);
  EXPECT_EQ(page.answers[0].answer, score(2));
  EXPECT_EQ(page.answers[0].revisions, 1U);
  EXPECT_EQ(view().submitted, 1U);
}

TEST_F(SessionRounds, ARepeatedSubmissionHasOneEffect) {
  auto of = rules();
  of.revise = true;
  ASSERT_TRUE(open(of).ok());
  auto first = submit("ada", 1, "op-1");
  ASSERT_TRUE(submit("ada", 2, "op-2").ok());
  auto again = submit("ada", 1, "op-1");
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->at, first->at);
  EXPECT_EQ(page_of("owner").answers.at(0).answer, score(2));
}

TEST_F(SessionRounds, OnlyThosePresentAnswerAndOnlyWhileItIsOpen) {
  EXPECT_EQ(submit("ada", 1).error().code, errc::not_found);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(submit("eve", 1).error().code, errc::forbidden);
  ASSERT_TRUE(close().ok());
  EXPECT_EQ(submit("ada", 1).error().code, errc::conflict);
  EXPECT_EQ(close().error().code, errc::conflict);
  EXPECT_EQ(open().error().field, "round");
  EXPECT_FALSE(view().open);
}

TEST_F(SessionRounds, WhatDoesNotFitChangesNothing) {
  ASSERT_TRUE(open().ok());
  auto before = s.look();
  auto outcome = submit("ada", 101);
  EXPECT_EQ(outcome.error().code, errc::bad_request);
  EXPECT_EQ(outcome.error().field, "answer.score");
  EXPECT_EQ(s.look(), before);
  EXPECT_TRUE(s.kept.stored().submissions.empty());
}

TEST_F(SessionRounds, OnlyModeratorsOpenThemAndRolesMayBeAsked) {
  EXPECT_EQ(open(rules(), "ada").error().code, errc::forbidden);
  auto of = rules();
  of.roles = {"judge"};
  ASSERT_TRUE(open(of).ok());
  EXPECT_EQ(view().eligible, 0U);
  EXPECT_EQ(submit("ada", 1).error().field, "round");
  set_member_command judge;
  judge.user = user_id{"ada"};
  judge.role = "judge";
  ASSERT_TRUE(s.run("owner", 9'999, judge).ok());
  EXPECT_EQ(view().eligible, 1U);
  ASSERT_TRUE(submit("ada", 1).ok());
  EXPECT_EQ(view().submitted, 1U);
}

TEST_F(SessionRounds, ResultsAreShownByPolicy) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  EXPECT_TRUE(page_of("owner").visible);
  EXPECT_EQ(page_of("owner").answers.size(), 2U);
  auto own = page_of("ada");
  EXPECT_FALSE(own.visible);
  ASSERT_EQ(own.answers.size(), 1U);
  EXPECT_EQ(own.answers[0].answer, score(1));
  ASSERT_TRUE(close().ok());
  EXPECT_EQ(page_of("ada").answers.size(), 2U);
  EXPECT_EQ(page_of("ada").schema, rules().schema);
}

TEST_F(SessionRounds, ResultsComeInPages) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  auto first = page_of("owner", 1);
  ASSERT_TRUE(first.next.has_value());
  auto second = page_of("owner", 1, first.next);
  ASSERT_EQ(second.answers.size(), 1U);
  EXPECT_FALSE(second.next.has_value());
  EXPECT_NE(first.answers.at(0).participant, second.answers[0].participant);
}

TEST_F(SessionRounds, PseudonymsHideWhoAnswered) {
  settings_patch patch;
  patch.identity = identity_mode::pseudonymous;
  ASSERT_TRUE(s.run("owner", 9'999, configure_command{patch}).ok());
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  ASSERT_TRUE(close().ok());
  EXPECT_TRUE(page_of("ada").answers.at(0).user.empty());
  EXPECT_EQ(page_of("owner").answers.at(0).user, user_id{"bob"});
}

TEST_F(SessionRounds, NamingSomebodyDoesNotTellWhoTheyAre) {
  answer_rule root;
  root.below = 2;
  answer_rule about;
  about.name = "about";
  about.type = answer_type::participants;
  about.below = 1;
  about.self = true;
  answer_rule liked;
  liked.type = answer_type::boolean;
  ASSERT_TRUE(open({{root, about, liked}, {}, true}).ok());
  auto name = [&](const std::string& who, const std::string& by = "bob") {
    datum::fields people{{who, {true}}};
    return s.run(by, by == "bob" ? 2 : 1,
                 submit_command{"vote", {datum::fields{{"about", {people}}}}});
  };
  ASSERT_TRUE(
    s.run("owner", 9'999, set_member_command{user_id{"away"}, {}, "guest"})
      .ok());
  EXPECT_TRUE(name("ada").ok()) << "everyone is named";
  EXPECT_TRUE(name("away").ok());
  for (auto mode : {identity_mode::pseudonymous, identity_mode::count_only}) {
    settings_patch patch;
    patch.identity = mode;
    ASSERT_TRUE(s.run("owner", 9'999, configure_command{patch}).ok());
    for (const auto* user : {"ada", "away", "nobody"}) {
      auto refused = name(user);
      ASSERT_FALSE(refused.ok()) << user;
      EXPECT_EQ(refused.error().code, errc::bad_request);
      EXPECT_EQ(refused.error().field, "answer.about." + std::string{user});
    }
    EXPECT_TRUE(name("bob").ok()) << "oneself";
    EXPECT_TRUE(name(s.id_of("ada").str()).ok());
  }
}

TEST_F(SessionRounds, TheySurviveARestart) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("ada", 1, "op-1").ok());
  s.keep_pages();
  auto before = s.look().rounds;
  s.activate();
  EXPECT_EQ(s.look().rounds, before);
  EXPECT_EQ(submit("ada", 1).error().code, errc::conflict);
  EXPECT_TRUE(submit("ada", 1, "op-1").ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  EXPECT_EQ(page_of("owner").answers.size(), 2U);
}

TEST_F(SessionRounds, AnswersOfDifferentUsersCommitTogether) {
  ASSERT_TRUE(open().ok());
  (void)s.state->handle(s.make("ada", 1, submit_command{"vote", score(1)}),
                        s.now);
  auto first = s.state->next_batch(s.now);
  (void)s.state->handle(s.make("bob", 2, submit_command{"vote", score(2)}),
                        s.now);
  auto second = s.state->next_batch(s.now);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->records.size(), 1U) << "one record, and nothing besides";
  EXPECT_EQ(view().submitted, 0U) << "nothing is shown before it is kept";
  s.state->committed(first->number, position_t{1}, s.now);
  s.state->committed(second->number, position_t{2}, s.now);
  EXPECT_EQ(view().submitted, 2U);
}

TEST_F(SessionRounds, AnErasedUsersAnswersAreDropped) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  auto seen = view();
  s.grants.add(capability::admin);
  ASSERT_TRUE(s.run("root", 77, forget_user_command{user_id{"ada"}}).ok());
  for (const auto& one : s.changes())
    if (const auto* news = std::get_if<submission_change>(&one.body))
      merge_news(seen, news->round);
  EXPECT_EQ(seen, view()) << "snapshot + changes = later snapshot";
  EXPECT_EQ(seen.answers, 1U);
  EXPECT_EQ(seen.participants, std::vector{s.id_of("bob")});
  EXPECT_EQ(seen.submitted, 1U);
}

TEST_F(SessionRounds, AreBounded) {
  for (std::size_t i = 0; i < limits::rounds_per_session; ++i)
    ASSERT_TRUE(s.run("owner", 9'999,
                      open_round_command{"r" + std::to_string(i), rules()})
                  .ok());
  EXPECT_EQ(open().error().code, errc::too_large);
}

TEST_F(SessionRounds, TheBoundCountsAnswersUnderWay) {
  ASSERT_TRUE(open());
  // Of somebody else, and so long that one more answer fits.
  submission_record long_one;
  long_one.session = s.key();
  long_one.round = "vote";
  long_one.user = user_id{"eve"};
  auto least = size_of(datum{std::string{}});
  long_one.answer = datum{
    std::string(limits::answers_bytes - least - size_of(score(5)), 'x')};
  s.kept.keep(long_one);
  s.keep_pages();
  s.activate();
  auto both = [&] {
    std::uint64_t connection = 0;
    for (const auto* user : {"ada", "bob"})
      (void)s.state->handle(
        s.make(user, ++connection, submit_command{"vote", score(5)}), s.now);
  };
  both();
  s.pump(fail(errc::unavailable, "disk"));
  auto late = s.take_late();
  ASSERT_EQ(late.size(), 2U);
  EXPECT_EQ(late[0].answer.error().code, errc::too_large);
  EXPECT_EQ(late[1].answer.error().code, errc::unavailable);
  both();
  s.pump();
  late = s.take_late();
  ASSERT_EQ(late.size(), 2U);
  EXPECT_EQ(late[0].answer.error().code, errc::too_large);
  EXPECT_TRUE(late[1].answer) << "the other was not kept and takes no place";
  EXPECT_EQ(s.kept.stored().submissions.size(), 2U);
}

} // namespace

TEST_F(SessionRounds, ThoseWhoModerateSeeWhoOfThosePresentHasAnswered) {
  auto of = rules();
  of.progress = progress_policy::counts;
  ASSERT_TRUE(open(of).ok());
  ASSERT_TRUE(s.join("cyd", 3).ok());
  ASSERT_TRUE(submit("ada", 1).ok());
  ASSERT_TRUE(submit("bob", 2).ok());
  ASSERT_TRUE(s.run("ada", 1, leave_command{}).ok());
  auto course = [this](bool people) {
    auto answer = s.run("owner", 9'999, get_course_command{people});
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? std::get<course_reply>(answer->body) : course_reply{};
  };
  ASSERT_EQ(course(true).rounds.size(), 1U);
  EXPECT_EQ(course(true).rounds[0].participants, std::vector{s.id_of("bob")});
  EXPECT_EQ(course(true).rounds[0].progress, progress_policy::counts);
  EXPECT_TRUE(course(false).rounds[0].participants.empty());
}

TEST_F(SessionRounds, WhoIsForgottenIsInNobodysAnswer) {
  answer_rule root;
  root.below = 2;
  answer_rule about;
  about.name = "about";
  about.type = answer_type::participants;
  about.below = 1;
  answer_rule share;
  share.type = answer_type::integer;
  round_rules of;
  of.schema = {root, about, share};
  ASSERT_TRUE(s.join("cyd", 3).ok());
  ASSERT_TRUE(open(of).ok());
  datum::fields named{{"bob", {std::int64_t{1}}}, {"cyd", {std::int64_t{2}}}};
  ASSERT_TRUE(s.run("ada", 1,
                    submit_command{"vote", {datum::fields{{"about", {named}}}}},
                    "k1")
                .ok());
  s.grants = s.grants | capability_set{capability::admin};
  ASSERT_TRUE(s.run("root", 8, forget_user_command{user_id{"bob"}}).ok());
  datum rest{datum::fields{
    {"about", {datum::fields{{s.id_of("cyd").str(), {std::int64_t{2}}}}}}}};
  for (bool anew : {false, true}) {
    if (anew)
      s.activate();
    auto page = page_of("owner");
    ASSERT_EQ(page.answers.size(), 1U);
    EXPECT_EQ(page.answers[0].participant, s.id_of("ada"));
    EXPECT_EQ(page.answers[0].answer, rest);
    EXPECT_EQ(page.answers[0].revisions, 0U);
  }
  auto again = s.state->at();
  ASSERT_TRUE(s.run("root", 8, forget_user_command{user_id{"bob"}}).ok());
  EXPECT_EQ(s.state->at(), again) << "nothing is left to do";
}
