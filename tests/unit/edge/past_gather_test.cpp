#include "actors/gather.hpp"
#include "edge/past/gather.hpp"
#include "support/actor_fixture.hpp"
#include "support/fake_router.hpp"

#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace rollcall::edge {
namespace {

using namespace rollcall::test;

constexpr std::uint32_t partitions = 3;

class PastGather : public ::testing::Test {
protected:
  PastGather() {
    router_ = fixture_.system().spawn(
      fake_router_behavior, fake_router_hooks{[this](const command_ptr& asked) {
                                                return answer(*asked);
                                              },
                                              [](const note_ptr&) {}});
    gather_env env;
    env.router = router_;
    env.partitions = partitions;
    env.self = {"node1", 1};
    gather_ = spawn_gather(fixture_.system(), env);
    who_.user = user_id{"ada"};
    who_.grants = default_grants;
  }

  ~PastGather() override {
    fixture_.drop(gather_);
    fixture_.drop(router_);
  }

  reply_ptr answer(const command& asked) {
    const auto& wish = std::get<list_sessions_command>(asked.body);
    asked_.push_back(wish);
    if (wish.groups && wish.partition == silent_)
      return share(fail(errc::unavailable, "no owner"));
    list_reply page;
    if (wish.groups && wish.partition == 1) {
      // In two pages, of which the first has none of the caller's.
      session_summary one;
      one.id = place_of_group(wish.after.empty() ? "made" : "film-club");
      one.is_member = !wish.after.empty();
      if (wish.after.empty())
        page.reached = one.id;
      page.sessions.push_back(std::move(one));
    }
    reply out;
    out.body = std::move(page);
    return share(std::move(out));
  }

  static reply_ptr share(result<reply> value) {
    return std::make_shared<const result<reply>>(std::move(value));
  }

  listing list(list_sessions_command wish = {}) {
    auto order = std::make_shared<gather_order>();
    order->ns = namespace_id{"acme"};
    order->caller = who_;
    order->what = std::move(wish);
    caf::scoped_actor self{fixture_.system()};
    auto waiting = self->request(gather_, std::chrono::minutes{1},
                                 gather_order_ptr{std::move(order)});
    fixture_.advance(millis{100});
    gathered_ptr got;
    waiting.receive([&](const gathered_ptr& found) { got = found; },
                    [](const caf::error&) {});
    EXPECT_TRUE(got && got->ok());
    return got && got->ok() ? std::get<listing>(got->value()) : listing{};
  }

  actor_fixture fixture_;
  identity who_;
  std::vector<list_sessions_command> asked_;
  partition_id silent_ = 99;
  router_actor router_;
  gather_actor gather_;
};

using groups = std::vector<std::string>;

TEST_F(PastGather, AListingKnowsTheCallersGroups) {
  EXPECT_TRUE(list().complete);
  ASSERT_EQ(asked_.size(), 7U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(asked_[i].groups && asked_[i].mine);
  for (std::size_t i = 4; i < 7; ++i) {
    EXPECT_FALSE(asked_[i].groups);
    EXPECT_EQ(asked_[i].partition, i - 4);
    EXPECT_EQ(asked_[i].in_groups, groups{"film-club"});
  }
}

TEST_F(PastGather, AListingSaysThatGroupsAreNotKnown) {
  silent_ = 0;
  EXPECT_FALSE(list().complete);
  EXPECT_EQ(asked_.back().partition, 2U);
  EXPECT_FALSE(asked_.back().groups);
  EXPECT_EQ(asked_.back().in_groups, std::nullopt);
}

TEST_F(PastGather, NobodyIsAskedForGroupsThatDoNotMatter) {
  list_sessions_command wish;
  wish.groups = true;
  (void)list(wish);
  EXPECT_EQ(asked_.size(), 3U);
  asked_.clear();
  who_.grants = {capability::admin};
  (void)list();
  EXPECT_EQ(asked_.size(), 3U);
  EXPECT_EQ(asked_.back().in_groups, groups{});
  asked_.clear();
  who_ = {};
  (void)list();
  EXPECT_EQ(asked_.size(), 3U);
}

} // namespace
} // namespace rollcall::edge
