#include "actors/base/limits.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::test;

namespace {

class SessionMembers : public ::testing::Test {
protected:
  void create(const char* kind, settings_patch settings = {}) {
    ASSERT_TRUE(s.create(kind, std::move(settings)).ok());
    (void)s.changes();
  }

  result<reply> set(const std::string& user, std::vector<std::string> give,
                    std::vector<std::string> take = {},
                    const std::string& by = "owner") {
    set_member_command body;
    body.user = user_id{user};
    body.give = std::move(give);
    body.take = std::move(take);
    return s.run(by, 9, body);
  }

  result<reply> live(const std::string& user, std::uint64_t connection,
                     const std::string& key, live_value value) {
    return s.run(user, connection, set_live_command{{{key, value}}});
  }

  std::map<std::string, member_view> members() {
    std::map<std::string, member_view> out;
    auto answer = s.run("owner", 9, get_members_command{});
    EXPECT_TRUE(answer);
    for (const auto& one : std::get<members_reply>(answer->body).members)
      out.emplace(one.user.str(), one);
    return out;
  }

  static errc refusal_of(const result<reply>& answer) {
    return answer.ok() ? errc{} : answer.error().code;
  }

  session_harness s;
};

} // namespace

TEST_F(SessionMembers, PermissionsAreGivenAndTakenOneByOne) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(set("ada", {"can_speak", "wear_a_hat"}));
  ASSERT_TRUE(set("ada", {"can_video"}, {"can_speak"}));
  (void)s.changes();
  ASSERT_TRUE(set("ada", {}, {"can_video", "never_had"}));
  auto told = s.changes();
  ASSERT_EQ(count_changes<member_change>(told), 1U) << "one change for all";
  const auto* word = find_change<member_change>(told);
  EXPECT_EQ(word->permissions, std::vector<std::string>{"wear_a_hat"});
  EXPECT_TRUE(word->has(member_key::permissions));
  EXPECT_FALSE(word->has(member_key::role)) << "the changed keys alone";
  set_member_command role{user_id{"ada"}, {}, "guest"};
  ASSERT_TRUE(s.run("owner", 9, role));
  told = s.changes();
  word = find_change<member_change>(told);
  ASSERT_NE(word, nullptr);
  EXPECT_TRUE(word->has(member_key::role));
  EXPECT_FALSE(word->has(member_key::permissions));
  EXPECT_EQ(word->permissions, std::vector<std::string>{"wear_a_hat"})
    << "what is not named stays";
}

TEST_F(SessionMembers, SpeakingNeedsThePermissionOnAStage) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  EXPECT_EQ(refusal_of(live("ada", 1, "audio", true)), errc::forbidden);
  EXPECT_EQ(refusal_of(live("ada", 1, "speaking", true)), errc::forbidden);
  EXPECT_TRUE(live("ada", 1, "audio", false)) << "off is always allowed";
  EXPECT_TRUE(live("ada", 1, "hand", true)) << "other keys are free";
  ASSERT_TRUE(set("ada", {"can_speak"}));
  EXPECT_TRUE(live("ada", 1, "audio", true));
  EXPECT_EQ(refusal_of(live("ada", 1, "video", true)), errc::forbidden);
  ASSERT_TRUE(set("ada", {"can_video"}));
  EXPECT_TRUE(live("ada", 1, "video", true));
  join_command loud;
  loud.live = {{"audio", true}};
  auto refused = s.run("bob", 2, loud);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "live.audio");
  EXPECT_TRUE(s.join("owner", 3));
  EXPECT_TRUE(live("owner", 3, "video", true)) << "who moderates may";
}

TEST_F(SessionMembers, TakingAPermissionActsOnWhoeverSpeaks) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(set("ada", {"can_speak", "can_video"}));
  ASSERT_TRUE(live("ada", 1, "audio", true));
  ASSERT_TRUE(live("ada", 1, "video", true));
  (void)s.changes();
  ASSERT_TRUE(set("ada", {}, {"can_speak"}));
  auto told = s.changes();
  const auto* off = find_change<live_change>(told);
  ASSERT_NE(off, nullptr);
  EXPECT_EQ(off->live, (live_update{{"audio", live_value{false}}}));
  auto seen = s.look();
  EXPECT_EQ(seen.participants[0].live.at("video"), live_value{true});
  // Elsewhere nothing is gated.
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.gated_media = false}}));
  EXPECT_TRUE(live("ada", 1, "audio", true));
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.gated_media = true}}));
  EXPECT_EQ(s.look().participants[0].live.at("audio"), live_value{false});
}

