// Streams that are lost, cut or replaced, and journals made anew from a copy.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "cluster/stream_calls.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/recovery.hpp"
#include "support/journal_calls.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <thread>

using namespace rollcall;
using namespace rollcall::cluster;
using namespace rollcall::test;

namespace {

using content_map = std::map<std::string, std::string>;

/// Keys of partition 0, as a store has them.
std::string key(const std::string& name) {
  return std::string(4, '\0') + name;
}

/// A node: a store and its way to the journal.
struct replica {
  std::string name;
  std::shared_ptr<memory_store> disk = std::make_shared<memory_store>();
  std::vector<checkpoint> heard;
  std::unique_ptr<nats_journal> order;
  checkpoint claimed;

  replica(const nats_server& server, std::string as) : name(std::move(as)) {
    reach(options_for(server), quick_config());
  }

  replica(const nats_options& servers, std::string as,
          const nats_journal_config& config)
    : name(std::move(as)) {
    reach(servers, config);
  }

  void reach(const nats_options& servers, nats_journal_config config) {
    config.partitions = 64;
    config.heard = [this](partition_id) { return heard; };
    order = nats_journal::open(servers, config, [this](partition_id partition) {
              return disk->where(partition);
            }).value();
  }

  result<checkpoint> claim() {
    auto at = claim_and_wait(*order, 0, {name, 1});
    if (!at)
      return at;
    if (auto caught = follow(); !caught)
      return caught.error();
    keep(*at, {});
    claimed = *at;
    return at;
  }

  result<position_t> append(std::vector<encoded_record> records) {
    auto at = append_and_wait(*order, 0, claimed.epoch, records);
    if (at)
      keep({claimed.generation, *at, claimed.epoch, claimed.incarnation},
           std::move(records));
    return at;
  }

  /// Who was the owner is told once that it is not any more.
  result<done> follow() {
    auto caught = catch_up(*disk, *order, 0);
    if (!caught && caught.error().code == errc::conflict)
      caught = catch_up(*disk, *order, 0);
    return caught;
  }

  /// How the store would come to follow.
  result<journal_tail> look() {
    return order->follow(0, at(), limits::group_bytes);
  }

  result<done> make_anew() {
    return order->make_anew(0, at(), [this](const auto& visit) {
      return read_partition(*disk, 0, visit);
    });
  }

  checkpoint at() {
    return disk->where(0).value();
  }

  void keep(const checkpoint& at, std::vector<encoded_record> records) {
    applied_records group{0, at, std::move(records)};
    EXPECT_TRUE(disk->write({&group, 1}));
  }

  content_map content() {
    content_map out;
    EXPECT_TRUE(read_partition(*disk, 0, [&](auto name_of, auto value) {
      out.emplace(name_of, value);
      return true;
    }));
    return out;
  }
};

struct NatsAnew : testing::Test {
  nats_server server;
  subjects names{"test"};
  std::unique_ptr<nats_requests> raw
    = nats_requests::open(options_for(server)).value();

  static steady_time soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{10};
  }

  std::string ask(const std::string& subject, std::string_view body = {}) {
    const auto until = soon();
    for (;;) {
      auto got = raw->ask(subject, {}, body, until);
      if (got.end == ask_end::answered)
        return got.data;
      if (std::chrono::steady_clock::now() > until)
        return {};
      raw->pause(std::chrono::steady_clock::now() + millis{50});
    }
  }

  void delete_stream(std::uint64_t generation = 1) {
    auto told = ask("$JS.API.STREAM.DELETE." + names.stream({0, generation}));
    EXPECT_NE(told.find("true"), std::string::npos) << told;
  }

  std::vector<std::string> streams() {
    stream_calls at{*raw, "none"};
    return at.names(names.journals(0), soon())->names;
  }

  /// Ends the server, exchanges its files, starts it again.
  void with_files(const std::function<void()>& change) {
    server.terminate();
    change();
    server.start();
  }

  std::filesystem::path saved() {
    return server.folder().parent_path()
           / (server.folder().filename().string() + ".saved");
  }

  void save_files() {
    with_files([&] {
      std::filesystem::remove_all(saved());
      std::filesystem::copy(server.folder(), saved(),
                            std::filesystem::copy_options::recursive);
    });
  }

  void restore_files() {
    with_files([&] {
      std::filesystem::remove_all(server.folder());
      std::filesystem::rename(saved(), server.folder());
    });
  }

  ~NatsAnew() override {
    std::error_code ignored;
    std::filesystem::remove_all(saved(), ignored);
  }

