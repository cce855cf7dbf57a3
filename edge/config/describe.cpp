// What people read about the configuration, all from the table.

#include "edge/config/command_line.hpp"
#include "edge/config/config.hpp"
#include "edge/config/settings.hpp"

namespace rollcall::edge {

namespace {

std::string section_of(const std::string& key) {
  const auto dot = key.find('.');
  return dot == std::string::npos ? std::string{} : key.substr(0, dot);
}

template <class Target>
void describe_table(std::vector<key_description>& out,
                    const std::vector<setting<Target>>& all,
                    const std::string& prefix) {
  for (const auto& one : all)
    out.push_back({prefix + one.name, {}, {}, one.type, {}, one.help});
}

void append_help_line(std::string& out, const std::string& head,
                      const std::string& text) {
  constexpr std::size_t column = 36;
  out += "  " + head;
  if (head.size() + 3 > column)
    out += '\n' + std::string(column, ' ');
  else
    out += std::string(column - 2 - head.size(), ' ');
  out += text + '\n';
}

// `name = value` below its explanation, as a comment where it has no value.
template <class Target>
void append_key(std::string& out, const setting<Target>& one,
                const std::string& name, const Target& target) {
  const auto value = one.write(target);
  out += "# " + one.help + " (" + one.type + ")\n";
  if (value.empty())
    out += "# " + name + " = \"...\"\n";
  else
    out += name + " = " + value + '\n';
}

} // namespace

std::vector<key_description> describe_keys() {
  const config_draft defaults;
  std::vector<key_description> out;
  for (const auto& one : node_settings())
    out.push_back({one.name, env_name(one.name),
                   one.secret ? std::string{} : flag_name(one.name), one.type,
                   one.write(defaults), one.help});
  describe_table(out, token_key_settings(), "tokens.keys.");
  describe_table(out, kind_draft_settings(), "kinds.NAME.");
  return out;
}

std::string help_text() {
  std::string out = "Usage: rollcalld [flags]\n\n"
                    "Flags win over the environment, that over the file, "
                    "that over the defaults.\n\n";
  for (const auto& one : plain_flags())
    append_help_line(out, std::string{one.spelling}, std::string{one.help});
  const config_draft defaults;
  std::string section = "none yet";
  for (const auto& one : node_settings()) {
    if (auto now = section_of(one.name); now != section) {
      section = now;
      out += '\n' + (section.empty() ? "general" : section) + ":\n";
    }
    if (one.secret) {
      append_help_line(out, env_name(one.name) + " (variable)", one.help);
      continue;
    }
    auto flags = flag_name(one.name) + (one.is_switch ? "" : " VALUE");
    if (!one.short_flag.empty())
      flags.insert(0, one.short_flag + ", ");
    append_help_line(out, flags, one.help + " [" + one.write(defaults) + ']');
  }
  return out
         + "\nA flag --a-b is the variable ROLLCALL_A_B and the key b in "
           "the table [a] of the\nfile. Kinds and further token keys are "
           "set in the file only.\n";
}

std::string default_config_text() {
  const config_draft defaults;
  std::string out = "# Everything Rollcall can be told, with its defaults.\n";
  std::string section;
  for (const auto& one : node_settings()) {
    if (auto now = section_of(one.name); now != section) {
      section = now;
      out += "\n[" + section + "]\n";
    } else {
      out += '\n';
    }
    const auto name
      = section.empty() ? one.name : one.name.substr(section.size() + 1);
    append_key(out, one, name, defaults);
  }
  out += "\n# Further keys for tokens, one table each:\n"
         "# [[tokens.keys]]\n";
  for (const auto& one : token_key_settings())
    out += "# " + one.name + ": " + one.help + " (" + one.type + ")\n";
  out += "\n# The kinds. Own ones are added as further tables; `base` names "
         "the preset\n# they start from.\n";
  bool explained = false;
  for (const auto& kind : preset_kinds()) {
    out += "\n[kinds." + kind.kind + "]\n";
    const kind_draft draft{kind.kind, kind};
    for (const auto& one : kind_draft_settings()) {
      if (one.name == "base")
        continue;
      if (!explained)
        append_key(out, one, one.name, draft);
      else
        out += one.name + " = " + one.write(draft) + '\n';
    }
    explained = true;
  }
  return out;
}

} // namespace rollcall::edge
