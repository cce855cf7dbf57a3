#pragma once

// The one table of everything that can be configured. Internal to
// edge/config; the public face is config.hpp.

#include "actors/base/errors.hpp"
#include "edge/config/config.hpp"
#include "edge/config/values.hpp"

#include <functional>
#include <string>
#include <vector>

namespace rollcall::edge {

/// A secret given in place or as a file; at most one of them.
struct secret_source {
  std::string value;
  std::string file;
};

/// A configuration whose secrets are not read yet.
struct config_draft {
  node_config config;
  /// The short form of a single key in namespace `default`.
  secret_source token_secret;
  secret_source id_secret;
};

/// One entry of `[[tokens.keys]]`.
struct token_key_draft {
  signing_key key;
  secret_source secret;
};

/// One `[kinds.NAME]`.
struct kind_draft {
  /// The kind whose values an own kind starts from.
  std::string base = "stream";
  kind_settings settings;
  /// How long its history is kept; zero: as all others.
  millis history{0};
};

/// One key of a `Target`.
template <class Target>
struct setting {
  /// Dotted, below the target's own table.
  std::string name;
  /// For people: the type and its bounds.
  std::string type;
  std::string help;
  /// Has no flag (others see command lines) and is never printed.
  bool secret = false;
  /// Its flag needs no value: `--log-async` is `--log-async=true`.
  bool is_switch = false;
  /// A shorter flag besides the one that follows from the name, or empty.
  std::string short_flag = {};
  std::function<result<done>(Target&, const raw_value&)> read;
  /// The value as TOML; empty for secrets.
  std::function<std::string(const Target&)> write;
};

[[nodiscard]] const std::vector<setting<config_draft>>& node_settings();
[[nodiscard]] const std::vector<setting<token_key_draft>>& token_key_settings();
[[nodiscard]] const std::vector<setting<kind_draft>>& kind_draft_settings();

/// `limits.send_buffer` is `ROLLCALL_LIMITS_SEND_BUFFER` in the environment
/// and `--limits-send-buffer` on the command line.
[[nodiscard]] std::string env_name(std::string_view key);
[[nodiscard]] std::string flag_name(std::string_view key);

/// The entry with that name, or null.
template <class Target>
[[nodiscard]] const setting<Target>*
find_setting(const std::vector<setting<Target>>& all, std::string_view name) {
  for (const auto& one : all)
    if (one.name == name)
      return &one;
  return nullptr;
}

} // namespace rollcall::edge