  /// An owner with a little content and a standby that has all of it.
  void settle(replica& owner, replica& standby) {
    ASSERT_TRUE(owner.claim());
    for (int i = 0; i < 20; ++i)
      ASSERT_TRUE(owner.append({{key("a" + std::to_string(i % 7)), "v"},
                                {key("b"), std::to_string(i)}}));
    ASSERT_TRUE(owner.append({{key("a3"), std::nullopt}}));
    ASSERT_TRUE(standby.follow());
    ASSERT_EQ(standby.content(), owner.content());
    ASSERT_EQ(standby.at().position, owner.at().position);
  }
};

} // namespace

// -- standbys ----------------------------------------------------------------

TEST_F(NatsAnew, AStandbyIsThePrefixOfTheJournal) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  auto before = standby.content();
  ASSERT_TRUE(owner.append({{key("late"), "v"}}));
  auto tail = standby.look();
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->way, restore_way::tail);
  ASSERT_EQ(tail->groups.size(), 1u);
  EXPECT_EQ(tail->groups[0].at, owner.at());
  EXPECT_EQ(standby.content(), before);
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.content(), owner.content());
  EXPECT_TRUE(standby.look()->groups.empty());
}

TEST_F(NatsAnew, ATailComesInPieces) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  ASSERT_TRUE(owner.claim());
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(
      owner.append({{key("k" + std::to_string(i)), std::string(1'000, 'x')}}));
  auto first = standby.order->follow(0, {}, 5'000);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->more);
  EXPECT_LE(first->groups.size(), 6u);
  ASSERT_TRUE(apply_tail(*standby.disk, 0, *first));
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.content(), owner.content());
}

TEST_F(NatsAnew, AClaimOverAStandbyReadsOnlyTheTail) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  ASSERT_TRUE(owner.append({{key("late"), "v"}}));
  auto at = claim_and_wait(*standby.order, 0, {"b", 1});
  ASSERT_TRUE(at);
  auto tail = standby.look();
  ASSERT_TRUE(tail);
  ASSERT_EQ(tail->groups.size(), 2u);
  EXPECT_EQ(tail->groups[0].records.size(), 1u);
  EXPECT_EQ(tail->groups[1].at, *at);
}

// -- a stream that is gone ---------------------------------------------------

TEST_F(NatsAnew, AJournalThatIsGoneIsMadeAnewFromACopy) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  auto content = owner.content();
  auto epoch = owner.claimed.epoch;
  delete_stream();
  EXPECT_EQ(owner.look().error().field, journal_fault::gone);
  EXPECT_EQ(owner.claim().error().field, journal_fault::gone);
  ASSERT_TRUE(owner.make_anew());
  EXPECT_EQ(streams(), std::vector<std::string>{"RC_test_000_2"});
  // The claim to the lost one is over, even where the numbers fit.
  auto late = owner.append({{key("late"), "v"}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, errc::conflict) << late.error().message;
  auto tail = standby.look();
  ASSERT_TRUE(tail) << tail.error().message;
  EXPECT_EQ(tail->way, restore_way::adopt);
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.at().generation, 2u);
  EXPECT_EQ(standby.content(), content);
  auto claim = owner.claim();
  ASSERT_TRUE(claim) << claim.error().message;
  EXPECT_EQ(claim->generation, 2u);
  EXPECT_GT(claim->epoch, epoch);
  EXPECT_EQ(owner.content(), content);
  ASSERT_TRUE(owner.append({{key("after"), "v"}}));
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.content(), owner.content());
  replica empty{server, "c"};
  ASSERT_TRUE(empty.follow());
  EXPECT_EQ(empty.content(), owner.content());
}

TEST_F(NatsAnew, AnOldOwnerWritesNothingIntoTheNewJournal) {
  // Every sequence at which its expectation could happen to be right.
  for (int appends = 0; appends < 6; ++appends) {
    nats_server other;
    replica owner{other, "a"};
    replica standby{other, "b"};
    ASSERT_TRUE(owner.claim());
    for (int i = 0; i < appends; ++i)
      ASSERT_TRUE(owner.append({{key("k"), std::to_string(i)}}));
    ASSERT_TRUE(standby.follow());
    auto direct = nats_requests::open(options_for(other)).value();
    (void)direct->ask("$JS.API.STREAM.DELETE.RC_test_000_1", {}, {}, soon());
    ASSERT_TRUE(standby.make_anew());
    EXPECT_FALSE(owner.append({{key("k"), "zombie"}})) << appends;
    replica empty{other, "c"};
    ASSERT_TRUE(empty.follow());
    EXPECT_FALSE(empty.content().contains(key("zombie")));
    EXPECT_EQ(empty.content(), standby.content());
  }
}

TEST_F(NatsAnew, AStandbyThatWasBehindIsFilledAnew) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  ASSERT_TRUE(owner.append({{key("a1"), std::nullopt}, {key("c"), "v"}}));
  delete_stream();
  ASSERT_TRUE(owner.make_anew());
  auto tail = standby.look();
  ASSERT_TRUE(tail) << tail.error().message;
  EXPECT_EQ(tail->way, restore_way::whole);
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.content(), owner.content());
  EXPECT_FALSE(standby.content().contains(key("a1")));
}

