#include "actors/schema.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

namespace {

answer_rule rule(std::string name, answer_type type, std::uint16_t below = 0) {
  answer_rule out;
  out.name = std::move(name);
  out.type = type;
  out.below = below;
  return out;
}

answer_rule within(answer_rule out, double least, double most) {
  out.least = least;
  out.most = most;
  return out;
}

/// The two votes of a meeting, and one of everything else.
answer_schema contributions() {
  auto shares = rule("contributions", answer_type::participants, 1);
  shares.sum_most = 100;
  return {rule("", answer_type::record, 3),
          within(rule("score", answer_type::integer), 0, 100), shares,
          within(rule("", answer_type::number), 0, 100)};
}

answer_schema evaluations() {
  return {rule("", answer_type::record, 4),
          rule("evaluations", answer_type::participants, 3),
          rule("", answer_type::record, 2),
          within(rule("scale", answer_type::integer), 0, 100),
          rule("toxic", answer_type::boolean)};
}

answer_schema various() {
  auto mood = rule("mood", answer_type::choice);
  mood.choices = {"good", "bad"};
  auto note = within(rule("note", answer_type::text), 1, 5);
  note.optional = true;
  auto picks = within(rule("picks", answer_type::list, 1), 1, 2);
  picks.sum_least = 3;
  return {rule("", answer_type::record, 4), mood, note, picks,
          rule("", answer_type::integer)};
}

datum whole(std::int64_t value) {
  return {value};
}

datum map(datum::fields fields) {
  return {std::move(fields)};
}

std::optional<participant_id> find(std::string_view name) {
  if (name == "ada" || name == "bob")
    return participant_id{"p-" + std::string{name}};
  if (name == "p-bob")
    return participant_id{"p-bob"};
  return std::nullopt;
}

result<datum> checked(const answer_schema& schema, const datum& answer) {
  return validate(schema, answer, participant_id{"p-ada"}, find);
}

std::string field_of(const answer_schema& schema, const datum& answer) {
  auto out = checked(schema, answer);
  return out ? "" : out.error().field;
}

TEST(Schema, VotesOfAMeetingAreSound) {
  EXPECT_TRUE(check(contributions()).ok());
  EXPECT_TRUE(check(evaluations()).ok());
  EXPECT_TRUE(check(various()).ok());
}

TEST(Schema, GoodAnswersNameParticipantsByPublicId) {
  auto answer = map(
    {{"contributions", map({{"bob", datum{60.5}}})}, {"score", whole(90)}});
  auto out = checked(contributions(), answer);
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(*out, map({{"contributions", map({{"p-bob", datum{60.5}}})},
                       {"score", whole(90)}}));
}

TEST(Schema, TheFieldIsNamedInTheRefusal) {
  auto share = [](datum::fields of) {
    return map({{"contributions", map(std::move(of))}, {"score", whole(1)}});
  };
  EXPECT_EQ(field_of(contributions(), map({{"score", whole(1)}})),
            "answer.contributions");
  EXPECT_EQ(field_of(contributions(),
                     map({{"contributions", map({})}, {"score", whole(101)}})),
            "answer.score");
  EXPECT_EQ(field_of(contributions(),
                     map({{"contributions", map({})}, {"score", datum{1.5}}})),
            "answer.score");
  EXPECT_EQ(field_of(contributions(), share({{"mallory", whole(1)}})),
            "answer.contributions.mallory");
  EXPECT_EQ(field_of(contributions(), share({{"bob", whole(101)}})),
            "answer.contributions.bob");
  EXPECT_EQ(field_of(contributions(), share({{"ada", whole(1)}})),
            "answer.contributions.ada");
  EXPECT_EQ(
    field_of(contributions(), share({{"bob", whole(1)}, {"p-bob", whole(1)}})),
    "answer.contributions");
  auto more = share({{"bob", whole(1)}});
  std::get<datum::fields>(more.what).emplace_back("extra", whole(1));
  EXPECT_EQ(field_of(contributions(), more), "answer.extra");
  EXPECT_EQ(field_of(contributions(), whole(1)), "answer");
}

TEST(Schema, SumsAreBounded) {
  auto schema = contributions();
  schema[2].self = true;
  auto answer = [](std::int64_t of_ada) {
    return map(
      {{"contributions", map({{"ada", whole(of_ada)}, {"bob", whole(60)}})},
       {"score", whole(1)}});
  };
  EXPECT_EQ(field_of(schema, answer(40)), "");
  EXPECT_EQ(field_of(schema, answer(41)), "answer.contributions");
}

TEST(Schema, ListsChoicesAndTexts) {
  auto answer = [](const char* mood, const char* note, datum::list picks) {
    return map({{"mood", datum{std::string{mood}}},
                {"note", datum{std::string{note}}},
                {"picks", datum{std::move(picks)}}});
  };
  EXPECT_EQ(field_of(various(), answer("good", "hi", {whole(3)})), "");
  EXPECT_EQ(field_of(various(), map({{"mood", datum{std::string{"bad"}}},
                                     {"picks", datum{datum::list{whole(3)}}}})),
            "");
  EXPECT_EQ(field_of(various(), answer("ugly", "hi", {whole(3)})),
            "answer.mood");
  EXPECT_EQ(field_of(various(), answer("good", "hello!", {whole(3)})),
            "answer.note");
  EXPECT_EQ(field_of(various(), answer("good", "", {whole(3)})), "answer.note");
  EXPECT_EQ(field_of(various(), answer("good", "hi", {})), "answer.picks");
  EXPECT_EQ(field_of(various(), answer("good", "hi", {whole(2)})),
            "answer.picks");
  EXPECT_EQ(field_of(various(), answer("good", "hi", {datum{true}})),
            "answer.picks[0]");
}

TEST(Schema, TooLargeAnswersAreRefusedBeforeTheyAreLookedAt) {
  auto answer
    = map({{"note", datum{std::string(limits::answer_bytes + 1, 'x')}}});
  auto out = checked(various(), answer);
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, errc::too_large);
}

