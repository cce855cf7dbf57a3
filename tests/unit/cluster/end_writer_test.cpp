#include "cluster/end_writer.hpp"

#include "actors/base/limits.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

constexpr journal_marker here{1, 77};
constexpr millis resend{500};

/// A stream of one subject that counts, refuses and forgets as JetStream does,
/// and loses answers when it is told to.
struct fake_stream {
  enum class answer { given, lost, never_arrived };

  position_t end_now = 0;
  std::optional<message_answer> last_message;
  std::deque<answer> fates;
  /// Before each publish that arrives.
  std::function<void()> meanwhile = [] {};
  std::vector<std::string> expected;
  std::vector<std::string> ids;
  std::vector<std::string> bodies;
  std::size_t looks = 0;
  steady_time clock{};
  bool knows_ids = true;

  void put(std::string bytes) {
    last_message.emplace();
    last_message->sequence = ++end_now;
    last_message->data = std::move(bytes);
  }

  void put_claim_of_another() {
    journal_entry entry;
    entry.kind = entry_kind::claim;
    entry.marker = here;
    entry.op = 4711;
    entry.epoch = make_epoch(here, end_now + 1);
    put(encode(entry));
  }

  static std::string header(const nats_requests::headers& with,
                            std::string_view name) {
    for (const auto& [key, value] : with)
      if (key == name)
        return value;
    return {};
  }

  std::string take(const std::string& id, std::string_view bytes) {
    for (std::size_t i = 0; knows_ids && i < taken.size(); ++i)
      if (taken[i].first == id)
        return R"({"stream":"S","seq":)" + std::to_string(taken[i].second)
               + R"(,"duplicate":true})";
    if (expected.back() != std::to_string(end_now))
      return R"({"error":{"code":400,"err_code":10071,"description":)"
             R"("wrong last sequence: )"
             + std::to_string(end_now) + R"("}})";
    put(std::string{bytes});
    taken.emplace_back(id, end_now);
    return R"({"stream":"S","seq":)" + std::to_string(end_now) + "}";
  }

  asked publish(const nats_requests::headers& with, std::string_view bytes,
                steady_time until) {
    expected.push_back(header(with, "Nats-Expected-Last-Sequence"));
    ids.push_back(header(with, "Nats-Msg-Id"));
    bodies.emplace_back(bytes);
    EXPECT_EQ(header(with, "Nats-Expected-Stream"), "S");
    auto fate = answer::given;
    if (!fates.empty()) {
      fate = fates.front();
      fates.pop_front();
    }
    std::string data;
    if (fate != answer::never_arrived) {
      meanwhile();
      data = take(ids.back(), bytes);
    }
    if (fate == answer::given)
      return {ask_end::answered, data};
    clock = until;
    return {ask_end::silent, {}};
  }

  end_calls calls() {
    end_calls out;
    out.publish = [this](const auto& with, auto bytes, auto until) {
      return publish(with, bytes, until);
    };
    out.last = [this](steady_time) {
      return result<std::optional<message_answer>>{last_message};
    };
    out.end = [this](steady_time) {
      ++looks;
      return result<position_t>{end_now};
    };
    out.pause = [this](steady_time until) { clock = std::max(clock, until); };
    out.stopped = [] { return false; };
    out.now = [this] { return clock; };
    return out;
  }

  result<end_written> write(end_place end, millis patience = millis{8'000}) {
    journal_entry entry;
    entry.kind = entry_kind::claim;
    entry.marker = here;
    entry.body = "me";
    return write_at_end(calls(), "S", entry, end, resend, clock + patience);
  }

  /// Of every message that was taken, its id and its place.
  std::vector<std::pair<std::string, position_t>> taken;
};

} // namespace

TEST(EndWriter, ExpectsTheEndThatItWasGiven) {
  fake_stream stream;
  stream.end_now = 7;
  auto got = stream.write({7});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 8u);
  EXPECT_EQ(got->tries, 1u);
  EXPECT_EQ(stream.expected, std::vector<std::string>{"7"});
  EXPECT_FALSE(stream.ids.front().empty());
  auto entry = decode_entry(stream.bodies.front());
  ASSERT_TRUE(entry);
  EXPECT_TRUE(is_in_place(*entry, 8));
  EXPECT_FALSE(is_in_place(*entry, 9));
  EXPECT_EQ(entry->body, "me");
}

