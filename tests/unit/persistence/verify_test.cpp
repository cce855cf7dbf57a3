#include "persistence/verify.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/memory_store.hpp"
#include "persistence/migrations.hpp"
#include "persistence/record_format.hpp"
#include "persistence/store_reader.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>
#include <msgpack.hpp>

#include <map>
#include <random>

namespace rollcall {

namespace {

constexpr std::uint32_t partitions = 8;

struct Verify : testing::Test {
  memory_store disk;
  session_key session = samples::session();
  partition_id home = partition_of(session, partitions);

  void SetUp() override {
    ASSERT_TRUE(migrate(disk));
    auto running = samples::full_session();
    running.ended_at.reset();
    running.appointed_host = user_id{"bob"};
    put({running, samples::member(), samples::member("bob"),
         samples::page(0, session, {"ada", "bob"}),
         samples::page(1, session, {"cyd"}), occupied_mark{session, true},
         due_mark{session, millis{5}}, samples::interval(), samples::audit(),
         samples::round(), samples::submission(), samples::event()});
    ASSERT_EQ(codes(), std::vector<damage>{});
  }

  void put(const std::vector<record>& values) {
    for (const auto& value : values) {
      auto item = encode(value, home)->at(0);
      put_raw(item.key, item.value);
    }
  }

  void put_raw(std::string key, std::optional<std::string> value) {
    applied_records group{
      home, {1, 9, epoch_generation_unit + 1}, {{std::move(key), value}}};
    ASSERT_TRUE(disk.write({&group, 1}));
  }

  std::vector<damage> codes() {
    std::vector<damage> out;
    auto found = verify(disk, partitions);
    EXPECT_TRUE(found);
    for (const auto& one : *found)
      out.push_back(one.what);
    return out;
  }

  // Repairs, and expects that nothing is wrong afterwards.
  void mend(std::size_t least = 1) {
    auto report = repair(disk, partitions);
    ASSERT_TRUE(report);
    EXPECT_GE(report->mended, least);
    EXPECT_TRUE(report->left.empty());
    EXPECT_EQ(codes(), std::vector<damage>{});
  }

  stored_session read() {
    auto got = read_session(disk, home, session);
    EXPECT_TRUE(got) << got.error().field;
    return got ? *got : stored_session{};
  }

  std::size_t aside() {
    std::size_t count = 0;
    for (partition_id p = 0; p < partitions; ++p)
      EXPECT_TRUE(disk.scan(keys::prefix(p, table::set_aside),
                            [&](auto, auto) { return ++count > 0; }));
    return count;
  }
};

using damages = std::vector<damage>;

} // namespace

TEST_F(Verify, ASoundStoreIsLeftAlone) {
  auto writes = disk.writes();
  auto report = repair(disk, partitions);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->mended, 0u);
  EXPECT_EQ(disk.writes(), writes);
}

TEST_F(Verify, AMissingOccupiedMarkIsAdded) {
  put({occupied_mark{session, false}});
  EXPECT_EQ(codes(), damages{damage::occupied_missing});
  mend();
  EXPECT_EQ(*read_occupied(disk, home), std::vector{session});
}

TEST_F(Verify, AStaleOccupiedMarkIsRemoved) {
  put({samples::page(0, session, {}), samples::page(1, session, {})});
  EXPECT_EQ(codes(), damages{damage::occupied_stale});
  mend();
  EXPECT_TRUE(read_occupied(disk, home)->empty());
}

TEST_F(Verify, AnAnswerToNoRoundIsRemoved) {
  put({samples::submission("bob", "other")});
  EXPECT_EQ(codes(), damages{damage::submission_orphan});
  mend();
  ASSERT_EQ(read().submissions.size(), 1U);
  EXPECT_EQ(read().submissions[0], samples::submission());
}

TEST_F(Verify, WhatBelongsToNoSessionIsRemoved) {
  session_key gone;
  for (int i = 0; partition_of(gone, partitions) != home; ++i)
    gone = samples::session("gone" + std::to_string(i));
  put({samples::round("vote", gone), samples::submission("ada", "vote", gone),
       samples::event(gone)});
  // In the order of the tables; the answer falls with its round.
  EXPECT_EQ(codes(), (damages{damage::round_orphan, damage::submission_orphan,
                              damage::event_orphan}));
  mend(3);
}

