// Names in quotes are those of the bad-input corpus in the tests' tradition:
// `fr-…` for frames.

#include "edge/net/frame_codec.hpp"
#include "unit/edge/net_client.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace rollcall::edge::test {
namespace {

using event = frame_decoder::event;
using std::string_literals::operator""s;

struct outcome {
  std::vector<std::string> messages;
  std::vector<std::string> pings;
  std::size_t pongs = 0;
  std::size_t fragments = 0;
  event last = event::need_more;
  std::uint16_t code = 0;

  friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds `bytes` in pieces of `piece` bytes, as a connection would.
outcome decode(frame_decoder& decoder, std::string bytes, std::size_t piece) {
  outcome result;
  std::string kept;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    kept.append(bytes, at, piece);
    std::span<char> input{kept};
    while (true) {
      const auto what = decoder.next(input);
      if (what == event::need_more)
        break;
      result.last = what;
      if (what == event::message)
        result.messages.emplace_back(decoder.payload());
      if (what == event::ping)
        result.pings.emplace_back(decoder.payload());
      result.pongs += what == event::pong ? 1 : 0;
      result.fragments += what == event::fragment ? 1 : 0;
      if (what == event::closed || what == event::failed)
        result.code = decoder.close_code();
    }
    kept.erase(0, kept.size() - input.size());
  }
  return result;
}

outcome decode(const std::string& bytes) {
  frame_decoder decoder;
  return decode(decoder, bytes, bytes.size() + 1);
}

/// The code the decoder wants to close with; 0 when it is content.
std::uint16_t refusal(const std::string& bytes) {
  const auto result = decode(bytes);
  return result.last == event::failed ? result.code : 0;
}

std::string text_frame(std::string_view payload, bool fin = true) {
  return client_frame(opcode::text, payload, fin);
}

std::string continuation(std::string_view payload, bool fin = true) {
  return client_frame(opcode::continuation, payload, fin);
}

std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8),
                      static_cast<char>(code & 0xFF)};
  return payload.append(reason);
}

std::string with_first_byte(std::string frame, unsigned char first) {
  frame[0] = static_cast<char>(first);
  return frame;
}

// -- RFC 6455, section 5.7 ---------------------------------------------------

