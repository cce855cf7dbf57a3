// Who finds which sessions of groups and roles.

#include "persistence/session_lister.hpp"

#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

namespace rollcall {

namespace {

constexpr partition_id home = 3;

struct SessionLister : testing::Test {
  SessionLister() {
    auto one = samples::plain_session(samples::session("party"));
    one.overrides.access = access_mode::group;
    one.overrides.group = "film-club";
    auto lounge = samples::plain_session(samples::session("lounge"));
    lounge.overrides.access = access_mode::roles;
    lounge.overrides.roles = std::vector<std::string>{"staff"};
    put({one, lounge, samples::member("old", one.key),
         samples::member("old", lounge.key)});
    asked_.asked.partition = home;
    asked_.ns = namespace_id{"acme"};
    asked_.caller.user = user_id{"eve"};
    asked_.caller.grants = default_grants;
  }

  void put(const std::vector<record>& values) {
    applied_records group{home, {1, 9, epoch_generation_unit + 1}, {}};
    for (const auto& value : values)
      group.records.push_back(encode(value, home)->at(0));
    ASSERT_TRUE(disk_.write({&group, 1}));
  }

  std::string listed() {
    auto page = list_sessions(disk_, preset_kinds(), asked_);
    EXPECT_TRUE(page);
    std::string out;
    for (const auto& one : page->sessions)
      out += one.id.str() + ' ';
    return out;
  }

  memory_store disk_;
  list_question asked_;
};

TEST_F(SessionLister, MembersOfAGroupFindItsSessions) {
  EXPECT_EQ(listed(), "");
  asked_.caller.groups = {"knitting"};
  EXPECT_EQ(listed(), "");
  asked_.caller.groups = {"knitting", "film-club"};
  EXPECT_EQ(listed(), "party ") << "the token says so";
  asked_.caller.groups = {};
  asked_.asked.in_groups = {"knitting"};
  EXPECT_EQ(listed(), "");
  asked_.asked.in_groups = {"knitting", "film-club"};
  EXPECT_EQ(listed(), "party ") << "the group says so";
  asked_.asked.mine = true;
  EXPECT_EQ(listed(), "");
  asked_.asked.mine = false;
  asked_.caller.grants = {};
  EXPECT_EQ(listed(), "") << "a token for one session alone";
  asked_.caller.grants = default_grants;
  asked_.caller.user = {};
  EXPECT_EQ(listed(), "");
}

TEST_F(SessionLister, ARoleFindsItsSessions) {
  asked_.caller.role = "guest";
  EXPECT_EQ(listed(), "");
  asked_.caller.role = "staff";
  EXPECT_EQ(listed(), "lounge ");
}

TEST_F(SessionLister, WhoMayNotEnterAnyMoreFindsNothing) {
  asked_.caller.user = user_id{"old"};
  EXPECT_EQ(listed(), "party ") << "nobody asked the groups";
  asked_.asked.in_groups.emplace();
  EXPECT_EQ(listed(), "");
  asked_.asked.in_groups->emplace_back("film-club");
  asked_.caller.role = "staff";
  EXPECT_EQ(listed(), "party lounge ");
}

TEST_F(SessionLister, FindsTheSessionsThatHaveAMember) {
  group_question asked{home, namespace_id{"acme"}, "film-club", {}};
  asked.members = {user_id{"eve"}};
  EXPECT_TRUE(find_sessions_of(disk_, preset_kinds(), asked)->sessions.empty());
  asked.members = {user_id{"eve"}, user_id{"old"}};
  EXPECT_EQ(find_sessions_of(disk_, preset_kinds(), asked)->sessions,
            std::vector{samples::session("party")});
}

} // namespace

} // namespace rollcall