TEST_F(Verify, RoundsAndEventsAreReadWithTheSession) {
  auto got = read();
  ASSERT_EQ(got.rounds.size(), 1U);
  EXPECT_EQ(got.rounds[0], samples::round());
  ASSERT_EQ(got.events.size(), 1U);
  EXPECT_EQ(got.events[0].first, samples::event().at);
  EXPECT_EQ(got.due, millis{5});
  auto later = read_events(disk, home, session, samples::event().at);
  ASSERT_TRUE(later);
  EXPECT_TRUE(later->empty());
}

TEST_F(Verify, AnEmptyPageIsRemoved) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> out{buffer};
  out.pack(std::make_tuple(1, 3, std::vector{1, 1}, std::vector<int>{},
                           std::vector<int>{}));
  put_raw(keys::of_page(home, session, 2), {{buffer.data(), buffer.size()}});
  EXPECT_EQ(codes(), damages{damage::empty_page});
  mend();
  EXPECT_EQ(read().pages.size(), 2u);
}

TEST_F(Verify, AUserIsKeptOnTheNewestPageOnly) {
  auto newer = samples::page(1, session, {"cyd", "ada"});
  newer.at.rev += 1;
  put({newer});
  EXPECT_EQ(codes(), damages{damage::duplicate_user});
  mend();
  auto pages = read().pages;
  ASSERT_EQ(pages.size(), 2u);
  ASSERT_EQ(pages[0].entries.size(), 1u);
  EXPECT_EQ(pages[0].entries[0].user.str(), "bob");
  EXPECT_EQ(pages[1], newer);
}

TEST_F(Verify, AUserTwiceOnOnePageIsKeptOnce) {
  put({samples::page(1, session, {"cyd", "cyd"})});
  EXPECT_EQ(codes(), damages{damage::duplicate_user});
  mend();
  EXPECT_EQ(read().pages[1].entries.size(), 1u);
}

TEST_F(Verify, APageThatOnlyRepeatsOthersGoes) {
  put({samples::page(5, session, {"ada"})});
  mend();
  EXPECT_EQ(read().pages.size(), 2u);
}

TEST_F(Verify, ADueMarkOfNothingIsRemoved) {
  // A session of the same partition of which nothing else is known.
  session_key ghost;
  for (int i = 0; ghost.id.empty(); ++i)
    if (auto key = samples::session("ghost" + std::to_string(i));
        partition_of(key, partitions) == home)
      ghost = key;
  put({due_mark{ghost, millis{1}}});
  EXPECT_EQ(codes(), damages{damage::due_orphan});
  mend();
  EXPECT_EQ(read_due(disk, home)->size(), 1u);
}

TEST_F(Verify, ABanFromNothingIsRemoved) {
  session_key ghost;
  for (int i = 0; ghost.id.empty(); ++i)
    if (auto key = samples::session("ghost" + std::to_string(i));
        partition_of(key, partitions) == home)
      ghost = key;
  put({samples::ban("mallory", session), samples::ban("mallory", ghost)});
  EXPECT_EQ(codes(), damages{damage::ban_orphan});
  mend();
  EXPECT_EQ(read().bans.size(), 1u);
  EXPECT_EQ(codes(), damages{});
}

TEST_F(Verify, AnUnreadableRecordIsSetAsideWithItsBytes) {
  auto key = keys::of_member(home, session, user_id{"ada"});
  put_raw(key, "\xc1");
  auto found = verify(disk, partitions);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->at(0).what, damage::bad_record);
  EXPECT_EQ(found->at(0).key, key);
  EXPECT_FALSE(read_session(disk, home, session));
  mend();
  EXPECT_EQ(read().members, std::vector{samples::member("bob")});
  EXPECT_EQ(*disk.get(keys::of_set_aside(home, session, key)), "\xc1");
}

