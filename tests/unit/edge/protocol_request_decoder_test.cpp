#include "actors/base/limits.hpp"
#include "edge/protocol/request_decoder.hpp"
#include "unit/edge/protocol_requests.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace rollcall::edge {

namespace {

using namespace std::string_literals;

decode_failure refused(std::string_view json) {
  auto out = decode_request(dialect::json, json);
  if (auto* bad = std::get_if<decode_failure>(&out)) {
    EXPECT_FALSE(bad->why.message.empty());
    return *bad;
  }
  ADD_FAILURE() << "accepted: " << json.substr(0, 300);
  return {};
}

std::string refused_field(std::string_view json) {
  return refused(json).why.field;
}

template <class Body>
Body accepted(std::string_view json) {
  auto out = decode_request(dialect::json, json);
  if (auto* bad = std::get_if<decode_failure>(&out)) {
    ADD_FAILURE() << json.substr(0, 300) << " refused: " << bad->why.field
                  << ' ' << bad->why.message;
    return {};
  }
  auto& body = std::get<client_request>(out).body;
  if constexpr (std::is_constructible_v<request_body, Body>) {
    return std::get<Body>(body);
  } else {
    return std::get<Body>(std::get<session_request>(body).body);
  }
}

/// `text` as a JSON string.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\')
      out += "\\u00"s + digits[byte >> 4] + digits[byte & 0xF];
    else
      out += c;
  }
  return out + '"';
}

/// A complete request of each operation, and the fields of the map that a
/// wrong type may be put into.
struct example {
  const char* op;
  /// Alternating key and JSON value.
  std::vector<std::pair<const char*, const char*>> fields;
};

const std::vector<example>& examples() {
  static const std::vector<example> all = {
    {"hello", {{"token", "\"t\""}, {"resume", "\"r\""}}},
    {"refresh_token", {{"token", "\"t\""}}},
    {"heartbeat", {}},
    {"attach",
     {{"session", "\"s\""}, {"view", "\"count\""}, {"since", "[1,2]"}}},
    {"detach", {{"session", "\"s\""}}},
    {"join",
     {{"session", "\"s\""},
      {"view", "\"none\""},
      {"since", "[1,2]"},
      {"live", "{\"a\":1}"},
      {"create", "\"party\""},
      {"op_id", "\"o\""}}},
    {"leave", {{"session", "\"s\""}}},
    {"set_live",
     {{"session", "\"s\""}, {"live", "{\"a\":null}"}, {"age_ms", "5"}}},
    {"get_roster", {{"session", "\"s\""}, {"after", "[1,2]"}, {"limit", "5"}}},
    {"create_session",
     {{"session", "\"s\""},
      {"kind", "\"board\""},
      {"settings", "{\"locked\":true}"},
      {"op_id", "\"o\""}}},
    {"configure_session",
     {{"session", "\"s\""},
      {"settings", "{\"locked\":true}"},
      {"op_id", "\"o\""}}},
    {"end_session", {{"session", "\"s\""}, {"op_id", "\"o\""}}},
    {"set_member",
     {{"session", "\"s\""},
      {"user", "\"u\""},
      {"role", "\"r\""},
      {"permissions", "[\"p\"]"},
      {"op_id", "\"o\""}}},
    {"kick",
     {{"session", "\"s\""}, {"participant_id", "\"p\""}, {"op_id", "\"o\""}}},
    {"transfer_host",
     {{"session", "\"s\""}, {"user", "\"u\""}, {"op_id", "\"o\""}}},
    {"get_history",
     {{"session", "\"s\""},
      {"what", "\"people\""},
      {"from", "1"},
      {"until", "5"},
      {"participant_id", "\"p\""},
      {"bucket_ms", "1000"},
      {"order", "\"newest\""},
      {"after", "\"AAAA\""},
      {"limit", "5"}}},
    {"get_audit",
     {{"session", "\"s\""},
      {"from", "1"},
      {"until", "5"},
      {"user", "\"u\""},
      {"action", "\"kick\""},
      {"order", "\"oldest\""},
      {"after", "\"AAAA\""},
      {"limit", "5"}}},
    {"list_sessions",
     {{"kind", "\"party\""},
      {"occupied", "true"},
      {"ended", "false"},
      {"mine", "true"},
      {"after", "\"s\""},
      {"limit", "5"}}},
    {"delete_session", {{"session", "\"s\""}, {"op_id", "\"o\""}}},
    {"erase_user", {{"user", "\"u\""}}},
  };
  return all;
}