TEST_F(SessionMembers, CanModerateModerates) {
  create("party");
  ASSERT_TRUE(s.join("host", 1));
  ASSERT_TRUE(s.join("ada", 2));
  ASSERT_TRUE(s.join("bob", 3));
  EXPECT_EQ(refusal_of(s.run("ada", 2, kick_command{user_id{"bob"}, {}})),
            errc::forbidden);
  ASSERT_TRUE(set("ada", {"can_moderate"}));
  EXPECT_TRUE(s.run("ada", 2, kick_command{user_id{"bob"}, {}}));
  EXPECT_EQ(refusal_of(set("host", {"can_moderate"}, {}, "ada")),
            errc::forbidden)
    << "moderators are an owner's doing";
  EXPECT_EQ(refusal_of(set("ada", {}, {"can_moderate"}, "host")),
            errc::forbidden);
}

TEST_F(SessionMembers, ModeratorsAreAnOwnersToGiveAndToTake) {
  create("party");
  auto role
    = [&](const std::string& by, const std::string& user, const char* to) {
        return s.run(by, 9, set_member_command{user_id{user}, {}, to});
      };
  ASSERT_TRUE(role("owner", "mo1", "moderator"));
  ASSERT_TRUE(role("owner", "mo2", "moderator"));
  auto refused = role("mo1", "mo2", "viewer");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::forbidden);
  EXPECT_EQ(refused.error().field, "role");
  EXPECT_EQ(members().at("mo2").role, "moderator");
  EXPECT_TRUE(role("mo1", "mo2", "moderator")) << "which changes nothing";
  EXPECT_TRUE(set("mo2", {"can_speak"}, {}, "mo1"));
  EXPECT_EQ(refusal_of(role("mo1", "ada", "moderator")), errc::forbidden);
  EXPECT_EQ(refusal_of(role("mo1", "ada", "owner")), errc::forbidden);
  EXPECT_TRUE(role("mo1", "ada", "viewer"));
  EXPECT_TRUE(role("owner", "mo2", "viewer"));
}

TEST_F(SessionMembers, WhoMayNotChangeMembersLearnsNothingOfThem) {
  create("party");
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"ada"}, {}}));
  auto probe = [&](const std::string& by, const char* user) {
    set_member_command body;
    body.participant = session_harness::id_of(user);
    body.role = "viewer";
    return s.run(by, 9, body);
  };
  EXPECT_EQ(refusal_of(probe("eve", "ada")), errc::forbidden);
  EXPECT_EQ(refusal_of(probe("eve", "zoe")), errc::forbidden);
  EXPECT_EQ(refusal_of(probe("owner", "zoe")), errc::not_found);
  auto history = [&](const std::string& by, const char* user) {
    get_history_command body;
    body.participant = session_harness::id_of(user);
    auto asked = s.state->question(*s.make(by, 9, body), s.now);
    return asked ? errc{} : asked.error().code;
  };
  EXPECT_EQ(history("eve", "ada"), errc::forbidden);
  EXPECT_EQ(history("eve", "zoe"), errc::forbidden);
  EXPECT_EQ(history("owner", "zoe"), errc::not_found);
  ASSERT_TRUE(s.run("owner", 9, end_command{}));
  EXPECT_EQ(refusal_of(probe("eve", "ada")), errc::session_ended);
  EXPECT_EQ(refusal_of(probe("eve", "zoe")), errc::session_ended);
}