TEST_F(Verify, WhatWasSetAsideGoesWithItsSession) {
  put_raw(keys::of_member(home, session, user_id{"ada"}), "\xc1");
  mend();
  EXPECT_EQ(aside(), 1u);
  auto all = read_keys(disk, home, session, 1'000);
  ASSERT_TRUE(all);
  for (const auto& key : all->keys)
    put_raw(key, std::nullopt);
  EXPECT_EQ(aside(), 0u);
}

TEST_F(Verify, AnUnreadablePageTakesItsMarkAlong) {
  put({samples::page(1, session, {})});
  put_raw(keys::of_page(home, session, 0), "junk");
  EXPECT_EQ(codes(), (damages{damage::bad_record, damage::occupied_stale}));
  mend(2);
}

TEST_F(Verify, KeysThatAreNoneAreSetAside) {
  put_raw("zz", "?");
  put_raw(keys::of_member(home, session, user_id{"ada"}) + "tail", "?");
  EXPECT_EQ(codes(), (damages{damage::bad_key, damage::bad_key}));
  mend(2);
  EXPECT_EQ(aside(), 2u);
  EXPECT_EQ(read().members.size(), 2u);
}

TEST_F(Verify, ASessionInAnotherPartitionIsSetAside) {
  auto wrong = (home + 1) % partitions;
  auto item = encode(samples::member(), wrong)->at(0);
  put_raw(item.key, item.value);
  EXPECT_EQ(codes(), damages{damage::wrong_partition});
  mend();
  EXPECT_EQ(*disk.get(keys::of_set_aside(home, session, item.key)),
            *item.value);
}

TEST_F(Verify, AHostWhoIsNobodyThereIsAppointedNoMore) {
  auto named = *read().session;
  named.appointed_host = user_id{"mallory"};
  put({named});
  auto found = verify(disk, partitions);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().what, damage::host_stranger);
  EXPECT_EQ(found->front().field, "appointed_host");
  mend();
  auto mended = named;
  mended.appointed_host.reset();
  EXPECT_EQ(read().session, mended) << "and nothing else is touched";
  for (const auto* known : {"ada", "bob", "cyd"}) {
    named.appointed_host = user_id{known};
    put({named});
    EXPECT_EQ(codes(), damages{}) << known;
  }
}

TEST_F(Verify, AHostWhoIsNoMemberAnyMoreIsFound) {
  put_raw(keys::of_member(home, session, user_id{"bob"}), std::nullopt);
  put({samples::page(0, session, {"ada"})});
  EXPECT_EQ(codes(), damages{damage::host_stranger});
  mend();
  EXPECT_EQ(read().session->appointed_host, std::nullopt);
}

TEST_F(Verify, ASecondRecordWithAnotherHostDoesNotStay) {
  auto second = *read().session;
  second.appointed_host = user_id{"ada"};
  auto wrong = (home + 1) % partitions;
  auto item = encode(second, wrong)->at(0);
  put_raw(item.key, item.value);
  EXPECT_EQ(codes(), damages{damage::wrong_partition});
  mend();
  EXPECT_EQ(read().session->appointed_host, user_id{"bob"});
  EXPECT_FALSE(disk.get(item.key)->has_value());
  EXPECT_EQ(aside(), 1U);
}

TEST_F(Verify, OverlongOpMemoriesAreTrimmedToTheNewest) {
  auto member = samples::member();
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> out{buffer};
  out.pack_array(10);
  for (int head : {1, 2})
    out.pack(head);
  for (const auto& text : {member.who.name, member.who.email, member.role})
    out.pack(text);
  out.pack(member.permissions);
  out.pack(std::vector{member.admitted.epoch, member.admitted.rev});
  out.pack(member.admitted_at.count());
  out.pack(std::vector{member.at.epoch, member.at.rev});
  auto ops = samples::ops(limits::op_ids_per_record + 3);
  out.pack_array(static_cast<std::uint32_t>(ops.size()));
  for (const auto& op : ops) {
    out.pack_array(3);
    out.pack(op.op.str());
    out.pack(op.at.epoch);
    out.pack(op.at.rev);
  }
  put_raw(keys::of_member(home, session, member.user),
          {{buffer.data(), buffer.size()}});
  EXPECT_EQ(codes(), damages{damage::too_many_ops});
  mend();
  member.ops.assign(ops.begin() + 3, ops.end());
  EXPECT_EQ(read().members, (std::vector{member, samples::member("bob")}));
}

TEST_F(Verify, ADamagedCheckpointIsNamedAndNotGuessed) {
  applied_records group{store_wide, {}, {{keys::of_checkpoint(home), "junk"}}};
  ASSERT_TRUE(disk.write({&group, 1}));
  auto report = repair(disk, partitions);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->mended, 0u);
  ASSERT_EQ(report->left.size(), 1u);
  EXPECT_EQ(report->left[0].what, damage::bad_checkpoint);
  EXPECT_EQ(*disk.get(keys::of_checkpoint(home)), "junk");
}

