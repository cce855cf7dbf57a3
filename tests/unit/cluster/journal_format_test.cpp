#include "cluster/journal_format.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr journal_marker here{1, 77};

epoch_t epoch_at(std::uint64_t claim) {
  return epoch_generation_unit + claim;
}

std::vector<encoded_record> one(const std::string& key) {
  return {{key, "v"}};
}

journal_entry entry_of(epoch_t epoch, std::uint64_t op,
                       const std::vector<encoded_record>& records) {
  journal_entry out;
  out.marker = here;
  out.epoch = epoch;
  out.op = op;
  out.body = encode_records(records);
  return out;
}

std::string claim() {
  journal_entry out;
  out.kind = entry_kind::claim;
  out.marker = here;
  return encode(out);
}

/// Refused as nothing that a writer can have put there, and not taken.
void expect_misplaced(journal_assembler& by, std::uint64_t sequence,
                      const std::string& bytes) {
  auto got = by.take(sequence, bytes);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::unavailable);
  EXPECT_EQ(got.error().field, journal_fault::damaged);
  EXPECT_NE(got.error().message.find(std::to_string(sequence)),
            std::string::npos);
}

/// The parts of one append, as `count` messages.
std::vector<std::string> parts_of(epoch_t epoch, std::uint64_t first_op,
                                  const std::vector<encoded_record>& records,
                                  std::size_t part_bytes) {
  auto pieces = cut_into_parts(encode_records(records), part_bytes);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto entry = entry_of(epoch, first_op + i, {});
    entry.group = 5;
    entry.part = static_cast<std::uint32_t>(i);
    entry.parts = static_cast<std::uint32_t>(pieces.size());
    entry.body = pieces[i];
    out.push_back(encode(entry));
  }
  return out;
}

/// A claim that knows that it was put at `sequence`.
std::string claim_put_at(std::uint64_t sequence) {
  journal_entry out;
  out.kind = entry_kind::claim;
  out.marker = here;
  out.epoch = epoch_at(sequence);
  return encode(out);
}

std::optional<read_append> take(journal_assembler& to, std::uint64_t sequence,
                                const std::string& bytes) {
  auto got = to.take(sequence, bytes);
  EXPECT_TRUE(got);
  return got ? *got : std::nullopt;
}

} // namespace

TEST(JournalFormat, MarkersComeBack) {
  EXPECT_EQ(parse_journal_marker(to_string(here)), here);
  for (const std::string bad :
       {"", "x", "rollcall journal, generation 0, incarnation 1",
        "rollcall journal, generation 1, incarnation 1 ",
        "rollcall journal, generation -1, incarnation 1"})
    EXPECT_FALSE(parse_journal_marker(bad)) << bad;
}

TEST(JournalFormat, EntriesComeBack) {
  auto entry = entry_of(epoch_at(9), 3, {{"a", "b"}, {"c", std::nullopt}});
  entry.group = 12;
  entry.part = 1;
  entry.parts = 4;
  auto back = decode_entry(encode(entry));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, entry);
}

TEST(JournalFormat, RecordsComeBack) {
  std::vector<encoded_record> records{
    {"", ""}, {std::string(300, 'k'), std::string(70'000, '\0')}, {"x", {}}};
  auto back = decode_records(encode_records(records));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, records);
  EXPECT_TRUE(decode_records(encode_records({}))->empty());
}

TEST(JournalFormat, EveryCutAndEveryFlippedBitIsRefused) {
  auto bytes = encode(entry_of(epoch_at(9), 3, one("key")));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_entry(std::string_view{bytes}.substr(0, size)));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_entry(bad)) << bit;
  }
}

TEST(JournalFormat, EveryCutOfTheRecordsIsRefused) {
  auto bytes
    = encode_records(std::vector<encoded_record>{{"a", "b"}, {"c", {}}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_records(std::string_view{bytes}.substr(0, size)));
  EXPECT_FALSE(decode_records(bytes + "x"));
}

TEST(JournalAssembler, GivesAppendsWithTheirPositions) {
  journal_assembler subject{here, 1};
  EXPECT_FALSE(take(subject, 1, claim()));
  auto got = take(subject, 2, encode(entry_of(epoch_at(1), 1, one("k"))));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 2u);
  EXPECT_EQ(got->epoch, epoch_at(1));
  EXPECT_EQ(got->records, one("k"));
}

TEST(JournalAssembler, TheLastPartCommitsAll) {
  std::vector<encoded_record> records{{"a", std::string(100, 'x')}, {"b", "y"}};
  auto parts = parts_of(epoch_at(1), 1, records, 40);
  ASSERT_EQ(parts.size(), 4u);
  journal_assembler subject{here, 1};
  for (std::size_t i = 0; i + 1 < parts.size(); ++i)
    EXPECT_FALSE(take(subject, 2 + i, parts[i]));
  auto got = take(subject, 5, parts[3]);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 5u);
  EXPECT_EQ(got->group, 5u);
  EXPECT_EQ(got->records, records);
}

