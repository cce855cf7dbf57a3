#include "cluster/wall_clocks.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr millis step{250};

/// Nodes whose clocks are set as a test likes, and that hear each other.
struct clock_world {
  struct node {
    node_id id;
    std::unique_ptr<wall_clocks> clocks;
    /// Ahead of the true time.
    millis ahead{0};
    millis started{0};
    millis late{0};
    bool running = true;
    bool core = true;
    clock_verdict last;
  };

  millis now{1'000'000};
  std::vector<node> nodes;

  std::size_t add(millis ahead, bool core = true) {
    node_id id{"node" + std::to_string(nodes.size()), 1};
    nodes.push_back({id,
                     std::make_unique<wall_clocks>(id, core),
                     ahead,
                     now,
                     millis{0},
                     true,
                     core,
                     {}});
    return nodes.size() - 1;
  }

  [[nodiscard]] instant at(const node& of) const {
    return {now, millis{1'700'000'000'000} + now + of.ahead};
  }

  void run(millis time) {
    for (auto until = now + time; now < until; now += step) {
      for (auto& from : nodes)
        for (auto& to : nodes)
          if (&from != &to && from.running && to.running)
            tell(from, to);
      for (auto& one : nodes)
        if (one.running)
          one.last = one.clocks->judge(at(one), now - one.started);
    }
  }

  [[nodiscard]] bool aside(std::size_t i) const {
    return nodes[i].last.stand_aside;
  }

private:
  void tell(const node& from, node& to) const {
    heartbeat word;
    word.node = from.id;
    word.core = from.core;
    word.wall = at(from).wall - from.late;
    word.up = now - from.started;
    word.aside = from.last.stand_aside;
    to.clocks->heard(word, at(to));
  }
};

constexpr millis hour{3'600'000};

} // namespace

