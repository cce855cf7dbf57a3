#pragma once

// What the live keys of a kind may be: names with types and bounds. A key
// without a rule may be anything that live values may be.

#include "actors/base/errors.hpp"
#include "actors/changes.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall {

/// A key is true or false.
struct flag_rule {};

/// A key is an integer from `least` to `most`.
struct integer_rule {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

/// A key is one of these texts.
struct choice_rule {
  std::vector<std::string> values;
};

using live_rule = std::variant<flag_rule, integer_rule, choice_rule>;

/// The rules of one kind, by the name of the key.
using live_rules = std::map<std::string, live_rule, std::less<>>;

/// The rules of the preset with that name; none for other kinds.
[[nodiscard]] const live_rules& live_rules_of(std::string_view kind);

/// Refuses the first key that breaks its rule; names it as `live.<key>`. A
/// value that is absent removes the key, which is allowed.
[[nodiscard]] result<done> check(const live_rules& rules,
                                 const live_update& update);

} // namespace rollcall
