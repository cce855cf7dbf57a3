// What a session says of its past: audit entries, stays that are not kept
// yet, who may ask; deletion and erasure.

#include "actors/audit_words.hpp"
#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionPast : public ::testing::Test {
protected:
  SessionPast() {
    EXPECT_TRUE(h.create("meeting", open_to_all()));
  }

  static settings_patch open_to_all() {
    settings_patch out;
    out.access = access_mode::open;
    return out;
  }

  const audit_record* entry(const std::string& action,
                            const std::string& target = {}) {
    h.keep_pages();
    const audit_record* out = nullptr;
    for (const auto& [at, one] : h.kept.audit())
      if (one.action == action && one.target.str() == target)
        out = &one;
    return out;
  }

  result<store_question> ask(const std::string& user, command_body body) {
    return h.state->question(*h.make(user, 1, std::move(body)), h.now);
  }

  result<history_question> ask_history(const std::string& user,
                                       get_history_command body = {}) {
    auto asked = ask(user, std::move(body));
    if (!asked)
      return asked.error();
    return std::get<history_question>(*asked);
  }

  session_harness h;
};

TEST_F(SessionPast, JoinsAndLeavesAreInTheAuditLog) {
  auto asked = h.make("ada", 1, join_command{});
  auto with_request = std::make_shared<command>(*asked);
  with_request->request = "r-77";
  ASSERT_TRUE(h.run(with_request));
  const auto* join = entry("join", "ada");
  ASSERT_NE(join, nullptr);
  EXPECT_EQ(join->actor.str(), "ada");
  EXPECT_EQ(join->request, "r-77");
  EXPECT_EQ(join->when, h.now.wall);
  EXPECT_EQ(join->after, "");

  ASSERT_TRUE(h.run("ada", 1, leave_command{}));
  const auto* leave = entry("leave", "ada");
  ASSERT_NE(leave, nullptr);
  EXPECT_EQ(leave->actor.str(), "ada");
  EXPECT_EQ(leave->after, "reason=left");
  EXPECT_LT(join->at, leave->at);

  ASSERT_TRUE(h.join("ada", 2));
  EXPECT_EQ(entry("join", "ada")->after, "reconnections=1");
}

TEST_F(SessionPast, NobodyIsTheActorOfATimeout) {
  ASSERT_TRUE(h.join("ada", 1));
  h.notice(1, sign::silent, h.state->settings().suspect_after);
  h.advance(h.state->settings().timeout);
  const auto* leave = entry("leave", "ada");
  ASSERT_NE(leave, nullptr);
  EXPECT_TRUE(leave->actor.empty());
  EXPECT_TRUE(leave->request.empty());
  EXPECT_EQ(leave->after, "reason=timeout");
}