TEST(WallClocks, NobodyComplainsOfClocksThatAgree) {
  clock_world world;
  world.add(millis{0});
  world.add(limits::clocks_differ);
  world.add(limits::clocks_differ / 2);
  world.run(millis{20'000});
  for (const auto& one : world.nodes) {
    EXPECT_FALSE(one.last.stand_aside);
    EXPECT_EQ(to_string(one.last), "");
  }
  EXPECT_EQ(world.nodes[0].last.difference, limits::clocks_differ);
}

TEST(WallClocks, TheOneThatDiffersFromMostStandsAside) {
  clock_world world;
  world.add(-hour);
  world.add(millis{0});
  world.add(millis{300});
  world.run(millis{10'000});
  EXPECT_TRUE(world.aside(0));
  EXPECT_FALSE(world.aside(1));
  EXPECT_FALSE(world.aside(2));
  EXPECT_EQ(to_string(world.nodes[0].last),
            "the clock of this node differs by 3600 s from those of node1, "
            "node2: it owns nothing until that is mended; run NTP here");
  EXPECT_EQ(to_string(world.nodes[1].last),
            "the clock of this node differs by 3600 s from that of node0: run "
            "NTP there");
}

TEST(WallClocks, OfTwoTheLaterOneStandsAsideAndBothSaySo) {
  clock_world world;
  world.add(hour);
  world.run(millis{5'000});
  world.add(millis{0});
  world.run(millis{10'000});
  EXPECT_FALSE(world.aside(0));
  EXPECT_TRUE(world.aside(1));
  EXPECT_NE(to_string(world.nodes[0].last), "");
  EXPECT_NE(to_string(world.nodes[1].last), "");
}

TEST(WallClocks, ExactlyOneOfTwoThatStartTogetherStandsAside) {
  clock_world world;
  world.add(hour);
  world.add(millis{0});
  world.run(millis{10'000});
  EXPECT_NE(world.aside(0), world.aside(1));
}

TEST(WallClocks, SomebodyAlwaysStays) {
  for (int pattern = 0; pattern < 81; ++pattern) {
    clock_world world;
    for (int i = 0, rest = pattern; i < 4; ++i, rest /= 3) {
      world.add(rest % 3 * hour);
      world.run(millis{500});
    }
    world.run(millis{20'000});
    std::vector<millis> staying;
    for (std::size_t i = 0; i < 4; ++i)
      if (!world.aside(i))
        staying.push_back(world.nodes[i].ahead);
    ASSERT_FALSE(staying.empty()) << pattern;
    for (auto one : staying)
      EXPECT_EQ(one, staying.front()) << pattern;
  }
}

TEST(WallClocks, ANodeKnowsBeforeItOwnsAnything) {
  clock_world world;
  world.add(millis{0});
  world.add(millis{0});
  world.run(millis{60'000});
  auto late = world.add(hour);
  // The view settles after as long.
  world.run(limits::view_settles_after);
  EXPECT_TRUE(world.aside(late));
}

TEST(WallClocks, AClockThatIsSetRightIsTakenBack) {
  clock_world world;
  world.add(millis{0});
  world.add(millis{0});
  auto wrong = world.add(millis{0});
  world.run(millis{10'000});
  world.nodes[wrong].ahead = -hour;
  world.run(limits::clocks_settle / 2);
  EXPECT_FALSE(world.aside(wrong));
  world.run(2 * limits::clocks_settle);
  EXPECT_TRUE(world.aside(wrong));
  EXPECT_FALSE(world.aside(0));
  world.nodes[wrong].ahead = limits::clocks_differ * 3 / 4;
  world.run(3 * limits::clocks_settle);
  // Close enough for one that never was wrong.
  EXPECT_TRUE(world.aside(wrong));
  world.nodes[wrong].ahead = millis{0};
  world.run(3 * limits::clocks_settle);
  EXPECT_FALSE(world.aside(wrong));
  EXPECT_EQ(to_string(world.nodes[wrong].last), "");
}

TEST(WallClocks, HeartbeatsThatAreLateAreNoClocksThatAreWrong) {
  clock_world world;
  world.add(millis{0});
  world.add(millis{0});
  world.run(millis{10'000});
  world.nodes[1].late = hour;
  world.run(limits::clocks_settle - step);
  world.nodes[1].late = millis{0};
  for (int i = 0; i < 100; ++i) {
    // All but one in the window.
    world.nodes[1].late = i % 8 == 0 ? millis{0} : hour;
    world.run(step);
    EXPECT_FALSE(world.aside(0));
    EXPECT_FALSE(world.aside(1));
  }
}

TEST(WallClocks, WhoOwnsPartitionsIsRightWhateverOthersSay) {
  clock_world world;
  auto core = world.add(hour);
  world.run(millis{1'000});
  auto first = world.add(millis{0}, false);
  auto second = world.add(millis{0}, false);
  auto same = world.add(hour, false);
  world.run(millis{10'000});
  EXPECT_FALSE(world.aside(core));
  EXPECT_TRUE(world.aside(first));
  EXPECT_TRUE(world.aside(second));
  EXPECT_FALSE(world.aside(same));
}

TEST(WallClocks, WhoIsAloneIsRight) {
  clock_world world;
  world.add(millis{0});
  world.add(millis{0});
  auto wrong = world.add(hour);
  world.run(millis{10'000});
  ASSERT_TRUE(world.aside(wrong));
  world.nodes[0].running = false;
  world.nodes[1].running = false;
  world.run(millis{10'000});
  EXPECT_FALSE(world.aside(wrong));
}

TEST(WallClocks, WhoSaysNothingOfItsClockHasNoVoice) {
  wall_clocks clocks{{"a", 1}, true};
  heartbeat word;
  word.node = {"b", 1};
  word.number = 1;
  clocks.heard(word, {millis{1}, millis{1'700'000'000'000}});
  EXPECT_EQ(clocks.judge({millis{2}, millis{1'700'000'000'000}}, millis{1}),
            clock_verdict{});
}
