#pragma once

// `rollcalld --quickstart`: from nothing to a page with people on it.

#include "actors/base/errors.hpp"
#include "actors/identity.hpp"
#include "edge/config/config.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// Makes a token for `user`, shown to others as `name`.
using token_minter = std::function<std::string(
  std::string_view user, std::string_view name, capability_set grants)>;

/// Creates `config.data_dir` (0700) where it is not there and gives `config`
/// the secrets it lacks: a key of namespace `default` and the id secret. They
/// are kept in the files `token.secret` and `id.secret` of the directory
/// (0600), so that a second start finds the same people. Uses the disk.
[[nodiscard]] result<node_config> prepare_quickstart(node_config config);

/// Mints tokens good for a day from the configuration's first key.
[[nodiscard]] token_minter quickstart_minter(const node_config& config);

/// What to print once the node listens on `port`: a link to the live page for
/// each of a few people.
[[nodiscard]] std::string quickstart_text(const node_config& config,
                                          std::uint16_t port,
                                          const token_minter& mint);

} // namespace rollcall::edge
