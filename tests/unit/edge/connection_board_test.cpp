// Clients that speak the words of boards, each by the lease of its socket.

#include "actors/base/limits.hpp"
#include "edge/connection/board_seats.hpp"
#include "edge/connection/onlooker_actor.hpp"
#include "unit/edge/connection_world.hpp"

#include <algorithm>

using namespace rollcall;
using namespace rollcall::test;

namespace {

struct BoardClient : ConnectionActor {
  struct person {
    connection_actor actor;
    connection_id lease;
    client_ref socket;
    std::string user;
  };

  ~BoardClient() override {
    for (auto& one : opened)
      fixture.drop(one);
  }

  person come(const std::string& user) {
    const connection_id lease{9, ++sockets};
    const client_ref socket{0, sockets};
    person out{edge::spawn_onlooker(fixture.system(), env,
                                    {socket, lease, token(user),
                                     session_id{"retro"}, vocabulary::board}),
               lease, socket, user};
    opened.push_back(out.actor);
    fixture.drain();
    return out;
  }

  std::vector<std::string> say(const person& who, request_body body) {
    auto asked = std::make_shared<client_request>();
    asked->body = std::move(body);
    asked->claims = who.user;
    asked->said = fixture.now().wall;
    caf::anon_send(who.actor, client_request_ptr{asked});
    fixture.drain();
    return sink->take(who.socket);
  }

  static session_request about(command_body body) {
    session_request out;
    out.session = session_id{"retro"};
    out.body = std::move(body);
    return out;
  }

  void join(const person& who) {
    join_command body;
    body.lease = millis{0};
    (void)say(who, about(body));
  }

  void end(const person& who, bool goodbye) {
    caf::anon_send(who.actor, client_gone{goodbye});
    fixture.drain();
  }

  std::optional<connection_id> continued() const {
    return std::get<join_command>(owner.commands.back()->body).resumes;
  }

  template <class Command>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
      owner.commands.begin(), owner.commands.end(), [](const auto& asked) {
        return std::holds_alternative<Command>(asked->body);
      }));
  }

  std::uint64_t sockets = 0;
  std::vector<connection_actor> opened;
};

TEST_F(BoardClient, WhoComesBackContinuesWhatTheLostSocketLeft) {
  auto before = come("bob");
  join(before);
  EXPECT_FALSE(continued());
  end(before, false);
  EXPECT_EQ(count<leave_command>(), 0U) << "it may come back";
  auto ann = come("ann");
  join(ann);
  EXPECT_FALSE(continued()) << "that is somebody else's";
  auto after = come("bob");
  join(after);
  EXPECT_EQ(continued(), before.lease);
  auto beside = come("bob");
  join(beside);
  EXPECT_FALSE(continued()) << "it is continued once";
  end(after, true);
  ASSERT_EQ(count<leave_command>(), 1U);
  EXPECT_EQ(std::get<leave_command>(owner.commands.back()->body).lease,
            after.lease);
}

// The loss of a socket may be noticed long after its user has come back.
TEST_F(BoardClient, ALossBesideAnotherSocketEndsItsLease) {
  auto before = come("bob");
  join(before);
  auto after = come("bob");
  join(after);
  end(before, false);
  ASSERT_EQ(count<leave_command>(), 1U);
  EXPECT_EQ(std::get<leave_command>(owner.commands.back()->body).lease,
            before.lease);
  end(after, false);
  EXPECT_EQ(count<leave_command>(), 1U) << "nobody is left to go on";
  auto again = come("bob");
  join(again);
  EXPECT_EQ(continued(), after.lease);
}

TEST_F(BoardClient, AGoodbyeEndsAJoinThatIsNotAnsweredYet) {
  owner.silent = true;
  auto bob = come("bob");
  join(bob);
  end(bob, true);
  ASSERT_EQ(count<leave_command>(), 1U);
  EXPECT_EQ(std::get<leave_command>(owner.commands.back()->body).lease,
            bob.lease);
}

TEST_F(BoardClient, ABeatIsPassedOnAsActivity) {
  auto bob = come("bob");
  join(bob);
  auto beat = [&] { (void)say(bob, about(renew_command{})); };
  beat();
  ASSERT_EQ(count<set_live_command>(), 1U);
  const auto& told = std::get<set_live_command>(owner.commands.back()->body);
  EXPECT_TRUE(told.live.empty());
  EXPECT_EQ(owner.commands.back()->connection, bob.lease);
  beat();
  EXPECT_EQ(count<set_live_command>(), 1U) << "the owner would not tell it";
  fixture.advance(limits::activity_every, millis{250});
  beat();
  EXPECT_EQ(count<set_live_command>(), 2U);
  EXPECT_EQ(count<renew_command>(), 3U);
}

TEST_F(BoardClient, UnansweredRequestsAreBounded) {
  owner.silent = true;
  auto bob = come("bob");
  attach_request sync;
  sync.session = session_id{"retro"};
  for (std::size_t n = 0; n < limits::requests_in_flight; n += 2) {
    EXPECT_TRUE(say(bob, about(renew_command{})).empty());
    EXPECT_TRUE(say(bob, sync).empty());
  }
  EXPECT_TRUE(has(say(bob, about(renew_command{})), "rate_limited"));
  EXPECT_TRUE(has(say(bob, sync), "rate_limited"));
  EXPECT_EQ(owner.commands.size(), limits::requests_in_flight);
  owner.silent = false;
  (void)fixture.ask<inspection_ptr>(router, atoms::inspect::value);
  fixture.drain();
  (void)sink->take(bob.socket);
  EXPECT_FALSE(has(say(bob, about(renew_command{})), "rate_limited"));
  EXPECT_FALSE(has(say(bob, sync), "rate_limited"));
}

TEST(BoardSeats, AreBounded) {
  edge::board_seats seats;
  const session_key board{namespace_id{"default"}, session_id{"retro"}};
  auto lose = [&](std::size_t n, millis now) {
    return seats.lose(board, user_id{"u" + std::to_string(n)}, {1, n}, false,
                      now, now + millis{120'000});
  };
  for (std::size_t n = 0; n < limits::board_users; ++n)
    EXPECT_FALSE(lose(n, millis{0}));
  auto late = user_id{"u" + std::to_string(limits::board_users)};
  EXPECT_FALSE(lose(limits::board_users, millis{60'000}));
  EXPECT_FALSE(seats.left_behind(board, late)) << "there is no room";
  EXPECT_FALSE(lose(limits::board_users, millis{121'000}));
  EXPECT_TRUE(seats.left_behind(board, late)) << "the others have lapsed";
  EXPECT_FALSE(seats.left_behind(board, user_id{"u0"}));
}

} // namespace
