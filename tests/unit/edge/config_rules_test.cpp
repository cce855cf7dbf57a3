#include "edge/config/config.hpp"
#include "unit/edge/config_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::edge {
namespace {

const kind_settings& kind_named(const node_config& config,
                                std::string_view name) {
  for (const auto& kind : config.engine.kinds)
    if (kind.kind == name)
      return kind;
  static const kind_settings none;
  ADD_FAILURE() << "no kind " << name;
  return none;
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

TEST(Config, KindsKeepTheirHistoryAsLongAsTheyAreTold) {
  const auto config = world::with_file("[retention]\n"
                                       "history = \"10d\"\n"
                                       "[kinds.lecture]\n"
                                       "base = \"stage\"\n"
                                       "history = \"1d\"\n"
                                       "[kinds.meeting]\n"
                                       "history = \"2d\"\n"
                                       "[kinds.stage]\n"
                                       "history = \"0ms\"\n")
                        .good()
                        .config;
  constexpr millis day{86'400'000};
  EXPECT_EQ(config.retention.history, 10 * day);
  EXPECT_EQ(
    config.retention.history_by_kind,
    (std::map<std::string, millis>{{"lecture", day}, {"meeting", 2 * day}}));
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

TEST(Config, ReadsRoles) {
  world w;
  w.flags = {"--cluster-nats", "nats://a:1", "--cluster-roles", "edge"};
  EXPECT_EQ(w.good().config.cluster.roles, (node_roles{false, true}));
  w.flags.back() = "edge,core";
  EXPECT_EQ(w.good().config.cluster.roles, (node_roles{true, true}));
  EXPECT_EQ(world::with_file("[cluster]\nnats = [\"nats://a:1\"]\n"
                             "roles = [\"core\"]")
              .good()
              .config.cluster.roles,
            (node_roles{true, false}));
  for (const char* bad : {"", "Core", "core,none", "core,edge,edge"}) {
    w.flags.back() = bad;
    EXPECT_EQ(w.wrong().size(), 1U) << bad;
  }
  w.flags = {"--cluster-roles", "core"};
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre("--cluster-roles: cluster.roles: a node "
                                   "without others must have both roles: set "
                                   "cluster.nats"));
}

TEST(Config, LooksIntoTheFilesOfNats) {
  world w;
  w.flags = {"--cluster-nats", "tls://a:1", "--cluster-credentials", "c",
             "--cluster-ca",   "ca"};
  EXPECT_EQ(w.wrong().size(), 2U);
  w.files["c"] = {"user:password"};
  w.files["ca"] = {"-----BEGIN CERTIFICATE-----"};
  EXPECT_EQ(w.good().config.cluster.credentials, "c");
  w.files["c"].others_may_read = true;
  w.files["ca"].bytes = "user:password";
  EXPECT_THAT(w.wrong(),
              testing::ElementsAre(
                testing::HasSubstr("cluster.credentials: c may be read by"),
                testing::HasSubstr("cluster.ca: ca holds no PEM certificate")));
}

} // namespace
} // namespace rollcall::edge
