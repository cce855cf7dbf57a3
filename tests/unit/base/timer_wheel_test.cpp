#include "actors/base/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace rollcall {
namespace {

using keys = std::vector<int>;

keys expired(timer_wheel<int>& wheel, millis now) {
  keys out;
  wheel.expire(now, out);
  return out;
}

TEST(TimerWheel, IsNeverEarlyAndLessThanOneTickLate) {
  timer_wheel<int> wheel{millis{10}};
  wheel.schedule(1, millis{101});
  EXPECT_EQ(expired(wheel, millis{101}), keys{});
  EXPECT_EQ(expired(wheel, millis{109}), keys{});
  EXPECT_EQ(expired(wheel, millis{110}), keys{1});
  wheel.schedule(2, millis{120});
  EXPECT_EQ(expired(wheel, millis{119}), keys{});
  EXPECT_EQ(expired(wheel, millis{120}), keys{2});
}

TEST(TimerWheel, ExpiresInOrderOfDeadlines) {
  timer_wheel<int> wheel{millis{10}};
  wheel.schedule(1, millis{300});
  wheel.schedule(2, millis{100});
  wheel.schedule(3, millis{200});
  EXPECT_EQ(expired(wheel, millis{1'000}), (keys{2, 3, 1}));
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheel, ReplacesTheDeadlineOfAKey) {
  timer_wheel<std::string> wheel{millis{1}};
  wheel.schedule("a", millis{5});
  wheel.schedule("a", millis{9});
  EXPECT_EQ(wheel.size(), 1U);
  std::vector<std::string> out;
  EXPECT_EQ(wheel.expire(millis{8}, out), 0U);
  EXPECT_EQ(wheel.expire(millis{9}, out), 1U);
  EXPECT_EQ(out, std::vector<std::string>{"a"});
}

TEST(TimerWheel, ForgetsWhatIsCancelledOrNeverDue) {
  timer_wheel<int> wheel{millis{100}};
  wheel.schedule(1, millis{50});
  wheel.schedule(2, millis{50});
  EXPECT_TRUE(wheel.cancel(1));
  EXPECT_FALSE(wheel.cancel(1));
  wheel.schedule(2, never);
  EXPECT_FALSE(wheel.contains(2));
  EXPECT_EQ(wheel.next(), std::nullopt);
  EXPECT_EQ(expired(wheel, never), keys{});
}

TEST(TimerWheel, SaysWhenItIsNextDue) {
  timer_wheel<int> wheel{millis{10}};
  EXPECT_EQ(wheel.next(), std::nullopt);
  wheel.schedule(1, millis{95});
  wheel.schedule(2, millis{11});
  EXPECT_EQ(wheel.next(), millis{20});
  EXPECT_EQ(expired(wheel, *wheel.next()), keys{2});
  EXPECT_EQ(wheel.next(), millis{100});
}

TEST(TimerWheel, KeepsWhatIsBeyondTheLimitDue) {
  timer_wheel<int> wheel{millis{1}};
  for (int i = 0; i < 5; ++i)
    wheel.schedule(i, millis{i});
  keys out;
  EXPECT_EQ(wheel.expire(millis{9}, out, 2), 2U);
  EXPECT_EQ(wheel.expire(millis{9}, out, 9), 3U);
  EXPECT_EQ(out, (keys{0, 1, 2, 3, 4}));
}

TEST(TimerWheel, TakesJumpsOfYearsInOneStep) {
  constexpr millis year{31'536'000'000};
  timer_wheel<int> wheel{millis{1}};
  wheel.schedule(1, 900 * year);
  wheel.schedule(2, year);
  EXPECT_EQ(expired(wheel, 100 * year), keys{2});
  EXPECT_EQ(expired(wheel, 1'000 * year), keys{1});
}

TEST(TimerWheel, AgreesWithAModelUnderRandomUse) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 rng{seed};
  auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>{low, high}(rng);
  };
  for (auto granularity : {millis{1}, millis{10}, millis{100}}) {
    timer_wheel<int> wheel{granularity};
    std::map<int, millis> model;
    millis now{draw(0, 1'000)};
    auto due_at = [&](millis deadline) {
      return (deadline + granularity - millis{1}) / granularity * granularity;
    };
    for (int step = 0; step < 20'000; ++step) {
      const int key = draw(0, 300);
      const int what = draw(0, 9);
      if (what < 5) {
        const auto deadline = now + millis{draw(0, 5'000)};
        wheel.schedule(key, deadline);
        model[key] = deadline;
      } else if (what < 7) {
        ASSERT_EQ(wheel.cancel(key), model.erase(key) == 1);
      } else {
        now += millis{draw(0, 99) == 0 ? 50'000'000 : draw(0, 400)};
        const auto out = expired(wheel, now);
        std::multimap<millis, int> due;
        for (const auto& [id, deadline] : model)
          if (due_at(deadline) <= now)
            due.emplace(due_at(deadline), id);
        ASSERT_EQ(out.size(), due.size());
        millis last{0};
        for (int id : out) {
          ASSERT_LE(last, due_at(model.at(id)));
          last = due_at(model.at(id));
        }
        auto sorted = out;
        std::sort(sorted.begin(), sorted.end());
        keys expected;
        for (const auto& [deadline, id] : due)
          expected.push_back(id);
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(sorted, expected);
        for (int id : out)
          model.erase(id);
      }
      std::optional<millis> first;
      for (const auto& [id, deadline] : model)
        if (!first || due_at(deadline) < *first)
          first = due_at(deadline);
      ASSERT_EQ(wheel.next(), first);
      ASSERT_EQ(wheel.size(), model.size());
    }
  }
}

} // namespace
} // namespace rollcall
