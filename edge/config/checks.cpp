#include "edge/config/checks.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <set>

namespace rollcall::edge {

namespace {

constexpr std::size_t pem_bytes = std::size_t{256} << 10;

class checker {
public:
  checker(const origin_map& origins, bool config_file_is_public,
          const file_reader& read)
    : origins_(origins), public_(config_file_is_public), read_(read) {
    // nop
  }

  void refuse(const std::string& key, std::string message) {
    errors_.push_back(error_at(origins_, key, std::move(message)));
  }

  /// The secret that `source` stands for; empty if none is given or something
  /// is wrong with it. `prefix` is the key before `secret`, with its dot.
  std::string resolve(const secret_source& source, const std::string& prefix) {
    if (!source.value.empty() && !source.file.empty()) {
      refuse(prefix + "secret", "give either secret or secret_file");
      return {};
    }
    if (source.value.empty() && source.file.empty())
      return {};
    auto secret = source.value;
    auto key = prefix + "secret";
    if (!source.file.empty()) {
      key = prefix + "secret_file";
      secret = read_private(key, source.file, limits::secret_file_bytes);
      while (secret.ends_with('\n') || secret.ends_with('\r'))
        secret.pop_back();
    } else if (public_ && is_from_file(key)) {
      refuse(key, "the file holds a secret and may be read by others: "
                  "chmod o-r it, or use secret_file");
    }
    if (secret.size() < hmac_secret_bytes_min && errors_.size() == before_)
      refuse(key, "must have at least 32 bytes");
    return secret;
  }

  /// Starts a new subject: `resolve` reports one error per subject.
  void begin() {
    before_ = errors_.size();
  }

  void check_keys(std::vector<signing_key>& keys) {
    std::set<std::string> kids;
    for (const auto& key : keys)
      if (!kids.insert(key.kid).second)
        refuse("tokens.keys", key.kid.empty()
                                ? "more than one key is without kid"
                                : "more than one key has the kid " + key.kid);
    if (keys.size() > limits::token_keys)
      refuse("tokens.keys",
             "has more than " + std::to_string(limits::token_keys) + " keys");
  }

  void check_server(const server_settings& server) {
    if (server.tls_cert.empty() != server.tls_key.empty()) {
      const auto* given = server.tls_cert.empty() ? "tls_key" : "tls_cert";
      const auto* missing = server.tls_cert.empty() ? "tls_cert" : "tls_key";
      refuse(std::string{"server."} + given,
             std::string{"needs server."} + missing + " too");
    }
    if (!server.tls_cert.empty())
      if (auto file = read_(server.tls_cert, pem_bytes); !file)
        refuse("server.tls_cert", server.tls_cert + ' ' + file.error().message);
    if (!server.tls_key.empty())
      (void)read_private("server.tls_key", server.tls_key, pem_bytes);
    if (server.tls_cert.empty() && !is_loopback(server.listen)
        && !server.allow_plaintext)
      refuse("server.listen",
             "is reachable from outside: set server.tls_cert and "
             "server.tls_key, or server.allow_plaintext = true behind a "
             "proxy that has TLS");
  }

  void check_cluster(const cluster_settings& cluster) {
    if (cluster.nats.empty() && (!cluster.roles.core || !cluster.roles.edge))
      refuse("cluster.roles",
             "a node without others must have both roles: set cluster.nats");
    if (!cluster.credentials.empty())
      (void)read_private("cluster.credentials", cluster.credentials, pem_bytes);
    if (cluster.ca.empty())
      return;
    auto file = read_(cluster.ca, pem_bytes);
    if (!file)
      refuse("cluster.ca", cluster.ca + ' ' + file.error().message);
    else if (file->bytes.find("BEGIN CERTIFICATE") == std::string::npos)
      refuse("cluster.ca", cluster.ca + " holds no PEM certificate");
  }