// -- what belongs together ---------------------------------------------------

TEST_F(Verify, AMemberOfNoSessionIsSetAside) {
  auto lost = samples::session("lost-1");
  auto key = keys::of_member(home, lost, user_id{"ada"});
  while (partition_of(lost, partitions) != home)
    lost = samples::session(lost.id.str() + "x");
  put({samples::member("ada", lost)});
  EXPECT_EQ(codes(), std::vector{damage::session_missing});
  mend();
  EXPECT_EQ(aside(), 1u);
}

TEST_F(Verify, APageOfNoSessionIsRemoved) {
  auto lost = samples::session("lost-1");
  while (partition_of(lost, partitions) != home)
    lost = samples::session(lost.id.str() + "x");
  put({samples::page(0, lost, {"ada"})});
  EXPECT_EQ(codes(), std::vector{damage::session_missing});
  mend();
  EXPECT_EQ(aside(), 0u);
}

TEST_F(Verify, HistoryOfNoSessionIsRemoved) {
  auto lost = samples::session("lost-1");
  while (partition_of(lost, partitions) != home)
    lost = samples::session(lost.id.str() + "x");
  put({samples::interval("ada", {1, 1}, lost), samples::audit(lost)});
  EXPECT_EQ(codes(),
            (std::vector{damage::history_orphan, damage::history_orphan}));
  mend(2);
  EXPECT_EQ(aside(), 0u);
}

TEST_F(Verify, NobodyIsInASessionThatHasEnded) {
  auto over = samples::plain_session(samples::session("over-1"));
  while (partition_of(over.key, partitions) != home)
    over.key = samples::session(over.key.id.str() + "x");
  over.ended_at = millis{7};
  put({over, due_mark{over.key, millis{9}}, samples::page(0, over.key, {"ada"}),
       occupied_mark{over.key, true}});
  EXPECT_EQ(codes(),
            (std::vector{damage::ended_occupied, damage::occupied_stale}));
  mend(2);
}

TEST_F(Verify, AnEndedSessionIsDue) {
  put_raw(keys::of_due(home, session), std::nullopt);
  auto over = samples::plain_session(samples::session("over-1"));
  while (partition_of(over.key, partitions) != home)
    over.key = samples::session(over.key.id.str() + "x");
  over.ended_at = millis{7};
  put({over});
  EXPECT_EQ(codes(), std::vector{damage::due_missing});
  mend();
  auto due = read_due(disk, home);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1u);
  EXPECT_EQ(due->at(0), (std::pair{over.key, millis{7}}));
}

TEST_F(Verify, AGroupWithSomethingToTellIsWoken) {
  put_raw(keys::of_due(home, session), std::nullopt);
  auto group = samples::group();
  for (int n = 0; partition_of(group.key, partitions) != home; ++n)
    group.key.id = place_of_group("g" + std::to_string(n));
  put({group});
  EXPECT_EQ(codes(), std::vector{damage::due_missing});
  mend();
  auto due = read_due(disk, home);
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1u);
  EXPECT_EQ(due->at(0), (std::pair{group.key, group.group->removed[0].when}));
  group.group->removed.clear();
  put({group, due_mark{group.key, std::nullopt}});
  EXPECT_TRUE(codes().empty());
}

TEST_F(Verify, AStayEndsWhereItBeginsAtTheEarliest) {
  auto odd = samples::interval("bob", {9, 1});
  odd.until = odd.from - millis{5};
  put({odd});
  EXPECT_EQ(codes(), std::vector{damage::stay_reversed});
  mend();
  auto value = disk.get(keys::of_interval(home, session, {9, 1}, odd.user));
  auto kept
    = decode(keys::of_interval(home, session, {9, 1}, odd.user), **value);
  EXPECT_EQ(std::get<interval_record>(*kept).until, odd.from);
}