TEST_F(NatsAnew, ACopyThatHasMoreIsNotOverwritten) {
  replica owner{server, "a"};
  replica stale{server, "b"};
  settle(owner, stale);
  ASSERT_TRUE(owner.append({{key("newest"), "v"}}));
  auto content = owner.content();
  delete_stream();
  ASSERT_TRUE(stale.make_anew());
  auto refused = owner.follow();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, journal_fault::behind);
  EXPECT_EQ(owner.claim().error().field, journal_fault::behind);
  EXPECT_FALSE(owner.make_anew());
  EXPECT_EQ(owner.content(), content);
}

TEST_F(NatsAnew, AJournalThatLostItsEndIsGivenUp) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  standby.heard = {owner.at()};
  ASSERT_TRUE(standby.order->give_up(0, standby.at()));
  ASSERT_TRUE(owner.append({{key("kept"), "v"}})) << "it has lost nothing";
  ASSERT_TRUE(standby.follow());
  save_files();
  ASSERT_TRUE(owner.claim());
  ASSERT_TRUE(owner.append({{key("newest"), "v"}}));
  standby.heard = {owner.at()};
  restore_files();
  EXPECT_EQ(standby.look().error().field, journal_fault::cut);
  ASSERT_TRUE(standby.order->give_up(0, standby.at()));
  // Who has not heard of what is lost could claim it before.
  replica newcomer{server, "c"};
  EXPECT_EQ(newcomer.claim().error().field, journal_fault::sealed);
  ASSERT_TRUE(owner.make_anew());
  ASSERT_TRUE(newcomer.follow());
  EXPECT_EQ(newcomer.content(), owner.content());
  EXPECT_TRUE(newcomer.content().contains(key("newest")));
}

// Nobody is to try who is not the one; if two do all the same, one may end the
// other's attempt, but there are never two journals.
TEST_F(NatsAnew, ManyWhoMakeItAnewEndWithOne) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  auto content = owner.content();
  for (int round = 0; round < 5; ++round) {
    auto before = owner.at().generation;
    delete_stream(before);
    std::thread other{[&] { (void)owner.make_anew(); }};
    (void)standby.make_anew();
    other.join();
    for (int i = 0; i < 3 && !owner.follow(); ++i)
      (void)owner.make_anew();
    ASSERT_TRUE(standby.follow());
    EXPECT_EQ(owner.at(), standby.at());
    EXPECT_GT(owner.at().generation, before);
    EXPECT_EQ(owner.content(), content);
    EXPECT_EQ(standby.content(), content);
  }
  ASSERT_TRUE(owner.claim());
  EXPECT_TRUE(owner.append({{key("k"), "v"}}));
}

