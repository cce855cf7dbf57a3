#pragma once

// What must hold between the values of a configuration. Pure but for the
// files that it names, which come through a reader. Internal to edge/config.

#include "edge/config/settings.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rollcall::edge {

/// Who said something; later ones win.
enum class layer : std::uint8_t { defaults, file, variables, flags };

/// Where a key got its value.
struct origin {
  layer from = layer::defaults;
  std::string source;
  std::uint32_t line = 0;
};

/// By dotted key, kinds and token keys included (`tokens.keys.0.kid`).
using origin_map = std::map<std::string, origin>;

/// An error of `key`, placed where the key or the nearest table around it was
/// written.
[[nodiscard]] config_error error_at(const origin_map& origins,
                                    const std::string& key,
                                    std::string message);

/// Reads the secrets and judges the whole; returns everything wrong.
/// `quickstart` allows secrets to be missing.
[[nodiscard]] std::vector<config_error>
finish(config_draft& draft, std::vector<token_key_draft> keys,
       const origin_map& origins, bool config_file_is_public, bool quickstart,
       const file_reader& read);

} // namespace rollcall::edge