TEST_F(SessionMembers, AnInvitationIsGivenOnceAndTakenBack) {
  create("meeting");
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"ada"}, "guest"}));
  auto told = s.changes();
  ASSERT_NE(find_change<member_change>(told), nullptr);
  EXPECT_TRUE(find_change<member_change>(told)->has(member_key::membership));
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"ada"}, "guest"}));
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"ada"}, {}}));
  auto other = s.run("owner", 9, invite_command{user_id{"ada"}, "other"});
  ASSERT_FALSE(other) << "what is not done is not answered as done";
  EXPECT_EQ(other.error().code, errc::conflict);
  EXPECT_EQ(other.error().field, "role");
  EXPECT_TRUE(s.changes().empty()) << "who is a member stays as is";
  EXPECT_EQ(members().at("ada").role, "guest");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.run("owner", 9, uninvite_command{user_id{"ada"}, {}}));
  EXPECT_EQ(s.state->present(), 0U);
  EXPECT_EQ(refusal_of(s.join("ada", 2)), errc::not_found);
  EXPECT_EQ(refusal_of(s.run("owner", 9, uninvite_command{user_id{"ada"}, {}})),
            errc::not_found);
}

TEST_F(SessionMembers, MembersAreListedHereOrNot) {
  create("stage");
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"bob"}, "guest"}));
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("eve", 2));
  ASSERT_TRUE(s.run("eve", 2, leave_command{}));
  auto all = members();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at("ada").status, member_status::joined);
  EXPECT_EQ(all.at("bob").status, member_status::invited);
  EXPECT_EQ(all.at("eve").status, member_status::left);
  s.keep_pages();
  s.activate();
  EXPECT_EQ(members().at("eve").status, member_status::left);
  auto page = s.run("owner", 9, get_members_command{{}, 2});
  ASSERT_TRUE(page);
  const auto& first = std::get<members_reply>(page->body);
  ASSERT_EQ(first.members.size(), 2U);
  EXPECT_EQ(first.next.str(), "bob");
  auto rest = s.run("owner", 9, get_members_command{first.next, 2});
  ASSERT_TRUE(rest);
  EXPECT_EQ(std::get<members_reply>(rest->body).members.size(), 1U);
  EXPECT_TRUE(std::get<members_reply>(rest->body).next.empty());
  ASSERT_TRUE(s.run("owner", 9, ban_command{user_id{"bob"}, {}}));
  ASSERT_TRUE(s.run("owner", 9, ban_command{user_id{"zoe"}, {}, millis{5}}));
  EXPECT_EQ(members().at("bob").status, member_status::removed);
  EXPECT_EQ(members().size(), 4U);
  auto seen = s.run("ada", 1, get_members_command{});
  ASSERT_TRUE(seen);
  EXPECT_EQ(std::get<members_reply>(seen->body).members.size(), 2U)
    << "who was removed is for moderators to see";
  page = s.run("owner", 9, get_members_command{user_id{"ada"}, 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(std::get<members_reply>(page->body).next.str(), "bob");
  s.now = s.now + millis{10};
  EXPECT_EQ(members().size(), 3U) << "a ban that is over tells nothing";
  ASSERT_TRUE(s.run(
    "owner", 9, configure_command{{.identity = identity_mode::pseudonymous}}));
  EXPECT_EQ(refusal_of(s.run("ada", 1, get_members_command{})),
            errc::forbidden);
}

TEST_F(SessionMembers, WhoeverWithdrawsIsNoMemberAnyMore) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  (void)s.changes();
  ASSERT_TRUE(s.run("ada", 1, withdraw_command{}));
  auto told = s.changes();
  EXPECT_EQ(find_change<left_change>(told)->reason, leave_reason::left);
  EXPECT_FALSE(find_change<member_change>(told)->is_member);
  EXPECT_EQ(s.state->total(), 1U);
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
  ASSERT_TRUE(s.join("ada", 3));
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"))
    << "a new member is the last in order";
  EXPECT_TRUE(s.run("eve", 4, withdraw_command{})) << "nothing to do";
}

TEST_F(SessionMembers, JoiningGivesTheKindsRole) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  EXPECT_EQ(s.look().participants[0].role, "viewer");
  ASSERT_TRUE(set("bob", {"can_speak"}));
  EXPECT_EQ(members().at("bob").role, "viewer");
  ASSERT_TRUE(s.run("owner", 9, invite_command{user_id{"eve"}, "speaker"}));
  EXPECT_EQ(members().at("eve").role, "speaker") << "unless said otherwise";
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.default_role = "guest"}}));
  ASSERT_TRUE(s.join("cid", 2));
  EXPECT_EQ(members().at("cid").role, "guest");
  EXPECT_EQ(members().at("ada").role, "viewer") << "who has one keeps it";
}