TEST_F(SessionPast, PrivilegedActionsSayBeforeAndAfter) {
  ASSERT_TRUE(h.join("ada", 1));
  set_member_command speaker{
    user_id{"ada"}, {}, "speaker", std::vector<std::string>{"can_speak"}};
  ASSERT_TRUE(h.run("owner", 9'999, speaker));
  const auto* first = entry("set_member", "ada");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->after, "permission=can_speak role=speaker");
  ASSERT_TRUE(
    h.run("owner", 9'999, set_member_command{user_id{"ada"}, {}, "guest", {}}));
  const auto* second = entry("set_member", "ada");
  EXPECT_EQ(second->before, "role=speaker") << "only what changed";
  EXPECT_EQ(second->after, "role=guest");

  settings_patch lock;
  lock.locked = true;
  ASSERT_TRUE(h.run("owner", 9'999, configure_command{lock}));
  EXPECT_EQ(entry("configure_session")->after, "locked=true");
  EXPECT_EQ(entry("configure_session")->before, "");

  ASSERT_TRUE(h.run("owner", 9'999, kick_command{user_id{"ada"}, {}}));
  EXPECT_EQ(entry("kick", "ada")->before, "permission=can_speak role=guest");
  EXPECT_EQ(entry("leave", "ada")->after, "reason=kicked");
  EXPECT_EQ(entry("leave", "ada")->actor.str(), "owner");
}

TEST_F(SessionPast, EveryDurableOperationSaysWhatItChanged) {
  ASSERT_TRUE(h.join("ada", 1));
  auto words = [&](const char* action, const char* target, auto body) {
    EXPECT_TRUE(h.run("owner", 9'999, std::move(body))) << action;
    const auto* found = entry(action, target);
    EXPECT_NE(found, nullptr) << action;
    return found != nullptr ? std::pair{found->before, found->after}
                            : std::pair{std::string{}, std::string{}};
  };
  using both = std::pair<std::string, std::string>;
  set_phase_command phase{"talk", "open", millis{60'000}, "break"};
  auto [none, begun] = words("set_phase", "", phase);
  EXPECT_EQ(none, "");
  EXPECT_EQ(begun, "next_phase=break phase=talk phase_until="
                     + std::to_string((h.now.wall + millis{60'000}).count())
                     + " status=open");
  EXPECT_EQ(words("set_phase", "", set_phase_command{{}, "closed"}),
            (both{"status=open", "status=closed"}));
  EXPECT_EQ(words("start_barrier", "", start_barrier_command{"go"}),
            (both{"", "barrier=go"}));
  answer_rule root;
  root.below = 1;
  answer_rule score;
  score.name = "score";
  score.type = answer_type::integer;
  EXPECT_EQ(
    words("open_round", "", open_round_command{"vote", {{root, score}}}),
    (both{"", "round=vote open=true progress=named "
              "results=after_close revise=false"}));
  EXPECT_EQ(words("close_round", "", close_round_command{"vote"}),
            (both{"open=true", "round=vote open=false"}));
  configure_command start;
  start.starts_at.emplace(h.now.wall + millis{5'000});
  EXPECT_EQ(words("configure_session", "", start).second,
            "starts_at=" + std::to_string(start.starts_at->value().count()));
  EXPECT_EQ(
    words("ban", "ada", ban_command{user_id{"ada"}, {}, {}, "said a thing"}),
    (both{"role=", "banned=true reason=said_a_thing"}))
    << "a member until then";
  EXPECT_EQ(words("unban", "ada", unban_command{user_id{"ada"}, {}}),
            (both{"banned=true reason=said_a_thing", ""}));
}

TEST_F(SessionPast, ABanTellsNothingOfThoseThatItReplaces) {
  ban_record over;
  over.session = h.key();
  over.until = h.now.wall;
  over.reason = "of somebody else";
  for (std::size_t i = 0; i < limits::bans_per_session; ++i) {
    over.user = user_id{"u" + std::to_string(i)};
    h.kept.keep(over);
  }
  h.activate();
  ASSERT_TRUE(
    h.run("owner", 9'999, ban_command{user_id{"ada"}, {}, {}, "loud"}));
  EXPECT_LT(h.kept.stored().bans.size(), limits::bans_per_session)
    << "old ones made room";
  const auto* one = entry("ban", "ada");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->before, "");
  EXPECT_EQ(one->after, "banned=true reason=loud");
}

TEST_F(SessionPast, EverySettingIsNamedAndNoCodeIsTold) {
  settings_patch all{membership_mode::durable,
                     access_mode::code,
                     host_policy::appointed,
                     identity_mode::pseudonymous,
                     duplicate_policy::kick_old,
                     9,
                     true,
                     false,
                     millis{2'000},
                     millis{5'000},
                     millis{9'000},
                     millis{3'000},
                     millis{4'000},
                     "club",
                     std::vector<std::string>{"a", "b"},
                     "a",
                     true,
                     7,
                     8,
                     true,
                     "sesame"};
  // A new setting fails to compile here: it needs a word, too.
  [[maybe_unused]] auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12,
                          m13, m14, m15, m16, m17, m18, m19, m20, code]
    = all;
  session_record kept;
  kept.kind = "party";
  kept.overrides = all;
  EXPECT_EQ(describe(kept),
            "kind=party membership=durable access=code host_policy=appointed "
            "identity=pseudonymous duplicates=kick_old capacity=9 locked=true "
            "anonymous_views=false beat_ms=2000 suspect_after_ms=5000 "
            "timeout_ms=9000 drop_grace_ms=3000 host_reclaim_ms=4000 "
            "group=club admits=a admits=b default_role=a gated_media=true "
            "live_rate=7 live_burst=8 own_names=true");
  settings_patch by_code;
  by_code.code = "sesame";
  ASSERT_TRUE(h.run("owner", 9'999, configure_command{by_code}));
  by_code.code = "open sesame";
  ASSERT_TRUE(h.run("owner", 9'999, configure_command{by_code}));
  EXPECT_EQ(entry("configure_session")->after, "code=changed");
}

TEST_F(SessionPast, WordsOfAnEntryAreBounded) {
  auto long_id = std::string(limits::id_bytes, 'x');
  ASSERT_TRUE(h.run("owner", 9'999, set_member_command{user_id{long_id}, {}}));
  std::vector<std::string> many;
  for (std::size_t i = 0; i < limits::permissions_per_member; ++i)
    many.push_back(std::string(limits::name_bytes - 2, 'p')
                   + std::to_string(10 + i));
  ASSERT_TRUE(
    h.run("owner", 9'999, set_member_command{user_id{long_id}, {}, {}, many}));
  const auto* one = entry("set_member", long_id);
  ASSERT_NE(one, nullptr);
  EXPECT_GT(one->after.size(), limits::audit_text_bytes / 2);
  EXPECT_LE(one->after.size(), limits::audit_text_bytes);
}

TEST_F(SessionPast, EntriesHaveNumbersOfTheirOwn) {
  for (std::uint64_t i = 1; i <= 5; ++i)
    ASSERT_TRUE(h.join("u" + std::to_string(i), i));
  for (std::uint64_t i = 1; i <= 5; ++i)
    ASSERT_TRUE(h.run("u" + std::to_string(i), i, leave_command{}));
  h.keep_pages();
  EXPECT_EQ(h.kept.audit().size(), 1U + 5U + 5U) << "created, came, went";
}

TEST_F(SessionPast, AJoinHasOneVersionInTheLogAndInTheHistory) {
  ASSERT_TRUE(h.join("ada", 1));
  auto stays = ask_history("owner")->known;
  ASSERT_EQ(stays.size(), 1U);
  EXPECT_EQ(entry("join", "ada")->at, stays[0].joined);
  (void)h.changes();
  ASSERT_TRUE(h.run("ada", 1, leave_command{}));
  auto told = h.changes();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(entry("leave", "ada")->at.rev, told[0].rev);
}

TEST_F(SessionPast, ASessionMadeWithACodeSaysThatThereIsOne) {
  session_harness other{make_key("s2")};
  ASSERT_TRUE(
    other.create("board", {.access = access_mode::code, .code = "sesame"}));
  ASSERT_EQ(other.kept.audit().size(), 1U);
  const auto& made = other.kept.audit().begin()->second;
  EXPECT_EQ(made.action, "create_session");
  EXPECT_NE(made.after.find(" code=set"), std::string::npos) << made.after;
  EXPECT_EQ(made.after.find("sesame"), std::string::npos);
}

TEST_F(SessionPast, HistoryRidesInBoundedWrites) {
  constexpr std::size_t people = limits::history_per_write;
  for (std::uint64_t i = 1; i <= people; ++i)
    ASSERT_TRUE(h.join("u" + std::to_string(i), i));
  for (std::uint64_t i = 1; i <= people; ++i)
    ASSERT_TRUE(h.run("u" + std::to_string(i), i, leave_command{}));
  std::size_t writes = 0;
  while (h.state->pages_dirty()) {
    auto records = h.state->take_pages();
    std::size_t history = 0;
    for (const auto& one : records)
      history += std::holds_alternative<interval_record>(one)
                     || std::holds_alternative<audit_record>(one)
                   ? 1
                   : 0;
    EXPECT_LE(history, limits::history_per_write);
    h.kept.keep(records);
    h.state->pages_written(true);
    ++writes;
  }
  EXPECT_EQ(writes, 3U);
  EXPECT_EQ(h.kept.stays().size(), people);
}

TEST_F(SessionPast, WhatWasNotKeptIsWrittenAgain) {
  ASSERT_TRUE(h.join("ada", 1));
  ASSERT_TRUE(h.run("ada", 1, leave_command{}));
  auto first = h.state->take_pages();
  h.state->pages_written(false);
  auto again = h.state->take_pages();
  auto stays = [](const std::vector<record>& all) {
    return std::count_if(all.begin(), all.end(), [](const auto& one) {
      return std::holds_alternative<interval_record>(one);
    });
  };
  EXPECT_EQ(stays(first), 1);
  EXPECT_EQ(stays(again), 1);
}

TEST(Chronicle, GivesTheOldestUpWhenNothingIsEverKept) {
  chronicle book;
  for (std::size_t i = 0; i < limits::history_waiting + 3; ++i) {
    interval_record one;
    one.joined = {1, i};
    book.add(one);
  }
  EXPECT_EQ(book.lost(), 3U);
  EXPECT_EQ(book.unwritten_stays().size(), limits::history_waiting);
  EXPECT_EQ(book.unwritten_stays().front().joined.rev, 3U);
}

TEST_F(SessionPast, AQuestionBringsWhatTheStoreCannotKnow) {
  ASSERT_TRUE(h.join("ada", 1));
  h.advance(millis{5'000});
  ASSERT_TRUE(h.run("ada", 1, leave_command{}));
  ASSERT_TRUE(h.join("bob", 2));
  auto asked = ask_history("owner");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->at, h.state->at());
  ASSERT_EQ(asked->known.size(), 2U);
  EXPECT_EQ(asked->known[0].user.str(), "ada");
  EXPECT_EQ(*asked->known[0].until - asked->known[0].from, millis{5'000});
  EXPECT_EQ(asked->known[1].user.str(), "bob");
  EXPECT_FALSE(asked->known[1].until);

  // On its way to the store it is still known here; then it is not.
  (void)h.state->take_pages();
  EXPECT_EQ(ask_history("owner")->known.size(), 2U);
  h.state->pages_written(true);
  EXPECT_EQ(ask_history("owner")->known.size(), 1U);
}

TEST_F(SessionPast, HistoryNamesOthersToModeratorsOnly) {
  ASSERT_TRUE(h.join("ada", 1));
  EXPECT_TRUE(ask_history("owner"));
  EXPECT_EQ(ask_history("ada").error().code, errc::forbidden);
  get_history_command own;
  own.user = user_id{"ada"};
  EXPECT_TRUE(ask_history("ada", own)) << "one's own";
  own.user = user_id{"owner"};
  EXPECT_EQ(ask_history("ada", own).error().code, errc::forbidden);
  get_history_command figures;
  figures.what = history_view::summary;
  EXPECT_TRUE(ask_history("ada", figures)) << "figures name nobody";
  EXPECT_EQ(ask("ada", get_audit_command{}).error().code, errc::forbidden);
  EXPECT_TRUE(ask("owner", get_audit_command{}));
}

TEST_F(SessionPast, OutsidersDoNotLearnThatThereIsAPast) {
  settings_patch shut;
  shut.access = access_mode::members;
  ASSERT_TRUE(h.run("owner", 9'999, configure_command{shut}));
  EXPECT_EQ(ask_history("eve").error().code, errc::not_found);
  EXPECT_EQ(ask("eve", get_audit_command{}).error().code, errc::not_found);
}

TEST_F(SessionPast, AnAnswerNamesParticipantsAsEverywhere) {
  history_reply found;
  found.stays = {{user_id{"ada"}, {}, {1, 2}, millis{1}, millis{2}}};
  auto answer = h.state->answer_past(found, {1, 5});
  const auto& past = std::get<history_reply>(answer.body);
  EXPECT_EQ(past.stays[0].participant, session_harness::id_of("ada"));
  EXPECT_EQ(answer.at, (version{1, 5}));
}

TEST_F(SessionPast, ASessionMayBeDeletedWithPeopleInIt) {
  ASSERT_TRUE(h.join("ada", 1));
  h.keep_pages();
  EXPECT_EQ(h.run("ada", 1, delete_command{}).error().code, errc::forbidden);
  (void)h.changes();
  auto answer = h.run("owner", 9'999, delete_command{});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->level, ack_level::committed);
  EXPECT_EQ(h.state->present(), 0U);
  EXPECT_FALSE(h.state->exists());
  const auto directs = h.state->take_directs();
  ASSERT_EQ(directs.size(), 1U);
  EXPECT_EQ(std::get<removed_direct>(directs[0].body).reason,
            leave_reason::session_ended);
  h.keep_pages();
  EXPECT_TRUE(h.kept.stays().empty()) << "nothing outlives it";
  EXPECT_TRUE(h.kept.audit().empty());
  EXPECT_EQ(h.join("ada", 2).error().code, errc::not_found);
  EXPECT_TRUE(h.create("meeting")) << "the id is free again";
}

TEST_F(SessionPast, ADeletionThatWasBrokenOffIsGoneOnWith) {
  ASSERT_TRUE(h.join("ada", 1));
  h.keep_pages();
  auto ticket_of
    = h.state->handle(h.make("owner", 9'999, delete_command{}), h.now);
  ASSERT_TRUE(std::holds_alternative<ticket>(ticket_of));
  auto batch = h.state->next_batch(h.now);
  ASSERT_TRUE(batch);
  h.kept.keep(batch->records);
  // The owner is killed: the deletion is kept, its effect is not.
  h.activate();
  EXPECT_EQ(ask_history("owner").error().code, errc::not_found)
    << "from then on nobody finds it";
  EXPECT_EQ(h.join("bob", 3).error().code, errc::not_found);
  ASSERT_TRUE(h.state->next_due(h.now));
  h.state->expire(h.now);
  h.pump();
  EXPECT_FALSE(h.state->exists());
}

TEST_F(SessionPast, AUserIsForgotten) {
  ASSERT_TRUE(h.join("ada", 1));
  ASSERT_TRUE(
    h.run("owner", 9'999, set_member_command{user_id{"ada"}, {}, "speaker"}));
  ASSERT_TRUE(h.join("bob", 2));
  EXPECT_EQ(
    h.run("owner", 9'999, forget_user_command{user_id{"ada"}}).error().code,
    errc::forbidden);
  h.grants = h.grants | capability_set{capability::admin};
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"ada"}}));
  EXPECT_EQ(h.state->present(), 1U);
  h.keep_pages();
  for (const auto& [key, one] : h.kept.stays())
    EXPECT_NE(one.user.str(), "ada");
  auto kept = h.kept.stored();
  EXPECT_TRUE(kept.members.empty() || kept.members[0].user.str() != "ada");
  // Coming again is coming for the first time.
  auto again = h.join("ada", 3);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<join_reply>(again->body).admitted.reconnections, 0U);
}

TEST_F(SessionPast, WhatCouldNotBeErasedIsNotForgotten) {
  ASSERT_TRUE(h.join("ada", 1));
  ASSERT_TRUE(h.run("ada", 1, leave_command{}));
  h.grants = h.grants | capability_set{capability::admin};
  (void)h.state->handle(
    h.make("root", 8'888, forget_user_command{user_id{"ada"}}), h.now);
  h.pump(fail(errc::unavailable, "disk"));
  auto late = h.take_late();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_FALSE(late[0].answer.ok());
  h.keep_pages();
  EXPECT_EQ(h.kept.stays().size(), 1U) << "the stay is still to be kept";
  auto again = h.join("ada", 2);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<join_reply>(again->body).admitted.reconnections, 1U);
}

TEST_F(SessionPast, AForgottenUserIsInNoBan) {
  for (const auto* user : {"ada", "bob"})
    ASSERT_TRUE(h.run("owner", 9'999, ban_command{user_id{user}, {}}));
  h.grants = h.grants | capability_set{capability::admin};
  auto bans = [&] {
    auto found = h.run("root", 8'888, get_bans_command{});
    return found ? std::get<bans_reply>(found->body).bans
                 : std::vector<ban_view>{};
  };
  (void)h.changes();
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"owner"}}));
  EXPECT_TRUE(h.changes().empty()) << "nobody is banned anew";
  ASSERT_EQ(bans().size(), 2U);
  for (const auto& one : bans())
    EXPECT_TRUE(one.by.empty()) << "they stay, and do not say whose they are";
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"ada"}}));
  ASSERT_EQ(bans().size(), 1U);
  EXPECT_EQ(bans()[0].user.str(), "bob");
  auto kept = h.kept.stored().bans;
  ASSERT_EQ(kept.size(), 1U) << "the store says the same";
  EXPECT_EQ(kept[0].user.str(), "bob");
  EXPECT_TRUE(kept[0].by.empty());
}

TEST_F(SessionPast, ManyBansAreForgottenInSteps) {
  auto count = limits::bans_forgotten + 3;
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_TRUE(
      h.run("owner", 9'999, ban_command{user_id{"u" + std::to_string(i)}, {}}));
  h.grants = h.grants | capability_set{capability::admin};
  auto named = [&] {
    auto all = h.kept.stored().bans;
    return std::count_if(all.begin(), all.end(),
                         [](const auto& one) { return !one.by.empty(); });
  };
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"owner"}}));
  EXPECT_EQ(named(), 3);
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"owner"}}));
  EXPECT_EQ(named(), 0);
}

TEST_F(SessionPast, ForgettingTheCreatorLeavesTheSession) {
  h.grants = h.grants | capability_set{capability::admin};
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"owner"}}));
  EXPECT_TRUE(h.kept.stored().session->created_by.empty());
  ASSERT_TRUE(h.run("root", 8'888, forget_user_command{user_id{"nobody"}}))
    << "nothing to do is no refusal";
}

} // namespace

TEST_F(SessionPast, WhoIsHereIsWhoIsHereNow) {
  get_history_command body;
  body.what = history_view::here;
  auto asked = ask_history("owner", body);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->asked.from, h.now.wall);
  body.from = millis{5};
  EXPECT_EQ(ask_history("owner", body)->asked.from, millis{5});
  body.what = history_view::stays;
  body.from = millis{0};
  EXPECT_EQ(ask_history("owner", body)->asked.from, millis{0});
}
