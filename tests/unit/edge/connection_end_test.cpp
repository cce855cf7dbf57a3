// A join that is answered late, or never, must not leave anybody behind.

#include "actors/base/limits.hpp"
#include "unit/edge/connection_world.hpp"

#include <utility>

using namespace rollcall;
using namespace rollcall::test;

namespace {

struct ConnectionEnd : ConnectionActor {
  session_key key_of(const std::string& session) const {
    return {namespace_id{"default"}, session_id{session}};
  }

  void end(bool goodbye) {
    caf::anon_send(client, client_gone{goodbye});
    fixture.drain();
  }

  /// The owners answer what they were silent about.
  void answer() {
    owner.silent = false;
    owner.commands.clear();
    (void)fixture.ask<inspection_ptr>(router, atoms::inspect::value);
    fixture.drain();
  }

  std::int64_t connections() {
    auto seen = fixture.ask<inspection_ptr>(hub, atoms::inspect::value);
    return seen ? (*seen)->figures.at("connections") : -1;
  }

  /// What the owner was told of who is there, since the last call.
  std::vector<announce_note> announced() {
    std::vector<announce_note> out;
    for (const auto& told : std::exchange(owner.notes, {}))
      if (const auto* list = std::get_if<announce_note>(&told->body))
        out.push_back(*list);
    return out;
  }
};

TEST_F(ConnectionEnd, AJoinThatIsAnsweredAfterAGoodbyeIsTakenBack) {
  open(token("ada"));
  owner.silent = true;
  (void)join("s");
  end(true);
  answer();
  ASSERT_EQ(owner.commands.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<leave_command>(owner.commands[1]->body));
  EXPECT_EQ(owner.commands[1]->connection, id);
  EXPECT_GT(owner.commands[1]->number, owner.commands[0]->number);
  EXPECT_EQ(connections(), 0) << "then the actor is gone";
}

TEST_F(ConnectionEnd, AJoinThatIsAnsweredAfterALossIsReportedLost) {
  open(token("ada"));
  owner.silent = true;
  (void)join("s");
  end(false);
  EXPECT_EQ(connections(), 1) << "it waits for the answer";
  answer();
  EXPECT_EQ(owner.commands.size(), 1U);
  // The loop has no such client, and says `closed`.
  ASSERT_TRUE(sink->watches.contains({ref, "s"}));
  EXPECT_EQ(sink->watches.at({ref, "s"}), millis{60'000});
  EXPECT_EQ(connections(), 0);
}

TEST_F(ConnectionEnd, ARefusalEndsTheWait) {
  open(token("ada"));
  owner.silent = true;
  (void)join("s");
  (void)join("t");
  end(false);
  owner.refusal = fail(errc::forbidden, "no");
  answer();
  EXPECT_EQ(owner.commands.size(), 2U);
  EXPECT_TRUE(sink->watches.empty());
  EXPECT_EQ(connections(), 0);
  fixture.advance(millis{20'000}, millis{250});
  EXPECT_TRUE(announced().empty()) << "there is nothing to doubt";
}

TEST_F(ConnectionEnd, ARepeatedJoinIsWaitedForAsWell) {
  open(token("ada"));
  (void)join("s");
  owner.silent = true;
  auto word = std::make_shared<direct>();
  word->session = key_of("s");
  word->connection = id;
  word->body = unknown_direct{};
  caf::anon_send(hub, direct_ptr{word});
  fixture.drain();
  sink->watches.clear();
  end(false);
  answer();
  EXPECT_TRUE(sink->watches.contains({ref, "s"}));
  EXPECT_EQ(connections(), 0);
}

// Nobody answers, so it may happen as late as a commit may come: the owner is
// told all the while who is there, and who is not.
TEST_F(ConnectionEnd, AJoinInDoubtIsDoubtedUntilItCannotHappen) {
  open(token("ada"));
  (void)join("other");
  owner.silent = true;
  (void)join("s");
  fixture.advance(env->request_timeout + millis{100}, millis{100});
  EXPECT_TRUE(has(sink->take(ref), R"("code":"unavailable")"));
  owner.notes.clear();
  auto told = std::size_t{0};
  for (auto left = limits::join_doubt; left > limits::doubt_told_every;
       left -= limits::doubt_told_every) {
    fixture.advance(limits::doubt_told_every, millis{500});
    for (const auto& list : announced()) {
      ++told;
      EXPECT_TRUE(list.complete);
    }
  }
  auto rounds = static_cast<std::size_t>(limits::join_doubt.count()
                                         / limits::doubt_told_every.count());
  EXPECT_GE(told + 3, rounds);
  fixture.advance(millis{20'000}, millis{500});
  (void)announced();
  fixture.advance(millis{60'000}, millis{500});
  EXPECT_TRUE(announced().empty());
}

TEST_F(ConnectionEnd, WhoIsInIsNamedWhileAnothersJoinIsInDoubt) {
  open(token("ada"));
  (void)join("s");
  auto order = [&](const connection_id& who, bool joined, bool in_doubt) {
    caf::anon_send(hub, std::make_shared<const presence_order>(presence_order{
                          key_of("s"), who, joined, {}, in_doubt}));
    fixture.drain();
  };
  order({9, 2}, true, false);
  order({9, 2}, false, true);
  fixture.advance(limits::doubt_told_every + millis{500}, millis{250});
  auto lists = announced();
  ASSERT_EQ(lists.size(), 1U);
  EXPECT_TRUE(lists[0].complete);
  EXPECT_EQ(lists[0].connections, std::vector{id});
}

} // namespace