TEST_F(SessionMembers, WhoeverWasInForAMomentIsAMember) {
  create("party", {.access = access_mode::code, .code = "K7QX"});
  auto join = [&](std::uint64_t connection, std::string code) {
    auto asked
      = std::make_shared<command>(*s.make("ada", connection, join_command{}));
    asked->caller.code = std::move(code);
    return asked;
  };
  // The leave comes before the membership is on its way to the disk.
  (void)s.state->handle(join(1, "K7QX"), s.now);
  auto joined = s.state->at();
  (void)s.state->handle(s.make("ada", 1, leave_command{}), s.now);
  s.pump();
  EXPECT_EQ(s.state->present(), 0U);
  EXPECT_EQ(s.state->total(), 1U);
  auto kept = s.kept.stored().members;
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].admitted, joined) << "the order of joining";
  EXPECT_EQ(kept[0].who.name, "ada");
  EXPECT_EQ(members().at("ada").status, member_status::left);
  EXPECT_TRUE(s.run(join(2, ""))) << "who is a member needs no code";
}

TEST_F(SessionMembers, WhoeverWasRemovedMeanwhileIsNoMember) {
  create("party");
  ASSERT_TRUE(s.join("bob", 1));
  (void)s.state->handle(s.make("owner", 9, kick_command{user_id{"bob"}, {}}),
                        s.now);
  auto kick = s.state->next_batch(s.now);
  ASSERT_TRUE(kick);
  (void)s.state->handle(s.make("owner", 9, kick_command{user_id{"ada"}, {}}),
                        s.now);
  // Comes while it is not yet said that ada is to go.
  (void)s.state->handle(s.make("ada", 2, join_command{}), s.now);
  s.kept.keep(kick->records);
  s.state->committed(kick->number, position_t{1}, s.now);
  s.pump();
  EXPECT_EQ(s.state->present(), 0U);
  EXPECT_EQ(s.state->total(), 0U);
  EXPECT_TRUE(s.kept.stored().members.empty());
}

TEST_F(SessionMembers, ASessionThatEndsMeanwhileAdmitsNobody) {
  create("party");
  (void)s.state->handle(s.make("owner", 9, end_command{}), s.now);
  (void)s.state->handle(s.make("ada", 2, join_command{}), s.now);
  s.pump();
  EXPECT_TRUE(s.kept.stored().members.empty());
}

TEST_F(SessionMembers, ARoleThatIsTakenAwayIsGivenToNobody) {
  create("stage");
  ASSERT_TRUE(s.run("owner", 9, configure_command{{.default_role = ""}}));
  ASSERT_TRUE(s.join("ada", 1));
  EXPECT_EQ(members().at("ada").role, "");
  s.keep_pages();
  s.activate();
  EXPECT_EQ(s.state->settings().default_role, "");
}

// -- hosts -------------------------------------------------------------------

