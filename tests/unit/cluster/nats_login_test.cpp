#include "cluster/nats_login.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace rollcall;
using namespace rollcall::cluster;

TEST(NatsLogin, ReadsAUserAndAPassword) {
  for (const char* text : {"ada:s:e c", "ada:s:e c\n", "ada:s:e c\r\n"}) {
    auto got = parse_nats_login(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(*got, (nats_login{"ada", "s:e c", false}));
  }
}

TEST(NatsLogin, KnowsTheFilesOfNatsItself) {
  auto got = parse_nats_login("-----BEGIN NATS USER JWT-----\ne30\n"
                              "------END NATS USER JWT------\n\n"
                              "-----BEGIN USER NKEY SEED-----\nSUA\n"
                              "------END USER NKEY SEED------\n");
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->is_jwt);
}

TEST(NatsLogin, RefusesTheRestWithoutRepeatingIt) {
  for (const char* text :
       {"", "\n", "secret", ":secret", "secret:", "a:secret\nb:secret\n",
        "-----BEGIN USER NKEY SEED-----\nsecret\n",
        "-----BEGIN NATS USER JWT-----\nsecret:x\n"}) {
    auto got = parse_nats_login(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, errc::bad_request);
    EXPECT_EQ(got.error().field, "credentials");
    EXPECT_EQ(got.error().message.find("secret"), std::string::npos);
  }
}

TEST(NatsLogin, HidesWhatStandsBeforeAHost) {
  std::vector<std::string> urls
    = {"nats://ada:p@ss@one:4222", "tls://two:4222", "token@three"};
  EXPECT_EQ(without_secrets(urls), "nats://one:4222, tls://two:4222, three");
  EXPECT_EQ(without_secrets({}), "");
}
