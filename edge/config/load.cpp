#include "actors/base/limits.hpp"
#include "edge/config/checks.hpp"
#include "edge/config/command_line.hpp"
#include "edge/config/config.hpp"
#include "edge/config/settings.hpp"
#include "edge/config/toml_file.hpp"

#include <algorithm>
#include <set>

namespace rollcall::edge {

namespace {

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const auto& part : path)
    out += (out.empty() ? "" : ".") + part;
  return out;
}

template <class Target>
std::vector<std::string> names_of(const std::vector<setting<Target>>& all) {
  std::vector<std::string> out;
  out.reserve(all.size());
  for (const auto& one : all)
    out.push_back(one.name);
  return out;
}

std::string tail(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

/// The known key that `key` was probably meant to be: one with the same last
/// word in another table, one that it continues (`beat_ms`), else the nearest
/// by spelling.
std::optional<std::string> meant(const std::string& key,
                                 const std::vector<std::string>& known) {
  for (const auto& candidate : known)
    if (tail(candidate) == tail(key))
      return candidate;
  for (const auto& candidate : known)
    if (key.starts_with(candidate + '_'))
      return candidate;
  return nearest(key, known);
}

/// Lays the sources over the defaults, the weakest first.
class loader {
public:
  explicit loader(const file_reader& read) : read_(read) {
    // nop
  }

  void add_file(const std::string& path) {
    auto file = read_(path, limits::config_file_bytes);
    if (!file) {
      file_is_lost_ = true;
      errors_.push_back({path, 0, {}, file.error().message});
      return;
    }
    file_is_public_ = file->others_may_read;
    auto parsed = read_toml(file->bytes, path);
    if (auto* error = std::get_if<config_error>(&parsed)) {
      file_is_lost_ = true;
      errors_.push_back(std::move(*error));
      return;
    }
    source_ = path;
    for (auto& entry : std::get<0>(parsed))
      take_entry(std::move(entry));
    apply_kinds();
  }

  void add_environment(const environment& env) {
    for (const auto& one : node_settings()) {
      const auto name = env_name(one.name);
      if (auto text = env(name))
        apply(one, untyped_text{std::move(*text)}, {layer::variables, name, 0});
    }
  }

  void add_flags(const flag_values& flags) {
    for (const auto& [key, text] : flags.values)
      if (const auto* one = find_setting(node_settings(), key))
        apply(*one, untyped_text{text}, {layer::flags, flag_name(key), 0});
  }

  [[nodiscard]] node_config finish_all(bool quickstart) {
    // What could not be read would be judged by its default.
    if (file_is_lost_)
      return std::move(draft_.config);
    auto more = finish(draft_, std::move(keys_), origins_, file_is_public_,
                       quickstart, read_);
    for (auto& error : more)
      if (refused_.count(error.key) == 0)
        errors_.push_back(std::move(error));
    return std::move(draft_.config);
  }

  [[nodiscard]] std::vector<config_error> take_errors() {
    return std::move(errors_);
  }

private:
  void refuse(const toml_entry& entry, std::string message) {
    const auto key = joined(entry.path);
    refused_.insert(key);
    errors_.push_back({source_, entry.line, key, std::move(message)});
  }

  void refuse_unknown(const toml_entry& entry, const std::string& key,
                      const std::vector<std::string>& known) {
    std::string message = entry.is_table ? "unknown table" : "unknown key";
    if (auto guess = meant(key, known))
      message += "; did you mean " + *guess + '?';
    refuse(entry, std::move(message));
  }

  template <class Target>
  bool apply_to(const setting<Target>& one, Target& target,
                const raw_value& raw, const std::string& key, origin where) {
    auto done = one.read(target, raw);
    if (!done) {
      refused_.insert(key);
      errors_.push_back({where.source, where.line, key, done.error().message});
      return false;
    }
    origins_[key] = std::move(where);
    return true;
  }

  void apply(const setting<config_draft>& one, const raw_value& raw,
             const origin& where) {
    if (apply_to(one, draft_, raw, one.name, where))
      outrank_secret(one.name, where.from);
  }

  // A secret by variable replaces a file by an entry, and the reverse; the
  // two from one source contradict each other.
  void outrank_secret(const std::string& key, layer from) {
    auto forget = [&](const std::string& other, std::string& value) {
      auto at = origins_.find(other);
      if (at == origins_.end() || at->second.from >= from)
        return;
      origins_.erase(at);
      value.clear();
    };
    if (key == "tokens.secret")
      forget("tokens.secret_file", draft_.token_secret.file);
    else if (key == "tokens.secret_file")
      forget("tokens.secret", draft_.token_secret.value);
    else if (key == "ids.secret")
      forget("ids.secret_file", draft_.id_secret.file);
    else if (key == "ids.secret_file")
      forget("ids.secret", draft_.id_secret.value);
  }

  // -- one entry of the file -------------------------------------------------

  void take_entry(toml_entry entry) {
    for (std::size_t n = 1; n < entry.path.size(); ++n)
      if (refused_.count(
            joined({entry.path.begin(),
                    entry.path.begin() + static_cast<std::ptrdiff_t>(n)}))
          > 0)
        return;
    const auto& path = entry.path;
    if (entry.is_table_array) {
      if (joined(path) != "tokens.keys")
        refuse(entry, "expected a table, found an array of tables");
    } else if (path[0] == "kinds")
      take_kind_entry(std::move(entry));
    else if (path.size() > 1 && path[0] == "tokens" && path[1] == "keys")
      take_key_entry(entry);
    else
      take_node_entry(entry);
  }

  void take_node_entry(const toml_entry& entry) {
    const auto key = joined(entry.path);
    const origin where{layer::file, source_, entry.line};
    if (const auto* one = find_setting(node_settings(), key)) {
      apply(*one, entry.value, where);
      return;
    }
    const auto known = names_of(node_settings());
    const bool is_section
      = std::any_of(known.begin(), known.end(), [&](const auto& name) {
          return name.starts_with(key + '.');
        });
    if (is_section && entry.is_table)
      return;
    if (is_section)
      refuse(entry, "expected a table");
    else if (entry.is_table)
      refuse_unknown(entry, key, sections(known));
    else
      refuse_unknown(entry, key, known);
  }

  static std::vector<std::string>
  sections(const std::vector<std::string>& known) {
    std::vector<std::string> out = {"kinds"};
    for (const auto& name : known)
      if (auto dot = name.find('.'); dot != std::string::npos)
        out.push_back(name.substr(0, dot));
    return out;
  }

  // `tokens.keys.0` is a table, `tokens.keys.0.kid` a value.
  void take_key_entry(const toml_entry& entry) {
    const auto key = joined(entry.path);
    const origin where{layer::file, source_, entry.line};
    if (entry.path.size() == 3 && entry.is_table) {
      keys_.emplace_back();
      origins_[key] = where;
      return;
    }
    if (entry.path.size() < 4 || keys_.empty()) {
      refuse(entry, "expected tables, each [[tokens.keys]]");
      return;
    }
    const auto name = joined({entry.path.begin() + 3, entry.path.end()});
    if (const auto* one = find_setting(token_key_settings(), name))
      apply_to(*one, keys_.back(), entry.value, key, where);
    else
      refuse_unknown(entry, name, names_of(token_key_settings()));
  }

  void take_kind_entry(toml_entry entry) {
    if (entry.path.size() == 1) {
      if (!entry.is_table)
        refuse(entry, "expected tables, each [kinds.NAME]");
      return;
    }
    const auto& name = entry.path[1];
    if (entry.path.size() == 2) {
      if (!entry.is_table)
        refuse(entry, "expected a table such as [kinds.lecture]");
      else if (auto good = check_name(name, {}); !good)
        refuse(entry, "the name of a kind " + good.error().message);
      else
        origins_[joined(entry.path)] = {layer::file, source_, entry.line};
    } else {
      const auto key = joined({entry.path.begin() + 2, entry.path.end()});
      if (!find_setting(kind_draft_settings(), key)) {
        refuse_unknown(entry, key, names_of(kind_draft_settings()));
        return;
      }
    }
    kind_entries_[name].push_back(std::move(entry));
  }

  // -- kinds: presets first, since own kinds start from them
  // -------------------

  void apply_kinds() {
    auto& kinds = draft_.config.engine.kinds;
    for (auto& kind : kinds) {
      auto at = kind_entries_.find(kind.kind);
      if (at == kind_entries_.end())
        continue;
      kind_draft draft{kind.kind, kind};
      for (const auto& entry : at->second)
        if (entry.path.back() == "base" && entry.path.size() == 3)
          refuse(entry, "a preset starts from nothing else");
        else
          apply_kind_entry(entry, draft);
      kind = draft.settings;
      keep_history(kind.kind, draft);
      kind_entries_.erase(at);
    }
    const std::vector<kind_settings> presets = kinds;
    for (const auto& [name, entries] : kind_entries_) {
      kind_draft draft;
      for (const auto& entry : entries)
        if (entry.path.back() == "base" && entry.path.size() == 3)
          apply_kind_entry(entry, draft);
      const auto from
        = std::find_if(presets.begin(), presets.end(), [&](const auto& preset) {
            return preset.kind == draft.base;
          });
      if (from == presets.end()) {
        errors_.push_back(
          error_at(origins_, "kinds." + name + ".base",
                   write_text(draft.base) + " is not a preset"));
        continue;
      }
      draft.settings = *from;
      draft.settings.kind = name;
      for (const auto& entry : entries)
        if (entry.path.back() != "base")
          apply_kind_entry(entry, draft);
      kinds.push_back(draft.settings);
      keep_history(name, draft);
    }
  }

  void keep_history(const std::string& name, const kind_draft& draft) {
    if (draft.history > millis{0})
      draft_.config.retention.history_by_kind[name] = draft.history;
  }

  void apply_kind_entry(const toml_entry& entry, kind_draft& draft) {
    if (entry.path.size() != 3)
      return;
    if (const auto* one
        = find_setting(kind_draft_settings(), entry.path.back()))
      apply_to(*one, draft, entry.value, joined(entry.path),
               {layer::file, source_, entry.line});
  }

  const file_reader& read_;
  config_draft draft_;
  std::vector<token_key_draft> keys_;
  std::map<std::string, std::vector<toml_entry>> kind_entries_;
  origin_map origins_;
  std::set<std::string> refused_;
  std::string source_;
  bool file_is_public_ = false;
  bool file_is_lost_ = false;
  std::vector<config_error> errors_;
};

} // namespace

std::variant<parsed_command_line, std::vector<config_error>>
load_config(int argc, const char* const* argv, const environment& env,
            const file_reader& read) {
  using action = parsed_command_line::action;
  auto flags = read_flags(argc, argv);
  parsed_command_line out;
  out.what = flags.what;
  out.quickstart = flags.quickstart;
  if (flags.errors.empty() && flags.what != action::run
      && flags.what != action::check_config)
    return out;
  loader sources{read};
  auto path = flags.config_file;
  if (!path)
    path = env("ROLLCALL_CONFIG");
  if (path && !path->empty())
    sources.add_file(*path);
  sources.add_environment(env);
  sources.add_flags(flags);
  out.config = sources.finish_all(flags.quickstart);
  auto errors = sources.take_errors();
  errors.insert(errors.begin(), flags.errors.begin(), flags.errors.end());
  if (!errors.empty())
    return errors;
  return out;
}

} // namespace rollcall::edge