TEST_F(SessionMembers, TheOldestOfAllMembersMayBeElsewhere) {
  create("party", {.host = host_policy::oldest_member_any});
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  ASSERT_TRUE(s.run("ada", 1, leave_command{}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  ASSERT_TRUE(s.run("owner", 9, uninvite_command{user_id{"ada"}, {}}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
  s.keep_pages();
  s.activate();
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
}

TEST_F(SessionMembers, AHostMayBeNamedUnderEveryPolicyButNone) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  ASSERT_TRUE(s.run("ada", 1, transfer_host_command{user_id{"bob"}, {}}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
  ASSERT_TRUE(s.run("bob", 2, leave_command{}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob")) << "may reclaim";
  s.advance(millis{30'200});
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"))
    << "and then the policy says who";
  s.pump();
  ASSERT_TRUE(s.join("bob", 7));
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"))
    << "too late to reclaim";
  s.keep_pages();
  s.activate();
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  ASSERT_TRUE(s.run("owner", 9,
                    configure_command{{.host = host_policy::oldest_present}}));
  ASSERT_TRUE(s.join("bob", 3));
  EXPECT_EQ(s.state->host(), session_harness::id_of("ada"));
  ASSERT_TRUE(
    s.run("owner", 9, configure_command{{.host = host_policy::none}}));
  EXPECT_EQ(
    refusal_of(s.run("owner", 9, transfer_host_command{user_id{"bob"}, {}})),
    errc::conflict);
}

TEST_F(SessionMembers, AnAbsentHostIsHostWhoeverElseGoesForGood) {
  create("stage");
  ASSERT_TRUE(s.join("owner", 1));
  ASSERT_TRUE(s.join("ada", 2));
  ASSERT_TRUE(s.join("bob", 3));
  ASSERT_TRUE(s.run("owner", 1, leave_command{}));
  ASSERT_TRUE(s.run("ada", 2, withdraw_command{}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("owner"));
  ASSERT_TRUE(s.run("owner", 9, kick_command{user_id{"bob"}, {}}));
  s.advance(millis{29'000});
  EXPECT_EQ(s.state->host(), session_harness::id_of("owner"));
  s.advance(millis{1'200});
  EXPECT_EQ(s.state->host(), std::nullopt);
  ASSERT_TRUE(s.join("owner", 4));
  ASSERT_TRUE(s.run("owner", 4, leave_command{}));
  ASSERT_TRUE(s.run("owner", 4, withdraw_command{}));
  EXPECT_EQ(s.state->host(), std::nullopt) << "who goes for good is no host";
}

TEST_F(SessionMembers, SayingTheSamePolicyAgainKeepsTheHost) {
  create("party");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("bob", 2));
  ASSERT_TRUE(s.run("ada", 1, transfer_host_command{user_id{"bob"}, {}}));
  (void)s.changes();
  ASSERT_TRUE(s.run(
    "owner", 9,
    configure_command{{.host = host_policy::oldest_member, .locked = true}}));
  EXPECT_EQ(s.state->host(), session_harness::id_of("bob"));
  EXPECT_EQ(count_changes<host_change>(s.changes()), 0U);
}

TEST_F(SessionMembers, WhoeverIsNamedHostIsAMember) {
  ASSERT_TRUE(s.create("board", {.host = host_policy::oldest_present}));
  ASSERT_TRUE(s.join("ann", 1));
  ASSERT_TRUE(s.join("bob", 2));
  auto total = s.look().total;
  ASSERT_TRUE(s.run("owner", 9, transfer_host_command{user_id{"bob"}, {}}));
  EXPECT_EQ(s.look().total, total) << "who is here is counted once";
  auto kept = s.kept.stored();
  ASSERT_EQ(kept.members.size(), 1U);
  EXPECT_EQ(kept.members[0].user, user_id{"bob"});
  EXPECT_EQ(kept.session->appointed_host, user_id{"bob"});
  ASSERT_TRUE(s.run("owner", 9, kick_command{user_id{"bob"}, {}}));
  EXPECT_EQ(s.kept.stored().session->appointed_host, std::nullopt);
}

TEST_F(SessionMembers, OnesOwnEntrySaysWhetherOneIsReminded) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.join("eve", 2));
  auto entry_of = [this](const std::string& by, const std::string& user) {
    get_members_command body;
    body.only = user_id{user};
    auto answer = s.run(by, 9, body);
    EXPECT_TRUE(answer);
    return answer ? std::get<members_reply>(answer->body).members.at(0)
                  : member_view{};
  };
  auto before = entry_of("ada", "ada");
  EXPECT_EQ(before.remind, (reminder_view{false, millis{0}}));
  ASSERT_TRUE(s.run("ada", 1, set_reminder_command{true, millis{600'000}}));
  auto after = entry_of("ada", "ada");
  EXPECT_EQ(after.remind, (reminder_view{true, millis{600'000}}));
  EXPECT_LT(before.changed, after.changed) << "it has a tag of its own";
  EXPECT_EQ(entry_of("owner", "ada").remind, std::nullopt);
  EXPECT_EQ(entry_of("eve", "ada").remind, std::nullopt);
  EXPECT_EQ(members().at("ada").remind, std::nullopt);
  ASSERT_TRUE(s.run(
    "owner", 9, configure_command{{.identity = identity_mode::pseudonymous}}));
  EXPECT_TRUE(entry_of("ada", "ada").remind);
  get_members_command other;
  other.only = user_id{"eve"};
  EXPECT_EQ(refusal_of(s.run("ada", 1, other)), errc::forbidden);
}

TEST_F(SessionMembers, WhoIsListedAsRemovedIsFoundAsThat) {
  create("stage");
  ASSERT_TRUE(s.join("ada", 1));
  ASSERT_TRUE(s.run("owner", 9, ban_command{user_id{"zoe"}, {}, millis{50}}));
  get_members_command one;
  one.only = user_id{"zoe"};
  auto seen = s.run("owner", 9, one);
  ASSERT_TRUE(seen);
  const auto& entry = std::get<members_reply>(seen->body).members.at(0);
  EXPECT_EQ(entry.status, member_status::removed);
  EXPECT_EQ(entry.participant, s.id_of("zoe"));
  EXPECT_EQ(refusal_of(s.run("ada", 1, one)), errc::not_found);
  s.now = s.now + millis{60};
  EXPECT_EQ(refusal_of(s.run("owner", 9, one)), errc::not_found);
}

// -- bounds ------------------------------------------------------------------

TEST_F(SessionMembers, TheBoundCountsWhatIsUnderWay) {
  create("meeting");
  member_record known;
  known.session = s.key();
  for (std::size_t i = 1; i < limits::members_per_session; ++i) {
    known.user = user_id{"m" + std::to_string(i)};
    known.admitted = {1, i};
    s.kept.keep(known);
  }
  s.activate();
  auto invite = [&](const char* user) {
    auto asked = s.make("owner", 9, invite_command{user_id{user}, {}});
    ASSERT_TRUE(std::holds_alternative<ticket>(s.state->handle(asked, s.now)));
  };
  auto guests = [&] {
    std::size_t count = 0;
    auto batch = s.state->next_batch(s.now);
    if (batch)
      for (const auto& one : batch->records)
        count += std::holds_alternative<member_record>(one) ? 1 : 0;
    return std::pair{std::move(batch), count};
  };
  invite("ada");
  invite("bob");
  auto [first, of_first] = guests();
  ASSERT_TRUE(first);
  EXPECT_EQ(of_first, 1U);
  auto late = s.take_late();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(refusal_of(late[0].answer), errc::too_large);
  // In a batch of its own it finds the place taken, too.
  invite("bob");
  EXPECT_EQ(guests().second, 0U);
  s.state->committed(first->number, fail(errc::unavailable, "disk"), s.now);
  (void)s.take_late();
  EXPECT_TRUE(s.run("owner", 9, invite_command{user_id{"bob"}, {}}))
    << "what could not be kept takes no place";
  EXPECT_EQ(refusal_of(s.run("owner", 9, invite_command{user_id{"ada"}, {}})),
            errc::too_large);
  EXPECT_EQ(s.kept.stored().members.size(), limits::members_per_session);
}

TEST_F(SessionMembers, NobodyIsLetInAgainBeyondTheBound) {
  create("board");
  std::size_t number = 0;
  roster_page page;
  page.session = s.key();
  while (number < limits::participants_per_session) {
    page.entries.clear();
    while (number < limits::participants_per_session
           && page.entries.size() < limits::page_participants) {
      ++number;
      roster_entry entry;
      entry.user = user_id{"u" + std::to_string(number)};
      entry.joined = {1, number};
      entry.connections.push_back({{7, number}, s.edge});
      page.entries.push_back(std::move(entry));
    }
    s.kept.keep(page);
    ++page.number;
  }
  s.activate();
  ASSERT_EQ(s.state->present(), limits::participants_per_session);
  join_command again;
  again.admitted = admission{{1, number + 1}, s.now.wall, 0};
  EXPECT_EQ(refusal_of(s.run("ada", number + 1, again)), errc::session_full);
  EXPECT_TRUE(s.run("u1", number + 2, again)) << "who is here stays";
  ASSERT_TRUE(s.run("owner", 9, kick_command{user_id{"u2"}, {}}));
  EXPECT_TRUE(s.run("ada", number + 1, again));
}
