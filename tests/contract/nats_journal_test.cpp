// What only the journal in NATS has to stand: other writers, servers that die
// or stand still, and streams that somebody else has touched.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "cluster/stream_calls.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "support/journal_calls.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace rollcall;
using namespace rollcall::cluster;
using namespace rollcall::test;

namespace {

using content_map = std::map<std::string, std::string>;

/// A server, and the raw way to it.
struct NatsJournal : testing::Test {
  nats_server server;
  subjects names{"test"};
  std::unique_ptr<nats_requests> raw
    = nats_requests::open(options_for(server)).value();
  stream_calls stream{*raw, names.stream(0)};

  static steady_time soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{5};
  }

  asked ask(const std::string& subject, std::string_view body = {}) {
    return raw->ask(subject, {}, body, soon());
  }

  void delete_stream() {
    EXPECT_EQ(ask("$JS.API.STREAM.DELETE." + names.stream(0)).end,
              ask_end::answered);
  }

  void create_stream(const journal_marker& marker) {
    stream_settings wanted{names.stream(0),   names.journal(0),
                           to_string(marker), 1,
                           1 << 20,           1 << 20};
    EXPECT_EQ(stream.create(wanted, soon())->error, 0);
  }

  std::uint64_t last_sequence() {
    return stream.info(soon())->last_sequence;
  }

  journal_marker marker() {
    return *parse_journal_marker(stream.info(soon())->marker);
  }

  /// What a node that knows nothing reads from the journal.
  std::vector<read_append> everything() {
    auto reader = open_journal(server, std::make_shared<memory_store>());
    std::vector<read_append> out;
    auto outcome
      = replay(*reader, 0, {}, [&](auto at, auto epoch, auto records) {
          out.push_back({at, epoch, 0, {records.begin(), records.end()}});
        });
    EXPECT_TRUE(outcome) << outcome.error().message;
    return out;
  }

  content_map content() {
    content_map out;
    for (const auto& append : everything())
      for (const auto& one : append.records)
        if (one.value)
          out[one.key] = *one.value;
        else
          out.erase(one.key);
    return out;
  }
};

/// A node that owns partition 0 and does with its store what a store does.
struct owner {
  std::string name;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::unique_ptr<nats_journal> order;
  epoch_t epoch = 0;
  std::uint64_t incarnation = 0;

  owner(const nats_server& server, std::string as,
        const nats_journal_config& config = quick_config())
    : name(std::move(as)), order(open_journal(server, disk, config)) {
    // nop
  }

  result<checkpoint> claim() {
    auto at = claim_and_wait(*order, 0, {name, 1});
    if (!at)
      return at;
    if (auto caught = catch_up(*disk, *order, 0); !caught)
      return caught.error();
    keep(*at, {});
    epoch = at->epoch;
    incarnation = at->incarnation;
    return at;
  }

  result<position_t> append(std::vector<encoded_record> records) {
    auto at = append_and_wait(*order, 0, epoch, records);
    if (at)
      keep({epoch / epoch_generation_unit, *at, epoch, incarnation},
           std::move(records));
    return at;
  }

  void keep(const checkpoint& at, std::vector<encoded_record> records) {
    applied_records group{0, at, std::move(records)};
    EXPECT_TRUE(disk->write({&group, 1}));
  }

  content_map content() {
    content_map out;
    EXPECT_TRUE(disk->scan("k", [&](auto key, auto value) {
      out.emplace(key, value);
      return true;
    }));
    return out;
  }
};

std::vector<encoded_record> pair_of(const std::string& key,
                                    const std::string& value) {
  return {{key + "a", value}, {key + "b", value}};
}

bool says(const failure& why, std::string_view text) {
  return why.message.find(text) != std::string::npos;
}

} // namespace

// -- other writers -----------------------------------------------------------