TEST_F(NatsAnew, ACopyLargerThanAMessageIsWhole) {
  replica owner{server, "a"};
  ASSERT_TRUE(owner.claim());
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(owner.append({{key("k" + std::to_string(i)),
                               std::string(40'000, static_cast<char>(i))}}));
  ASSERT_TRUE(owner.append({{key("large"), std::string(700'000, 'x')}}));
  delete_stream();
  ASSERT_TRUE(owner.make_anew());
  replica empty{server, "b"};
  ASSERT_TRUE(empty.follow());
  EXPECT_EQ(empty.content(), owner.content());
}

TEST_F(NatsAnew, WhoHasNothingDoesNotMakeAJournalThatOthersHaveCopiesOf) {
  replica owner{server, "a"};
  replica empty{server, "b"};
  ASSERT_TRUE(owner.claim());
  ASSERT_TRUE(owner.append({{key("k"), "v"}}));
  delete_stream();
  empty.heard = {owner.at()};
  EXPECT_EQ(empty.claim().error().field, journal_fault::gone);
  EXPECT_TRUE(streams().empty());
}

// -- a stream that is cut ----------------------------------------------------

TEST_F(NatsAnew, AServerWithOlderFilesIsNoticedAndReplaced) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  save_files();
  ASSERT_TRUE(owner.claim());
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(owner.append({{key("lost"), "v"}}));
  ASSERT_TRUE(standby.follow());
  restore_files();
  // Who knows of the longer one leaves the shorter alone.
  replica late{server, "c"};
  late.heard = {owner.at()};
  EXPECT_EQ(late.claim().error().field, journal_fault::cut);
  EXPECT_EQ(owner.look().error().field, journal_fault::cut);
  EXPECT_EQ(standby.claim().error().field, journal_fault::cut);
  // Who knows nothing goes on in it, until it is sealed.
  late.heard.clear();
  ASSERT_TRUE(late.claim());
  ASSERT_TRUE(late.append({{key("unknowing"), "v"}}));
  ASSERT_TRUE(standby.make_anew());
  auto sealed = late.append({{key("unknowing"), "w"}});
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, errc::conflict);
  ASSERT_TRUE(owner.claim());
  EXPECT_EQ(owner.claimed.generation, 2u);
  EXPECT_EQ(owner.content().at(key("lost")), "v");
  EXPECT_FALSE(owner.content().contains(key("unknowing")));
}

TEST_F(NatsAnew, OlderFilesAreNoticedThoughSomebodyWroteOn) {
  replica owner{server, "a"};
  replica late{server, "c"};
  ASSERT_TRUE(owner.claim());
  ASSERT_TRUE(owner.append({{key("k"), "v"}}));
  save_files();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(owner.claim());
  ASSERT_TRUE(owner.append({{key("lost"), "v"}}));
  restore_files();
  ASSERT_TRUE(late.claim());
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(late.append({{key("k"), std::to_string(i)}}));
  ASSERT_GT(late.at().position, owner.at().position);
  EXPECT_EQ(owner.look().error().field, journal_fault::cut);
  EXPECT_EQ(owner.content().at(key("lost")), "v");
}

TEST_F(NatsAnew, APurgedStreamIsNotFollowed) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  ASSERT_TRUE(owner.append({{key("late"), "v"}}));
  // A journal forbids it; somebody may insist.
  auto refused = ask("$JS.API.STREAM.PURGE.RC_test_000_1");
  EXPECT_NE(refused.find("error"), std::string::npos) << refused;
  for (int i = 1; i < 200; ++i)
    (void)ask("$JS.API.STREAM.MSG.DELETE.RC_test_000_1",
              "{\"seq\":" + std::to_string(i) + "}");
  EXPECT_EQ(standby.look().error().field, journal_fault::cut);
  EXPECT_EQ(standby.claim().error().field, journal_fault::cut);
  ASSERT_TRUE(owner.make_anew());
  ASSERT_TRUE(standby.follow());
  EXPECT_EQ(standby.content(), owner.content());
}

TEST_F(NatsAnew, AWipedServerIsAGoneJournal) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  with_files([&] { std::filesystem::remove_all(server.folder() / "data"); });
  EXPECT_EQ(standby.claim().error().field, journal_fault::gone);
  ASSERT_TRUE(owner.make_anew());
  ASSERT_TRUE(standby.claim());
  EXPECT_EQ(standby.content(), owner.content());
}

// -- one that was not finished -----------------------------------------------

TEST_F(NatsAnew, WhatWasNotFinishedIsBegunAgain) {
  replica owner{server, "a"};
  replica standby{server, "b"};
  settle(owner, standby);
  delete_stream();
  auto begun = owner.order->make_anew(0, owner.at(), [](const auto& visit) {
    visit(key("half"), "v");
    return fail(errc::unavailable, "the node died");
  });
  ASSERT_FALSE(begun);
  EXPECT_EQ(standby.look().error().field, journal_fault::incomplete);
  replica empty{server, "c"};
  EXPECT_EQ(empty.claim().error().field, journal_fault::incomplete);
  ASSERT_TRUE(standby.make_anew());
  ASSERT_TRUE(owner.follow());
  EXPECT_EQ(owner.at().generation, 3u);
  ASSERT_TRUE(empty.claim());
  EXPECT_EQ(empty.content(), owner.content());
  EXPECT_FALSE(empty.content().contains(key("half")));
}

// Other journals wait for whoever makes one anew, and so does a node's end.
TEST_F(NatsAnew, SilenceDoesNotHoldWhoMakesItAnew) {
  auto config = quick_config();
  config.patience = millis{1'000};
  config.doubt_patience = millis{60'000};
  replica owner{options_for(server), "a", config};
  ASSERT_TRUE(owner.claim());
  ASSERT_TRUE(owner.append({{key("k"), "v"}}));
  delete_stream();
  auto silent_since = std::chrono::steady_clock::now();
  auto made = owner.order->make_anew(0, owner.at(), [&](const auto& visit) {
    for (int i = 0; i < 6; ++i) {
      if (i == 3) {
        server.pause();
        silent_since = std::chrono::steady_clock::now();
      }
      if (!visit(key(std::to_string(i)), std::string(400'000, 'x')))
        break;
    }
    return done{};
  });
  auto held = std::chrono::steady_clock::now() - silent_since;
  server.resume();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::unavailable);
  EXPECT_LT(held, millis{2'000});
  // The attempt is passed over.
  for (int i = 0; i < 5 && !owner.make_anew(); ++i)
    ;
  ASSERT_TRUE(owner.claim());
  EXPECT_EQ(owner.content().size(), 1u);
  EXPECT_TRUE(owner.content().contains(key("k")));
}

TEST_F(NatsAnew, AnEndInterruptsWhoMakesItAnew) {
  auto config = quick_config();
  config.patience = millis{15'000};
  replica owner{options_for(server), "a", config};
  ASSERT_TRUE(owner.claim());
  delete_stream();
  std::thread other;
  auto begin = std::chrono::steady_clock::now();
  auto made = owner.order->make_anew(0, owner.at(), [&](const auto& visit) {
    server.pause();
    other = std::thread{[&] { owner.order->interrupt(); }};
    visit(key("k"), "v");
    return done{};
  });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, millis{5'000});
  EXPECT_FALSE(made);
  server.resume();
  other.join();
}

// -- somebody else's ---------------------------------------------------------

TEST_F(NatsAnew, AClusterOfAnotherCountOfPartitionsIsRefused) {
  replica owner{server, "a"};
  ASSERT_TRUE(owner.claim());
  auto config = quick_config();
  config.partitions = 32;
  auto other = open_journal(server, std::make_shared<memory_store>(), config);
  auto refused = claim_and_wait(*other, 0, {"b", 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, journal_fault::foreign);
  EXPECT_NE(refused.error().message.find("64 partitions"), std::string::npos);
}

TEST_F(NatsAnew, AServerWithoutRoomSaysSo) {
  auto config = quick_config();
  // More than all the server may keep.
  config.stream_bytes = std::int64_t{2} << 30;
  auto order = open_journal(server, std::make_shared<memory_store>(), config);
  auto refused = claim_and_wait(*order, 0, {"a", 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_NE(refused.error().message.find("max_file_store"), std::string::npos)
    << refused.error().message;
}

// -- three servers -----------------------------------------------------------

TEST(NatsAnewReplicated, ManyWhoMakeItAnewEndWithOne) {
  nats_cluster servers{3};
  nats_options options;
  options.urls = servers.urls();
  options.cluster = "test";
  auto config = quick_config();
  config.replicas = 3;
  config.patience = millis{10'000};
  config.claim_patience = config.patience;
  replica first{options, "a", config};
  replica second{options, "b", config};
  const auto begin = std::chrono::steady_clock::now();
  auto patient = [&] {
    return std::chrono::steady_clock::now() - begin < std::chrono::seconds{60};
  };
  while (!first.claim() && patient())
    ;
  ASSERT_TRUE(first.append({{key("k"), "v"}, {key("l"), "v"}}));
  ASSERT_TRUE(second.follow());
  auto raw = nats_requests::open(options).value();
  for (int round = 0; round < 3; ++round) {
    auto before = first.at().generation;
    auto subject
      = "$JS.API.STREAM.DELETE.RC_test_000_" + std::to_string(before);
    auto told = raw->ask(subject, {}, {},
                         std::chrono::steady_clock::now() + answer_patience);
    ASSERT_NE(told.data.find("true"), std::string::npos) << told.data;
    std::thread other{[&] { (void)first.make_anew(); }};
    (void)second.make_anew();
    other.join();
    while (!first.follow() && patient())
      (void)first.make_anew();
    while (!second.follow() && patient())
      ;
    EXPECT_EQ(first.at(), second.at());
    EXPECT_GT(first.at().generation, before);
  }
  ASSERT_TRUE(second.claim());
  EXPECT_EQ(second.content(), (content_map{{key("k"), "v"}, {key("l"), "v"}}));
}
