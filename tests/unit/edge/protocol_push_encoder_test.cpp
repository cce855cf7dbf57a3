// What the golden vectors do not say: who sees what, and bounds of bytes.

#include "edge/protocol/answer_encoder.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/protocol/writers.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace rollcall::edge {

namespace {

using namespace std::string_literals;

const session_key board{namespace_id{"default"}, session_id{"b"}};
constexpr millis now{1'000};

participant_view ada() {
  participant_view out;
  out.participant = participant_id{"P"};
  out.user = user_id{"secret-user"};
  out.who = {"secret-name", "secret-mail"};
  out.connections = 1;
  return out;
}

value decoded(const std::string& json) {
  auto out = decode_json(json);
  EXPECT_TRUE(out.ok()) << json << ": " << out.error().message;
  return out.ok() ? *out : value{};
}

std::string text_at(const value& from, std::string_view key) {
  const auto* found = from.find(key);
  const auto* text = found ? found->get_if<std::string>() : nullptr;
  return text ? *text : "(none)";
}

snapshot snapshot_of(std::vector<participant_view> who) {
  snapshot out;
  out.session = board;
  out.at = {1, 1};
  out.participants = std::move(who);
  out.host = participant_id{"P"};
  return out;
}

batch batch_of(std::vector<change> changes) {
  batch out;
  out.session = board;
  out.from = {1, 1};
  out.to = {1, 9};
  out.changes = std::move(changes);
  return out;
}

/// The types of the changes `who` is sent.
std::string seen_types(const viewer& who, const batch& what) {
  auto push = decoded(encode_changes(dialect::json, who, what, now));
  std::string out;
  for (const auto& each : *push.find("changes")->get_if<value::array>())
    out += text_at(each, "type") + ' ';
  return out;
}

} // namespace

TEST(Visibility, PseudonymsHideWhoItIsFromAllButModerators) {
  auto snap = snapshot_of({ada()});
  auto tick = batch_of(
    {{2, {}, 1, 1, joined_change{ada(), false}},
     {3,
      {},
      1,
      1,
      member_change{participant_id{"P"}, user_id{"secret-user"}, "r", {}}}});
  reply page{ack_level::accepted, {1, 1}, 1, 1, roster_reply{{ada()}, {}}};
  for (auto language : {dialect::json, dialect::msgpack})
    for (auto rank :
         {audience::everyone, audience::member, audience::moderator}) {
      viewer who{view::roster, rank, identity_mode::pseudonymous};
      auto bytes = encode_snapshot(language, who, snap, "attached", now)
                   + encode_changes(language, who, tick, now)
                   + encode_ack(language, std::int64_t{1},
                                session_ack{board.id, page, who, now});
      EXPECT_EQ(bytes.find("secret") != std::string::npos,
                rank == audience::moderator);
    }
}

TEST(Visibility, ANewNameIsNothingToThoseWhoSeeNoNames) {
  auto renamed = [](std::uint8_t changed) {
    return member_change{participant_id{"P"},
                         user_id{"secret-user"},
                         "r",
                         {},
                         changed,
                         true,
                         false,
                         "secret-name"};
  };
  constexpr auto name = static_cast<std::uint8_t>(member_key::name);
  constexpr auto fresh
    = static_cast<std::uint8_t>(name | std::uint8_t(member_key::membership));
  constexpr auto role
    = static_cast<std::uint8_t>(name | std::uint8_t(member_key::role));
  auto alone
    = batch_of({{2, {}, 1, 1, renamed(name)}, {3, {}, 1, 1, renamed(fresh)}});
  auto both = batch_of({{2, {}, 1, 1, renamed(role)}});
  viewer who{view::roster, audience::member, identity_mode::pseudonymous};
  EXPECT_EQ(seen_types(who, alone), "");
  EXPECT_EQ(seen_types(who, both), "member ");
  auto bytes = encode_changes(dialect::json, who, both, now);
  EXPECT_EQ(bytes.find("name"), std::string::npos) << bytes;
  EXPECT_EQ(bytes.find("secret"), std::string::npos) << bytes;
  who.rank = audience::moderator;
  EXPECT_EQ(seen_types(who, alone), "member member ");
  who.shown = identity_mode::named;
  who.rank = audience::member;
  EXPECT_EQ(seen_types(who, alone), "member member ");
  who.wanted = view::events;
  EXPECT_EQ(seen_types(who, alone), "");
}

TEST(Visibility, NamedSessionsShowTheProfileToEveryone) {
  auto bytes = encode_snapshot(dialect::json, viewer{}, snapshot_of({ada()}),
                               "attached", now);
  for (const auto* word : {"secret-user", "secret-name", "secret-mail"})
    EXPECT_NE(bytes.find(word), std::string::npos);
}

TEST(Visibility, CountOnlySessionsGiveOthersTheCountView) {
  auto tick = batch_of({{2, {}, 1, 1, joined_change{ada(), false}}});
  for (auto wanted : {view::roster, view::events, view::count}) {
    viewer who{wanted, audience::member, identity_mode::count_only};
    EXPECT_EQ(granted_view(who), view::count);
    auto snap = decoded(encode_snapshot(dialect::json, who,
                                        snapshot_of({ada()}), "attached", now));
    EXPECT_EQ(text_at(snap, "view"), "count");
    EXPECT_EQ(snap.find("participants"), nullptr);
    EXPECT_EQ(snap.find("host"), nullptr);
    EXPECT_EQ(seen_types(who, tick), "");
    who.rank = audience::moderator;
    EXPECT_EQ(granted_view(who), wanted);
  }
  reply page{
    ack_level::accepted, {1, 1}, 1, 1, roster_reply{{ada()}, version{1, 1}}};
  viewer who{view::roster, audience::member, identity_mode::count_only};
  auto answer = decoded(encode_ack(dialect::json, std::int64_t{1},
                                   session_ack{board.id, page, who, now}));
  EXPECT_TRUE(answer.find("participants")->get_if<value::array>()->empty());
  EXPECT_EQ(answer.find("next"), nullptr);
}

TEST(Visibility, ChangesReachTheirAudienceOnly) {
  auto tick
    = batch_of({{2, audience::everyone, 1, 1, joined_change{ada(), false}},
                {3, audience::member, 1, 1, host_change{}},
                {4, audience::moderator, 1, 1,
                 member_change{participant_id{"Q"}, {}, "", {}}},
                {5, audience::everyone, 0, 1,
                 left_change{participant_id{"P"}, leave_reason::left}}});
  auto as = [](view wanted, audience rank) {
    return viewer{wanted, rank, identity_mode::named};
  };
  EXPECT_EQ(seen_types(as(view::roster, audience::everyone), tick),
            "joined left ");
  EXPECT_EQ(seen_types(as(view::roster, audience::member), tick),
            "joined host left ");
  EXPECT_EQ(seen_types(as(view::roster, audience::moderator), tick),
            "joined host member left ");
  EXPECT_EQ(seen_types(as(view::events, audience::moderator), tick),
            "joined left ");
  EXPECT_EQ(seen_types(as(view::count, audience::moderator), tick), "");
}

TEST(Visibility, EventsTellNothingButThePseudonym) {
  auto tick = batch_of({{2, {}, 1, 1, joined_change{ada(), false}}});
  for (auto rank : {audience::everyone, audience::moderator}) {
    viewer who{view::events, rank, identity_mode::named};
    auto bytes = encode_changes(dialect::json, who, tick, now);
    EXPECT_EQ(bytes.find("secret"), std::string::npos);
  }
}

TEST(Visibility, CanonicalViewersSeeTheSameBytes) {
  auto snap = snapshot_of({ada()});
  auto tick
    = batch_of({{2, audience::everyone, 1, 1, joined_change{ada(), false}},
                {3, audience::member, 1, 1, host_change{}},
                {4, audience::moderator, 1, 1,
                 left_change{participant_id{"P"}, leave_reason::left}}});
  for (auto wanted : {view::roster, view::events, view::count})
    for (auto rank :
         {audience::everyone, audience::member, audience::moderator})
      for (auto shown : {identity_mode::count_only, identity_mode::pseudonymous,
                         identity_mode::named}) {
        viewer who{wanted, rank, shown};
        auto same = canonical(who);
        EXPECT_EQ(canonical(same), same);
        EXPECT_EQ(encode_snapshot(dialect::json, who, snap, "attached", now),
                  encode_snapshot(dialect::json, same, snap, "attached", now));
        EXPECT_EQ(encode_changes(dialect::json, who, tick, now),
                  encode_changes(dialect::json, same, tick, now));
      }
}

TEST(PushEncoder, GivesSpansThatNeverAreNegative) {
  auto late = ada();
  late.state = presence_state::suspected;
  late.expires = now - millis{5};
  auto snap = snapshot_of({late});
  auto push
    = decoded(encode_snapshot(dialect::json, viewer{}, snap, "attached", now));
  const auto& row = push.find("participants")->get_if<value::array>()->front();
  EXPECT_EQ(*row.find("expires_in_ms"), value{std::int64_t{0}});
  auto tick = batch_of(
    {{2, {}, 1, 1, suspected_change{participant_id{"P"}, millis::min()}}});
  auto changes = decoded(encode_changes(dialect::json, viewer{}, tick, now));
  EXPECT_EQ(*changes.find("changes")->get_if<value::array>()->front().find(
              "expires_in_ms"),
            value{std::int64_t{0}});
}

TEST(PushEncoder, SaysTheSameInBothDialects) {
  std::vector<participant_view> many;
  for (int i = 0; i < 900; ++i) {
    auto each = ada();
    each.participant = participant_id{"P" + std::to_string(i)};
    each.who.name = std::string(static_cast<std::size_t>(i % 128), '"');
    for (int key = 0; key < i % 17; ++key)
      each.live.emplace("k" + std::to_string(key), std::int64_t{i} * -40);
    many.push_back(std::move(each));
  }
  // In pieces that fit the decoders' bound.
  for (std::size_t at = 0; at < many.size(); at += 30) {
    auto first = many.begin() + static_cast<std::ptrdiff_t>(at);
    auto snap = snapshot_of({first, first + 30});
    auto json = encode_snapshot(dialect::json, viewer{}, snap, "attached", now);
    auto bytes
      = encode_snapshot(dialect::msgpack, viewer{}, snap, "attached", now);
    auto unpacked = decode_msgpack(bytes);
    ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
    EXPECT_EQ(*unpacked, decoded(json));
  }
}

TEST(PushEncoder, EncodesTheLargestRoster) {
  std::vector<participant_view> all(70'000, ada());
  auto snap = snapshot_of(std::move(all));
  auto bytes
    = encode_snapshot(dialect::msgpack, viewer{}, snap, "attached", now);
  // array32 of 70,000.
  EXPECT_NE(bytes.find("participants\xdd\x00\x01\x11\x70"s), std::string::npos);
}

TEST(Writers, EscapeWhatJsonForbids) {
  for (std::size_t before = 0; before < 18; ++before)
    for (int byte = 0; byte < 128; ++byte) {
      auto text = std::string(before, 'x') + static_cast<char>(byte) + "yö";
      std::string out;
      json_writer to{out};
      to.text(text);
      to.finish();
      EXPECT_EQ(decoded(out), value{text}) << out;
    }
}

TEST(Writers, WriteRealNumbersThatReadBack) {
  for (double number : {0.0, 1.0, -2.5, 0.1, 1e22, 1e-7, 5e-324,
                        std::numeric_limits<double>::max()}) {
    std::string out;
    json_writer to{out};
    to.real(number);
    to.finish();
    EXPECT_EQ(decoded(out), value{number}) << out;
  }
}

TEST(Writers, WriteIntegersOfEveryWidth) {
  for (int shift = 0; shift < 53; ++shift)
    for (std::int64_t step : {-1, 0, 1})
      for (std::int64_t sign : {-1, 1}) {
        auto number = sign * ((std::int64_t{1} << shift) + step);
        std::string json;
        json_writer{json}.integer(number);
        json.pop_back();
        std::string bytes;
        msgpack_writer{bytes}.integer(number);
        EXPECT_EQ(decoded(json), value{number});
        EXPECT_EQ(*decode_msgpack(bytes), value{number});
      }
}

TEST(Writers, CountKeysBeyondTheShortForm) {
  for (int keys : {0, 15, 16, 40, 300}) {
    std::string bytes;
    msgpack_writer to{bytes};
    to.open_map();
    to.key<"inner">();
    to.open_map();
    for (int i = 0; i < keys; ++i) {
      to.key("k" + std::to_string(i));
      to.integer(i);
    }
    to.close_map();
    to.key<"after">();
    to.null();
    to.close_map();
    auto out = decode_msgpack(bytes);
    ASSERT_TRUE(out.ok()) << out.error().message;
    EXPECT_EQ(out->find("inner")->get_if<value::map>()->size(),
              static_cast<std::size_t>(keys));
    EXPECT_NE(out->find("after"), nullptr);
  }
}

TEST(Answers, EscapeWhatTheClientSent) {
  auto why = fail(errc::bad_request, "is not known here", "a\"b\\\n\x01");
  auto answer = decoded(encode_error(dialect::json, "i\"d"s, why));
  EXPECT_EQ(text_at(answer, "re"), "i\"d");
  EXPECT_EQ(text_at(*answer.find("error"), "field"), why.field);
}

TEST(Answers, SayForEveryCodeWhetherToRetry) {
  for (int code = 1; code <= 15; ++code) {
    auto why = fail(static_cast<errc>(code), "m");
    auto answer = decoded(encode_error(dialect::json, std::int64_t{1}, why));
    const auto& error = *answer.find("error");
    EXPECT_EQ(parse_errc(text_at(error, "code")), why.code);
    EXPECT_EQ(*error.find("retryable"), value{is_retryable(why.code)});
  }
}

TEST(CloseCodes, TellByTheirRangeWhetherToComeBack) {
  EXPECT_TRUE(may_reconnect(close_code::token_expired));
  EXPECT_FALSE(may_reconnect(close_code::unauthenticated));
  EXPECT_EQ(to_string(close_code::overloaded), "overloaded");
}

} // namespace rollcall::edge
