#include "edge/config/quickstart.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rollcall::edge {

namespace {

struct person {
  std::string_view user;
  std::string_view name;
};

constexpr std::array<person, 3> people = {{
  {"alex", "Alex"},
  {"kim", "Kim"},
  {"robin", "Robin"},
}};

constexpr std::string_view session = "demo";

failure disk_failure(const std::string& path, int error) {
  return fail(errc::unavailable,
              path + ": " + std::generic_category().message(error));
}

// Also syncs: a secret that is lost after a crash makes strangers of all.
result<done> create_private(const std::string& path, std::string_view bytes) {
  const int file
    = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0)
    return disk_failure(path, errno);
  const auto written = ::write(file, bytes.data(), bytes.size());
  const bool good
    = written == static_cast<ssize_t>(bytes.size()) && ::fsync(file) == 0;
  const int error = good ? 0 : (errno == 0 ? EIO : errno);
  ::close(file);
  if (!good) {
    ::unlink(path.c_str());
    return disk_failure(path, error);
  }
  return done{};
}

result<std::string> read_or_create(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    auto created
      = create_private(path, base64url_encode(random_bytes(32)) + '\n');
    if (!created)
      return created.error();
  }
  auto file = disk_reader()(path, limits::secret_file_bytes);
  if (!file)
    return fail(file.error().code, path + ' ' + file.error().message);
  if (file->others_may_read)
    return fail(errc::forbidden, path + " may be read by others: chmod o-r it");
  auto secret = std::move(file->bytes);
  while (secret.ends_with('\n') || secret.ends_with('\r'))
    secret.pop_back();
  if (secret.size() < hmac_secret_bytes_min)
    return fail(errc::bad_request, path + " must have at least 32 bytes");
  return secret;
}

result<done> create_directory(const std::string& path) {
  std::error_code error;
  const auto parent = std::filesystem::path{path}.parent_path();
  if (!parent.empty())
    std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) == 0)
    return done{};
  if (errno == EEXIST && std::filesystem::is_directory(path, error))
    return done{};
  return disk_failure(path, errno);
}

std::string base_url(const node_config& config, std::uint16_t port) {
  if (!config.server.public_url.empty())
    return config.server.public_url;
  auto where = config.server.listen;
  where.port = port;
  // The addresses that mean "any" are no place to go to.
  if (where.address == "0.0.0.0")
    where.address = "127.0.0.1";
  else if (where.address == "::")
    where.address = "::1";
  return (config.server.tls_cert.empty() ? "http://" : "https://")
         + to_string(where);
}

} // namespace

result<node_config> prepare_quickstart(node_config config) {
  if (!config.tokens.keys.empty() && !config.id_secret.empty())
    return config;
  if (auto created = create_directory(config.data_dir); !created)
    return created.error();
  if (config.tokens.keys.empty()) {
    auto secret = read_or_create(config.data_dir + "/token.secret");
    if (!secret)
      return secret.error();
    config.tokens.keys.push_back(
      {{}, namespace_id{"default"}, algorithm::hs256, std::move(*secret)});
  }
  if (config.id_secret.empty()) {
    auto secret = read_or_create(config.data_dir + "/id.secret");
    if (!secret)
      return secret.error();
    config.id_secret = std::move(*secret);
  }
  return config;
}

std::string quickstart_text(const node_config& config, std::uint16_t port,
                            const token_minter& mint) {
  if (!config.cluster.roles.edge)
    return "\nRollcall is running, without clients. Figures for machines: "
           + base_url(config, port) + "/metrics. Stop with Ctrl-C.\n\n";
  auto grants = default_grants;
  grants.add(capability::create);
  const auto url = base_url(config, port);
  std::string out = "\nRollcall is running. Open each of these in a window of "
                    "its own:\n\n";
  for (const auto& [user, name] : people) {
    out += "  " + std::string{name} + "\n  " + url
           + "/#session=" + std::string{session}
           + "&create=party&token=" + mint(user, name, grants) + "\n\n";
  }
  out += "Figures for machines: " + url + "/metrics. Stop with Ctrl-C.\n\n";
  return out;
}

token_minter quickstart_minter(const node_config& config) {
  return
    [key = config.tokens.keys.front(), audience = config.tokens.audience](
      std::string_view user, std::string_view name, capability_set grants) {
      auto now = system_now().wall;
      token_claims claims;
      claims.user = user_id{std::string{user}};
      claims.who.name = std::string{name};
      claims.audience = audience;
      claims.issued_at = now;
      claims.expires_at = now + std::chrono::hours{24};
      claims.grants.allow("*", grants);
      return mint_token(key, claims);
    };
}

} // namespace rollcall::edge
