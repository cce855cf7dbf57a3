#include "edge/config/config.hpp"

#include "edge/config/settings.hpp"
#include "unit/edge/config_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::edge {
namespace {

using action = parsed_command_line::action;

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

} // namespace
} // namespace rollcall::edge
