#include "edge/config/config.hpp"

#include "edge/config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace rollcall::edge {
namespace {

using action = parsed_command_line::action;
using strings = std::vector<std::string>;

const std::string token_secret(32, 't');
const std::string id_secret(32, 'i');

/// A world of its own: flags, variables and files.
struct world {
  strings flags;
  std::map<std::string, std::string> variables
    = {{"ROLLCALL_TOKENS_SECRET", token_secret},
       {"ROLLCALL_IDS_SECRET", id_secret}};
  std::map<std::string, file_data> files;

  static world with_file(std::string toml) {
    world out;
    out.flags = {"--config", "r.toml"};
    out.files["r.toml"] = {std::move(toml)};
    return out;
  }

  [[nodiscard]] auto load() const {
    std::vector<const char*> argv = {"rollcalld"};
    for (const auto& text : flags)
      argv.push_back(text.c_str());
    return load_config(
      static_cast<int>(argv.size()), argv.data(),
      [this](const std::string& name) -> std::optional<std::string> {
        auto at = variables.find(name);
        if (at == variables.end())
          return std::nullopt;
        return at->second;
      },
      [this](const std::string& path, std::size_t limit) -> result<file_data> {
        auto at = files.find(path);
        if (at == files.end())
          return fail(errc::unavailable, "cannot be read");
        if (at->second.bytes.size() > limit)
          return fail(errc::too_large, "is too large");
        return at->second;
      });
  }

  [[nodiscard]] parsed_command_line good() const {
    auto loaded = load();
    if (auto* errors = std::get_if<1>(&loaded)) {
      for (const auto& error : *errors)
        ADD_FAILURE() << to_string(error);
      return {};
    }
    return std::get<0>(std::move(loaded));
  }

