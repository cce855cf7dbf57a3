#pragma once

// TOML as a list of values with their lines. The only user of toml++.

#include "edge/config/config.hpp"
#include "edge/config/values.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::edge {

/// One value of a file, or the head of one table.
struct toml_entry {
  /// Keys from the root; the tables of an array are numbered from "0".
  std::vector<std::string> path;
  /// `unfit_value` for tables.
  raw_value value;
  bool is_table = false;
  /// The whole of an array of tables; its tables follow.
  bool is_table_array = false;
  std::uint32_t line = 0;
};

/// All tables and values of `text` in the order of their lines, or the first
/// violation of TOML's own rules. `source` names the file in errors.
[[nodiscard]] std::variant<std::vector<toml_entry>, config_error>
read_toml(std::string_view text, const std::string& source);

} // namespace rollcall::edge