TEST(Schema, RefusesSchemasThatAreNot) {
  auto field = [](const answer_schema& schema) {
    auto out = check(schema);
    return out ? std::string{} : out.error().field;
  };
  EXPECT_EQ(field({}), "schema");
  EXPECT_EQ(field({rule("", answer_type::integer)}), "schema");
  auto bad = contributions();
  bad[1].least = 101;
  EXPECT_EQ(field(bad), "schema.score.max");
  bad = contributions();
  bad[1].name = "Score";
  EXPECT_EQ(field(bad), "schema.Score");
  bad = contributions();
  bad[2].name = "score";
  EXPECT_EQ(field(bad), "schema.score");
  bad = contributions();
  bad[3].type = answer_type::boolean;
  bad[3].least = bad[3].most = std::nullopt;
  EXPECT_EQ(field(bad), "schema.contributions.sum_max");
  bad = contributions();
  bad[2].below = 7;
  EXPECT_EQ(field(bad), "schema.contributions");
  bad = various();
  bad[1].choices.clear();
  EXPECT_EQ(field(bad), "schema.mood.values");
  bad = evaluations();
  bad[1].below = 0;
  EXPECT_EQ(field(bad), "schema.evaluations.of");
  answer_schema deep;
  for (std::uint16_t below = 5; below > 0; --below)
    deep.push_back(rule(deep.empty() ? "" : "x", answer_type::record, below));
  deep.push_back(rule("x", answer_type::boolean));
  EXPECT_EQ(field(deep), "schema.x.x.x.x");
}

TEST(Schema, NobodyIsAskedWhatHasNoAnswer) {
  auto field = [](answer_rule what) {
    what.name = "x";
    answer_schema schema{rule("", answer_type::record, 1), std::move(what)};
    if (schema[1].type == answer_type::list) {
      schema[1].below = 1;
      schema[0].below = 2;
      schema.push_back(rule("", answer_type::boolean));
    }
    EXPECT_TRUE(check(schema).ok()) << "what is kept is still read";
    auto out = check_answerable(schema);
    return out ? std::string{} : out.error().field;
  };
  auto with = [](answer_type type, std::optional<double> least,
                 std::optional<double> most) {
    auto out = rule("", type);
    out.least = least;
    out.most = most;
    return out;
  };
  EXPECT_EQ(field(with(answer_type::text, {}, -1)), "schema.x.max");
  EXPECT_EQ(field(with(answer_type::list, {}, -1)), "schema.x.max");
  EXPECT_EQ(field(with(answer_type::text, 32'769, {})), "schema.x.min");
  EXPECT_EQ(field(with(answer_type::boolean, 1, {})), "schema.x.min");
  EXPECT_EQ(field(with(answer_type::boolean, {}, 1)), "schema.x.max");
  EXPECT_EQ(field(with(answer_type::integer, 0.2, 0.8)), "schema.x.max");
  EXPECT_EQ(field(with(answer_type::text, 1.5, 1.9)), "schema.x.max");
  EXPECT_EQ(field(rule("", answer_type::record)), "schema.x.fields");
  auto pick = rule("", answer_type::choice);
  pick.choices = {"x", "y", "x"};
  EXPECT_EQ(field(pick), "schema.x.values");
  pick.choices = {"x", "y"};
  EXPECT_EQ(field(pick), "");
  EXPECT_EQ(field(with(answer_type::number, 0.2, 0.8)), "");
  EXPECT_EQ(field(with(answer_type::integer, -5, -5)), "");
  EXPECT_EQ(field(with(answer_type::text, 0, 0)), "");
  for (const auto& good : {contributions(), evaluations(), various()})
    EXPECT_TRUE(check_answerable(good).ok());
  EXPECT_TRUE(check_answerable({rule("", answer_type::record)}).ok())
    << "that one has answered may be all there is to say";
}

} // namespace
