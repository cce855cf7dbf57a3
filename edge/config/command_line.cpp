#include "edge/config/command_line.hpp"

#include "edge/config/settings.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace rollcall::edge {

namespace {

using action = parsed_command_line::action;

std::string strip(std::string text) {
  if (auto at = text.find('='); at != std::string::npos)
    text.resize(at);
  return text;
}

config_error unknown_argument(const std::string& argument) {
  const auto flag = strip(argument);
  if (!flag.starts_with("-"))
    return {"command line", 0, {}, "unexpected argument " + write_text(flag)};
  std::vector<std::string> known;
  for (const auto& one : plain_flags())
    known.emplace_back(one.spelling.substr(one.spelling.find("--")));
  for (const auto& one : node_settings())
    if (!one.secret)
      known.push_back(flag_name(one.name));
  auto message = "unknown flag " + flag;
  for (const auto& one : node_settings())
    if (one.secret && flag_name(one.name) == flag)
      return {flag, 0, one.name,
              "secrets are not taken from the command line, where others "
              "see them; use "
                + flag + "-file or " + env_name(one.name)};
  if (auto meant = nearest(flag, known))
    message += "; did you mean " + *meant + "?";
  return {"command line", 0, {}, message};
}

} // namespace

const std::vector<plain_flag>& plain_flags() {
  static const std::vector<plain_flag> all = {
    {"-c,--config", "TOML file to read (or ROLLCALL_CONFIG)."},
    {"--quickstart", "Make up missing secrets and print ready-made links."},
    {"--check-config", "Say whether the configuration is right, then exit."},
    {"--print-default-config", "Print a commented TOML file, then exit."},
    {"-V,--version", "Print the version, then exit."},
    {"-h,--help", "Print this text, then exit."},
  };
  return all;
}

flag_values read_flags(int argc, const char* const* argv) {
  flag_values out;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::string config_file;
  auto* config = app.add_option("-c,--config", config_file);
  app.add_flag("--quickstart", out.quickstart);
  auto* check = app.add_flag("--check-config");
  auto* defaults = app.add_flag("--print-default-config");
  auto* version = app.add_flag("-V,--version");
  auto* help = app.add_flag("-h,--help");
  std::map<std::string, std::string> texts;
  std::vector<std::pair<std::string, const CLI::Option*>> options;
  for (const auto& one : node_settings()) {
    if (one.secret)
      continue;
    auto flag = flag_name(one.name);
    auto& text = texts[one.name];
    if (one.is_switch)
      flag += "{true}";
    if (!one.short_flag.empty())
      flag += ',' + one.short_flag;
    options.emplace_back(one.name, one.is_switch ? app.add_flag(flag, text)
                                                 : app.add_option(flag, text));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    out.errors.push_back({"command line", 0, {}, error.what()});
    return out;
  }
  for (const auto& argument : app.remaining())
    out.errors.push_back(unknown_argument(argument));
  if (config->count() > 0)
    out.config_file = config_file;
  for (const auto& [key, option] : options)
    if (option->count() > 0)
      out.values.emplace_back(key, texts[key]);
  if (help->count() > 0)
    out.what = action::help;
  else if (version->count() > 0)
    out.what = action::version;
  else if (defaults->count() > 0)
    out.what = action::print_default_config;
  else if (check->count() > 0)
    out.what = action::check_config;
  return out;
}

} // namespace rollcall::edge
