#include "edge/config/config.hpp"
#include "edge/config/settings.hpp"
#include "unit/edge/config_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace rollcall::edge {
namespace {

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