/// The example with one field given another JSON value, or left out.
std::string spelled(const example& what, std::string_view changed = {},
                    std::string_view content = {}) {
  auto out = "{\"op\":\""s + what.op + "\",\"id\":1";
  for (const auto& [key, json] : what.fields) {
    if (key == changed && content.empty())
      continue;
    out += ",\""s + key + "\":";
    out += key == changed ? content : std::string_view{json};
  }
  return out + '}';
}

} // namespace

TEST(RequestDecoder, AcceptsEveryOperation) {
  for (const auto& each : examples()) {
    auto out = decode_request(dialect::json, spelled(each));
    ASSERT_TRUE(std::holds_alternative<client_request>(out))
      << spelled(each) << ": " << std::get<decode_failure>(out).why.field;
    EXPECT_EQ(op_name(std::get<client_request>(out)), each.op);
  }
}

TEST(RequestDecoder, RefusesEveryWrongTypeNamingTheField) {
  // What each field is given; a field whose own type comes up is skipped
  // below where the value would be right.
  constexpr std::array wrong
    = {"null", "[]", "{}", "true", "-1", "\"\"", "0.5", "[[1]]", "{\"a\":{}}"};
  int tried = 0;
  for (const auto& each : examples())
    for (const auto& [key, json] : each.fields)
      for (std::string_view content : wrong) {
        std::string_view name = key;
        bool empty_is_fine
          = (content == "{}" && (name == "live" || name == "settings"))
            || (content == "[]" && name == "permissions");
        bool is_flag
          = content == "true" && (json == "true"s || json == "false"s);
        if (empty_is_fine || is_flag)
          continue;
        auto bad = refused(spelled(each, key, content));
        EXPECT_TRUE(bad.why.field.starts_with(name))
          << spelled(each, key, content) << ": " << bad.why.field;
        EXPECT_EQ(bad.why.code, errc::bad_request);
        EXPECT_EQ(bad.id, request_id{std::int64_t{1}});
        ++tried;
      }
  EXPECT_GT(tried, 300);
}

TEST(RequestDecoder, RefusesUnknownKeysNamingThem) {
  for (const auto& each : examples()) {
    auto text = spelled(each);
    text.insert(1, "\"colour\":1,");
    EXPECT_EQ(refused_field(text), "colour");
  }
  EXPECT_EQ(refused_field(R"({"op":"create_session","session":"s","kind":"k",)"
                          R"("settings":{"colour":1}})"),
            "settings.colour");
  // What another operation knows is unknown here.
  EXPECT_EQ(refused_field(R"({"op":"leave","session":"s","op_id":"o"})"),
            "op_id");
  EXPECT_EQ(refused_field(R"({"op":"heartbeat","__proto__":{}})"), "__proto__");
  EXPECT_EQ(refused_field(R"({"op":"heartbeat","":[]})"), "\"\"");
}

TEST(RequestDecoder, RefusesUnknownOperations) {
  for (const auto* op : {"error", "close", "constructor", "JOIN", "join ",
                         "\\u0000", "toString"})
    EXPECT_EQ(refused_field("{\"op\":\""s + op + "\"}"), "op") << op;
  for (const auto* op : {"\"\"", "null", "1", "[]", "{}", "[\"join\"]"})
    EXPECT_EQ(refused_field("{\"op\":"s + op + "}"), "op") << op;
  EXPECT_EQ(refused_field("{}"), "op");
}

TEST(RequestDecoder, RefusesFramesThatAreNoMap) {
  for (const auto* text : {"[]", "1", "\"join\"", "null", "", "[{}]"}) {
    auto bad = refused(text);
    EXPECT_EQ(bad.why.code, errc::bad_request);
    EXPECT_EQ(bad.id, request_id{});
  }
}

TEST(RequestDecoder, RefusesMissingFieldsNamingThem) {
  EXPECT_EQ(refused_field(R"({"op":"refresh_token"})"), "token");
  EXPECT_EQ(refused_field(R"({"op":"set_live","session":"s"})"), "live");
  EXPECT_EQ(refused_field(R"({"op":"create_session","session":"s"})"), "kind");
  EXPECT_EQ(refused_field(R"({"op":"configure_session","session":"s"})"),
            "settings");
  EXPECT_EQ(refused_field(R"({"op":"kick","session":"s"})"), "user");
  for (const auto& each : examples())
    if (!each.fields.empty() && each.fields.front().first == "session"s) {
      EXPECT_EQ(refused_field(spelled(each, "session")), "session");
    }
}