TEST_F(NatsJournal, NothingOfAZombieStandsBehindALaterClaim) {
  owner first{server, "a"};
  owner second{server, "b"};
  auto seed = random_u64();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 dice{seed};
  for (int round = 0; round < 40; ++round) {
    auto claimed = first.claim();
    ASSERT_TRUE(claimed) << claimed.error().message;
    std::atomic<int> acked{0};
    position_t last = 0;
    failure why;
    std::thread zombie{[&] {
      for (int i = 0;; ++i) {
        auto key = "k" + std::to_string(i % 7);
        auto at = i % 2 == 0 ? first.append(pair_of(key, "zombie"))
                             : first.append({{key, "zombie"}});
        if (!at) {
          why = at.error();
          return;
        }
        last = *at;
        ++acked;
        acked.notify_one();
      }
    }};
    auto wanted = static_cast<int>(dice() % 20);
    for (auto seen = acked.load(); seen < wanted; seen = acked.load())
      acked.wait(seen);
    auto later = claim_and_wait(*second.order, 0, {"b", 1});
    zombie.join();
    ASSERT_TRUE(later);
    EXPECT_EQ(why.code, errc::conflict) << why.message;
    EXPECT_LT(last, later->position) << "seed " << seed;
    EXPECT_EQ(last_sequence(), later->position);
    EXPECT_FALSE(first.append({{"k", "zombie"}}));
  }
}

TEST_F(NatsJournal, OneOfManyClaimantsOwns) {
  constexpr int many = 4;
  std::vector<std::unique_ptr<owner>> owners;
  owners.reserve(many);
  for (int i = 0; i < many; ++i)
    owners.push_back(std::make_unique<owner>(server, std::to_string(i)));
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> threads;
    threads.reserve(many);
    for (auto& one : owners)
      threads.emplace_back([&one] {
        if (auto at = claim_and_wait(*one->order, 0, {one->name, 1}))
          one->epoch = at->epoch;
      });
    for (auto& one : threads)
      one.join();
    std::set<epoch_t> epochs;
    std::vector<epoch_t> taken;
    for (auto& one : owners) {
      epochs.insert(one->epoch);
      if (append_and_wait(*one->order, 0, one->epoch, {{"k", one->name}}))
        taken.push_back(one->epoch);
    }
    EXPECT_EQ(epochs.size(), static_cast<std::size_t>(many));
    EXPECT_EQ(taken, std::vector<epoch_t>{*epochs.rbegin()});
  }
}

TEST_F(NatsJournal, AnOwnerThatOpensLateLearnsOfTheLaterClaim) {
  owner first{server, "a"};
  auto at = claim_and_wait(*first.order, 0, {"a", 1});
  ASSERT_TRUE(at);
  owner second{server, "b"};
  ASSERT_TRUE(second.claim());
  auto caught = catch_up(*first.disk, *first.order, 0);
  ASSERT_FALSE(caught);
  EXPECT_EQ(caught.error().code, errc::conflict);
  EXPECT_FALSE(append_and_wait(*first.order, 0, at->epoch, {{"k", "v"}}));
  EXPECT_TRUE(second.append({{"k", "v"}}));
}

// -- a server that dies or stands still --------------------------------------

