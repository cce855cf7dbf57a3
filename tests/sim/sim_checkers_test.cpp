// The checks of a storm, checked: each of these bugs is planted and must be
// noticed within 200 seeds.

#include "sim/storm.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

using namespace rollcall;
using namespace rollcall::sim;

namespace {

constexpr std::uint64_t seeds_most = 200;

class SimCheckers : public ::testing::Test {
protected:
  /// The first complaint of the first seed that has one, and has none without
  /// the bug.
  static std::string catch_it(const storm_bugs& bugs) {
    for (std::uint64_t seed = 1; seed <= seeds_most; ++seed) {
      storm one{seed, bugs};
      one.run();
      if (one.complaints.empty())
        continue;
      storm_bugs none;
      none.needs = bugs.needs;
      storm without{seed, none};
      without.run();
      if (!without.complaints.empty())
        continue;
      std::printf("caught after %llu seeds: %s\n",
                  static_cast<unsigned long long>(seed),
                  one.complaints.front().c_str());
      return one.complaints.front();
    }
    return {};
  }

  storm_bugs bugs;
};

TEST_F(SimCheckers, CatchesADroppedFence) {
  bugs.log.no_fence = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesAPipelinedExpectation) {
  bugs.log.realigns = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesAnAnswerBeforeTheCommit) {
  bugs.log.answers_early = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesASkippedConfirmWindow) {
  bugs.node.skips_confirm_window = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesAReusedIncarnation) {
  bugs.node.reuses_incarnation = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesAJournalMadeAnewFromAStaleCopy) {
  bugs.log.reseeds_stale = true;
  bugs.needs = fault::shorter;
  EXPECT_FALSE(catch_it(bugs).empty());
}

TEST_F(SimCheckers, CatchesLeasesCountedWhileDeaf) {
  bugs.node.counts_deaf_time = true;
  EXPECT_FALSE(catch_it(bugs).empty());
}

} // namespace
