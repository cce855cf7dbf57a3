// Journals whose streams have no leader, or whose servers lost the one that
// lists streams and places consumers: what that holds up, and what not.

#include "cluster/stream_calls.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "support/journal_calls.hpp"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;
using namespace rollcall::test;

namespace {

using clock_type = std::chrono::steady_clock;

millis since(clock_type::time_point begin) {
  return std::chrono::duration_cast<millis>(clock_type::now() - begin);
}

/// A claim that has begun.
struct pending_claim {
  std::promise<result<checkpoint>> answer;
  std::future<result<checkpoint>> got{answer.get_future()};
  clock_type::time_point came;

  pending_claim(journal& at, partition_id partition) {
    at.claim(partition, {"a", 1}, [this](result<checkpoint> claimed) {
      came = clock_type::now();
      answer.set_value(std::move(claimed));
    });
  }
};

/// Refuses whatever is asked of the streams of partitions 1 to `count`: to who
/// asks it is as if nobody answered.
std::string silence_about(int count) {
  std::string denied;
  for (int i = 1; i <= count; ++i) {
    auto stream = "RC_test_00" + std::to_string(i) + "_1";
    denied += (denied.empty() ? "\"" : ", \"")
              + std::string{"$JS.API.STREAM.INFO."} + stream + "\"";
  }
  return "authorization { users: [ { user: ada, password: secret, "
         "permissions { publish { deny: ["
         + denied + "] } } } ] }\n";
}

} // namespace