  [[nodiscard]] strings wrong() const {
    auto loaded = load();
    strings out;
    if (auto* errors = std::get_if<1>(&loaded))
      for (const auto& error : *errors)
        out.push_back(to_string(error));
    return out;
  }
};

const kind_settings& kind_named(const node_config& config,
                                std::string_view name) {
  for (const auto& kind : config.engine.kinds)
    if (kind.kind == name)
      return kind;
  static const kind_settings none;
  ADD_FAILURE() << "no kind " << name;
  return none;
}

// -- where values come from
// ----------------------------------------------------

TEST(Config, NeedsNothingButSecrets) {
  const auto loaded = world{}.good();
  EXPECT_EQ(loaded.what, action::run);
  EXPECT_FALSE(loaded.quickstart);
  ASSERT_EQ(loaded.config.tokens.keys.size(), 1U);
  EXPECT_EQ(loaded.config.tokens.keys[0].secret, token_secret);
  EXPECT_EQ(loaded.config.tokens.keys[0].ns.str(), "default");
  EXPECT_EQ(loaded.config.tokens.keys[0].kid, "");
  EXPECT_EQ(loaded.config.id_secret, id_secret);
  EXPECT_EQ(loaded.config.engine.kinds.size(), 5U);
}

TEST(Config, FlagsWinOverVariablesOverTheFileOverDefaults) {
  auto w = world::with_file("name = \"file\"\n"
                            "[engine]\npartitions = 8\ntick = \"6ms\"\n");
  w.variables["ROLLCALL_ENGINE_TICK"] = "7ms";
  w.variables["ROLLCALL_ENGINE_PARTITIONS"] = "9";
  w.flags.insert(w.flags.end(), {"--engine-partitions", "10"});
  const auto config = w.good().config;
  EXPECT_EQ(config.engine.partitions, 10U);
  EXPECT_EQ(config.engine.tick, millis{7});
  EXPECT_EQ(config.name, "file");
  EXPECT_EQ(config.data_dir, "rollcall-data");
}

TEST(Config, FindsTheFileByVariable) {
  world w;
  w.variables["ROLLCALL_CONFIG"] = "v.toml";
  w.files["v.toml"] = {"name = \"by-variable\""};
  EXPECT_EQ(w.good().config.name, "by-variable");
  w.flags = {"--config=f.toml"};
  w.files["f.toml"] = {"name = \"by-flag\""};
  EXPECT_EQ(w.good().config.name, "by-flag");
}

TEST(Config, SwitchesNeedNoValue) {
  world w;
  w.flags = {"--log-async", "--server-allow-plaintext=true"};
  auto config = w.good().config;
  EXPECT_TRUE(config.log.async);
  EXPECT_TRUE(config.server.allow_plaintext);
  w.variables["ROLLCALL_LOG_ASYNC"] = "true";
  w.flags = {"--log-async=false"};
  EXPECT_FALSE(w.good().config.log.async);
}

TEST(Config, ListenHasAShortFlag) {
  world w;
  w.flags = {"--listen", "127.0.0.1:1"};
  EXPECT_EQ(w.good().config.server.listen.port, 1);
  EXPECT_THAT(help_text(), testing::HasSubstr("--listen, --server-listen"));
}

TEST(Config, KnowsItsActions) {
  for (const auto& [flag, what] :
       {std::pair{"--check-config", action::check_config},
        std::pair{"--print-default-config", action::print_default_config},
        std::pair{"--version", action::version},
        std::pair{"-V", action::version}, std::pair{"--help", action::help},
        std::pair{"-h", action::help}}) {
    world w;
    w.flags = {flag};
    EXPECT_EQ(w.good().what, what) << flag;
  }
}

TEST(Config, HelpLooksAtNothingElse) {
  world w;
  w.variables = {{"ROLLCALL_ENGINE_TICK", "nonsense"}};
  w.flags = {"--help", "--config", "missing.toml"};
  EXPECT_EQ(w.good().what, action::help);
}

TEST(Config, EveryScalarKeyCanBeSetInAllThreeWays) {
  // Written as TOML from the defaults, then stripped to plain text.
  const config_draft defaults;
  for (const auto& one : node_settings()) {
    if (one.secret)
      continue;
    auto text = one.write(defaults);
    if (text.starts_with('['))
      continue;
    if (text.starts_with('"'))
      text = text.substr(1, text.size() - 2);
    world by_variable;
    by_variable.variables[env_name(one.name)] = text;
    (void)by_variable.good();
    by_variable.variables[env_name(one.name)] = "\x01";
    EXPECT_THAT(by_variable.wrong(),
                testing::Contains(testing::HasSubstr(one.name)))
      << one.name;
    world by_flag;
    by_flag.flags = {flag_name(one.name) + "=\x01"};
    EXPECT_THAT(by_flag.wrong(),
                testing::Contains(testing::HasSubstr(one.name)))
      << one.name;
  }
}

// -- what is refused
// -----------------------------------------------------------

TEST(Config, ReportsEveryErrorWithItsLine) {
  const auto wrong = world::with_file("nmae = \"x\"\n"
                                      "data_dir = 5\n"
                                      "\n"
                                      "[engine]\n"
                                      "tick = \"1s\"\n"
                                      "partitions = 0\n"
                                      "[sever]\n"
                                      "listen = \"127.0.0.1:1\"\n"
                                      "[kinds.board]\n"
                                      "timeout = \"1s\"\n")
                       .wrong();
  EXPECT_THAT(
    wrong,
    testing::ElementsAre(
      "r.toml:1: nmae: unknown key; did you mean name?",
      "r.toml:2: data_dir: expected a text, found the integer 5",
      "r.toml:5: engine.tick: expected a duration from 5ms to 10ms, found "
      "the text \"1s\"",
      "r.toml:6: engine.partitions: expected an integer from 1 to 256, found "
      "the integer 0",
      "r.toml:7: sever: unknown table; did you mean server?",
      "r.toml:10: kinds.board.timeout: must not be shorter than "
      "suspect_after"));
}

TEST(Config, SuggestsTheRightTable) {
  EXPECT_THAT(world::with_file("listen = \"127.0.0.1:1\"").wrong(),
              testing::ElementsAre("r.toml:1: listen: unknown key; did you "
                                   "mean server.listen?"));
}

TEST(Config, RefusesValuesWhereTablesBelong) {
  EXPECT_THAT(
    world::with_file("server = 3\nkinds = 4\n[name]\nx = 1").wrong(),
    testing::ElementsAre("r.toml:1: server: expected a table",
                         "r.toml:2: kinds: expected tables, each [kinds.NAME]",
                         "r.toml:3: name: expected a text, found a table"));
}

TEST(Config, ReportsBrokenToml) {
  const auto wrong = world::with_file("name = \"a\"\n\nname = \"b\"\n").wrong();
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_THAT(wrong[0], testing::StartsWith("r.toml:3: "));
}

TEST(Config, SurvivesHostileFiles) {
  for (const auto& text :
       {std::string(100'000, '['), "a = " + std::string(100'000, '['),
        std::string(1'000, '\0'), std::string{"\xFF\xFE"},
        std::string{"[kinds.\"\\u0000\"]"}, std::string{"[[kinds]]"},
        std::string{"[[server]]\nlisten=\"x\""}, std::string{"tokens.keys=[1]"},
        std::string{"tokens.keys=[[{}]]"}, std::string{"kinds=[[]]"},
        std::string{"[[tokens.keys]]\n[[tokens.keys.kid]]\n"}})
    EXPECT_FALSE(world::with_file(text).wrong().empty()) << text.substr(0, 60);
}

TEST(Config, RefusesUnknownFlagsWithASuggestion) {
  world w;
  w.flags = {"--log-levle=debug", "stray", "--zzzzzzzzzzzzzzz"};
  EXPECT_THAT(
    w.wrong(),
    testing::UnorderedElementsAre(
      "command line: unknown flag --log-levle; did you mean --log-level?",
      "command line: unexpected argument \"stray\"",
      "command line: unknown flag --zzzzzzzzzzzzzzz"));
}

TEST(Config, TakesNoSecretFromTheCommandLine) {
  world w;
  w.flags = {"--tokens-secret=" + token_secret};
  const auto wrong = w.wrong();
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_THAT(wrong[0], testing::HasSubstr("--tokens-secret-file"));
  EXPECT_THAT(wrong[0], testing::Not(testing::HasSubstr(token_secret)));
}

TEST(Config, NamesTheFlagOrVariableThatIsWrong) {
  world w;
  w.variables["ROLLCALL_LOG_LEVEL"] = "loud";
  w.flags = {"--server-listen", "localhost"};
  EXPECT_THAT(
    w.wrong(),
    testing::ElementsAre(
      "ROLLCALL_LOG_LEVEL: log.level: expected one of debug, info, warn, "
      "error, off, found \"loud\"",
      "--server-listen: server.listen: expected a numeric address and a port "
      "such as \"127.0.0.1:7400\" or \"[::]:7400\", found \"localhost\""));
}

// -- kinds
// -----------------------------------------------------------------------

TEST(Config, OverridesPresetsAndAddsKinds) {
  const auto config = world::with_file("[kinds.lecture]\n"
                                       "capacity = 300\n"
                                       "base = \"stage\"\n"
                                       "[kinds.stage]\n"
                                       "beat = \"10s\"\n"
                                       "[kinds.plain]\n")
                        .good()
                        .config;
  ASSERT_EQ(config.engine.kinds.size(), 7U);
  EXPECT_EQ(kind_named(config, "stage").beat, millis{10'000});
  auto lecture = kind_named(config, "stage");
  lecture.kind = "lecture";
  lecture.capacity = 300;
  EXPECT_EQ(kind_named(config, "lecture"), lecture);
  auto plain = kind_named(config, "stream");
  plain.kind = "plain";
  EXPECT_EQ(kind_named(config, "plain"), plain);
}

TEST(Config, RefusesBadKinds) {
  EXPECT_THAT(
    world::with_file("[kinds.a]\nbase = \"opera\"\n"
                     "[kinds.Upper]\nlocked = true\n"
                     "[kinds.board]\nbase = \"stage\"\n"
                     "beat_ms = 3\n"
                     "host = \"oldest_member\"\n")
      .wrong(),
    testing::UnorderedElementsAre(
      "r.toml:2: kinds.a.base: \"opera\" is not a preset",
      "r.toml:3: kinds.Upper: the name of a kind may hold only a-z 0-9 _ . -",
      "r.toml:6: kinds.board.base: a preset starts from nothing else",
      "r.toml:7: kinds.board.beat_ms: unknown key; did you mean beat?",
      "r.toml:8: kinds.board.host: oldest_member needs durable membership"));
}

// -- secrets
// ---------------------------------------------------------------------

TEST(Config, AsksForSecretsUnlessTheyAreToBeMadeUp) {
  world w;
  w.variables.clear();
  EXPECT_THAT(w.wrong(), testing::ElementsAre(
                           testing::StartsWith("tokens.secret: no key"),
                           testing::StartsWith("ids.secret: no secret")));
  w.flags = {"--quickstart"};
  EXPECT_TRUE(w.good().quickstart);
}

TEST(Config, ReadsKeysFromTables) {
  auto w = world::with_file("[[tokens.keys]]\n"
                            "kid = \"2024\"\nnamespace = \"acme\"\n"
                            "algorithm = \"HS256\"\n"
                            "secret_file = \"acme.key\"\n"
                            "[[tokens.keys]]\n"
                            "kid = \"inline\"\n"
                            "secret = \"12345678901234567890123456789012\"\n");
  w.variables.erase("ROLLCALL_TOKENS_SECRET");
  w.files["acme.key"] = {std::string(40, 'k') + "\n"};
  const auto keys = w.good().config.tokens.keys;
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].kid, "2024");
  EXPECT_EQ(keys[0].ns.str(), "acme");
  EXPECT_EQ(keys[0].secret, std::string(40, 'k'));
  EXPECT_EQ(keys[1].ns.str(), "default");
  EXPECT_EQ(keys[1].secret, "12345678901234567890123456789012");
}

TEST(Config, RefusesBadKeys) {
  auto w = world::with_file("[[tokens.keys]]\n"
                            "kid = \"a\"\n"
                            "secret = \"short\"\n"
                            "[[tokens.keys]]\n"
                            "kid = \"a\"\n"
                            "[[tokens.keys]]\n"
                            "kid = \"no good\"\n"
                            "alg = \"none\"\n"
                            "secret = \"a\"\n"
                            "secret_file = \"b\"\n");
  EXPECT_THAT(
    w.wrong(),
    testing::ElementsAre(
      testing::HasSubstr("r.toml:7: tokens.keys.2.kid: must have at most 64"),
      "r.toml:8: tokens.keys.2.alg: unknown key",
      "r.toml:3: tokens.keys.0.secret: must have at least 32 bytes",
      "r.toml:4: tokens.keys.1.secret: needs secret or secret_file",
      "r.toml:9: tokens.keys.2.secret: give either secret or secret_file",
      testing::HasSubstr("more than one key has the kid a"),
      testing::HasSubstr("more than one key is without kid")));
}

TEST(Config, RefusesSecretsThatOthersMayRead) {
  world w;
  w.variables = {{"ROLLCALL_TOKENS_SECRET_FILE", "t.key"},
                 {"ROLLCALL_IDS_SECRET_FILE", "i.key"}};
  w.files["t.key"] = {token_secret, true};
  w.files["i.key"] = {id_secret, false};
  EXPECT_THAT(w.wrong(), testing::ElementsAre(
                           "ROLLCALL_TOKENS_SECRET_FILE: tokens.secret_file: "
                           "t.key may be read by others: chmod o-r it"));
  w.files["t.key"].others_may_read = false;
  EXPECT_EQ(w.good().config.tokens.keys.at(0).secret, token_secret);

  auto in_file = world::with_file("[ids]\nsecret = \"" + id_secret + "\"\n");
  in_file.variables.erase("ROLLCALL_IDS_SECRET");
  EXPECT_EQ(in_file.good().config.id_secret, id_secret);
  in_file.files["r.toml"].others_may_read = true;
  const auto wrong = in_file.wrong();
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_THAT(wrong[0], testing::StartsWith("r.toml:2: ids.secret: "));
}

TEST(Config, RefusesShortSecretsAndShowsNone) {
  world w;
  w.variables["ROLLCALL_IDS_SECRET"] = std::string(31, 'x');
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre("ROLLCALL_IDS_SECRET: ids.secret: must "
                                   "have at least 32 bytes"));
}

TEST(Config, AStrongerSourceReplacesTheOtherFormOfASecret) {
  auto w = world::with_file("[ids]\nsecret_file = \"missing.key\"\n");
  EXPECT_EQ(w.good().config.id_secret, id_secret);
  w.variables["ROLLCALL_IDS_SECRET_FILE"] = "i.key";
  EXPECT_THAT(w.wrong(), testing::ElementsAre(testing::HasSubstr(
                           "give either secret or secret_file")));
}

// -- rules between keys
// ------------------------------------------------------------

TEST(Config, ListensBeyondLoopbackOnlyWithTlsOrPermission) {
  world w;
  w.flags = {"--server-listen", "0.0.0.0:7400"};
  EXPECT_THAT(w.wrong(), testing::ElementsAre(testing::StartsWith(
                           "--server-listen: server.listen: is reachable")));
  w.flags.emplace_back("--server-allow-plaintext");
  EXPECT_EQ(w.good().config.server.listen.address, "0.0.0.0");
  w.flags = {"--server-listen", "[::]:7400",        "--server-tls-cert",
             "c.pem",           "--server-tls-key", "k.pem"};
  w.files["c.pem"] = {"cert", true};
  w.files["k.pem"] = {"key"};
  EXPECT_EQ(w.good().config.server.listen.address, "::");
}

TEST(Config, WantsBothHalvesOfTls) {
  world w;
  w.flags = {"--server-tls-cert", "c.pem"};
  w.files["c.pem"] = {"cert"};
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre("--server-tls-cert: server.tls_cert: needs "
                                   "server.tls_key too"));
  w.flags = {"--server-tls-key", "k.pem"};
  w.files["k.pem"] = {"key", true};
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre(
                "--server-tls-key: server.tls_key: needs server.tls_cert too",
                "--server-tls-key: server.tls_key: k.pem may be read by "
                "others: chmod o-r it"));
}

