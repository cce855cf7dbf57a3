// Claims that expect the end of the stream: against a writer that moves it all
// the time, and what readers say of copies that no fence could have let come
// about (docs/decisions/0013-fenced-claims.md).

#include "actors/base/base64url.hpp"
#include "actors/base/limits.hpp"
#include "cluster/end_writer.hpp"
#include "cluster/stream_calls.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "support/journal_calls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;
using namespace rollcall::test;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr int rounds = 60;
constexpr millis claim_most{2'000};

struct raced {
  std::vector<std::size_t> tries;
  std::vector<millis> took;
};

steady_time soon() {
  return clock_type::now() + answer_patience;
}

/// Claims again and again while the owner appends as fast as it can, one in
/// flight.
raced race(const nats_options& options, const nats_journal_config& config) {
  auto disk = std::make_shared<memory_store>();
  auto order
    = nats_journal::open(options, config, [disk](partition_id partition) {
        return disk->where(partition);
      }).value();
  auto raw = nats_requests::open(options).value();
  const subjects names{options.cluster};
  const stream_id place{0, 1};
  raced out;
  for (int round = 0; round < rounds; ++round) {
    auto owned = claim_and_wait(*order, 0, {"a", 1});
    for (auto begin = clock_type::now();
         !owned && clock_type::now() < begin + std::chrono::seconds{30};)
      owned = claim_and_wait(*order, 0, {"a", 1});
    if (!owned) {
      ADD_FAILURE() << owned.error().message;
      return out;
    }
    std::atomic<int> acked{0};
    position_t last = 0;
    failure why;
    std::thread writer{[&] {
      for (;;) {
        auto at = append_and_wait(*order, 0, owned->epoch, {{"k", "v"}});
        if (!at) {
          why = at.error();
          return;
        }
        last = *at;
        ++acked;
        acked.notify_one();
      }
    }};
    for (auto seen = acked.load(); seen < 5; seen = acked.load())
      acked.wait(seen);
    journal_entry entry;
    entry.kind = entry_kind::claim;
    entry.marker = {1, owned->incarnation};
    auto begin = clock_type::now();
    auto got = write_at_end(
      end_calls_of(*raw, names.stream(place), names.claim(place)),
      names.stream(place), entry, {owned->position}, config.resend_after,
      soon());
    auto end = clock_type::now();
    if (!got)
      // Or the writer would go on for ever.
      (void)claim_and_wait(*order, 0, {"a", 1});
    writer.join();
    if (!got) {
      ADD_FAILURE() << got.error().message;
      return out;
    }
    EXPECT_EQ(why.code, errc::conflict) << why.message;
    EXPECT_LT(last, got->position);
    out.tries.push_back(got->tries);
    out.took.push_back(std::chrono::duration_cast<millis>(end - begin));
  }
  std::sort(out.tries.begin(), out.tries.end());
  std::sort(out.took.begin(), out.took.end());
  return out;
}

void expect_bounded(const raced& got) {
  // With one append in flight a try is taken about one time in four: the bound
  // is far away.
  ASSERT_EQ(got.tries.size(), static_cast<std::size_t>(rounds));
  EXPECT_LT(got.tries.back(), limits::journal_end_tries);
  EXPECT_LT(got.took.back(), claim_most);
  // The writer was in the way at least once, or nothing was tested.
  EXPECT_GT(got.tries.back(), 1u);
  auto say = [](const char* name, auto value) {
    testing::Test::RecordProperty(name, std::to_string(value));
  };
  say("tries_p50", got.tries[rounds / 2]);
  say("tries_max", got.tries.back());
  say("ms_p50", got.took[rounds / 2].count());
  say("ms_max", got.took.back().count());
}

} // namespace

TEST(NatsClaims, AreTakenWithinAFewTriesFromAHotWriter) {
  nats_server server;
  expect_bounded(race(options_for(server), quick_config()));
}

