#include "cluster/subjects.hpp"

#include <gtest/gtest.h>

#include <set>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

const std::string token_chars
  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

} // namespace

TEST(Subjects, AreWhatTheOperationsGuideSays) {
  subjects of{"prod-1"};
  EXPECT_EQ(of.everybody(), "rc.prod-1.all");
  EXPECT_EQ(of.stream(7), "RC_prod-1_007");
  EXPECT_EQ(of.journal(7), "rcj.prod-1.007.>");
  EXPECT_EQ(of.claim(255), "rcj.prod-1.255.e");
  EXPECT_EQ(of.group_part(7, 63, 2), "rcj.prod-1.007.g.63.2");
  EXPECT_EQ(of.groups(7), "rcj.prod-1.007.g.>");
  EXPECT_EQ(of.key(7, "k").size(),
            std::string{"rcj.prod-1.007.s."}.size() + 22);
}

TEST(Subjects, NoTextOfAUserEntersOne) {
  subjects of{"c"};
  for (const std::string evil :
       {"a.b 0\r\n\r\nPUB evil.subject 3\r\nxyz", "*", ">", "", " ", "\n"}) {
    auto inbox = of.node_inbox({evil, 1});
    ASSERT_TRUE(inbox.starts_with("rc.c.n."));
    EXPECT_EQ(inbox.substr(7).find_first_not_of(token_chars),
              std::string::npos);
    auto key = of.key(0, evil);
    ASSERT_TRUE(key.starts_with("rcj.c.000.s."));
    EXPECT_EQ(key.substr(12).find_first_not_of(token_chars), std::string::npos);
  }
}

TEST(Subjects, ARestartedNodeHasAnotherInbox) {
  subjects of{"c"};
  EXPECT_EQ(of.node_inbox({"a", 1}), of.node_inbox({"a", 1}));
  std::set<std::string> all{of.node_inbox({"a", 1}), of.node_inbox({"a", 2}),
                            of.node_inbox({"b", 1}), of.node_inbox({"a1", 1}),
                            of.node_inbox({"a", 11})};
  EXPECT_EQ(all.size(), 5u);
}

TEST(Subjects, ClusterIdsAreChecked) {
  EXPECT_TRUE(check_cluster_id("prod_EU-1"));
  EXPECT_TRUE(check_cluster_id(std::string(32, 'a')));
  for (const std::string bad : {"", "a b", "a.b", "*", ">", "a\n", "ä"}) {
    auto refused = check_cluster_id(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().field, "cluster");
  }
  EXPECT_FALSE(check_cluster_id(std::string(33, 'a')));
}

TEST(Subjects, AnUncheckedClusterIdCannotInject) {
  subjects of{"a.> \r\n"};
  EXPECT_EQ(of.everybody().find_first_of(" \r\n>*"), std::string::npos);
}
