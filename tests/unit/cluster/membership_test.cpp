#include "cluster/membership.hpp"

#include "unit/cluster/heartbeat_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

namespace rollcall::cluster {
namespace {

using events = std::vector<membership_event>;

/// One node at whose side the test speaks for all others.
class Membership : public ::testing::Test {
protected:
  explicit Membership(membership::config cfg = {}) : nodes{{"us", 1}, cfg} {
    // nop
  }

  /// Lets time pass in ticks; what we say comes back unless `deaf`.
  events pass(millis d) {
    events out;
    for (const auto end = now + d; now < end;) {
      now += millis{100};
      for (const auto& name : talking)
        (void)say(name.first, name.second);
      for (auto& e : nodes.advance(now))
        out.push_back(std::move(e));
      if (auto word = nodes.due(now, {}); word && !deaf) {
        EXPECT_TRUE(nodes.take(*word, now).ok());
      }
    }
    return out;
  }

  heartbeat word_of(const std::string& name, std::uint64_t incarnation) {
    heartbeat word;
    word.node = {name, incarnation};
    word.number = ++numbers[word.node];
    word.partitions = limits::partitions_default;
    return word;
  }

  result<intake> say(const std::string& name, std::uint64_t incarnation) {
    return nodes.take(word_of(name, incarnation), now);
  }

  [[nodiscard]] peer_state state_of(const std::string& name) const {
    for (const auto& p : nodes.peers())
      if (p.node.name == name)
        return p.state;
    return peer_state::forgotten;
  }

  template <class T>
  static std::size_t count(const events& all) {
    return static_cast<std::size_t>(
      std::ranges::count_if(all, [](const membership_event& e) {
        return std::holds_alternative<T>(e);
      }));
  }

