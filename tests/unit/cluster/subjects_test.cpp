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
  EXPECT_EQ(of.stream(7), "RC_prod-1_007_1");
  EXPECT_EQ(of.stream({7, 2}), "RC_prod-1_007_2");
  EXPECT_EQ(of.journals(7), "rcj.prod-1.007.>");
  EXPECT_EQ(of.journal({7, 2}), "rcj.prod-1.007.2.>");
  EXPECT_EQ(of.claim(255), "rcj.prod-1.255.1.e");
  EXPECT_EQ(of.seal(7), "rcj.prod-1.007.1.x");
  EXPECT_EQ(of.seeded({7, 2}), "rcj.prod-1.007.2.i");
  EXPECT_EQ(of.base({7, 2}, 9), "rcj.prod-1.007.2.b.9");
  EXPECT_EQ(of.group_part(7, 63, 2), "rcj.prod-1.007.1.g.63.2");
  EXPECT_EQ(of.groups(7), "rcj.prod-1.007.1.g.>");
  EXPECT_EQ(of.key(7, "k").size(),
            std::string{"rcj.prod-1.007.1.s."}.size() + 22);
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
    ASSERT_TRUE(key.starts_with("rcj.c.000.1.s."));
    EXPECT_EQ(key.substr(14).find_first_not_of(token_chars), std::string::npos);
  }
}

TEST(Subjects, AStreamsNameTellsItsGeneration) {
  subjects of{"c"};
  EXPECT_EQ(of.generation_in(of.stream({7, 12}), 7), 12u);
  for (const std::string other :
       {"RC_c_008_1", "RC_c_007", "RC_c_007_", "RC_c_007_1x", "RC_d_007_1",
        "RC_c_007_-1", "RC_c_007_99999999999999999999", "mine"})
    EXPECT_EQ(of.generation_in(other, 7), 0u) << other;
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