TEST_F(Verify, AUserHasOneStayAtATime) {
  auto first = samples::interval("bob", {9, 1});
  first.reconnections = 0;
  first.until = first.from + millis{100'000};
  auto second = samples::interval("bob", {9, 2});
  second.reconnections = 1;
  second.from = first.until - limits::clocks_differ;
  second.until = second.from + millis{1};
  put({first, second});
  EXPECT_EQ(codes(), std::vector<damage>{}) << "clocks may differ as much";
  second.from -= millis{1};
  put({second});
  EXPECT_EQ(codes(), std::vector{damage::stay_overlap});
  mend();
}

TEST_F(Verify, AStayKnowsOfAllBeforeIt) {
  auto first = samples::interval("bob", {9, 1});
  first.reconnections = 4;
  auto second = samples::interval("bob", {9, 2});
  second.reconnections = 4;
  put({first, second});
  EXPECT_EQ(codes(), std::vector{damage::wrong_count});
  mend();
  using counts = std::vector<std::pair<user_id, std::uint32_t>>;
  put_raw(keys::of_page(home, session, 0), std::nullopt);
  put_raw(keys::of_page(home, session, 1), std::nullopt);
  EXPECT_EQ(read().departed,
            (counts{{user_id{"ada"}, 1}, {user_id{"bob"}, 6}}));
}

TEST_F(Verify, CountsMayBeginAnewInALongPast) {
  applied_records group{home, {1, 9, epoch_generation_unit + 1}, {}};
  auto add = [&](const std::string& user, revision_t rev, std::uint32_t count) {
    auto one = samples::interval(user, {epoch_generation_unit * 9, rev});
    one.reconnections = count;
    group.records.push_back(encode(one, home)->at(0));
  };
  add("bob", 1, 4);
  for (std::size_t i = 0; i < limits::departed_scan; ++i)
    add("cyd", 2 + i, static_cast<std::uint32_t>(i));
  auto next = 2 + limits::departed_scan;
  add("bob", next, 0);
  add("bob", next + 1, 1);
  ASSERT_TRUE(disk.write({&group, 1}));
  EXPECT_EQ(codes(), std::vector<damage>{});
}

TEST_F(Verify, FindingsAreBoundedAndRepairGoesOn) {
  applied_records group{store_wide, {}, {}};
  auto count = limits::verify_findings + 10;
  for (std::size_t i = 0; i < count; ++i)
    group.records.push_back({"bad" + std::to_string(i), "?"});
  ASSERT_TRUE(disk.write({&group, 1}));
  EXPECT_EQ(codes().size(), limits::verify_findings);
  mend(count);
  EXPECT_EQ(aside(), count);
}

TEST_F(Verify, RepairKeepsTheCheckpoint) {
  auto before = *disk.where(home);
  put_raw("zz", "?");
  mend();
  EXPECT_EQ(*disk.where(home), before);
}

TEST_F(Verify, AFailingDiskIsSaid) {
  disk.fail_reads(1);
  EXPECT_FALSE(verify(disk, partitions));
  put({occupied_mark{session, false}});
  disk.fail_writes(1);
  EXPECT_FALSE(repair(disk, partitions));
  EXPECT_FALSE(verify(disk, 0));
}

TEST_F(Verify, EveryDamageHasAName) {
  std::map<std::string_view, int> names;
  for (int i = 0; i <= static_cast<int>(damage::too_many_ops); ++i)
    ++names[to_string(static_cast<damage>(i))];
  EXPECT_EQ(names.size(), static_cast<std::size_t>(damage::too_many_ops) + 1);
}

// Whatever bytes are hit: repair ends, and nothing is wrong after it but what
// it must not guess.
TEST_F(Verify, RepairConvergesAfterRandomDamage) {
  std::mt19937 random{1'234};
  RecordProperty("seed", 1'234);
  std::vector<encoded_record> sound;
  ASSERT_TRUE(disk.scan("", [&](auto key, auto value) {
    sound.push_back({std::string{key}, std::string{value}});
    return true;
  }));
  for (int round = 0; round < 500; ++round) {
    memory_store subject;
    applied_records group{store_wide, {}, sound};
    for (int hits = 0; hits < 3; ++hits) {
      auto& item = group.records[random() % group.records.size()];
      auto& bytes = random() % 2 == 0 ? item.key : *item.value;
      if (!bytes.empty())
        bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    ASSERT_TRUE(subject.write({&group, 1}));
    auto report = repair(subject, partitions);
    ASSERT_TRUE(report);
    for (const auto& one : report->left)
      EXPECT_EQ(one.what, damage::bad_checkpoint) << "round " << round;
  }
}

} // namespace rollcall
