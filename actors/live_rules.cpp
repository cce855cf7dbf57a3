#include "actors/live_rules.hpp"

#include <algorithm>

namespace rollcall {

namespace {

const char* refusal(const live_rule& rule, const live_value& value) {
  if (const auto* range = std::get_if<integer_rule>(&rule)) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr)
      return "must be an integer";
    return *number < range->least || *number > range->most
             ? "is outside its bounds"
             : nullptr;
  }
  if (const auto* choice = std::get_if<choice_rule>(&rule)) {
    const auto* text = std::get_if<std::string>(&value);
    const auto& all = choice->values;
    return text == nullptr
               || std::find(all.begin(), all.end(), *text) == all.end()
             ? "is none of the known values"
             : nullptr;
  }
  return std::holds_alternative<bool>(value) ? nullptr
                                             : "must be true or false";
}

} // namespace

const live_rules& live_rules_of(std::string_view kind) {
  static const live_rules none;
  static const live_rules stage = {
    {"audio", flag_rule{}},
    {"quality", choice_rule{{"excellent", "good", "poor", "lost", "unknown"}}},
    {"speaking", flag_rule{}},
    {"video", flag_rule{}},
  };
  static const live_rules board = {
    {"active", flag_rule{}},
    {"reveal_top3", flag_rule{}},
    {"reveal_top8", flag_rule{}},
    {"step", integer_rule{1, 3}},
  };
  if (kind == "stage")
    return stage;
  return kind == "board" ? board : none;
}

result<done> check(const live_rules& rules, const live_update& update) {
  for (const auto& [key, value] : update) {
    auto rule = rules.find(key);
    if (rule == rules.end() || !value)
      continue;
    if (const auto* why = refusal(rule->second, *value))
      return fail(errc::bad_request, why, "live." + key);
  }
  return done{};
}

} // namespace rollcall
