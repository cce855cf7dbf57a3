#include "actors/base/metrics.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <thread>

namespace rollcall::metrics {
namespace {

TEST(Metrics, GivesTheSameCounterForTheSameLabels) {
  registry all;
  auto& a = all.make_counter("rollcall_frames_total", "Frames.",
                             {{"op", "join"}, {"dialect", "json"}});
  auto& b = all.make_counter("rollcall_frames_total", "Frames.",
                             {{"dialect", "json"}, {"op", "join"}});
  auto& c = all.make_counter("rollcall_frames_total", "Frames.",
                             {{"dialect", "json"}, {"op", "leave"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &c);
  a.add(2);
  c.add();
  const auto read = all.read();
  ASSERT_EQ(read.size(), 1U);
  ASSERT_EQ(read[0].series.size(), 2U);
  EXPECT_EQ(read[0].series[0].value, 2);
  EXPECT_EQ(read[0].series[1].value, 1);
}

TEST(Metrics, RefusesNamesAgainstTheHouseRule) {
  registry all;
  auto refused = [&](const char* name) {
    EXPECT_THROW(all.make_gauge(name, "x"), std::logic_error) << name;
  };
  refused("sessions");
  refused("rollcall_Sessions");
  refused("rollcall_sessions_total");
  refused("rollcall_a-b");
  EXPECT_THROW(all.make_counter("rollcall_joins", "x"), std::logic_error);
  EXPECT_THROW(all.make_gauge("rollcall_a", "x", {{"le", "1"}}),
               std::logic_error);
  EXPECT_THROW(all.make_gauge("rollcall_a", "x", {{"k", "1"}, {"k", "2"}}),
               std::logic_error);
  EXPECT_TRUE(all.read().empty());
}

TEST(Metrics, RefusesANameWithAnotherTypeOrOtherBuckets) {
  registry all;
  all.make_gauge("rollcall_a", "x");
  EXPECT_THROW(all.make_histogram("rollcall_a", "x", duration_buckets()),
               std::logic_error);
  all.make_histogram("rollcall_b_seconds", "x", duration_buckets());
  EXPECT_THROW(all.make_histogram("rollcall_b_seconds", "x", size_buckets()),
               std::logic_error);
}

TEST(Metrics, BoundsTheNumberOfSeries) {
  registry all;
  std::size_t made = 0;
  try {
    for (; made < 100'000; ++made)
      all.make_gauge("rollcall_a", "x", {{"n", std::to_string(made)}});
  } catch (const std::logic_error&) {
    // the bound
  }
  EXPECT_EQ(made, 4'096U);
}

TEST(Metrics, PutsAnObservationIntoTheBucketThatHoldsIt) {
  constexpr std::array bounds = {1.0, 2.0, 4.0};
  histogram spread{bounds};
  for (double value : {0.5, 1.0, 1.5, 4.0, 4.5})
    spread.observe(value);
  EXPECT_EQ(spread.counts(), (std::vector<std::uint64_t>{2, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(spread.sum(), 11.5);
}

TEST(Metrics, ReadsHistogramsCumulated) {
  registry all;
  constexpr std::array bounds = {1.0, 2.0};
  auto& spread = all.make_histogram("rollcall_size_bytes", "x", bounds);
  spread.observe(1);
  spread.observe(2);
  spread.observe(3);
  const auto read = all.read();
  ASSERT_TRUE(read.at(0).series.at(0).histogram);
  EXPECT_EQ(read[0].series[0].histogram->counts,
            (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Metrics, RefusesBucketsThatDoNotAscend) {
  constexpr std::array bounds = {1.0, 1.0};
  EXPECT_THROW(histogram{bounds}, std::logic_error);
  for (auto buckets : {duration_buckets(), size_buckets(), count_buckets()})
    EXPECT_NO_THROW(histogram{buckets});
}

TEST(Metrics, AsksCallbacksUntilTheirHandleGoes) {
  registry all;
  double depth = 3;
  {
    auto first
      = all.make_callback_gauge("rollcall_depth", "x", [&] { return depth; });
    auto second
      = all.make_callback_gauge("rollcall_depth", "x", [] { return 10.0; });
    EXPECT_EQ(all.read().at(0).series.at(0).value, 13);
    auto moved = std::move(first);
    EXPECT_EQ(all.read().at(0).series.at(0).value, 13);
    second = {};
    EXPECT_EQ(all.read().at(0).series.at(0).value, 3);
  }
  EXPECT_EQ(all.read().at(0).series.at(0).value, 0);
}

TEST(Metrics, MergesWhatCollectorsBring) {
  registry all;
  all.make_gauge("rollcall_b", "x");
  auto handle = all.add_collector([] {
    return std::vector<metric_reading>{
      {"rollcall_c", "x", metric_type::gauge, {{{}, 3, std::nullopt}}},
      {"rollcall_a", "x", metric_type::gauge, {{{}, 1, std::nullopt}}}};
  });
  auto read = all.read();
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].name, "rollcall_a");
  EXPECT_EQ(read[1].name, "rollcall_b");
  EXPECT_EQ(read[2].series.at(0).value, 3);
  handle = {};
  EXPECT_EQ(all.read().size(), 1U);
}

TEST(Metrics, LosesNoUpdateBetweenThreads) {
  registry all;
  auto& count = all.make_counter("rollcall_a_total", "x");
  auto& level = all.make_gauge("rollcall_b", "x");
  auto& spread
    = all.make_histogram("rollcall_c_seconds", "x", duration_buckets());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        count.add();
        level.add(1);
        spread.observe(1);
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(count.value(), 40'000U);
  EXPECT_EQ(level.value(), 40'000);
  EXPECT_EQ(spread.sum(), 40'000);
}

} // namespace
} // namespace rollcall::metrics
