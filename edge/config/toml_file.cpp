#include "edge/config/toml_file.hpp"

#include <stdexcept>

namespace {

// What toml++ 3.3 asserts about its input does not always hold (`[[[`).
constexpr void demand(bool holds) {
  if (!holds)
    throw std::runtime_error("is not TOML");
}

} // namespace

// Without this a release build would be told to assume it all.
#undef NDEBUG
#define TOML_ASSERT(condition) demand(static_cast<bool>(condition))
#include <toml++/toml.h>

#include <algorithm>

namespace rollcall::edge {

namespace {

std::string_view name_of(toml::node_type type) {
  switch (type) {
  case toml::node_type::table:
    return "a table";
  case toml::node_type::array:
    return "an array of other things than texts";
  case toml::node_type::date:
    return "a date";
  case toml::node_type::time:
    return "a time";
  default:
    return "a date and time";
  }
}

raw_value value_of(const toml::node& node) {
  if (const auto* value = node.as_boolean())
    return value->get();
  if (const auto* value = node.as_integer())
    return value->get();
  if (const auto* value = node.as_floating_point())
    return value->get();
  if (const auto* value = node.as_string())
    return value->get();
  if (const auto* list = node.as_array()) {
    std::vector<std::string> texts;
    for (const auto& item : *list) {
      const auto* text = item.as_string();
      if (!text)
        return unfit_value{std::string{name_of(node.type())}};
      texts.push_back(text->get());
    }
    return texts;
  }
  return unfit_value{std::string{name_of(node.type())}};
}

class flattener {
public:
  void visit(const toml::node& node) {
    if (const auto* table = node.as_table()) {
      add(node, value_of(node), true, false);
      for (const auto& [key, child] : *table)
        descend(std::string{key.str()}, child);
      return;
    }
    const auto* list = node.as_array();
    if (list && !list->empty() && list->is_homogeneous<toml::table>()) {
      add(node, unfit_value{"an array of tables"}, false, true);
      std::size_t index = 0;
      for (const auto& child : *list)
        descend(std::to_string(index++), child);
      return;
    }
    add(node, value_of(node), false, false);
  }

  std::vector<toml_entry> take() {
    std::stable_sort(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return a.line < b.line; });
    return std::move(entries_);
  }

private:
  void descend(std::string key, const toml::node& child) {
    path_.push_back(std::move(key));
    visit(child);
    path_.pop_back();
  }

  void add(const toml::node& node, raw_value value, bool is_table,
           bool is_table_array) {
    if (!path_.empty())
      entries_.push_back({path_, std::move(value), is_table, is_table_array,
                          node.source().begin.line});
  }

  std::vector<std::string> path_;
  std::vector<toml_entry> entries_;
};

} // namespace

std::variant<std::vector<toml_entry>, config_error>
read_toml(std::string_view text, const std::string& source) {
  try {
    const toml::table root = toml::parse(text, source);
    flattener flat;
    flat.visit(root);
    return flat.take();
  } catch (const toml::parse_error& error) {
    return config_error{
      source, error.source().begin.line, {}, std::string{error.description()}};
  } catch (const std::runtime_error& error) {
    return config_error{source, 0, {}, error.what()};
  }
}

} // namespace rollcall::edge
