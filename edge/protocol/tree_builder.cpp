#include "edge/protocol/tree_builder.hpp"

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>
#include <cmath>

namespace rollcall::edge {

namespace {

/// How much of a path an error repeats; keys come from the client.
constexpr std::size_t path_bytes_max = 128;

/// The first key that occurs twice, or null pointer.
const std::string* duplicate_key(const value::map& members) {
  std::vector<const std::string*> keys;
  keys.reserve(members.size());
  for (const auto& member : members)
    keys.push_back(&member.first);
  std::sort(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a < *b; });
  auto twice = std::adjacent_find(keys.begin(), keys.end(),
                                  [](auto* a, auto* b) { return *a == *b; });
  return twice == keys.end() ? nullptr : *twice;
}

/// Cuts between characters, never inside one.
void cut(std::string& text, std::size_t bytes) {
  if (text.size() <= bytes)
    return;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80)
    --bytes;
  text.resize(bytes);
}

} // namespace

std::string joined_path(std::string_view path, std::string_view key) {
  std::string out{path};
  if (!out.empty())
    out += '.';
  // One byte more than may stay, so that `cut` sees where characters begin.
  out += key.substr(0, path_bytes_max + 1);
  cut(out, path_bytes_max);
  return out;
}

bool tree_builder::null() {
  return put(value{});
}

bool tree_builder::boolean(bool content) {
  return put(value{content});
}

bool tree_builder::integer(std::int64_t content) {
  if (content > max_integer || content < -max_integer)
    return refuse("is beyond 2^53");
  return put(value{content});
}

bool tree_builder::real(double content) {
  if (!std::isfinite(content))
    return refuse("is not a finite number");
  return put(value{content});
}

bool tree_builder::text(std::string_view content) {
  if (!is_utf8(content))
    return refuse("is not UTF-8");
  return put(value{std::string{content}});
}

bool tree_builder::open_array() {
  return open(value{value::array{}});
}

bool tree_builder::open_map() {
  return open(value{value::map{}});
}

bool tree_builder::key(std::string_view name) {
  if (!is_utf8(name))
    return refuse("has a key that is not UTF-8");
  auto& members = *open_.back()->get_if<value::map>();
  if (members.size() >= limits::container_items)
    return refuse("has too many items");
  members.emplace_back(std::string{name}, value{});
  awaits_value_ = true;
  return true;
}

bool tree_builder::close() {
  if (const auto* members = open_.back()->get_if<value::map>())
    if (const auto* twice = duplicate_key(*members)) {
      auto where = path();
      why_
        = fail(errc::bad_request, "is there twice", joined_path(where, *twice));
      return false;
    }
  open_.pop_back();
  return true;
}

bool tree_builder::refuse(std::string_view message) {
  if (!why_)
    why_ = fail(errc::bad_request, std::string{message}, path());
  return false;
}

value* tree_builder::place() {
  if (open_.empty())
    return &root_;
  if (auto* items = open_.back()->get_if<value::array>()) {
    if (items->size() >= limits::container_items) {
      refuse("has too many items");
      return nullptr;
    }
    return &items->emplace_back();
  }
  awaits_value_ = false;
  return &open_.back()->get_if<value::map>()->back().second;
}

bool tree_builder::put(value content) {
  auto* where = place();
  if (where == nullptr)
    return false;
  *where = std::move(content);
  return true;
}

bool tree_builder::open(value container) {
  if (open_.size() >= limits::nesting_depth)
    return refuse("is nested too deeply");
  auto* where = place();
  if (where == nullptr)
    return false;
  *where = std::move(container);
  open_.push_back(where);
  return true;
}

std::string tree_builder::path() const {
  std::string out;
  for (const auto* level : open_) {
    bool innermost = level == open_.back();
    if (const auto* items = level->get_if<value::array>()) {
      // The innermost array has not got the item in question yet.
      auto index = items->size() - (innermost ? 0 : 1);
      out += '[' + std::to_string(index) + ']';
    } else if (!innermost || awaits_value_) {
      out = joined_path(out, level->get_if<value::map>()->back().first);
    }
  }
  cut(out, path_bytes_max);
  return out;
}

} // namespace rollcall::edge
