#pragma once

// A decoded value back to bytes, so that targets can check that nothing is
// lost on the way.

#include "edge/protocol/value.hpp"
#include "edge/protocol/writers.hpp"

#include <string>

namespace rollcall::edge::fuzz {

template <class Writer>
void write_value(Writer& to, const value& what) {
  if (const auto* flag = what.get_if<bool>())
    return to.boolean(*flag);
  if (const auto* number = what.get_if<std::int64_t>())
    return to.integer(*number);
  if (const auto* number = what.get_if<double>())
    return to.real(*number);
  if (const auto* text = what.get_if<std::string>())
    return to.text(*text);
  if (const auto* items = what.get_if<value::array>()) {
    to.open_array(items->size());
    for (const auto& item : *items)
      write_value(to, item);
    return to.close_array();
  }
  if (const auto* members = what.get_if<value::map>()) {
    to.open_map(members->size());
    for (const auto& [key, content] : *members) {
      to.key(key);
      write_value(to, content);
    }
    return to.close_map();
  }
  to.null();
}

template <class Writer>
[[nodiscard]] std::string text_of(const value& what) {
  std::string out;
  Writer to{out};
  write_value(to, what);
  to.finish();
  return out;
}

} // namespace rollcall::edge::fuzz
