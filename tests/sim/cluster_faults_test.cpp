// Random clusters under random faults, from seeds. How many: ROLLCALL_SEEDS
// from ROLLCALL_SEED on, or as many as fit into ROLLCALL_SIM_SECONDS. Those in
// seeds.txt, which failed once, come first.

#include "sim/storm.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace rollcall;
using namespace rollcall::sim;

namespace {

constexpr std::uint64_t seconds_by_default = 20;

std::optional<std::uint64_t> from_env(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0')
    return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::vector<std::uint64_t> seeds_that_failed_once() {
  std::ifstream file{ROLLCALL_TESTS_DIR "/sim/seeds.txt"};
  std::vector<std::uint64_t> out;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#')
      out.push_back(std::strtoull(line.c_str(), nullptr, 10));
  return out;
}

/// The seeds of one lane, one after the other.
class seed_source {
public:
  seed_source(std::uint64_t lane, std::uint64_t lanes)
    : step_(lanes), next_(from_env("ROLLCALL_SEED").value_or(1) + lane) {
    if (auto count = from_env("ROLLCALL_SEEDS")) {
      end_ = next_ - lane + *count;
    } else {
      auto known = seeds_that_failed_once();
      for (std::size_t n = lane; n < known.size(); n += lanes)
        known_.push_back(known[n]);
      until_ = std::chrono::steady_clock::now()
               + std::chrono::seconds{
                 from_env("ROLLCALL_SIM_SECONDS").value_or(seconds_by_default)};
    }
  }

  std::optional<std::uint64_t> next() {
    if (!known_.empty()) {
      auto out = known_.front();
      known_.erase(known_.begin());
      return out;
    }
    bool over
      = end_ ? next_ >= *end_ : std::chrono::steady_clock::now() >= *until_;
    if (over)
      return std::nullopt;
    auto out = next_;
    next_ += step_;
    return out;
  }

private:
  std::vector<std::uint64_t> known_;
  std::uint64_t step_;
  std::uint64_t next_;
  std::optional<std::uint64_t> end_;
  std::optional<std::chrono::steady_clock::time_point> until_;
};

void print(const storm_totals& all) {
  for (std::size_t n = 0; n < fault_count; ++n)
    std::printf("%s%s %llu", n == 0 ? "faults: " : ", ",
                to_string(static_cast<fault>(n)),
                static_cast<unsigned long long>(all.faults[n]));
  auto figure = [](const char* name, std::uint64_t value) {
    std::printf("%s %llu", name, static_cast<unsigned long long>(value));
  };
  figure("\nclients: operations", all.operations);
  figure(", frames checked", all.frames);
  figure(", flaps seen", all.flaps);
  figure(", sent elsewhere", all.sent_elsewhere);
  figure(", shown less than before", all.older);
  figure("\ndurable: started", all.durable);
  figure(", committed", all.committed);
  figure(", repeated", all.repeated);
  figure(", forbidden", all.refused);
  figure(", asked again", all.unknown);
  figure("\njournal: answers lost", all.acks_lost);
  figure(", values left out of replays", all.left_out);
  figure("\nmessages: sent", all.wire.sent);
  figure(", lost", all.wire.lost);
  figure(", doubled", all.wire.twice);
  figure(", late", all.wire.late);
  figure(", cut off", all.wire.cut);
  std::printf("\n");
}

/// Lanes run side by side when the tests are split over processes.
class ClusterStorm : public ::testing::TestWithParam<std::uint64_t> {};

std::uint64_t lanes() {
  return std::max(1U, std::thread::hardware_concurrency());
}

TEST_P(ClusterStorm, LeavesEveryoneAgreed) {
  seed_source seeds{GetParam(), lanes()};
  storm_totals all;
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  while (auto seed = seeds.next()) {
    storm one{*seed};
    one.run();
    all.add(one.made);
    if (one.complaints.empty()) {
      ++passed;
      continue;
    }
    ++failed;
    std::string text;
    for (const auto& what : one.complaints)
      text += what + '\n';
    ADD_FAILURE() << text << "replay with ROLLCALL_SEED=" << *seed
                  << " ROLLCALL_SEEDS=1 build/dev/sim_tests"
                     " --gtest_filter='*ClusterStorm*'";
    std::fflush(stdout);
  }
  print(all);
  std::printf("[ SEEDS    ] %llu passed, %llu failed\n",
              static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
}

INSTANTIATE_TEST_SUITE_P(Lane, ClusterStorm,
                         ::testing::Range(std::uint64_t{0}, lanes()),
                         [](const auto& lane) {
                           return std::to_string(lane.param);
                         });

} // namespace