TEST_F(NatsJournal, NothingAckedIsLostWhenTheServerIsKilled) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  std::set<std::string> acked;
  std::set<std::string> tried;
  std::atomic<int> done_appends{0};
  std::atomic<bool> stop{false};
  std::thread writer{[&] {
    for (int i = 0; !stop; ++i) {
      auto key = "k" + std::to_string(i);
      tried.insert(key);
      auto got = i % 2 == 0 ? subject.append(pair_of(key, key))
                            : subject.append({{key + "a", key}});
      if (got) {
        acked.insert(key);
        ++done_appends;
        done_appends.notify_one();
      } else if (got.error().code == errc::conflict) {
        (void)subject.claim();
      }
    }
  }};
  for (int round = 0; round < 8; ++round) {
    auto target = done_appends.load() + 100;
    for (auto seen = done_appends.load(); seen < target;
         seen = done_appends.load())
      done_appends.wait(seen);
    server.kill();
    server.start();
  }
  stop = true;
  writer.join();
  // It may own nothing just now; what it holds follows from a claim.
  ASSERT_TRUE(subject.claim());
  std::map<std::string, int> seen;
  position_t last = 0;
  content_map there;
  for (const auto& append : everything()) {
    EXPECT_GT(append.position, last);
    last = append.position;
    for (const auto& one : append.records)
      there[one.key] = *one.value;
    if (append.records.size() == 2) {
      EXPECT_EQ(++seen[append.records[0].key], 1);
    }
  }
  EXPECT_GE(acked.size(), 300u);
  for (const auto& key : acked)
    EXPECT_TRUE(there.contains(key + "a")) << key;
  for (const auto& key : tried) {
    auto number = std::stoi(key.substr(1));
    EXPECT_EQ(there.contains(key + "b"),
              number % 2 == 0 && there.contains(key + "a"))
      << key;
  }
  EXPECT_EQ(subject.content(), there);
}