TEST(RequestDecoder, TakesOneTargetOnly) {
  EXPECT_EQ(refused_field(R"({"op":"kick","session":"s","user":"u",)"
                          R"("participant_id":"p"})"),
            "participant_id");
}

TEST(RequestDecoder, ChecksRequestIds) {
  for (const auto* id : {"-1", "0.5", "true", "null", "[]", "{}", "\"\"", "1.0",
                         "9007199254740992"}) {
    auto bad = refused("{\"op\":\"heartbeat\",\"id\":"s + id + "}");
    EXPECT_EQ(bad.why.field, "id") << id;
    EXPECT_EQ(bad.id, request_id{}) << id;
  }
  EXPECT_EQ(refused_field("{\"op\":\"heartbeat\",\"id\":\""
                          + std::string(65, 'x') + "\"}"),
            "id");
  accepted<heartbeat_request>("{\"op\":\"heartbeat\",\"id\":\""
                              + std::string(64, 'x') + "\"}");
}

TEST(RequestDecoder, KeepsTheIdOfARefusedRequest) {
  const request_id seven = std::int64_t{7};
  EXPECT_EQ(refused(R"({"op":"fly","id":7})").id, seven);
  EXPECT_EQ(refused(R"({"op":"leave","session":"","id":7})").id, seven);
  // Even where the frame as a whole does not decode.
  EXPECT_EQ(refused(R"({"id":7,"op":"leave","session":"a","session":"b"})").id,
            seven);
  EXPECT_EQ(refused(R"({"id":7,"op":"leave",)").id, seven);
  EXPECT_EQ(refused(R"({"id":[7],"op":)").id, request_id{});
  auto out
    = decode_request(dialect::msgpack, test::from_hex("82a2696407a16ac1"));
  EXPECT_EQ(std::get<decode_failure>(out).id, seven);
}

TEST(RequestDecoder, NullTakesASettingAway) {
  auto settings = [](std::string_view json) {
    return accepted<configure_command>(
             R"({"op":"configure_session","session":"s","settings":)"s
             + std::string{json} + '}')
      .settings;
  };
  EXPECT_EQ(settings("{}"), settings_patch{});
  settings_patch cleared;
  cleared.group = "";
  cleared.default_role = "";
  cleared.code = "";
  EXPECT_EQ(settings(R"({"group":null,"default_role":null,"code":null})"),
            cleared);
  for (const char* bad :
       {R"("group":"")", R"("default_role":"")", R"("code":"")", R"("code":1)",
        R"("locked":null)", R"("roles":null)", R"("capacity":null)"})
    EXPECT_TRUE(refused_field(R"({"op":"configure_session","session":"s",)"
                              R"("settings":{)"s
                              + bad + "}}")
                  .starts_with("settings."))
      << bad;
}

TEST(RequestDecoder, DigestsWhatIsAskedUnderAnOpId) {
  auto about = [](std::string_view json) {
    return accepted<session_request>(json).about;
  };
  auto first = about(R"({"op":"end_session","id":1,"session":"s",)"
                     R"("op_id":"x"})");
  EXPECT_NE(first, 0U);
  EXPECT_EQ(about(R"({"op_id":"x","session":"s","op":"end_session"})"), first)
    << "another id and another order are the same request";
  EXPECT_NE(about(R"({"op":"delete_session","session":"s","op_id":"x"})"),
            first);
  EXPECT_NE(about(R"({"op":"end_session","session":"t","op_id":"x"})"), first);
  EXPECT_EQ(about(R"({"op":"end_session","session":"s"})"), 0U);
  auto settings = [&](std::string_view json) {
    return about(R"({"op":"configure_session","session":"s","op_id":"x",)"
                 R"("settings":)"s
                 + std::string{json} + '}');
  };
  EXPECT_EQ(settings(R"({"locked":true,"capacity":5})"),
            settings(R"({"capacity":5,"locked":true})"));
  EXPECT_NE(settings(R"({"locked":true})"), settings(R"({"locked":false})"));
  EXPECT_NE(settings(R"({"roles":["a","b"]})"),
            settings(R"({"roles":["b","a"]})"));
  auto join = [&](std::string_view rest) {
    return about(R"({"op":"join","session":"s","create":"board",)"
                 R"("op_id":"x")"s
                 + std::string{rest} + '}');
  };
  EXPECT_EQ(join(R"(,"since":[1,2],"view":"none")"), join(""));
}

