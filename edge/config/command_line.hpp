#pragma once

// The command line as texts by key. The only user of CLI11.

#include "edge/config/config.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::edge {

/// What the flags say; values are not looked at yet.
struct flag_values {
  parsed_command_line::action what = parsed_command_line::action::run;
  bool quickstart = false;
  std::optional<std::string> config_file;
  /// Dotted key and text, in the order of the table.
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<config_error> errors;
};

[[nodiscard]] flag_values read_flags(int argc, const char* const* argv);

/// A flag that is no key of the configuration.
struct plain_flag {
  /// Long name, with a short one before it where there is one.
  std::string_view spelling;
  std::string_view help;
};

[[nodiscard]] const std::vector<plain_flag>& plain_flags();

} // namespace rollcall::edge
