#include "actors/audit_words.hpp"

#include <gtest/gtest.h>

using namespace rollcall;

namespace {

std::string hosted_by(const std::string& user) {
  session_record kept;
  kept.kind = "board";
  kept.appointed_host = user_id{user};
  return describe(kept);
}

TEST(AuditWords, TheIdOfAHostIsNobodyElses) {
  const std::vector<std::string> users = {"a b", "a_b", "a%b", "a  b", "a_ b"};
  for (const auto& host : users) {
    auto words = hosted_by(host);
    EXPECT_EQ(words.find("kind=board host="), 0U) << words;
    for (const auto& user : users)
      EXPECT_EQ(names_user(words, user_id{user}), user == host)
        << user << " in " << words;
  }
  EXPECT_EQ(hosted_by("a b"), "kind=board host=a%20b");
  EXPECT_EQ(hosted_by("a_b%"), "kind=board host=a%5Fb%25");
  EXPECT_EQ(hosted_by("ada@example.org"), "kind=board host=ada@example.org");
}

TEST(AuditWords, EntriesOfEarlierBuildsNameTheirHost) {
  EXPECT_TRUE(names_user("host=a_b", user_id{"a b"}));
  EXPECT_TRUE(names_user("host=a_b", user_id{"a_b"}));
  EXPECT_FALSE(names_user("host=a_b", user_id{"a"}));
  EXPECT_FALSE(names_user("role=a_b", user_id{"a_b"}));
}

} // namespace
