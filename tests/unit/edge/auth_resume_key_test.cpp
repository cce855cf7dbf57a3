#include "actors/base/limits.hpp"
#include "edge/auth/resume_key.hpp"

#include <gtest/gtest.h>

namespace rollcall::edge {

namespace {

const std::string secret(32, 's');
const namespace_id ns{"default"};
const user_id ada{"ada"};
const connection_id connection{0x0123'4567'89ab'cdef, 42};

bool opens(std::string_view key, const namespace_id& as_ns = ns,
           const user_id& as_user = ada,
           std::string_view with_secret = secret) {
  auto out = open_resume_key(with_secret, as_ns, as_user, key);
  if (!out.ok()) {
    EXPECT_EQ(out.error().code, errc::unauthenticated);
    EXPECT_EQ(out.error().field, "resume");
  }
  return out.ok();
}

} // namespace

TEST(ResumeKey, OpensToTheConnectionItWasMadeFor) {
  auto key = make_resume_key(secret, ns, ada, connection);
  EXPECT_LE(key.size(), limits::resume_key_bytes);
  auto out = open_resume_key(secret, ns, ada, key);
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(*out, connection);
}

TEST(ResumeKey, IsWorthNothingToAnybodyElse) {
  auto key = make_resume_key(secret, ns, ada, connection);
  EXPECT_FALSE(opens(key, ns, user_id{"bob"}));
  EXPECT_FALSE(opens(key, ns, user_id{}));
  EXPECT_FALSE(opens(key, namespace_id{"other"}));
  EXPECT_FALSE(opens(key, ns, ada, std::string(32, 't')));
  // Where one field ends and the next begins matters.
  auto shifted
    = make_resume_key(secret, namespace_id{"ab"}, user_id{"c"}, connection);
  EXPECT_FALSE(opens(shifted, namespace_id{"a"}, user_id{"bc"}));
}

TEST(ResumeKey, ServesAnonymousConnectionsToo) {
  auto key = make_resume_key(secret, ns, user_id{}, connection);
  EXPECT_TRUE(opens(key, ns, user_id{}));
  EXPECT_FALSE(opens(key, ns, ada));
}

TEST(ResumeKey, RefusesEveryChange) {
  auto key = make_resume_key(secret, ns, ada, connection);
  for (std::size_t i = 0; i < key.size(); ++i)
    for (char other : {'A', 'z', '-', '='}) {
      auto bad = key;
      bad[i] = other;
      EXPECT_EQ(opens(bad), bad == key);
    }
  for (std::size_t size = 0; size < key.size(); ++size)
    EXPECT_FALSE(opens(key.substr(0, size)));
  EXPECT_FALSE(opens(key + 'A'));
  EXPECT_FALSE(opens(std::string(64 << 10, 'A')));
}

} // namespace rollcall::edge
