#pragma once

// A configuration's surroundings, made up.

#include "edge/config/config.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::edge {

using strings = std::vector<std::string>;

inline const std::string token_secret(32, 't');
inline const std::string id_secret(32, 'i');

/// A world of its own: flags, variables and files.
struct world {
  strings flags;
  std::map<std::string, std::string> variables
    = {{"ROLLCALL_TOKENS_SECRET", token_secret},
       {"ROLLCALL_IDS_SECRET", id_secret}};
  std::map<std::string, file_data> files;

  static world with_file(std::string toml) {
    world out;
    out.flags = {"--config", "r.toml"};
    out.files["r.toml"] = {std::move(toml)};
    return out;
  }

  [[nodiscard]] auto load() const {
    std::vector<const char*> argv = {"rollcalld"};
    for (const auto& text : flags)
      argv.push_back(text.c_str());
    return load_config(
      static_cast<int>(argv.size()), argv.data(),
      [this](const std::string& name) -> std::optional<std::string> {
        auto at = variables.find(name);
        if (at == variables.end())
          return std::nullopt;
        return at->second;
      },
      [this](const std::string& path, std::size_t limit) -> result<file_data> {
        auto at = files.find(path);
        if (at == files.end())
          return fail(errc::unavailable, "cannot be read");
        if (at->second.bytes.size() > limit)
          return fail(errc::too_large, "is too large");
        return at->second;
      });
  }

  [[nodiscard]] parsed_command_line good() const {
    auto loaded = load();
    if (auto* errors = std::get_if<1>(&loaded)) {
      for (const auto& error : *errors)
        ADD_FAILURE() << to_string(error);
      return {};
    }
    return std::get<0>(std::move(loaded));
  }

  [[nodiscard]] strings wrong() const {
    auto loaded = load();
    strings out;
    if (auto* errors = std::get_if<1>(&loaded))
      for (const auto& error : *errors)
        out.push_back(to_string(error));
    return out;
  }
};

} // namespace rollcall::edge