TEST(Config, RefusesOriginsThatAreNone) {
  EXPECT_TRUE(world::with_file("[server]\norigins = [\"*\"]").wrong().size()
              == 1);
  EXPECT_EQ(world::with_file("[server]\norigins = [\"https://a.example\"]")
              .good()
              .config.server.origins,
            strings{"https://a.example"});
}

TEST(Config, AdmitsPagesOfItsPublicUrl) {
  world w;
  w.flags = {"--server-public-url", "https://live.example", "--server-origins",
             "https://a.example"};
  EXPECT_EQ(w.good().config.server.origins,
            (strings{"https://a.example", "https://live.example"}));
}

TEST(Config, ReadsGrants) {
  world w;
  w.flags = {"--engine-default-grants", "observe_count,join"};
  EXPECT_EQ(w.good().config.engine.default_grants,
            (capability_set{capability::observe_count, capability::join}));
  w.flags = {"--engine-default-grants", "join,fly"};
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre("--engine-default-grants: "
                                   "engine.default_grants: \"fly\" is not a "
                                   "right"));
}

// -- endpoints and threads
// -----------------------------------------------------------

TEST(Endpoint, ReadsNumericAddresses) {
  for (std::string_view text :
       {"127.0.0.1:7400", "0.0.0.0:0", "[::1]:65535", "[fe80::1]:1"}) {
    auto where = parse_endpoint(text);
    ASSERT_TRUE(where) << text;
    EXPECT_EQ(to_string(*where), text);
  }
}

