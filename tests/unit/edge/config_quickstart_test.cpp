#include "edge/config/quickstart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace rollcall::edge {
namespace {

namespace fs = std::filesystem;

class Quickstart : public testing::Test {
protected:
  Quickstart() {
    auto pattern = (fs::temp_directory_path() / "rollcall-XXXXXX").string();
    if (mkdtemp(pattern.data()))
      root_ = pattern;
    config_.data_dir = (root_ / "a" / "data").string();
  }

  ~Quickstart() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  [[nodiscard]] fs::path file(const char* name) const {
    return fs::path{config_.data_dir} / name;
  }

  [[nodiscard]] static unsigned mode(const fs::path& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
  }

  static void write(const fs::path& path, std::string_view text) {
    std::ofstream{path} << text;
  }

  fs::path root_;
  node_config config_;
};

TEST_F(Quickstart, MakesPrivateSecretsInAPrivateDirectory) {
  auto made = prepare_quickstart(config_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_EQ(made->tokens.keys.size(), 1U);
  EXPECT_EQ(made->tokens.keys[0].ns.str(), "default");
  EXPECT_EQ(made->tokens.keys[0].kid, "");
  EXPECT_GE(made->tokens.keys[0].secret.size(), 32U);
  EXPECT_GE(made->id_secret.size(), 32U);
  EXPECT_NE(made->id_secret, made->tokens.keys[0].secret);
  EXPECT_EQ(mode(config_.data_dir), 0700U);
  EXPECT_EQ(mode(file("token.secret")), 0600U);
  EXPECT_EQ(mode(file("id.secret")), 0600U);
}

TEST_F(Quickstart, FindsItsSecretsAgain) {
  auto first = prepare_quickstart(config_);
  auto second = prepare_quickstart(config_);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->id_secret, second->id_secret);
  EXPECT_EQ(first->tokens.keys[0].secret, second->tokens.keys[0].secret);
}

TEST_F(Quickstart, KeepsTheSecretsItWasGiven) {
  config_.id_secret = std::string(32, 'i');
  config_.tokens.keys
    = {{"k", namespace_id{"acme"}, algorithm::hs256, std::string(32, 't')}};
  auto made = prepare_quickstart(config_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->id_secret, config_.id_secret);
  EXPECT_EQ(made->tokens.keys.at(0).kid, "k");
  EXPECT_FALSE(fs::exists(config_.data_dir));
}

TEST_F(Quickstart, RefusesSecretsThatAreShortOrPublic) {
  ASSERT_TRUE(prepare_quickstart(config_).ok());
  fs::permissions(file("id.secret"), fs::perms::others_read,
                  fs::perm_options::add);
  auto is_public = prepare_quickstart(config_);
  ASSERT_FALSE(is_public.ok());
  EXPECT_THAT(is_public.error().message, testing::HasSubstr("id.secret may"));
  fs::permissions(file("id.secret"), fs::perms::others_read,
                  fs::perm_options::remove);
  write(file("id.secret"), "short\n");
  auto is_short = prepare_quickstart(config_);
  ASSERT_FALSE(is_short.ok());
  EXPECT_THAT(is_short.error().message, testing::HasSubstr("32 bytes"));
}

TEST_F(Quickstart, RefusesAFileWhereTheDirectoryBelongs) {
  fs::create_directory(root_ / "a");
  write(config_.data_dir, "x");
  auto made = prepare_quickstart(config_);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, testing::HasSubstr(config_.data_dir));
}

TEST_F(Quickstart, PrintsALinkForEachPerson) {
  std::vector<std::string> users;
  const auto text = quickstart_text(
    config_, 4321, [&](auto user, auto name, capability_set grants) {
      users.emplace_back(user);
      EXPECT_FALSE(name.empty());
      EXPECT_TRUE(grants.has(capability::create));
      EXPECT_TRUE(grants.has(capability::join));
      EXPECT_FALSE(grants.has(capability::admin));
      return "T-" + std::string{user};
    });
  EXPECT_EQ(users, (std::vector<std::string>{"alex", "kim", "robin"}));
  for (const auto& user : users)
    EXPECT_THAT(text, testing::HasSubstr("http://127.0.0.1:4321/#session=demo&"
                                         "create=party&token=T-"
                                         + user + "\n"));
}

TEST_F(Quickstart, LinksToWhereANodeCanBeReached) {
  auto mint = [](auto, auto, auto) { return std::string{"t"}; };
  config_.server.listen.address = "0.0.0.0";
  EXPECT_THAT(quickstart_text(config_, 1, mint),
              testing::HasSubstr("http://127.0.0.1:1/#"));
  config_.server.listen.address = "::";
  config_.server.tls_cert = "c.pem";
  EXPECT_THAT(quickstart_text(config_, 1, mint),
              testing::HasSubstr("https://[::1]:1/#"));
  config_.server.public_url = "https://live.example";
  EXPECT_THAT(quickstart_text(config_, 1, mint),
              testing::HasSubstr("https://live.example/#"));
}

TEST_F(Quickstart, SendsNobodyToANodeWithoutClients) {
  config_.cluster.roles.edge = false;
  auto mint = [](auto, auto, auto) {
    ADD_FAILURE() << "there is nothing to sign in to";
    return std::string{};
  };
  EXPECT_THAT(quickstart_text(config_, 1, mint),
              testing::AllOf(testing::HasSubstr("http://127.0.0.1:1/metrics"),
                             testing::Not(testing::HasSubstr("#"))));
}

TEST_F(Quickstart, ReadsRealFilesWithTheirModes) {
  const auto read = disk_reader();
  const auto path = (root_ / "f").string();
  write(path, std::string(10, 'x'));
  fs::permissions(path, static_cast<fs::perms>(0640));
  auto got = read(path, 10);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->bytes, std::string(10, 'x'));
  EXPECT_FALSE(got->others_may_read);
  fs::permissions(path, static_cast<fs::perms>(0604));
  EXPECT_TRUE(read(path, 10)->others_may_read);
  EXPECT_EQ(read(path, 9).error().code, errc::too_large);
  EXPECT_FALSE(read((root_ / "missing").string(), 9).ok());
  EXPECT_FALSE(read(root_.string(), 9).ok());
}

} // namespace
} // namespace rollcall::edge