TEST(EndWriter, IsTriedAtNoMoreEndsThanItMay) {
  fake_stream stream;
  stream.end_now = 12;
  EXPECT_EQ(stream.write({7, 1}).error().code, errc::unavailable);
  EXPECT_EQ(stream.expected, std::vector<std::string>{"7"});
  EXPECT_EQ(stream.end_now, 12u);
  EXPECT_TRUE(stream.write({12, 1}));
  // Not an end, but an answer that was lost.
  stream.fates = {fake_stream::answer::lost};
  auto got = stream.write({13, 1});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 14u);
}

TEST(EndWriter, IsRepeatedWithTheEndThatTheRefusalNames) {
  fake_stream stream;
  stream.end_now = 12;
  auto got = stream.write({7});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 13u);
  EXPECT_EQ(got->tries, 2u);
  EXPECT_EQ(stream.expected, (std::vector<std::string>{"7", "12"}));
  // Another message to the server, and one that says where it belongs.
  EXPECT_NE(stream.ids[0], stream.ids[1]);
  EXPECT_TRUE(is_in_place(*decode_entry(stream.bodies[1]), 13));
  EXPECT_EQ(stream.looks, 0u);
}

TEST(EndWriter, FindsItselfWhenTheAnswerWasLost) {
  for (auto knows_ids : {true, false}) {
    fake_stream stream;
    stream.knows_ids = knows_ids;
    stream.fates = {fake_stream::answer::lost};
    auto got = stream.write({0});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->position, 1u);
    EXPECT_EQ(stream.end_now, 1u);
    EXPECT_EQ(stream.expected, (std::vector<std::string>{"0", "0"}));
    EXPECT_EQ(stream.bodies[0], stream.bodies[1]);
  }
}

TEST(EndWriter, IsNotOursWhatAnotherHasFollowed) {
  for (auto knows_ids : {true, false}) {
    fake_stream stream;
    stream.knows_ids = knows_ids;
    stream.fates = {fake_stream::answer::lost};
    auto publishes = 0;
    stream.meanwhile = [&] {
      if (++publishes == 2)
        stream.put_claim_of_another();
    };
    auto got = stream.write({0});
    ASSERT_TRUE(got);
    // At 1 it stood itself, at 2 the other.
    EXPECT_EQ(got->position, 3u);
    EXPECT_EQ(stream.expected.back(), "2");
  }
}

TEST(EndWriter, IsSentAgainWhenItNeverArrived) {
  fake_stream stream;
  stream.fates = {fake_stream::answer::never_arrived};
  auto got = stream.write({0});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 1u);
  EXPECT_EQ(got->tries, 1u);
}

TEST(EndWriter, DoesNotGoBackToAnEarlierEnd) {
  fake_stream stream;
  stream.end_now = 5;
  auto refusals = 0;
  // A leader that has not everything in place yet.
  stream.meanwhile = [&] { stream.end_now = ++refusals < 4 ? 5 : 9; };
  auto got = stream.write({9});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->position, 10u);
  for (const auto& one : stream.expected)
    EXPECT_EQ(one, "9");
}

TEST(EndWriter, GivesUpAgainstAWriterThatIsAlwaysFaster) {
  fake_stream stream;
  stream.meanwhile = [&] { ++stream.end_now; };
  auto got = stream.write({0});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::unavailable);
  EXPECT_EQ(stream.expected.size(), limits::journal_end_tries);
}

TEST(EndWriter, EndsWithItsPatience) {
  fake_stream stream;
  stream.fates.assign(100, fake_stream::answer::never_arrived);
  auto begin = stream.clock;
  auto got = stream.write({0}, millis{2'000});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::unavailable);
  EXPECT_EQ(stream.clock - begin, millis{2'000});
}

TEST(EndWriter, ARefusalThatSaysNothingOfSequencesEndsIt) {
  fake_stream stream;
  auto calls = stream.calls();
  calls.publish = [](const auto&, auto, auto) {
    return asked{ask_end::answered,
                 R"({"error":{"code":400,"err_code":10077,)"
                 R"("description":"maximum bytes exceeded"}})"};
  };
  journal_entry entry;
  entry.kind = entry_kind::sealed;
  entry.marker = here;
  auto got = write_at_end(calls, "S", entry, {0}, resend,
                          stream.clock + millis{1'000});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "the journal refuses: maximum bytes exceeded");
}