TEST(NatsFailover, StreamsThatNeverAnswerDoNotHoldUpOthers) {
  constexpr int silent = 6;
  nats_server server{silence_about(silent)};
  auto config = quick_config();
  config.threads = 2;
  config.claim_patience = millis{10'000};
  auto options = options_for(server);
  options.urls
    = {"nats://ada:secret@127.0.0.1:" + std::to_string(server.port())};
  auto disk = std::make_shared<memory_store>();
  auto order = nats_journal::open(
    options, config, [disk](auto partition) { return disk->where(partition); });
  ASSERT_TRUE(order) << order.error().message;
  std::vector<std::unique_ptr<pending_claim>> unanswered;
  for (partition_id p = 1; p <= silent; ++p)
    unanswered.push_back(std::make_unique<pending_claim>(**order, p));
  auto begin = clock_type::now();
  for (partition_id p = 7; p < 10; ++p) {
    auto at = claim_and_wait(**order, p, {"a", 1});
    ASSERT_TRUE(at) << at.error().message;
    EXPECT_TRUE(append_and_wait(**order, p, at->epoch, {{"k", "v"}}));
  }
  EXPECT_LT(since(begin), millis{3'000});
  for (auto& one : unanswered)
    EXPECT_EQ(one->got.wait_for(millis{0}), std::future_status::timeout);
  order->reset();
  for (auto& one : unanswered)
    EXPECT_EQ(one->got.get().error().code, errc::unavailable);
}

namespace {

/// Three servers, streams on all of them, and who leads what.
struct NatsFailoverReplicated : testing::Test {
  static constexpr partition_id partitions = 12;

  nats_cluster servers{3};
  std::unique_ptr<nats_journal> order;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::unique_ptr<nats_requests> raw;
  nats_options options;

  static steady_time soon() {
    return clock_type::now() + answer_patience;
  }

  void SetUp() override {
    options.urls = servers.urls();
    options.cluster = "test";
    auto config = quick_config();
    config.replicas = 3;
    config.patience = millis{8'000};
    // Elections may take more than one round.
    config.claim_patience = millis{45'000};
    auto opened = nats_journal::open(options, config, [this](auto partition) {
      return disk->where(partition);
    });
    ASSERT_TRUE(opened);
    order = std::move(*opened);
    raw = nats_requests::open(options).value();
    auto begin = clock_type::now();
    for (partition_id p = 0; p < partitions; ++p)
      while (!open(p))
        ASSERT_LT(since(begin), millis{60'000});
  }

  /// What a node does with a partition that falls to it.
  result<checkpoint> open(partition_id partition) {
    return use(partition, claim_and_wait(*order, partition, {"a", 1}));
  }

  result<checkpoint> use(partition_id partition, result<checkpoint> at) {
    if (!at)
      return at;
    if (auto caught = catch_up(*disk, *order, partition); !caught)
      return caught.error();
    applied_records mark{partition, *at, {}};
    if (auto kept = disk->write({&mark, 1}); !kept)
      return kept.error();
    auto added
      = append_and_wait(*order, partition, at->epoch, {{"k", "v"}, {"l", "v"}});
    return added ? at : added.error();
  }

  /// The server that an answer calls the leader: its name ends in its index.
  static std::optional<std::size_t> leader_in(const std::string& answer) {
    auto named = answer.find(R"("leader":"s)");
    if (named == std::string::npos)
      return std::nullopt;
    return static_cast<std::size_t>(answer[named + 11] - '0');
  }

  std::string info_of(partition_id partition) {
    auto name = subjects{"test"}.stream({partition, 1});
    return raw->ask("$JS.API.STREAM.INFO." + name, {}, {}, soon()).data;
  }

  /// Whether both followers have all that the leader has: one that has just
  /// been started does not make a majority yet.
  bool is_whole(partition_id partition) {
    constexpr std::string_view wanted = R"("current":true)";
    auto info = info_of(partition);
    std::size_t count = 0;
    for (auto at = info.find(wanted); at != std::string::npos;
         at = info.find(wanted, at + 1))
      ++count;
    return count == 2;
  }

  /// Whether a leader answers for the partition.
  bool is_led(partition_id partition) {
    auto name = subjects{"test"}.stream({partition, 1});
    auto got = raw->ask("$JS.API.STREAM.MSG.GET." + name, {},
                        message_at_request(1), clock_type::now() + millis{50});
    return got.end == ask_end::answered && !is_between_leaders(got.data);
  }
};

/// From the first answer of a new leader to that of the claim: about what is
/// between two questions, and more where others want the processors.
constexpr millis soon_after{600};

} // namespace

// One of the three leads the servers' meta group, too.
TEST_F(NatsFailoverReplicated, OnlyStreamsThatLostTheirLeaderWait) {
  for (std::size_t victim = 0; victim < 3; ++victim) {
    std::vector<partition_id> alive;
    std::map<partition_id, std::unique_ptr<pending_claim>> leaderless;
    std::map<partition_id, clock_type::time_point> led;
    for (partition_id p = 0; p < partitions; ++p) {
      auto whole = clock_type::now();
      while (!is_whole(p))
        ASSERT_LT(since(whole), millis{60'000}) << info_of(p);
      auto leader = leader_in(info_of(p));
      ASSERT_TRUE(leader);
      if (*leader == victim)
        leaderless[p] = nullptr;
      else
        alive.push_back(p);
    }
    servers.at(victim).kill();
    auto begin = clock_type::now();
    for (auto& [partition, claim] : leaderless)
      claim = std::make_unique<pending_claim>(*order, partition);
    std::map<partition_id, std::unique_ptr<pending_claim>> claims;
    std::string took;
    for (auto partition : alive)
      claims[partition] = std::make_unique<pending_claim>(*order, partition);
    for (auto& [partition, claim] : claims) {
      auto at = use(partition, claim->got.get());
      ASSERT_TRUE(at) << "partition " << partition << ", killed s" << victim
                      << ": " << at.error().message;
      took += " " + std::to_string(partition) + ": claimed after "
              + std::to_string((claim->came - begin) / millis{1})
              + " ms, used after " + std::to_string(since(begin).count());
    }
    // No election is over by then.
    EXPECT_LT(since(begin), millis{2'500}) << "killed s" << victim << took;
    while (led.size() < leaderless.size() && since(begin) < millis{40'000})
      for (auto& [partition, claim] : leaderless)
        if (!led.contains(partition) && is_led(partition))
          led[partition] = clock_type::now();
    for (auto& [partition, claim] : leaderless) {
      auto at = claim->got.get();
      ASSERT_TRUE(at) << at.error().message;
      EXPECT_LT(claim->came - led[partition], soon_after)
        << "partition " << partition << ", killed s" << victim;
    }
    servers.at(victim).start();
    for (partition_id p = 0; p < partitions; ++p)
      while (!open(p))
        ASSERT_LT(since(begin), millis{60'000});
  }
}
