#include "cluster/chunks.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace rollcall::cluster {

namespace {

constexpr std::size_t piece = 100;
constexpr std::size_t most = chunk_overhead + piece;
constexpr millis now{5'000};

const node_id ann{"ann", 1};
const node_id bob{"bob", 2};

std::string text_of(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string out;
  while (out.size() < size)
    out += static_cast<char>(random());
  return out;
}

std::vector<std::string> cut(const std::string& bytes, const node_id& from,
                             std::uint64_t number) {
  std::vector<std::string> out;
  chunk_cutter cutter{bytes, from, number, most};
  while (auto chunk = cutter.next()) {
    EXPECT_TRUE(is_chunk(*chunk));
    EXPECT_LE(chunk->size(), most);
    out.push_back(std::move(*chunk));
  }
  return out;
}

/// What comes out of the last of `chunks`.
std::optional<std::string> add_all(chunk_assembler& to,
                                   const std::vector<std::string>& chunks) {
  std::optional<std::string> out;
  for (const auto& chunk : chunks) {
    EXPECT_FALSE(out);
    auto got = to.add(chunk, now);
    EXPECT_TRUE(got) << got.error().message;
    out = got ? *got : std::nullopt;
  }
  return out;
}

} // namespace

TEST(Chunks, PutTogetherWhatWasCut) {
  for (std::size_t size : {1U, 99U, 100U, 101U, 200U, 12'345U}) {
    chunk_assembler subject;
    auto whole = text_of(size, size);
    auto chunks = cut(whole, ann, 7);
    EXPECT_EQ(chunks.size(), (size + piece - 1) / piece);
    EXPECT_EQ(add_all(subject, chunks), whole);
    EXPECT_EQ(subject.size(), 0U);
  }
}

TEST(Chunks, TheLongestNameFits) {
  node_id longest{std::string(limits::id_bytes, 'x'), ~std::uint64_t{0}};
  chunk_assembler subject;
  auto whole = text_of(1'000, 3);
  EXPECT_EQ(add_all(subject, cut(whole, longest, ~std::uint64_t{0})), whole);
}

TEST(Chunks, SendersDoNotDisturbEachOther) {
  chunk_assembler subject;
  auto from_ann = text_of(950, 1);
  auto from_bob = text_of(950, 2);
  auto a = cut(from_ann, ann, 1);
  auto b = cut(from_bob, bob, 1);
  for (std::size_t i = 0; i + 1 < a.size(); ++i) {
    ASSERT_TRUE(subject.add(a[i], now));
    ASSERT_TRUE(subject.add(b[i], now));
  }
  EXPECT_EQ(*subject.add(b.back(), now), from_bob);
  EXPECT_EQ(*subject.add(a.back(), now), from_ann);
}

TEST(Chunks, AGapLosesThatMessageOnly) {
  chunk_assembler subject;
  auto whole = text_of(500, 1);
  auto chunks = cut(whole, ann, 1);
  ASSERT_TRUE(subject.add(chunks[0], now));
  EXPECT_FALSE(subject.add(chunks[2], now));
  EXPECT_EQ(subject.size(), 0U);
  EXPECT_FALSE(subject.add(chunks[3], now));
  // Twice the same is no order either.
  ASSERT_TRUE(subject.add(chunks[0], now));
  ASSERT_TRUE(subject.add(chunks[1], now));
  EXPECT_FALSE(subject.add(chunks[1], now));
  EXPECT_EQ(add_all(subject, cut(whole, ann, 2)), whole);
}

TEST(Chunks, TwoMessagesAreNotMixed) {
  chunk_assembler subject;
  auto first = cut(text_of(500, 1), ann, 1);
  auto second = cut(text_of(500, 2), ann, 2);
  ASSERT_TRUE(subject.add(first[0], now));
  EXPECT_FALSE(subject.add(second[1], now));
  // A new beginning replaces what never ended.
  ASSERT_TRUE(subject.add(first[0], now));
  EXPECT_EQ(add_all(subject, second), text_of(500, 2));
}

TEST(Chunks, GivesUpOnWhatDoesNotCome) {
  chunk_assembler subject;
  auto chunks = cut(text_of(300, 1), ann, 1);
  ASSERT_TRUE(subject.add(chunks[0], now));
  subject.sweep(now + limits::reassembly_patience);
  EXPECT_EQ(subject.size(), piece);
  subject.sweep(now + limits::reassembly_patience + millis{1});
  EXPECT_EQ(subject.size(), 0U);
}

TEST(Chunks, HoldsNoMoreThanItMay) {
  chunk_assembler subject;
  std::string bytes(limits::node_message_bytes / 2 + 1, 'x');
  auto begin = [&](std::uint64_t incarnation, std::size_t size) {
    chunk_cutter cutter{bytes, {"n", incarnation}, 1, size};
    return subject.add(*cutter.next(), now + millis{incarnation}).ok();
  };
  for (std::uint64_t i = 0; i < 2 * limits::nodes; ++i)
    ASSERT_TRUE(begin(i, most));
  EXPECT_LE(subject.size(), limits::nodes * piece);
  for (std::uint64_t i = 0; i < 16; ++i)
    ASSERT_TRUE(begin(i, bytes.size() / 2));
  EXPECT_LE(subject.size(), limits::reassembly_bytes);
}

TEST(Chunks, RefusesWhatIsNone) {
  chunk_assembler subject;
  auto chunk = cut(text_of(300, 1), ann, 1).at(1);
  EXPECT_FALSE(is_chunk(""));
  EXPECT_FALSE(is_chunk("hello"));
  for (std::size_t size = 0; size < chunk.size(); ++size)
    EXPECT_FALSE(subject.add({chunk.data(), size}, now));
  EXPECT_FALSE(subject.add(chunk + "x", now));
  std::mt19937_64 random{77};
  for (int round = 0; round < 2'000; ++round) {
    auto bent = chunk;
    bent[random() % bent.size()] = static_cast<char>(random());
    (void)subject.add(bent, now).ok();
    EXPECT_LE(subject.size(), limits::nodes * piece);
  }
}

} // namespace rollcall::cluster