TEST(Endpoint, RefusesEverythingElse) {
  for (std::string_view text :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":7400", "localhost:1",
        "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:1x",
        "127.0.0.1: 1", "::1:7400", "[127.0.0.1]:1", "[]:1", "[::1:1",
        "1.2.3:4", "127.0.0.01:1"})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(Endpoint, KnowsLoopback) {
  EXPECT_TRUE(is_loopback({"127.0.0.1", 1}));
  EXPECT_TRUE(is_loopback({"127.9.9.9", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
  EXPECT_FALSE(is_loopback({"10.0.0.1", 1}));
  EXPECT_FALSE(is_loopback({"fe80::1", 1}));
}

TEST(ThreadCounts, FollowTheCoresUnlessTold) {
  node_config config;
  EXPECT_EQ(thread_counts_for(config, 1).io, 1U);
  EXPECT_EQ(thread_counts_for(config, 1).workers, 2U);
  EXPECT_EQ(thread_counts_for(config, 0).io, 1U);
  EXPECT_EQ(thread_counts_for(config, 16).io, 8U);
  EXPECT_EQ(thread_counts_for(config, 16).workers, 8U);
  config.server.io_threads = 3;
  config.engine.worker_threads = 5;
  EXPECT_EQ(thread_counts_for(config, 16).io, 3U);
  EXPECT_EQ(thread_counts_for(config, 16).workers, 5U);
}

// -- what people read
// ------------------------------------------------------------------

TEST(Config, DefaultFileReadsBackAsTheDefaults) {
  auto w = world::with_file(default_config_text());
  const config_draft expected;
  config_draft got;
  got.config = w.good().config;
  for (const auto& one : node_settings())
    EXPECT_EQ(one.write(got), one.write(expected)) << one.name;
  EXPECT_EQ(got.config.engine.kinds, expected.config.engine.kinds);
}

TEST(Config, DefaultFileNamesEveryKey) {
  const auto text = default_config_text();
  for (const auto& key : describe_keys()) {
    const auto name = key.key.substr(key.key.rfind('.') + 1);
    EXPECT_THAT(text, testing::HasSubstr(name)) << key.key;
  }
}

TEST(Config, HelpNamesEveryFlag) {
  const auto text = help_text();
  std::set<std::string> seen;
  for (const auto& key : describe_keys()) {
    EXPECT_TRUE(seen.insert(key.key).second) << key.key;
    EXPECT_THAT(text,
                testing::HasSubstr(key.flag.empty() ? key.env : key.flag));
  }
}

/// A row of the tables in docs/configuration.md.
std::string row_of(const key_description& key) {
  return "| `" + key.key + "` | " + key.type + " | "
         + (key.default_value.empty() ? "–" : '`' + key.default_value + '`')
         + " | " + key.help + " |";
}

TEST(Config, DocumentationHasARowForEveryKey) {
  const std::ifstream file{ROLLCALL_TESTS_DIR "/../docs/configuration.md"};
  std::stringstream text;
  text << file.rdbuf();
  std::string missing;
  for (const auto& key : describe_keys())
    if (text.str().find(row_of(key)) == std::string::npos)
      missing += row_of(key) + '\n';
  if (!missing.empty())
    ADD_FAILURE() << "docs/configuration.md lacks these rows:\n" << missing;
}

} // namespace
} // namespace rollcall::edge