TEST(JournalAssembler, AnAppendThatWasNotFinishedNeverWas) {
  std::vector<encoded_record> records{{"a", std::string(100, 'x')}};
  auto parts = parts_of(epoch_at(1), 1, records, 40);
  ASSERT_EQ(parts.size(), 3u);
  auto other = encode(entry_of(epoch_at(1), 9, one("k")));
  {
    // Given up: another append comes between.
    journal_assembler subject{here, 1};
    EXPECT_FALSE(take(subject, 2, parts[0]));
    EXPECT_TRUE(take(subject, 3, other));
    EXPECT_FALSE(take(subject, 4, parts[1]));
    EXPECT_FALSE(take(subject, 5, parts[2]));
  }
  {
    // A claim comes between.
    journal_assembler subject{here, 4};
    EXPECT_FALSE(take(subject, 2, parts[0]));
    EXPECT_FALSE(take(subject, 3, parts[1]));
    EXPECT_FALSE(take(subject, 4, claim()));
    expect_misplaced(subject, 5, parts[2]);
  }
  {
    // Its beginning was compacted away, or a part of it.
    journal_assembler subject{here, 1};
    EXPECT_FALSE(take(subject, 3, parts[1]));
    EXPECT_FALSE(take(subject, 4, parts[2]));
    EXPECT_FALSE(take(subject, 5, parts[0]));
    EXPECT_FALSE(take(subject, 7, parts[2]));
  }
}

TEST(JournalAssembler, StopsAtWhatIsBelowTheClaimInForce) {
  journal_assembler subject{here, 5};
  EXPECT_TRUE(take(subject, 3, encode(entry_of(epoch_at(1), 1, one("a")))));
  EXPECT_FALSE(take(subject, 5, claim()));
  expect_misplaced(subject, 6, encode(entry_of(epoch_at(1), 2, one("b"))));
  // Another copy may have another message there.
  EXPECT_TRUE(take(subject, 6, encode(entry_of(epoch_at(5), 1, one("c")))));
}

TEST(JournalAssembler, KnowsZombiesAlsoWhereTheClaimWasCompacted) {
  // The claim at 5 is gone: one at 9 has followed.
  journal_assembler subject{here, 9};
  EXPECT_TRUE(take(subject, 6, encode(entry_of(epoch_at(5), 1, one("a")))));
  expect_misplaced(subject, 7, encode(entry_of(epoch_at(1), 7, one("b"))));
}

TEST(JournalAssembler, StopsAtAClaimThatIsNotWhereItWasPut) {
  journal_assembler subject{here, 9};
  EXPECT_FALSE(take(subject, 5, claim_put_at(5)));
  expect_misplaced(subject, 7, claim_put_at(5));
  // Those of earlier versions did not know their place.
  EXPECT_FALSE(take(subject, 9, claim()));
}

TEST(JournalAssembler, AClaimThatWasNotSeenBeforeIsNoDamage) {
  journal_assembler subject{here, 5};
  auto got = subject.take(6, claim_put_at(6));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::unavailable);
  EXPECT_EQ(got.error().field, "");
}

TEST(JournalAssembler, ALastPartThatWasRefusedMayBeOfferedAgain) {
  std::vector<encoded_record> records{{"a", std::string(100, 'x')}};
  auto parts = parts_of(epoch_at(1), 1, records, 60);
  ASSERT_EQ(parts.size(), 2u);
  auto bad = *decode_entry(parts[1]);
  bad.body += "more";
  journal_assembler subject{here, 1};
  EXPECT_FALSE(take(subject, 2, parts[0]));
  EXPECT_FALSE(subject.take(3, encode(bad)));
  auto got = take(subject, 3, parts[1]);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->records, records);
}

TEST(JournalAssembler, StopsAtAMessageOfAnotherStream) {
  journal_assembler subject{{1, 78}, 1};
  EXPECT_FALSE(subject.take(1, claim()));
  EXPECT_FALSE(subject.take(2, "something else"));
}

TEST(JournalFormat, ALabelSaysHowManyPartitionsThereAre) {
  const journal_label full{here, 64};
  EXPECT_EQ(parse_journal_label(to_string(full)), full);
  EXPECT_EQ(parse_journal_label(to_string(here)), (journal_label{here, 0}));
  for (const std::string bad : {", partitions 0", ", partitions 257",
                                ", partitions x", ", partitions 64 ", "x"})
    EXPECT_FALSE(parse_journal_label(to_string(here) + bad)) << bad;
}

TEST(JournalFormat, TheBaseOfACopyIsACheckpoint) {
  const checkpoint base{3, 17, 3 * epoch_generation_unit + 9, ~0ULL};
  EXPECT_EQ(decode_base(encode_base(base)), base);
  EXPECT_FALSE(decode_base(encode_base(base).substr(1)));
  EXPECT_FALSE(decode_base(encode_base(base) + "x"));
}

TEST(JournalFormat, AReaderGoesOnBeforeAnAppendThatIsNotWhole) {
  journal_assembler subject{here, 1};
  auto records
    = encode_records(std::vector<encoded_record>{{"k", std::string(30, 'v')}});
  auto parts = cut_into_parts(records, records.size() / 3 + 1);
  ASSERT_EQ(parts.size(), 3u);
  journal_entry part;
  part.marker = here;
  part.epoch = make_epoch(here, 1);
  part.group = 1;
  part.parts = 3;
  for (std::uint32_t i = 0; i < 3; ++i) {
    part.op = i + 1;
    part.part = i;
    part.body = parts[i];
    auto taken = subject.take(5 + i, encode(part));
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->has_value(), i == 2);
    EXPECT_EQ(subject.settled(9), i == 2 ? 9u : 4u);
  }
}

TEST(JournalFormat, SealsAndEndsOfCopiesAreNotAppends) {
  journal_assembler subject{here, 1};
  for (auto kind : {entry_kind::sealed, entry_kind::seeded}) {
    journal_entry entry;
    entry.kind = kind;
    entry.marker = here;
    auto taken = subject.take(2, encode(entry));
    ASSERT_TRUE(taken);
    EXPECT_FALSE(taken->has_value());
  }
}