TEST(RequestDecoder, DigestsAreTheSameInBothEncodings) {
  std::mt19937_64 draw{7};
  std::size_t looked_at = 0;
  while (looked_at < 200) {
    auto asked = test::random_request(draw);
    auto digest = [&](dialect language) {
      auto out
        = decode_request(language, test::encode_request(language, asked));
      const auto* good = std::get_if<client_request>(&out);
      const auto* op
        = good == nullptr ? nullptr : std::get_if<session_request>(&good->body);
      return op != nullptr ? op->about : 0U;
    };
    auto json = digest(dialect::json);
    EXPECT_EQ(json, digest(dialect::msgpack));
    looked_at += json != 0 ? 1 : 0;
  }
}

TEST(RequestDecoder, TreatsIdsAsPlainData) {
  // Cases 62–68 and 71–77 of the bad-input corpus.
  for (const auto& id :
       {"*"s, ">"s, "a.b"s, "../../etc"s, " "s, "a b"s,
        "$JS.API.STREAM.PURGE.x"s, "cafe\xCC\x81"s, "caf\xC3\xA9"s,
        "\xE2\x80\xAEgnp"s, "%n%n%s"s, "__proto__"s, "constructor"s,
        "'; DROP TABLE x; --"s, "\\u0000"s, std::string(128, 'x')}) {
    auto body = accepted<session_request>(R"({"op":"leave","session":)"
                                          + json_text(id) + "}");
    EXPECT_EQ(body.session.str(), id);
    auto kick = accepted<kick_command>(R"({"op":"kick","session":"s","user":)"
                                       + json_text(id) + "}");
    EXPECT_EQ(kick.user.str(), id);
  }
}