TEST(FrameCodec, DecodesTheMaskedHelloOfTheRfc) {
  const auto result = decode("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
  ASSERT_EQ(result.messages.size(), 1U);
  EXPECT_EQ(result.messages[0], "Hello");
}

TEST(FrameCodec, EncodesTheUnmaskedHelloOfTheRfc) {
  EXPECT_EQ(*make_frame(opcode::text, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(*make_frame(dialect::json, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(*make_frame(dialect::msgpack, "Hello"), "\x82\x05Hello");
  EXPECT_EQ(*make_frame(opcode::pong, "Hello"), "\x8a\x05Hello");
}

TEST(FrameCodec, EncodesEveryLengthMinimally) {
  EXPECT_EQ(make_frame(opcode::binary, std::string(125, 'x'))->substr(0, 2),
            "\x82\x7d");
  EXPECT_EQ(make_frame(opcode::binary, std::string(126, 'x'))->substr(0, 4),
            "\x82\x7e\x00\x7e"s);
  EXPECT_EQ(make_frame(opcode::binary, std::string(256, 'x'))->substr(0, 4),
            "\x82\x7e\x01\x00"s);
  EXPECT_EQ(make_frame(opcode::binary, std::string(65'535, 'x'))->substr(0, 4),
            "\x82\x7e\xff\xff"s);
  EXPECT_EQ(make_frame(opcode::binary, std::string(65'536, 'x'))->substr(0, 10),
            "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(FrameCodec, EncodesCloseFramesWithinTheControlLimit) {
  EXPECT_EQ(*make_close_frame(1000, "bye"), "\x88\x05\x03\xe8"
                                            "bye"s);
  EXPECT_EQ(*make_close_frame(rfc_close::none, ""), "\x88\x00"s);
  const auto cut = make_close_frame(1002, std::string(200, 'x'));
  EXPECT_EQ(cut->size(), 127U);
  // A character of two bytes is never cut in half.
  const auto whole = make_close_frame(1002, std::string(122, 'x') + "\xc3\xa9");
  EXPECT_EQ(whole->size(), 2U + 2U + 122U);
}

// -- messages ----------------------------------------------------------------

TEST(FrameCodec, LeavesAnUnfragmentedPayloadWhereItIs) {
  frame_decoder decoder;
  auto bytes = text_frame("in place");
  std::span<char> input{bytes};
  ASSERT_EQ(decoder.next(input), event::message);
  EXPECT_EQ(decoder.payload(), "in place");
  EXPECT_TRUE(decoder.is_text());
  EXPECT_GE(decoder.payload().data(), bytes.data());
  EXPECT_LT(decoder.payload().data(), bytes.data() + bytes.size());
  EXPECT_TRUE(input.empty());
}

TEST(FrameCodec, TellsTextFromBinary) {
  frame_decoder decoder;
  auto bytes = client_frame(opcode::binary, "\xff\xfe");
  std::span<char> input{bytes};
  ASSERT_EQ(decoder.next(input), event::message);
  EXPECT_FALSE(decoder.is_text());
  EXPECT_EQ(decoder.payload(), "\xff\xfe");
}

TEST(FrameCodec, JoinsFragmentsAroundControlFrames) {
  const auto result
    = decode(text_frame("a", false) + client_frame(opcode::ping, "p")
             + continuation("b", false) + client_frame(opcode::pong, "")
             + continuation("c"));
  EXPECT_EQ(result.messages, std::vector<std::string>{"abc"});
  EXPECT_EQ(result.pings, std::vector<std::string>{"p"});
  EXPECT_EQ(result.pongs, 1U);
  EXPECT_EQ(result.fragments, 2U);
}

TEST(FrameCodec, TakesEmptyMessagesAndFragments) {
  const auto result = decode(text_frame("") + text_frame("", false)
                             + continuation("", false) + continuation(""));
  EXPECT_EQ(result.messages, (std::vector<std::string>{"", ""}));
}

TEST(FrameCodec, GivesBackTheMemoryOfAFragmentedMessage) {
  frame_decoder decoder;
  decoder.set_message_limit(limits::frame_bytes);
  const std::string half(30'000, 'x');
  auto bytes = text_frame(half, false) + continuation(half);
  std::span<char> input{bytes};
  ASSERT_EQ(decoder.next(input), event::fragment);
  EXPECT_GE(decoder.buffered(), half.size());
  ASSERT_EQ(decoder.next(input), event::message);
  EXPECT_EQ(decoder.payload().size(), 2 * half.size());
  ASSERT_EQ(decoder.next(input), event::need_more);
  EXPECT_LT(decoder.buffered(), 64U);
}

TEST(FrameCodec, TakesAMessageOfExactlyTheLimitAndNotOneMore) {
  const auto limit = limits::frame_bytes_before_auth;
  EXPECT_EQ(refusal(text_frame(std::string(limit, 'x'))), 0);
  EXPECT_EQ(refusal(text_frame(std::string(limit + 1, 'x'))), 1009);
  EXPECT_EQ(
    refusal(text_frame(std::string(limit, 'x'), false) + continuation("x")),
    1009);
}

TEST(FrameCodec, GivesTheSameEventsHoweverTheBytesArrive) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  std::string bytes;
  for (int i = 0; i < 60; ++i) {
    const auto size
      = std::uniform_int_distribution<std::size_t>{0, 300}(random);
    switch (std::uniform_int_distribution<int>{0, 3}(random)) {
    case 0:
      bytes += client_frame(opcode::ping, std::string(size % 126, 'p'));
      break;
    case 1:
      bytes += text_frame(std::string(size, 't'), false)
               + continuation("\xc3", false) + continuation("\xa9");
      break;
    case 2:
      bytes += client_frame(opcode::binary, std::string(size, '\xfe'));
      break;
    default:
      bytes += text_frame(std::string(size, 'u'));
      break;
    }
  }
  bytes += client_frame(opcode::close, close_payload(1000, "bye"));
  frame_decoder whole;
  const auto expected = decode(whole, bytes, bytes.size());
  EXPECT_EQ(expected.last, event::closed);
  for (const auto piece : std::vector<std::size_t>{1, 2, 3, 7, 64, 1'000}) {
    frame_decoder decoder;
    EXPECT_EQ(decode(decoder, bytes, piece), expected) << piece;
  }
}

// -- the corpus, frames ------------------------------------------------------

TEST(FrameCodec, RefusesUnmaskedFrames) { // fr-unmasked
  EXPECT_EQ(refusal("\x81\x05Hello"s), 1002);
}

TEST(FrameCodec, RefusesReservedBits) { // fr-rsv1-no-ext, rsv2, rsv3
  for (const auto bit : {0x40, 0x20, 0x10})
    EXPECT_EQ(refusal(with_first_byte(text_frame("x"),
                                      static_cast<unsigned char>(0x81 | bit))),
              1002)
      << bit;
}

TEST(FrameCodec, RefusesUnknownOpcodes) { // fr-opcode-3..7,B..F
  for (const auto op : {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF})
    EXPECT_EQ(refusal(with_first_byte(text_frame("x"),
                                      static_cast<unsigned char>(0x80 | op))),
              1002)
      << op;
}

TEST(FrameCodec, RefusesLongControlFrames) { // fr-ping-126
  EXPECT_EQ(refusal(client_frame(opcode::ping, std::string(125, 'x'))), 0);
  EXPECT_EQ(refusal(client_frame(opcode::ping, std::string(126, 'x'))), 1002);
  // Judged by the first two bytes.
  EXPECT_EQ(refusal("\x89\xfe"s), 1002);
  EXPECT_EQ(refusal("\x88\xff"s), 1002);
}

TEST(FrameCodec, RefusesFragmentedControlFrames) { // fr-ping-fragmented
  EXPECT_EQ(refusal(client_frame(opcode::ping, "x", false)), 1002);
  EXPECT_EQ(refusal(client_frame(opcode::close, "", false)), 1002);
}

TEST(FrameCodec, RefusesAContinuationOfNothing) { // fr-cont-without-start
  EXPECT_EQ(refusal(continuation("x")), 1002);
  EXPECT_EQ(refusal(text_frame("x") + continuation("x")), 1002);
}

TEST(FrameCodec, RefusesAMessageInsideAnother) { // fr-text-inside-fragment
  EXPECT_EQ(refusal(text_frame("x", false) + text_frame("y")), 1002);
}

TEST(FrameCodec, RefusesALengthWithItsTopBitSet) { // fr-len64-msb
  EXPECT_EQ(refusal("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s), 1002);
  EXPECT_EQ(refusal("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"s), 1002);
}

TEST(FrameCodec, RefusesLengthsThatAreNotMinimal) { // fr-len-nonminimal
  EXPECT_EQ(refusal("\x82\xfe\x00\x7d"s), 1002);
  EXPECT_EQ(refusal("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s), 1002);
  EXPECT_EQ(refusal("\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01"s), 1002);
}

TEST(FrameCodec, RefusesAGibibyteByItsHeaderAlone) { // fr-1GiB-announced
  frame_decoder decoder;
  const auto result
    = decode(decoder, "\x82\xff\x00\x00\x00\x00\x40\x00\x00\x00"s, 100);
  EXPECT_EQ(result.last, event::failed);
  EXPECT_EQ(result.code, 1009);
  EXPECT_LT(decoder.buffered(), 64U);
}

TEST(FrameCodec, CapsFragments) { // fr-1M-empty-continuations, 1byte-fragments
  std::string empty = text_frame("", false);
  std::string single = text_frame("x", false);
  for (std::size_t i = 1; i < limits::fragments_per_message; ++i) {
    empty += continuation("", false);
    single += continuation("x", false);
  }
  EXPECT_EQ(refusal(empty), 0);
  EXPECT_EQ(refusal(empty + continuation("", false)), 1008);
  EXPECT_EQ(refusal(single + continuation("x")), 1008);
}

TEST(FrameCodec, StartsCountingFragmentsAnewWithEachMessage) {
  std::string bytes;
  for (std::size_t i = 0; i < 2 * limits::fragments_per_message; ++i)
    bytes += text_frame("x", false) + continuation("y");
  EXPECT_EQ(refusal(bytes), 0);
}

TEST(FrameCodec, RefusesTextThatIsNotUtf8) { // fr-utf8-bad
  for (const auto* bad :
       {"\xed\xa0\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xff", "ok\xc3",
        "\xe2\x82", "\xed\xbf\xbf", "12345678\xfe", "\xc3\x28"})
    EXPECT_EQ(refusal(text_frame(bad)), 1007) << bad;
  for (const auto* good :
       {"", "plain ascii, longer than a word", "\xc2\x80", "\xdf\xbf",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xe2\x82\xac"})
    EXPECT_EQ(refusal(text_frame(good)), 0) << good;
}

TEST(FrameCodec, FollowsUtf8AcrossFragments) { // fr-utf8-bad, split
  EXPECT_EQ(refusal(text_frame("\xe2", false) + continuation("\x82", false)
                    + continuation("\xac")),
            0);
  EXPECT_EQ(refusal(text_frame("\xe2", false) + continuation("\x28", false)),
            1007);
  // Refused with the fragment that cannot be mended, not at the end.
  EXPECT_EQ(refusal(text_frame("\xed", false) + continuation("\xa0", false)),
            1007);
  EXPECT_EQ(refusal(text_frame("\xe2\x82", false) + continuation("")), 1007);
  // A new message starts afresh; a binary one is nobody's text.
  EXPECT_EQ(refusal(client_frame(opcode::binary, "\xe2", false)
                    + continuation("\xff") + text_frame("ok")),
            0);
}

TEST(FrameCodec, ChecksCloseFrames) { // fr-close-code-…, close-1byte
  const auto close = [](std::string_view payload) {
    return decode(client_frame(opcode::close, payload));
  };
  for (const auto code : {1000, 1001, 1003, 1007, 1011, 3000, 4999}) {
    const auto result
      = close(close_payload(static_cast<std::uint16_t>(code), "why"));
    EXPECT_EQ(result.last, event::closed) << code;
    EXPECT_EQ(result.code, code);
  }
  EXPECT_EQ(close("").code, rfc_close::none);
  EXPECT_EQ(close("").last, event::closed);
  for (const auto code :
       {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65'535})
    EXPECT_EQ(
      refusal(client_frame(opcode::close,
                           close_payload(static_cast<std::uint16_t>(code)))),
      1002)
      << code;
  EXPECT_EQ(refusal(client_frame(opcode::close, "\x03")), 1002);
  EXPECT_EQ(refusal(client_frame(opcode::close, close_payload(1000, "\xff"))),
            1007);
  EXPECT_EQ(refusal(client_frame(opcode::close, close_payload(1000, "\xc3"))),
            1007);
}

TEST(FrameCodec, IgnoresWhatFollowsTheEnd) { // fr-data-after-close
  const auto closed = decode(client_frame(opcode::close, close_payload(1000))
                             + text_frame("late") + "garbage");
  EXPECT_EQ(closed.last, event::closed);
  EXPECT_TRUE(closed.messages.empty());
  const auto failed = decode("\x81\x05Hello"s + text_frame("late"));
  EXPECT_EQ(failed.last, event::failed);
  EXPECT_TRUE(failed.messages.empty());
}

TEST(FrameCodec, SurvivesAnyBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  std::uniform_int_distribution<int> byte{0, 255};
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(byte(random));
    frame_decoder one;
    frame_decoder other;
    EXPECT_EQ(decode(one, bytes, 64), decode(other, bytes, 1));
  }
}

} // namespace
} // namespace rollcall::edge::test
