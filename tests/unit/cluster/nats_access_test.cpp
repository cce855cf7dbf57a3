#include "cluster/nats_access.hpp"

#include "support/nats_server.hpp"

#include <gtest/gtest.h>

#include <fstream>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

nats_options options_for(const test::nats_server& server) {
  auto path = server.folder() / "credentials";
  std::ofstream{path} << "ada:secret\n";
  nats_options out;
  out.urls = {server.url()};
  out.credentials = path.string();
  out.connect_timeout = millis{500};
  return out;
}

/// A server whose one user has these permissions.
std::string user_with(const std::string& permissions,
                      const std::string& account = "jetstream: enabled") {
  return "accounts { A { " + account
         + "\n users: [ { user: ada, password: secret, permissions { "
         + permissions + " } } ] } }";
}

} // namespace

TEST(NatsAccess, IsContentWithAServerThatForbidsNothing) {
  test::nats_server server;
  nats_options options;
  options.urls = {server.url()};
  EXPECT_TRUE(check_nats_access(options, true));
  EXPECT_TRUE(check_nats_access(options, false));
}

TEST(NatsAccess, NamesEveryRightThatIsMissing) {
  test::nats_server server{
    user_with("publish: [\"rc.rollcall.>\", \"$JS.API.STREAM.>\"],"
              "subscribe: [\"rc.rollcall.n.*\", \"_INBOX.*.*\"]")};
  auto got = check_nats_access(options_for(server), true);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::forbidden);
  const auto& said = got.error().message;
  for (const char* missing :
       {"subscribe to rc.rollcall.all", "publish to rcj.rollcall.probe",
        "publish to $JS.API.CONSUMER.CREATE.RC_rollcall_000",
        "publish to $JS.API.CONSUMER.MSG.NEXT.RC_rollcall_000",
        "publish to $JS.API.CONSUMER.DELETE.RC_rollcall_000"})
    EXPECT_NE(said.find(missing), std::string::npos) << said;
  for (const char* given : {"STREAM.INFO", "rc.rollcall.n."})
    EXPECT_EQ(said.find(given), std::string::npos) << said;
}

TEST(NatsAccess, AsksNoJetStreamForClients) {
  test::nats_server server{
    user_with("publish: [\"rc.rollcall.all\", \"rc.rollcall.n.*\"],"
              "subscribe: [\"rc.rollcall.all\", \"rc.rollcall.n.*\"]")};
  EXPECT_TRUE(check_nats_access(options_for(server), false));
  EXPECT_FALSE(check_nats_access(options_for(server), true));
}

TEST(NatsAccess, FindsAnAccountWithoutJetStream) {
  test::nats_server server{
    user_with("publish: \">\", subscribe: \">\"", "jetstream: disabled")};
  auto got = check_nats_access(options_for(server), true);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::unavailable);
  EXPECT_NE(got.error().message.find("no JetStream"), std::string::npos)
    << got.error().message;
  EXPECT_TRUE(check_nats_access(options_for(server), false));
}
