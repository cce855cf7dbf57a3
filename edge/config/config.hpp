#pragma once

// What a node is told at its start. Flags win over the environment, that over
// the TOML file, that over the defaults. One table (settings.hpp) describes
// every key; parsing, `--help`, `--print-default-config` and
// docs/configuration.md come from it.

#include "actors/base/errors.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"
#include "edge/auth/token.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::edge {

/// Where to listen: a numeric address and a port; port 0 takes a free one.
struct endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7400;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// `127.0.0.1:7400`, `[::1]:7400`.
[[nodiscard]] std::string to_string(const endpoint& where);

/// Reads what `to_string` writes; names are not resolved.
[[nodiscard]] std::optional<endpoint> parse_endpoint(std::string_view text);

/// Whether only this machine can reach `where`.
[[nodiscard]] bool is_loopback(const endpoint& where) noexcept;

/// The listener: who may come in, and how.
struct server_settings {
  endpoint listen;
  /// What clients are told to connect to, without a final slash; empty means
  /// the listening address itself.
  std::string public_url;
  /// Web origins besides our own host that may open a socket.
  std::vector<std::string> origins;
  /// Both PEM files or neither.
  std::string tls_cert;
  std::string tls_key;
  /// The cookie that may carry the token of an HTTP request; empty: none may.
  std::string token_cookie;
  /// Allows listening beyond loopback without TLS (behind a proxy).
  bool allow_plaintext = false;
  /// 0 means by the number of cores; see `thread_counts_for`.
  std::uint32_t io_threads = 0;
};

/// Per client; beyond them calls are refused.
struct limit_settings {
  std::size_t connections_per_address = 20'000;
  double requests_per_second = 100;
  double request_burst = 200;
  /// SO_SNDBUF of client sockets in bytes; 0 leaves it to the kernel.
  std::size_t send_buffer = std::size_t{64} << 10;
};

/// The sessions and their store.
struct engine_settings {
  /// 0 means by the number of cores; see `thread_counts_for`.
  std::uint32_t worker_threads = 0;
  /// Fixed for the life of a data directory.
  std::uint32_t partitions = limits::partitions_default;
  /// The shortest distance between two batches of a session.
  millis tick{5};
  /// How long a group commit gathers.
  millis commit_window{1};
  /// The presets, then the node's own; names are unique.
  std::vector<kind_settings> kinds{preset_kinds().begin(),
                                   preset_kinds().end()};
  /// What a token without the claim `grants` allows at most.
  capability_set default_grants = rollcall::default_grants;
};

/// What a node does; at least one of them.
struct node_roles {
  /// Owns partitions and keeps them on its disk.
  bool core = true;
  /// Serves clients.
  bool edge = true;

  friend bool operator==(const node_roles&, const node_roles&) = default;
};

/// The other nodes. Without `nats` there are none.
struct cluster_settings {
  std::vector<std::string> nats;
  /// Nodes of one cluster have the same.
  std::string id = "rollcall";
  node_roles roles;
  std::string credentials;
  std::string ca;
  /// Copies of each stream; at most as many as NATS has servers.
  std::uint32_t replicas = 1;
  /// What NATS sets aside for the stream of a partition when it is made.
  std::size_t stream_bytes = std::size_t{256} << 20;
  /// Share of the partitions, relative to other nodes.
  std::uint32_t weight = 100;
};

/// How long what is over is kept.
struct retention_settings {
  millis ended_sessions{millis{86'400'000} * 30};
  millis history{millis{86'400'000} * 90};
};

enum class log_format : std::uint8_t {
  /// Text on a terminal, else JSON.
  automatic,
  json,
  text,
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::automatic;
  /// Empty means standard output.
  std::string file;
  /// Hand lines to a thread of their own.
  bool async = false;
};

/// Everything a node is told. Immutable once loaded.
struct node_config {
  /// Unique in a cluster; `[A-Za-z0-9_-]{1,32}`.
  std::string name = "node1";
  std::string data_dir = "rollcall-data";
  /// Among others, and with a lost journal: this node's copy is good enough,
  /// whatever nodes may have that are missing.
  bool accept_loss = false;
  /// How long a shutdown waits for clients and commits.
  millis shutdown_grace{10'000};
  server_settings server;
  limit_settings limits;
  engine_settings engine;
  cluster_settings cluster;
  token_config tokens;
  /// Keys the public participant ids; at least 32 bytes, never to change.
  std::string id_secret;
  retention_settings retention;
  log_settings log;
};

struct thread_counts {
  std::uint32_t io = 1;
  std::uint32_t workers = 2;
};

/// The numbers of threads on a machine with `cores` cores.
[[nodiscard]] thread_counts thread_counts_for(const node_config& config,
                                              std::uint32_t cores) noexcept;

/// One thing that is wrong, and where: a file with a line, a flag, a variable.
struct config_error {
  std::string source;
  /// 0 where there are no lines.
  std::uint32_t line = 0;
  /// The dotted name of the key, or empty.
  std::string key;
  /// Never holds a secret.
  std::string message;

  friend bool operator==(const config_error&, const config_error&) = default;
};

/// `rollcall.toml:12: limits.request_burst: expected …`
[[nodiscard]] std::string to_string(const config_error& error);

/// What the command line asks for.
struct parsed_command_line {
  enum class action : std::uint8_t {
    run,
    check_config,
    print_default_config,
    version,
    help,
  };

  action what = action::run;
  /// Make up whatever secrets are missing; see quickstart.hpp. Only then may
  /// `config` lack keys.
  bool quickstart = false;
  node_config config;
};

/// A file as it was found.
struct file_data {
  std::string bytes;
  /// Somebody else than owner and group may read it.
  bool others_may_read = false;
};

/// Looks up an environment variable.
using environment
  = std::function<std::optional<std::string>(const std::string& name)>;
/// Reads a file of at most `limit` bytes; the failure's message is for people.
using file_reader = std::function<result<file_data>(const std::string& path,
                                                    std::size_t limit)>;

[[nodiscard]] environment process_environment();
[[nodiscard]] file_reader disk_reader();

/// Reads the command line, the environment and the file that `--config` or
/// `ROLLCALL_CONFIG` names, and checks the whole. Returns every error found,
/// not only the first. For `version`, `help` and `print_default_config`
/// nothing else is looked at.
[[nodiscard]] std::variant<parsed_command_line, std::vector<config_error>>
load_config(int argc, const char* const* argv, const environment& env,
            const file_reader& read);

/// The text of `--help`.
[[nodiscard]] std::string help_text();

/// The text of `--print-default-config`: TOML that reads back as the
/// defaults, each key with its explanation.
[[nodiscard]] std::string default_config_text();

/// A key as documentation shows it.
struct key_description {
  /// Dotted; `NAME` and `tokens.keys` stand for any kind and any key.
  std::string key;
  /// Empty where there is none.
  std::string env;
  std::string flag;
  /// E.g. `duration, 5ms to 10ms`.
  std::string type;
  /// As written in TOML; empty when the key has no default.
  std::string default_value;
  std::string help;
};

/// Every key, in the order of the documentation.
[[nodiscard]] std::vector<key_description> describe_keys();

} // namespace rollcall::edge