  millis now{50'000};
  membership nodes;
  bool deaf = false;
  std::map<std::string, std::uint64_t> talking;
  std::map<node_id, std::uint64_t> numbers;
};

TEST_F(Membership, FollowsASilentPeerFromUpToForgotten) {
  pass(millis{1'000});
  const node_id them{"them", 7};
  EXPECT_EQ(*say("them", 7), intake::fresh);
  EXPECT_EQ(pass(millis{1'400}), (events{node_up{them}, view_changed{2}}));
  EXPECT_EQ(pass(millis{100}), (events{node_suspect{them}}));
  EXPECT_EQ(pass(millis{4'400}), (events{view_changed{3}}));
  EXPECT_EQ(pass(millis{100}), (events{edge_lost{them}}));
  EXPECT_EQ(pass(millis{3'900}), events{});
  EXPECT_EQ(pass(millis{100}), (events{node_forgotten{them}}));
  EXPECT_EQ(pass(millis{20'000}), events{});
  EXPECT_TRUE(nodes.peers().empty());
}

TEST_F(Membership, SaysSoWhenASuspectComesBack) {
  pass(millis{1'000});
  (void)say("them", 7);
  pass(millis{1'500});
  EXPECT_FALSE(nodes.is_alive({"them", 7}));
  (void)say("them", 7);
  EXPECT_TRUE(nodes.is_alive({"them", 7}));
  EXPECT_EQ(pass(millis{1'000}), (events{node_back{{"them", 7}}}));
}

TEST_F(Membership, KeepsNoEdgeOfANodeWithoutClients) {
  pass(millis{1'000});
  auto word = word_of("them", 7);
  word.edge = false;
  (void)nodes.take(word, now);
  EXPECT_EQ(count<edge_lost>(pass(millis{12'000})), 0U);
}

TEST_F(Membership, IgnoresOldAndRepeatedNumbers) {
  pass(millis{1'000});
  const auto first = word_of("them", 7);
  const auto second = word_of("them", 7);
  EXPECT_EQ(*nodes.take(second, now), intake::fresh);
  pass(millis{1'400});
  EXPECT_EQ(*nodes.take(second, now), intake::ignored);
  EXPECT_EQ(*nodes.take(first, now), intake::ignored);
  pass(millis{100});
  EXPECT_EQ(state_of("them"), peer_state::suspect);
}

TEST_F(Membership, StillKnowsAnOldHeartbeatOfAForgottenNode) {
  pass(millis{1'000});
  const auto word = word_of("them", 7);
  (void)nodes.take(word, now);
  pass(millis{11'000});
  EXPECT_EQ(*nodes.take(word, now), intake::ignored);
  EXPECT_EQ(*say("them", 7), intake::fresh);
  EXPECT_EQ(pass(millis{100}), (events{node_up{{"them", 7}}}));
}

TEST_F(Membership, ReplacesAnIncarnationAtOnceAndLosesItsEdge) {
  pass(millis{1'000});
  (void)say("them", 7);
  pass(millis{1'000});
  const auto late = word_of("them", 7);
  EXPECT_EQ(*say("them", 8), intake::fresh);
  EXPECT_EQ(*nodes.take(late, now), intake::ignored);
  EXPECT_EQ(pass(millis{100}),
            (events{edge_lost{{"them", 7}}, node_forgotten{{"them", 7}},
                    node_up{{"them", 8}}}));
  EXPECT_FALSE(nodes.is_alive({"them", 7}));
  EXPECT_TRUE(nodes.is_alive({"them", 8}));
  talking["them"] = 8;
  pass(millis{2'000});
  EXPECT_EQ(*nodes.take(late, now), intake::ignored);
}

TEST_F(Membership, ReportsTwoLivingNodesOfOneName) {
  talking["them"] = 7;
  pass(millis{1'000});
  for (int i = 0; i < 40; ++i) {
    const auto taken = say("them", 8);
    if (i == 0) {
      EXPECT_EQ(*taken, intake::fresh);
      continue;
    }
    const auto seen = pass(millis{100});
    // The one that came first is not joined again, however often it speaks.
    EXPECT_LE(count<node_up>(seen), i == 1 ? 1U : 0U);
  }
  const auto first = say("them", 7);
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().code, errc::conflict);
  EXPECT_TRUE(nodes.is_alive({"them", 8}));
}

TEST_F(Membership, ReportsAnotherNodeOfOurNameButNotOurPast) {
  pass(millis{200});
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(*say("us", 99), intake::ignored);
  pass(millis{1'500});
  const auto taken = say("us", 99);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, errc::conflict);
  EXPECT_TRUE(nodes.peers().empty());
}

TEST_F(Membership, ReportsACopyOfItself) {
  pass(millis{1'000});
  heartbeat copy = word_of("us", 1);
  copy.number = 1'000;
  EXPECT_EQ(nodes.take(copy, now).error().code, errc::conflict);
}

TEST_F(Membership, GoesBackToAnIncarnationThatOutlivesTheOther) {
  pass(millis{1'000});
  (void)say("them", 8);
  // A word of an incarnation that is dead already, long on its way.
  (void)say("them", 7);
  talking["them"] = 8;
  const auto seen = pass(millis{8'000});
  EXPECT_EQ(count<node_up>(seen), 3U);
  EXPECT_TRUE(nodes.is_alive({"them", 8}));
}

TEST_F(Membership, RefusesAForeignCountOfPartitions) {
  auto word = word_of("them", 7);
  word.partitions = 128;
  const auto taken = nodes.take(word, now);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, errc::conflict);
  EXPECT_EQ(taken.error().field, "partitions");
  EXPECT_TRUE(nodes.peers().empty());
}

TEST_F(Membership, RefusesWhatBreaksABound) {
  const auto refused = [this](auto spoil) {
    auto word = word_of("them", 7);
    spoil(word);
    const auto taken = nodes.take(word, now);
    return taken.ok() ? std::string{} : taken.error().field;
  };
  EXPECT_EQ(refused([](auto& w) { w.node.name = ""; }), "node");
  EXPECT_EQ(refused([](auto& w) { w.node.name.assign(129, 'x'); }), "node");
  EXPECT_EQ(refused([](auto& w) { w.number = 0; }), "number");
  EXPECT_EQ(refused([](auto& w) { w.weight = limits::node_weight + 1; }),
            "weight");
  EXPECT_EQ(refused([](auto& w) { w.held.push_back({64, 1, 0, 0}); }), "held");
  EXPECT_EQ(refused([](auto& w) { w.held.resize(65); }), "held");
  EXPECT_TRUE(nodes.peers().empty());
}

TEST_F(Membership, IsAttachedByItsFirstEchoAndDetachedWithoutOne) {
  EXPECT_TRUE(nodes.is_detached(now));
  deaf = true;
  EXPECT_EQ(pass(millis{10'000}), events{});
  deaf = false;
  EXPECT_EQ(count<went_attached>(pass(millis{600})), 1U);
  deaf = true;
  EXPECT_EQ(count<went_detached>(pass(millis{2'700})), 0U);
  EXPECT_FALSE(nodes.is_detached(now));
  EXPECT_EQ(count<went_detached>(pass(millis{700})), 1U);
  EXPECT_TRUE(nodes.is_detached(now));
}

TEST_F(Membership, TakesTheAgeOfAnEchoFromItsSending) {
  pass(millis{1'000});
  deaf = true;
  std::optional<heartbeat> sent;
  while (!sent)
    sent = nodes.due(now += millis{10}, {});
  now += limits::detached_after + millis{1};
  // As after a pause: it waited for us, and proves nothing of the present.
  EXPECT_EQ(*nodes.take(*sent, now), intake::echo);
  EXPECT_TRUE(nodes.is_detached(now));
  EXPECT_EQ(*nodes.take(*sent, now), intake::ignored);
}

TEST_F(Membership, AnswersForWhatItOwnsNoLongerThanOthersWaitForIt) {
  EXPECT_EQ(nodes.lease(now), millis{0});
  pass(millis{500});
  EXPECT_EQ(nodes.lease(now), millis{0}) << "the others have not spoken yet";
  pass(millis{1'000});
  EXPECT_GT(nodes.lease(now), now + limits::suspect_after / 2);
  EXPECT_LE(nodes.lease(now), now + limits::suspect_after);
  deaf = true;
  pass(limits::suspect_after);
  EXPECT_LE(nodes.lease(now), now);
  deaf = false;
  pass(limits::heartbeat_every * 2);
  EXPECT_LE(nodes.lease(now), now) << "one of them may have claimed meanwhile";
  pass(limits::lease_begins_after);
  EXPECT_GT(nodes.lease(now), now);
  // A gap that nobody can have noticed ends nothing.
  deaf = true;
  pass(millis{750});
  deaf = false;
  pass(millis{300});
  EXPECT_GT(nodes.lease(now), now);
}

TEST_F(Membership, HoldsNoPauseOfItsOwnAgainstOthers) {
  talking["them"] = 7;
  pass(millis{2'000});
  talking.clear();
  now += millis{60'000};
  EXPECT_EQ(pass(millis{100}), (events{went_detached{}}));
  EXPECT_EQ(state_of("them"), peer_state::alive);
  EXPECT_EQ(count<node_suspect>(pass(millis{1'000})), 0U);
  // Silence from here on is theirs.
  EXPECT_EQ(count<node_suspect>(pass(millis{1'000})), 1U);
}

TEST_F(Membership, HoldsNoStarvationOfItsOwnAgainstOthers) {
  pass(millis{1'000});
  (void)say("them", 7);
  // Late at every tick, though never so long that it misses its own echo.
  for (int i = 0; i < 10; ++i) {
    now += millis{600};
    EXPECT_EQ(count<node_suspect>(nodes.advance(now)), 0U);
    const auto word = nodes.due(now, {});
    ASSERT_TRUE(word);
    EXPECT_EQ(*nodes.take(*word, now), intake::echo);
  }
  EXPECT_EQ(count<node_suspect>(pass(millis{1'000})), 1U);
}

TEST_F(Membership, GivesAPauseToNobodyWhoWasHeardAfterIt) {
  pass(millis{1'000});
  now += millis{60'000};
  (void)say("them", 7);
  EXPECT_EQ(count<node_suspect>(pass(millis{2'200})), 1U);
}

TEST_F(Membership, LooksAnewAfterItDidNotHear) {
  pass(millis{2'000});
  deaf = true;
  pass(millis{1'500});
  EXPECT_FALSE(nodes.settled());
  deaf = false;
  pass(millis{500});
  EXPECT_FALSE(nodes.settled());
  pass(millis{500});
  EXPECT_TRUE(nodes.settled());
  EXPECT_EQ(nodes.view().number, 1U);
}

TEST_F(Membership, JudgesNobodyWhileItDoesNotHearItself) {
  talking["them"] = 7;
  pass(millis{2'000});
  talking.clear();
  deaf = true;
  EXPECT_EQ(pass(millis{60'000}), (events{went_detached{}}));
  deaf = false;
  talking["them"] = 7;
  EXPECT_EQ(pass(millis{5'000}), (events{went_attached{}}));
}

TEST_F(Membership, SuspectsNobodyOverABusThatFlaps) {
  pass(millis{1'000});
  (void)say("them", 7);
  // Up for a moment now and then: enough for us, not for them.
  auto last = now;
  for (std::uint64_t echoes = 0; echoes < limits::suspect_echoes;) {
    now += millis{100};
    EXPECT_EQ(count<node_suspect>(nodes.advance(now)), 0U) << echoes;
    const auto word = nodes.due(now, {});
    if (word && now - last >= millis{600}) {
      EXPECT_EQ(*nodes.take(*word, now), intake::echo);
      last = now;
      ++echoes;
    }
  }
  EXPECT_EQ(count<node_suspect>(pass(limits::suspect_after)), 1U);
}

TEST_F(Membership, DoesNotTakeItsHasteForEvidence) {
  pass(millis{1'000});
  (void)say("them", 7);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j)
      EXPECT_EQ(count<node_suspect>(nodes.advance(now += millis{100})), 0U);
    for (int j = 0; j < 3; ++j) {
      nodes.hurry();
      now += limits::heartbeat_spacing;
      const auto word = nodes.due(now, {});
      ASSERT_TRUE(word);
      EXPECT_EQ(*nodes.take(*word, now), intake::echo);
    }
  }
  EXPECT_EQ(count<node_suspect>(nodes.advance(now)), 0U);
}

TEST_F(Membership, HasAViewWhenTheSetWasStable) {
  EXPECT_EQ(nodes.view().number, 0U);
  pass(millis{1'000});
  EXPECT_EQ(nodes.view(), (core_view{1, {{{"us", 1}, 100}}}));
  EXPECT_TRUE(nodes.settled());
  (void)say("a", 1);
  pass(millis{300});
  EXPECT_FALSE(nodes.settled());
  (void)say("z", 1);
  pass(millis{300});
  EXPECT_EQ(nodes.view().number, 1U);
  pass(millis{300});
  EXPECT_TRUE(nodes.settled());
  EXPECT_EQ(
    nodes.view(),
    (core_view{2, {{{"a", 1}, 100}, {{"us", 1}, 100}, {{"z", 1}, 100}}}));
}

TEST_F(Membership, GivesASetThatCameBackItsOldNumber) {
  pass(millis{1'000});
  auto word = word_of("them", 7);
  (void)nodes.take(word, now);
  pass(millis{100});
  word = word_of("them", 7);
  word.leaving = true;
  (void)nodes.take(word, now);
  pass(millis{100});
  EXPECT_FALSE(nodes.settled());
  pass(millis{500});
  EXPECT_TRUE(nodes.settled());
  EXPECT_EQ(nodes.view().number, 1U);
}

TEST_F(Membership, LeavesOutTheLeavingAndThoseWithoutCore) {
  pass(millis{1'000});
  auto word = word_of("edge", 7);
  word.core = false;
  (void)nodes.take(word, now);
  word = word_of("heavy", 7);
  word.weight = 300;
  (void)nodes.take(word, now);
  nodes.leave();
  pass(millis{1'000});
  EXPECT_EQ(nodes.view().members,
            (std::vector<core_node>{{{"heavy", 7}, 300}}));
  EXPECT_EQ(nodes.known_cores(), nodes.view().members);
  pass(millis{1'000});
  EXPECT_TRUE(nodes.view().members.empty());
  EXPECT_EQ(nodes.known_cores(), (std::vector<core_node>{{{"heavy", 7}, 300}}));
}

TEST_F(Membership, LeavesOutThoseThatStandAsideUntilTheyAreBack) {
  pass(millis{1'000});
  auto word = word_of("them", 7);
  word.aside = true;
  (void)nodes.take(word, now);
  nodes.stand_aside(true);
  EXPECT_TRUE(nodes.leaving());
  // Soon: others give us nothing any more.
  EXPECT_TRUE(nodes.hurried(now));
  EXPECT_TRUE(nodes.due(now + limits::heartbeat_every, {})->aside);
  pass(millis{1'000});
  EXPECT_TRUE(nodes.view().members.empty());
  EXPECT_TRUE(nodes.known_cores().empty());
  nodes.stand_aside(false);
  (void)say("them", 7);
  EXPECT_FALSE(nodes.leaving());
  pass(millis{1'000});
  EXPECT_EQ(nodes.view().members.size(), 2U);
}

TEST_F(Membership, SpeaksEvery250MillisecondsWhateverTheTick) {
  std::vector<heartbeat> said;
  const auto start = now;
  for (; now < start + millis{10'000}; now += millis{100})
    if (auto word = nodes.due(now, {}))
      said.push_back(*word);
  ASSERT_EQ(said.size(), 40U);
  for (std::size_t i = 0; i < said.size(); ++i)
    EXPECT_EQ(said[i].number, i + 1);
}

TEST_F(Membership, DoesNotMakeUpForWhatItDidNotSay) {
  ASSERT_TRUE(nodes.due(now, {}));
  now += millis{5'000};
  ASSERT_TRUE(nodes.due(now, {}));
  EXPECT_FALSE(nodes.due(now + millis{249}, {}));
  EXPECT_TRUE(nodes.due(now + millis{250}, {}));
}

TEST_F(Membership, SpeaksSoonerWhenSomethingChangedButNotAlways) {
  ASSERT_TRUE(nodes.due(now, {}));
  nodes.hurry();
  EXPECT_FALSE(nodes.due(now + millis{49}, {}));
  const std::vector<held_partition> held{{3, 9, 0, 0}};
  const auto word = nodes.due(now + millis{50}, held);
  ASSERT_TRUE(word);
  EXPECT_EQ(word->held, held);
  EXPECT_FALSE(nodes.due(now + millis{299}, {}));
  EXPECT_TRUE(nodes.due(now + millis{300}, {}));
}

TEST_F(Membership, TellsHowLongAHurryHasToWait) {
  EXPECT_EQ(nodes.hurried(now), std::nullopt);
  ASSERT_TRUE(nodes.due(now, {}));
  nodes.hurry();
  EXPECT_EQ(nodes.hurried(now + millis{20}), millis{30});
  EXPECT_EQ(nodes.hurried(now + millis{60}), millis{0});
  ASSERT_TRUE(nodes.due(now + millis{60}, {}));
  EXPECT_EQ(nodes.hurried(now + millis{60}), std::nullopt);
}

TEST_F(Membership, MakesRoomOnlyOfTheForgotten) {
  pass(millis{1'000});
  const auto oldest = word_of("n1", 1);
  EXPECT_EQ(*nodes.take(oldest, now), intake::fresh);
  pass(millis{500});
  const auto next = word_of("n2", 1);
  EXPECT_EQ(*nodes.take(next, now), intake::fresh);
  for (std::size_t i = 3; i < limits::nodes; ++i)
    ASSERT_EQ(*say("n" + std::to_string(i), 1), intake::fresh);
  EXPECT_EQ(say("more", 1).error().code, errc::too_large);
  pass(millis{9'000});
  EXPECT_EQ(say("more", 1).error().code, errc::too_large);
  pass(millis{1'500});
  EXPECT_EQ(*say("more", 1), intake::fresh);
  EXPECT_EQ(nodes.peers().size(), 1U);
  // The one that was silent for longest is not known any more.
  EXPECT_EQ(*nodes.take(next, now), intake::ignored);
  EXPECT_EQ(*nodes.take(oldest, now), intake::fresh);
}

TEST_F(Membership, BoundsWhatNobodyAsksFor) {
  std::uint64_t incarnation = 0;
  result<intake> taken{intake::fresh};
  for (int i = 0; i < 2'000 && taken.ok(); ++i)
    taken = say("them", ++incarnation);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, errc::unavailable);
  EXPECT_LE(nodes.advance(now).size(), limits::membership_events);
  EXPECT_TRUE(say("them", ++incarnation).ok());
}

// -- random histories --------------------------------------------------------

std::uint64_t from_env(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// What an observer was told of a node must make sense as a story.
class story {
public:
  void tell(const membership_event& e) {
    std::visit([this](const auto& x) { on(x); }, e);
  }

private:
  enum class chapter : std::uint8_t { none, up, suspect, lost };

  void on(const node_up& e) {
    move(e.node, {chapter::none}, chapter::up);
  }

  void on(const node_suspect& e) {
    move(e.node, {chapter::up}, chapter::suspect);
  }

  void on(const node_back& e) {
    move(e.node, {chapter::suspect, chapter::lost}, chapter::up);
  }

  void on(const edge_lost& e) {
    move(e.node, {chapter::up, chapter::suspect}, chapter::lost);
  }

  void on(const node_forgotten& e) {
    move(e.node, {chapter::lost}, chapter::none);
  }

  void on(const view_changed& e) {
    EXPECT_EQ(e.number, ++view_);
  }

  void on(const went_attached&) {
    EXPECT_FALSE(std::exchange(attached_, true));
  }

  void on(const went_detached&) {
    EXPECT_TRUE(std::exchange(attached_, false));
  }

  void move(const node_id& node, const std::set<chapter>& from, chapter to) {
    EXPECT_TRUE(from.contains(at_[node])) << node.name;
    at_[node] = to;
  }

  std::map<node_id, chapter> at_;
  std::uint64_t view_ = 0;
  bool attached_ = false;
};

class MembershipHistory : public ::testing::TestWithParam<std::uint64_t> {
protected:
  void SetUp() override {
    seed = from_env("ROLLCALL_SEED", GetParam());
    std::cout << "seed " << seed << '\n';
  }

  std::uint64_t seed = 0;
};

TEST_P(MembershipHistory, EndsInOneViewAndTellsASensibleStory) {
  test::heartbeat_world world{seed};
  const auto count = static_cast<std::size_t>(2 + world.pick(5));
  for (std::size_t i = 0; i < count; ++i)
    world.add();
  std::map<node_id, story> stories;
  std::map<std::pair<node_id, node_id>, millis> last_heard;
  world.heard = [&](std::size_t i, const heartbeat& word) {
    last_heard[{world.who(i).self(), word.node}] = world.now;
  };
  world.advanced = [&](std::size_t i, const events& seen) {
    const auto& self = world.who(i).self();
    for (const auto& e : seen) {
      stories[self].tell(e);
      // Never early: silence was at least as long as its bound.
      if (const auto* s = std::get_if<node_suspect>(&e)) {
        EXPECT_GE(world.now - last_heard[std::pair(self, s->node)],
                  limits::suspect_after);
      }
    }
  };
  world.sky = {world.pick(30), world.pick(20), millis{world.pick(900)}};
  for (int i = 0; i < 40; ++i) {
    const auto at = static_cast<std::size_t>(world.pick(int(count)));
    switch (world.pick(6)) {
    case 0:
      world.pause(at, millis{world.pick(20'000)});
      break;
    case 1:
      world.stop(at);
      break;
    case 2:
      world.start(at);
      break;
    case 3:
      world.at(at).cut = !world.at(at).cut;
      break;
    case 4:
      world.bus_down = world.chance(40);
      break;
    default:
      break;
    }
    world.run(millis{world.pick(4'000)});
  }
  world.bus_down = false;
  world.sky = {};
  std::vector<core_node> expected;
  for (std::size_t i = 0; i < count; ++i) {
    world.at(i).cut = false;
    world.at(i).paused_until = world.now;
    if (world.at(i).running)
      expected.push_back({world.who(i).self(), 100});
  }
  // The longest way: the incarnation that is there was taken for an old one.
  world.run(limits::forget_after + millis{5'000});
  for (std::size_t i = 0; i < count; ++i) {
    if (!world.at(i).running)
      continue;
    EXPECT_TRUE(world.who(i).settled());
    EXPECT_FALSE(world.who(i).is_detached(world.now));
    EXPECT_EQ(world.who(i).view().members, expected);
    EXPECT_EQ(world.who(i).peers().size() + 1, expected.size());
  }
}

TEST_P(MembershipHistory, BlamesNobodyForTheFaultsOfOthers) {
  test::heartbeat_world world{seed};
  for (int i = 0; i < 5; ++i)
    world.add();
  // Nodes 0 and 1 do their part; 2, 3 and 4 and the bus do not.
  std::set<node_id> innocent{world.who(0).self(), world.who(1).self()};
  world.advanced = [&](std::size_t, const events& seen) {
    for (const auto& e : seen) {
      const auto* suspected = std::get_if<node_suspect>(&e);
      EXPECT_FALSE(suspected != nullptr && innocent.contains(suspected->node))
        << suspected->node.name << " at " << world.now.count();
    }
  };
  world.sky = {0, 30, millis{world.pick(200)}};
  world.run(millis{2'000});
  for (int i = 0; i < 60; ++i) {
    const auto at = static_cast<std::size_t>(2 + world.pick(3));
    switch (world.pick(5)) {
    case 0:
      world.pause(at, millis{world.pick(30'000)});
      break;
    case 1:
      world.start(at);
      break;
    case 2:
      world.at(at).cut = !world.at(at).cut;
      break;
    default:
      world.bus_down = !world.bus_down;
      break;
    }
    world.run(millis{world.pick(5'000)});
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MembershipHistory,
                         ::testing::Range<std::uint64_t>(1, 41));

} // namespace
} // namespace rollcall::cluster