TEST(RequestDecoder, RefusesIdsThatBreakTheRule) {
  for (const auto& id : {""s, "a\0b"s, "a\r\nPUB x 0\r\n"s, "a\tb"s,
                         "\x1b[31m"s, "a\nb"s, "\x7f"s, "a\xC2\x85"s,
                         std::string(129, 'x'), std::string(4'097, 'x')}) {
    EXPECT_EQ(
      refused_field(R"({"op":"leave","session":)" + json_text(id) + "}"),
      "session");
    EXPECT_EQ(refused_field(R"({"op":"kick","session":"s","user":)"
                            + json_text(id) + "}"),
              "user");
    EXPECT_EQ(refused_field(R"({"op":"join","session":"s","op_id":)"
                            + json_text(id) + "}"),
              "op_id");
  }
}

TEST(RequestDecoder, KeepsNormalisationFormsApart) {
  auto nfc
    = accepted<session_request>(R"({"op":"leave","session":"caf\u00e9"})");
  auto nfd
    = accepted<session_request>(R"({"op":"leave","session":"cafe\u0301"})");
  EXPECT_NE(nfc.session, nfd.session);
}

TEST(RequestDecoder, BoundsLiveState) {
  auto live = [](std::string_view content) {
    return R"({"op":"set_live","session":"s","live":)" + std::string{content}
           + "}";
  };
  EXPECT_EQ(refused_field(live(R"({"a":[]})")), "live.a");
  EXPECT_EQ(refused_field(live(R"({"a":{"toString":1}})")), "live.a");
  EXPECT_EQ(refused_field(live(R"({"A":1})")), "live.A");
  EXPECT_EQ(refused_field(live(R"({"":1})")), "live.");
  EXPECT_EQ(refused_field(live("{\"a\":\"" + std::string(129, 'x') + "\"}")),
            "live.a");
  EXPECT_EQ(refused_field(live(R"({"a":1e999})")), "live.a");
  std::string keys = "\"k0\":0";
  for (int i = 1; i < 16; ++i)
    keys += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_EQ(accepted<set_live_command>(live('{' + keys + '}')).live.size(),
            16U);
  EXPECT_EQ(refused_field(live('{' + keys + ",\"k16\":0}")), "live");
  // Only an update can remove.
  EXPECT_EQ(refused_field(R"({"op":"join","session":"s","live":{"a":null}})"),
            "live.a");
}

TEST(RequestDecoder, AllowsRealNumbersInLiveStateOnly) {
  auto out = accepted<set_live_command>(
    R"({"op":"set_live","session":"s","live":{"a":0.5,"b":2}})");
  EXPECT_EQ(out.live.at("a"), live_value{0.5});
  EXPECT_EQ(out.live.at("b"), live_value{std::int64_t{2}});
  EXPECT_EQ(refused_field(R"({"op":"attach","session":"s","since":[1.0,2]})"),
            "since");
  EXPECT_EQ(refused_field(R"({"op":"get_roster","session":"s","limit":1e2})"),
            "limit");
  // float 2.0 as a revision, in msgpack.
  auto bad = decode_request(
    dialect::msgpack,
    test::from_hex("83a26f70a6617474616368a773657373696f6ea173a573696e6365"
                   "9201ca40000000"));
  ASSERT_TRUE(std::holds_alternative<decode_failure>(bad));
  EXPECT_EQ(std::get<decode_failure>(bad).why.field, "since");
}

TEST(RequestDecoder, ChecksVersionsAndPages) {
  for (const auto* since : {"[]", "[1]", "[1,2,3]", "[-1,2]", "[1,-2]",
                            "[\"1\",2]", "[null,2]", "{\"epoch\":1}"})
    EXPECT_EQ(
      refused_field(R"({"op":"attach","session":"s","since":)"s + since + "}"),
      "since")
      << since;
  for (const auto* limit : {"0", "1001", "-5", "\"5\""})
    EXPECT_EQ(refused_field(R"({"op":"get_roster","session":"s","limit":)"s
                            + limit + "}"),
              "limit")
      << limit;
}

TEST(RequestDecoder, KnowsWhichViewsThereAre) {
  EXPECT_EQ(refused_field(R"({"op":"attach","session":"s","view":"none"})"),
            "view");
  EXPECT_EQ(refused_field(R"({"op":"join","session":"s","view":"all"})"),
            "view");
  EXPECT_EQ(
    accepted<session_request>(R"({"op":"join","session":"s","view":"none"})")
      .wanted,
    std::nullopt);
  EXPECT_EQ(accepted<session_request>(R"({"op":"join","session":"s"})").wanted,
            view::roster);
  EXPECT_EQ(accepted<session_request>(R"({"op":"leave","session":"s"})").wanted,
            std::nullopt);
}

TEST(RequestDecoder, RefusesUnknownSettingsNamingThem) {
  auto settings = [](std::string_view content) {
    return R"({"op":"configure_session","session":"s","settings":)"
           + std::string{content} + "}";
  };
  EXPECT_EQ(refused_field(settings(R"({"host":"me"})")), "settings.host");
  EXPECT_EQ(refused_field(settings(R"({"host":0})")), "settings.host");
  EXPECT_EQ(refused_field(settings(R"({"capacity":-1})")), "settings.capacity");
  EXPECT_EQ(refused_field(settings(R"({"capacity":4294967296})")),
            "settings.capacity");
  EXPECT_EQ(refused_field(settings(R"({"locked":"yes"})")), "settings.locked");
  EXPECT_EQ(refused_field(settings(R"({"beat_ms":1.5})")), "settings.beat_ms");
  EXPECT_TRUE(accepted<configure_command>(settings("{}")).settings.empty());
}

TEST(RequestDecoder, ChecksRolesAndPermissions) {
  auto member = [](std::string_view rest) {
    return R"({"op":"set_member","session":"s","user":"u",)" + std::string{rest}
           + "}";
  };
  EXPECT_EQ(refused_field(member(R"("role":"Host!")")), "role");
  EXPECT_EQ(refused_field(member(R"("permissions":["a",1])")),
            "permissions[1]");
  EXPECT_EQ(refused_field(member(R"("permissions":["a","A"])")),
            "permissions[1]");
  EXPECT_EQ(refused_field(member(R"("permissions":["a","b","a"])")),
            "permissions[2]");
  std::string many = "\"p0\"";
  for (int i = 1; i < 17; ++i)
    many += ",\"p" + std::to_string(i) + '"';
  EXPECT_EQ(refused_field(member("\"permissions\":[" + many + "]")),
            "permissions");
}

TEST(RequestDecoder, RefusesFramesThatAreTooLong) {
  auto bad = refused("{\"op\":\"heartbeat\",\"id\":\""
                     + std::string(limits::frame_bytes, 'x') + "\"}");
  EXPECT_EQ(bad.why.code, errc::too_large);
  EXPECT_EQ(refused_field("{\"op\":\"hello\",\"token\":\""
                          + std::string(limits::token_bytes + 1, 'x') + "\"}"),
            "token");
}

} // namespace rollcall::edge