TEST(NatsClaims, AreTakenFromAHotWriterOnThreeServers) {
  nats_cluster servers{3};
  nats_options options;
  options.urls = servers.urls();
  options.cluster = "test";
  auto config = quick_config();
  config.replicas = 3;
  config.claim_patience = millis{15'000};
  expect_bounded(race(options, config));
}

// -- damaged copies ----------------------------------------------------------

namespace {

/// A partition with an owner and a store that follows, and the raw way to its
/// stream, past every fence.
struct NatsDamagedCopy : testing::Test {
  nats_server server;
  subjects names{"test"};
  stream_id place{0, 1};
  std::unique_ptr<nats_requests> raw
    = nats_requests::open(options_for(server)).value();
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::shared_ptr<memory_store> standby_disk = std::make_shared<memory_store>();
  std::unique_ptr<nats_journal> order = open_journal(server, disk);
  std::unique_ptr<nats_journal> standby = open_journal(server, standby_disk);
  checkpoint owned;

  void SetUp() override {
    owned = claim_and_wait(*order, 0, {"a", 1}).value();
    ASSERT_TRUE(append_and_wait(*order, 0, owned.epoch, {{"k1", "v"}}));
    ASSERT_TRUE(catch_up(*standby_disk, *standby, 0));
    ASSERT_EQ(value("k1"), "v");
  }

  position_t put(const std::string& subject, const std::string& bytes) {
    auto got = raw->ask(subject, {}, bytes, soon());
    auto answer = parse_publish_answer(got.data);
    EXPECT_EQ(answer.error, 0) << got.data;
    return answer.sequence;
  }

  void remove(position_t sequence) {
    auto got = raw->ask("$JS.API.STREAM.MSG.DELETE." + names.stream(place), {},
                        R"({"seq":)" + std::to_string(sequence) + "}", soon());
    EXPECT_NE(got.data.find(R"("success":true)"), std::string::npos)
      << got.data;
  }

  std::string value(const std::string& key) {
    auto got = standby_disk->get(key);
    return got && *got ? **got : "";
  }

  void expect_refused_at(position_t sequence, const result<done>& got) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, errc::unavailable);
    EXPECT_EQ(got.error().field, journal_fault::damaged);
    EXPECT_FALSE(can_be_made_anew(got.error()));
    const auto& text = got.error().message;
    EXPECT_NE(text.find("RC_test_000_1"), std::string::npos) << text;
    EXPECT_NE(text.find(" " + std::to_string(sequence) + " "),
              std::string::npos)
      << text;
  }
};

} // namespace

TEST_F(NatsDamagedCopy, NothingIsReadPastAWriterThatLostItsClaim) {
  auto later = claim_and_wait(*standby, 0, {"b", 1});
  ASSERT_TRUE(later);
  ASSERT_TRUE(append_and_wait(*standby, 0, later->epoch, {{"k2", "v"}}));
  auto before = standby_disk->where(0).value();
  journal_entry zombie;
  zombie.marker = {1, owned.incarnation};
  zombie.epoch = owned.epoch;
  zombie.op = 99;
  zombie.body = encode_records(std::vector<encoded_record>{{"k3", "zombie"}});
  auto at = put(names.key(place, "k3"), encode(zombie));
  for (int i = 0; i < 3; ++i) {
    expect_refused_at(at, catch_up(*standby_disk, *standby, 0));
    EXPECT_EQ(standby_disk->where(0).value(), before);
  }
  // An empty store is not filled from such a copy, in part neither.
  auto empty = std::make_shared<memory_store>();
  auto reader = open_journal(server, empty);
  expect_refused_at(at, catch_up(*empty, *reader, 0));
  EXPECT_EQ(empty->where(0).value(), checkpoint{});
  remove(at);
  ASSERT_TRUE(catch_up(*standby_disk, *standby, 0));
  EXPECT_EQ(value("k2"), "v");
  EXPECT_EQ(value("k3"), "");
}

// By what the server kept of it: the fence is in the message's headers.
TEST_F(NatsDamagedCopy, ClaimsExpectTheEndOfTheStream) {
  auto headers_of = [&](const std::string& subject) -> std::string {
    auto got = raw->ask("$JS.API.STREAM.MSG.GET." + names.stream(place), {},
                        last_message_request(subject), soon());
    constexpr std::string_view before = R"("hdrs":")";
    auto from = got.data.find(before);
    if (from == std::string::npos)
      return {};
    from += before.size();
    auto text = got.data.substr(from, got.data.find('"', from) - from);
    while (text.ends_with('='))
      text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return base64url_decode(text).value();
  };
  auto later = claim_and_wait(*standby, 0, {"b", 1});
  ASSERT_TRUE(later);
  auto claim = headers_of(names.claim(place));
  auto end = std::to_string(later->position - 1);
  EXPECT_NE(claim.find("Nats-Expected-Last-Sequence: " + end + "\r\n"),
            std::string::npos)
    << claim;
  EXPECT_NE(claim.find("Nats-Msg-Id: "), std::string::npos) << claim;
}

// What a replica has that applied a claim twice: the second one stands in the
// place of the owner's record.
TEST_F(NatsDamagedCopy, AClaimInASecondPlaceIsNoClaim) {
  auto claim = stream_calls{*raw, names.stream(place)}
                 .last_message(names.claim(place), soon())
                 .value();
  ASSERT_TRUE(claim);
  auto before = standby_disk->where(0).value();
  auto at = put(names.claim(place), claim->data);
  expect_refused_at(at, catch_up(*standby_disk, *standby, 0));
  EXPECT_EQ(standby_disk->where(0).value(), before);
  auto refused = claim_and_wait(*standby, 0, {"b", 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, journal_fault::damaged);
  // To the owner it is no later claim: its own stands.
  auto own = order->follow(0, before, limits::group_bytes);
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().field, journal_fault::damaged);
}