  void check_kinds(const std::vector<kind_settings>& kinds) {
    if (kinds.size() > limits::kinds)
      refuse("kinds",
             "has more than " + std::to_string(limits::kinds) + " kinds");
    for (const auto& kind : kinds) {
      auto checked = check(kind);
      if (checked)
        continue;
      // The wire names spans `beat_ms` where the file says `beat`.
      auto field = checked.error().field;
      if (field.ends_with("_ms"))
        field.resize(field.size() - 3);
      auto message = checked.error().message;
      if (auto at = message.find("_ms"); at != std::string::npos)
        message.erase(at, 3);
      refuse("kinds." + kind.kind + '.' + field, std::move(message));
    }
  }

  [[nodiscard]] std::vector<config_error> take() {
    return std::move(errors_);
  }

private:
  std::string read_private(const std::string& key, const std::string& path,
                           std::size_t limit) {
    auto file = read_(path, limit);
    if (!file) {
      refuse(key, path + ' ' + file.error().message);
      return {};
    }
    if (file->others_may_read) {
      refuse(key, path + " may be read by others: chmod o-r it");
      return {};
    }
    return file->bytes;
  }

  [[nodiscard]] bool is_from_file(const std::string& key) const {
    auto at = origins_.find(key);
    return at != origins_.end() && at->second.from == layer::file;
  }

  const origin_map& origins_;
  bool public_;
  const file_reader& read_;
  std::size_t before_ = 0;
  std::vector<config_error> errors_;
};

} // namespace

config_error error_at(const origin_map& origins, const std::string& key,
                      std::string message) {
  for (auto name = key; !name.empty();) {
    if (auto at = origins.find(name); at != origins.end())
      return {at->second.source, at->second.line, key, std::move(message)};
    const auto dot = name.rfind('.');
    name.resize(dot == std::string::npos ? 0 : dot);
  }
  return {{}, 0, key, std::move(message)};
}

std::vector<config_error> finish(config_draft& draft,
                                 std::vector<token_key_draft> keys,
                                 const origin_map& origins,
                                 bool config_file_is_public, bool quickstart,
                                 const file_reader& read) {
  checker checks{origins, config_file_is_public, read};
  auto& config = draft.config;
  const bool has_key = !keys.empty() || !draft.token_secret.value.empty()
                       || !draft.token_secret.file.empty();
  const bool has_id_secret
    = !draft.id_secret.value.empty() || !draft.id_secret.file.empty();
  checks.begin();
  if (auto secret = checks.resolve(draft.token_secret, "tokens.");
      !secret.empty())
    config.tokens.keys.push_back(
      {{}, namespace_id{"default"}, algorithm::hs256, std::move(secret)});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto& [key, source] = keys[i];
    const auto prefix = "tokens.keys." + std::to_string(i) + '.';
    checks.begin();
    if (source.value.empty() && source.file.empty())
      checks.refuse(prefix + "secret", "needs secret or secret_file");
    key.secret = checks.resolve(source, prefix);
    if (key.ns.empty())
      key.ns = namespace_id{"default"};
    config.tokens.keys.push_back(std::move(key));
  }
  checks.begin();
  config.id_secret = checks.resolve(draft.id_secret, "ids.");
  if (!has_key && !quickstart)
    checks.refuse("tokens.secret",
                  "no key for tokens: give tokens.secret_file, "
                  "tokens.secret or [[tokens.keys]], or try --quickstart");
  if (!has_id_secret && !quickstart)
    checks.refuse("ids.secret",
                  "no secret for participant ids: give ids.secret_file or "
                  "ids.secret, or try --quickstart");
  // Behind a proxy that rewrites Host our own pages would be strangers.
  auto& server = config.server;
  if (!server.public_url.empty()
      && std::find(server.origins.begin(), server.origins.end(),
                   server.public_url)
           == server.origins.end())
    server.origins.push_back(server.public_url);
  checks.check_keys(config.tokens.keys);
  checks.check_server(server);
  checks.check_cluster(config.cluster);
  checks.check_kinds(config.engine.kinds);
  return checks.take();
}

} // namespace rollcall::edge