TEST_F(NatsJournal, AServerThatStandsStillIsUnavailableInBoundedTime) {
  auto config = quick_config();
  config.patience = millis{1'500};
  config.doubt_patience = config.patience;
  config.claim_patience = config.patience;
  owner subject{server, "a", config};
  ASSERT_TRUE(subject.claim());
  ASSERT_TRUE(subject.append({{"k1", "v"}}));
  server.pause();
  auto begin = std::chrono::steady_clock::now();
  auto refused = subject.append({{"k2", "v"}});
  auto claim = claim_and_wait(*subject.order, 1, {"a", 1});
  auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().code, errc::unavailable);
  EXPECT_LT(took, 2 * config.patience + millis{2'000});
  server.resume();
  for (;;) {
    auto got = subject.append({{"k3", "v"}});
    if (got)
      break;
    if (got.error().code == errc::conflict) {
      ASSERT_TRUE(subject.claim());
    }
    ASSERT_LT(std::chrono::steady_clock::now() - begin,
              std::chrono::seconds{15});
  }
  EXPECT_EQ(subject.content(), content());
}

TEST_F(NatsJournal, AnAppendThatArrivesAfterItWasGivenUpEndsTheClaim) {
  auto config = quick_config();
  // Shorter than the client takes to notice that the server stands still.
  config.patience = millis{700};
  config.doubt_patience = config.patience;
  owner subject{server, "a", config};
  ASSERT_TRUE(subject.claim());
  ASSERT_TRUE(subject.append({{"k1", "v"}}));
  server.pause();
  auto refused = subject.append({{"k2", "late"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  server.resume();
  auto next = subject.append({{"k3", "v"}});
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, errc::conflict) << next.error().message;
  ASSERT_TRUE(subject.claim());
  EXPECT_EQ(subject.content(), (content_map{{"k1", "v"}, {"k2", "late"}}));
  EXPECT_TRUE(subject.append({{"k3", "v"}}));
  EXPECT_EQ(content(), subject.content());
}

// Neither the server that stands still for longer than an append may take, nor
// one that was started anew in that time, ends a claim.
TEST_F(NatsJournal, AnAppendThatMayHaveArrivedIsWaitedFor) {
  auto config = quick_config();
  config.patience = millis{700};
  config.doubt_patience = millis{60'000};
  owner subject{server, "a", config};
  ASSERT_TRUE(subject.claim());
  ASSERT_TRUE(subject.append({{"k1", "v"}}));
  server.pause();
  pending_append late{*subject.order, 0, subject.epoch, {{"k2", "late"}}};
  EXPECT_FALSE(late.ended_within(3 * config.patience));
  server.resume();
  ASSERT_TRUE(late.wait());
  ASSERT_TRUE(subject.append({{"k3", "v"}}));
  EXPECT_EQ(content(), (content_map{{"k1", "v"}, {"k2", "late"}, {"k3", "v"}}));
}

TEST_F(NatsJournal, WhatIsOwedAtItsEndIsAnswered) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  server.pause();
  pending_append first{*subject.order, 0, subject.epoch, {{"k1", "v"}}};
  pending_append second{*subject.order, 0, subject.epoch, {{"k2", "v"}}};
  subject.order.reset();
  EXPECT_EQ(first.wait().error().code, errc::unavailable);
  EXPECT_EQ(second.wait().error().code, errc::unavailable);
  server.resume();
}

// -- a stream that is another ------------------------------------------------

TEST_F(NatsJournal, AStreamThatIsGoneIsNotMadeAnewOverAStore) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  ASSERT_TRUE(subject.append({{"k", "v"}}));
  delete_stream();
  auto refused = subject.append({{"k", "w"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_TRUE(says(refused.error(), "is gone")) << refused.error().message;
  auto claim = subject.claim();
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().code, errc::unavailable);
  EXPECT_EQ(claim.error().field, journal_fault::gone);
  EXPECT_TRUE(says(claim.error(), "RC_test_000_1 is gone"));
  auto caught = catch_up(*subject.disk, *subject.order, 0);
  ASSERT_FALSE(caught);
  EXPECT_TRUE(says(caught.error(), "is gone"));
  EXPECT_EQ(subject.content(), (content_map{{"k", "v"}}));
}

TEST_F(NatsJournal, AnEmptyStreamTakesNothingUnderAnOldClaim) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  auto was = marker();
  delete_stream();
  create_stream(was);
  auto refused = subject.append({{"k", "v"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_EQ(last_sequence(), 0u);
}

TEST_F(NatsJournal, AStreamShorterThanTheStoreIsNotReplayed) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(subject.append({{"k", std::to_string(i)}}));
  auto was = marker();
  delete_stream();
  create_stream(was);
  owner other{server, "b"};
  ASSERT_TRUE(other.claim());
  auto claim = subject.claim();
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().code, errc::unavailable);
  EXPECT_TRUE(says(claim.error(), "before the store's position 6"))
    << claim.error().message;
  EXPECT_EQ(subject.content(), (content_map{{"k", "4"}}));
}

TEST_F(NatsJournal, AStreamOfAnotherIncarnationIsNotReplayed) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  ASSERT_TRUE(subject.append({{"k", "v"}}));
  delete_stream();
  create_stream({1, 7});
  owner other{server, "b"};
  ASSERT_TRUE(other.claim());
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(other.append({{"k", "other"}}));
  auto claim = subject.claim();
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().field, journal_fault::other);
  EXPECT_TRUE(says(claim.error(), "incarnation 7")) << claim.error().message;
  EXPECT_EQ(subject.content(), (content_map{{"k", "v"}}));
}

TEST_F(NatsJournal, AStreamOfSomebodyElseIsLeftAlone) {
  stream_settings wanted{names.stream(0), names.journal(0), "mine", 1,
                         1 << 20,         1 << 20};
  ASSERT_EQ(stream.create(wanted, soon())->error, 0);
  owner subject{server, "a"};
  auto claim = subject.claim();
  ASSERT_FALSE(claim);
  EXPECT_TRUE(says(claim.error(), "not a journal of ours"));
  EXPECT_EQ(last_sequence(), 0u);
}

// -- compaction --------------------------------------------------------------

TEST_F(NatsJournal, GroupsAndSinglesGiveTheContentUnderManyOwners) {
  auto seed = random_u64();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 dice{seed};
  content_map model;
  auto subject = std::make_unique<owner>(server, "a");
  ASSERT_TRUE(subject->claim());
  for (int round = 0; round < 1'500; ++round) {
    std::vector<encoded_record> records;
    auto count = 1 + dice() % 4;
    while (records.size() < count) {
      encoded_record one{"k" + std::to_string(dice() % 400), std::nullopt};
      if (dice() % 5 > 0)
        one.value = std::to_string(round) + std::string(dice() % 200, 'x');
      records.push_back(std::move(one));
    }
    for (const auto& one : records)
      if (one.value)
        model[one.key] = *one.value;
      else
        model.erase(one.key);
    ASSERT_TRUE(subject->append(std::move(records))) << "seed " << seed;
    if (dice() % 300 == 0) {
      // Sometimes it keeps its store, sometimes it begins with nothing.
      auto next = std::make_unique<owner>(server, "b");
      if (dice() % 2 == 0) {
        next->disk = subject->disk;
        next->order = open_journal(server, next->disk);
      }
      subject = std::move(next);
      ASSERT_TRUE(subject->claim()) << "seed " << seed;
      ASSERT_EQ(subject->content(), model) << "seed " << seed;
    }
  }
  EXPECT_EQ(subject->content(), model) << "seed " << seed;
  EXPECT_EQ(content(), model) << "seed " << seed;
  // At most every key's last value and the ring, not all that ever was.
  EXPECT_LE(everything().size(), 400u + limits::journal_ring_groups);
}

TEST_F(NatsJournal, ALateStoreReadsManyMessages) {
  owner subject{server, "a"};
  ASSERT_TRUE(subject.claim());
  for (int i = 0; i < 500; ++i)
    ASSERT_TRUE(subject.append({{"k" + std::to_string(i), "v"}}));
  EXPECT_EQ(content().size(), 500u);
}

// -- three servers -----------------------------------------------------------

TEST(NatsJournalReplicated, OutlivesTheServerThatLeads) {
  nats_cluster servers{3};
  nats_options options;
  options.urls = servers.urls();
  options.cluster = "test";
  auto config = quick_config();
  config.replicas = 3;
  auto disk = std::make_shared<memory_store>();
  auto opened
    = nats_journal::open(options, config, [disk](partition_id partition) {
        return disk->where(partition);
      });
  ASSERT_TRUE(opened);
  auto& order = **opened;
  auto begin = std::chrono::steady_clock::now();
  auto patient = [&] {
    return std::chrono::steady_clock::now() - begin < std::chrono::seconds{60};
  };
  epoch_t epoch = 0;
  auto own = [&] {
    // Until the servers have agreed on who leads.
    while (patient()) {
      if (auto at = claim_and_wait(order, 0, {"a", 1})) {
        epoch = at->epoch;
        return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(own());
  std::set<std::string> acked;
  int count = 0;
  auto write = [&](std::size_t until) {
    while (acked.size() < until && patient()) {
      auto key = "k" + std::to_string(++count);
      auto got = append_and_wait(order, 0, epoch, pair_of(key, key));
      if (got)
        acked.insert(key);
      else if (got.error().code == errc::conflict && !own())
        break;
    }
  };
  write(200);
  // Its name is its index.
  auto raw = nats_requests::open(options).value();
  auto info = raw->ask("$JS.API.STREAM.INFO.RC_test_000_1", {}, {},
                       std::chrono::steady_clock::now() + answer_patience);
  auto named = info.data.find(R"("leader":"s)");
  ASSERT_NE(named, std::string::npos) << info.data;
  auto leader = static_cast<std::size_t>(info.data[named + 11] - '0');
  servers.at(leader).kill();
  write(250);
  servers.at(leader).start();
  write(300);
  EXPECT_EQ(acked.size(), 300u);
  std::set<std::string> there;
  auto replayed = replay(order, 0, {}, [&](auto, auto, auto records) {
    for (const auto& one : records)
      there.insert(one.key);
  });
  ASSERT_TRUE(replayed) << replayed.error().message;
  for (const auto& key : acked)
    EXPECT_TRUE(there.contains(key + "a") && there.contains(key + "b")) << key;
}
