#include "actors/schema.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace rollcall {

namespace {

constexpr std::array<std::string_view, 8> type_names
  = {"boolean", "integer", "number", "text",
     "choice",  "list",    "record", "participants"};

bool has_one_child(answer_type type) {
  return type == answer_type::list || type == answer_type::participants;
}

bool is_numeric(answer_type type) {
  return type == answer_type::integer || type == answer_type::number;
}

failure refuse(std::string message, std::string field) {
  return fail(errc::bad_request, std::move(message), std::move(field));
}

// -- the schema itself -------------------------------------------------------

class schema_checker {
public:
  explicit schema_checker(const answer_schema& schema) : schema_(schema) {
    // nop
  }

  std::optional<failure> run() {
    if (schema_.empty() || schema_.size() > limits::schema_rules)
      return refuse("must have 1 to 64 rules", "schema");
    if (schema_[0].type != answer_type::record || !schema_[0].name.empty()
        || schema_[0].below + 1U != schema_.size())
      return refuse("must be a map of fields", "schema");
    return visit(0, schema_.size(), 1, "schema");
  }

private:
  std::optional<failure> visit(std::size_t at, std::size_t end,
                               std::size_t depth, const std::string& path) {
    const auto& rule = schema_[at];
    if (depth > limits::schema_depth)
      return refuse("is nested too deep", path);
    if (at + 1 + rule.below > end)
      return refuse("is cut off", path);
    if (auto why = check_bounds(rule, path))
      return why;
    std::set<std::string_view> names;
    std::size_t children = 0;
    auto last = at + 1 + rule.below;
    for (auto child = at + 1; child < last; child += 1 + schema_[child].below) {
      ++children;
      const auto& name = schema_[child].name;
      auto inner = path + '.' + (name.empty() ? "of" : name);
      if (rule.type == answer_type::record) {
        if (auto good = check_name(name, inner); !good)
          return good.error();
        if (!names.insert(name).second)
          return refuse("is there twice", inner);
      } else if (!name.empty()) {
        return refuse("has no place for names", inner);
      }
      if (auto why = visit(child, last, depth + 1, inner))
        return why;
    }
    return check_children(at, children, path);
  }

  static std::optional<failure> check_bounds(const answer_rule& rule,
                                             const std::string& path) {
    for (auto bound : {rule.least, rule.most, rule.sum_least, rule.sum_most})
      if (bound && !std::isfinite(*bound))
        return refuse("has a bound that is not a number", path);
    if (rule.least && rule.most && *rule.least > *rule.most)
      return refuse("must not be below min", path + ".max");
    if (rule.sum_least && rule.sum_most && *rule.sum_least > *rule.sum_most)
      return refuse("must not be below sum_min", path + ".sum_max");
    bool choice = rule.type == answer_type::choice;
    if (choice == rule.choices.empty()
        || rule.choices.size() > limits::answer_choices)
      return refuse("must be 1 to 64 texts, for a choice only",
                    path + ".values");
    for (const auto& one : rule.choices)
      if (one.empty() || one.size() > limits::id_bytes)
        return refuse("must be texts of 1 to 128 bytes", path + ".values");
    return std::nullopt;
  }

  std::optional<failure> check_children(std::size_t at, std::size_t children,
                                        const std::string& path) {
    const auto& rule = schema_[at];
    if (has_one_child(rule.type)
          ? children != 1
          : rule.type != answer_type::record && children != 0)
      return refuse("must say what is in it, once", path + ".of");
    if ((rule.sum_least || rule.sum_most)
        && (!has_one_child(rule.type) || !is_numeric(schema_[at + 1].type)))
      return refuse("needs numbers below it", path + ".sum_max");
    return std::nullopt;
  }

  const answer_schema& schema_;
};

// -- whether it can be answered ----------------------------------------------

class sense_checker {
public:
  explicit sense_checker(const answer_schema& schema) : schema_(schema) {
    // nop
  }

  // NOLINTNEXTLINE(misc-no-recursion): at most limits::schema_depth deep.
  std::optional<failure> visit(std::size_t at, const std::string& path) const {
    const auto& rule = schema_[at];
    // A map without fields says as much as none; as a whole answer it says
    // that somebody answered.
    if (at != 0 && rule.type == answer_type::record && rule.below == 0)
      return refuse("must not be empty", path + ".fields");
    if (auto why = check_bounds(rule, path))
      return why;
    auto choices = rule.choices;
    std::sort(choices.begin(), choices.end());
    if (std::adjacent_find(choices.begin(), choices.end()) != choices.end())
      return refuse("has a text twice", path + ".values");
    auto last = at + 1 + rule.below;
    for (auto child = at + 1; child < last; child += 1 + schema_[child].below) {
      const auto& name = schema_[child].name;
      if (auto why = visit(child, path + '.' + (name.empty() ? "of" : name)))
        return why;
    }
    return std::nullopt;
  }

private:
  static std::optional<failure> check_bounds(const answer_rule& rule,
                                             const std::string& path) {
    bool sized = rule.type == answer_type::text || has_one_child(rule.type);
    if (!sized && !is_numeric(rule.type) && (rule.least || rule.most))
      return refuse("is for numbers, texts, lists and participants only",
                    path + (rule.least ? ".min" : ".max"));
    if (sized && rule.most && *rule.most < 0)
      return refuse("must not be below 0", path + ".max");
    if (sized && rule.least
        && *rule.least > static_cast<double>(limits::answer_bytes))
      return refuse("is more than an answer holds", path + ".min");
    if (rule.type != answer_type::number && rule.least && rule.most
        && std::ceil(*rule.least) > std::floor(*rule.most))
      return refuse("leaves no whole number from min on", path + ".max");
    return std::nullopt;
  }

  const answer_schema& schema_;
};

// -- an answer ---------------------------------------------------------------

class answer_checker {
public:
  answer_checker(const answer_schema& schema, const participant_id& by,
                 const participant_finder& find)
    : schema_(schema), by_(by), find_(find) {
    // nop
  }

  result<datum> run(const datum& answer) {
    datum out;
    if (auto why = visit(0, answer, out, "answer"))
      return *why;
    return out;
  }

private:
  using refusal = std::optional<failure>;

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the schema.
  refusal visit(std::size_t at, const datum& in, datum& out,
                const std::string& path) {
    const auto& rule = schema_[at];
    switch (rule.type) {
    case answer_type::boolean:
      if (!std::holds_alternative<bool>(in.what))
        return refuse("must be true or false", path);
      break;
    case answer_type::integer:
      if (const auto* x = std::get_if<std::int64_t>(&in.what))
        return keep(rule, static_cast<double>(*x), in, out, path);
      return refuse("must be an integer", path);
    case answer_type::number:
      if (const auto* x = std::get_if<std::int64_t>(&in.what))
        return keep(rule, static_cast<double>(*x), in, out, path);
      if (const auto* x = std::get_if<double>(&in.what))
        return keep(rule, *x, in, out, path);
      return refuse("must be a number", path);
    case answer_type::text:
      if (const auto* x = std::get_if<std::string>(&in.what))
        return keep(rule, static_cast<double>(x->size()), in, out, path);
      return refuse("must be text", path);
    case answer_type::choice: {
      const auto* x = std::get_if<std::string>(&in.what);
      if (x == nullptr
          || std::find(rule.choices.begin(), rule.choices.end(), *x)
               == rule.choices.end())
        return refuse("is none of the values", path);
      break;
    }
    case answer_type::list:
      return visit_list(at, in, out, path);
    case answer_type::record:
      return visit_record(at, in, out, path);
    case answer_type::participants:
      return visit_participants(at, in, out, path);
    }
    out = in;
    return std::nullopt;
  }

  static refusal bounded(const answer_rule& rule, double size,
                         const std::string& path) {
    if (rule.least && size < *rule.least)
      return refuse("is below its bound", path);
    if (rule.most && size > *rule.most)
      return refuse("is over its bound", path);
    return std::nullopt;
  }

  static refusal keep(const answer_rule& rule, double size, const datum& in,
                      datum& out, const std::string& path) {
    if (!std::isfinite(size))
      return refuse("must be a number", path);
    if (auto why = bounded(rule, size, path))
      return why;
    out = in;
    return std::nullopt;
  }

  refusal visit_list(std::size_t at, const datum& in, datum& out,
                     const std::string& path) {
    const auto* items = std::get_if<datum::list>(&in.what);
    if (items == nullptr)
      return refuse("must be a list", path);
    if (auto why
        = bounded(schema_[at], static_cast<double>(items->size()), path))
      return why;
    datum::list kept(items->size());
    for (std::size_t i = 0; i < items->size(); ++i)
      if (auto why = visit(at + 1, (*items)[i], kept[i],
                           path + '[' + std::to_string(i) + ']'))
        return why;
    if (auto why = summed(schema_[at], kept, path))
      return why;
    out.what = std::move(kept);
    return std::nullopt;
  }

  refusal visit_record(std::size_t at, const datum& in, datum& out,
                       const std::string& path) {
    const auto* given = std::get_if<datum::fields>(&in.what);
    if (given == nullptr)
      return refuse("must be a map", path);
    datum::fields kept;
    auto last = at + 1 + schema_[at].below;
    for (auto child = at + 1; child < last; child += 1 + schema_[child].below) {
      const auto& rule = schema_[child];
      auto found = std::find_if(given->begin(), given->end(), [&](auto& one) {
        return one.first == rule.name;
      });
      auto inner = path + '.' + rule.name;
      if (found == given->end()) {
        if (rule.optional)
          continue;
        return refuse("is missing", inner);
      }
      auto& place = kept.emplace_back(rule.name, datum{}).second;
      if (auto why = visit(child, found->second, place, inner))
        return why;
    }
    if (kept.size() != given->size())
      for (const auto& [name, value] : *given)
        if (std::none_of(kept.begin(), kept.end(), [&known = name](auto& one) {
              return one.first == known;
            }))
          return refuse("is not known", path + '.' + name);
    std::sort(kept.begin(), kept.end(),
              [](auto& a, auto& b) { return a.first < b.first; });
    out.what = std::move(kept);
    return std::nullopt;
  }

  refusal visit_participants(std::size_t at, const datum& in, datum& out,
                             const std::string& path) {
    const auto& rule = schema_[at];
    const auto* given = std::get_if<datum::fields>(&in.what);
    if (given == nullptr)
      return refuse("must be a map of participants", path);
    if (auto why = bounded(rule, static_cast<double>(given->size()), path))
      return why;
    datum::fields kept;
    for (const auto& [name, value] : *given) {
      auto inner = path + '.' + name;
      auto who = find_(name);
      if (!who)
        return refuse("is no participant", inner);
      if (*who == by_ && !rule.self)
        return refuse("is oneself", inner);
      auto& place = kept.emplace_back(who->str(), datum{}).second;
      if (auto why = visit(at + 1, value, place, inner))
        return why;
    }
    std::sort(kept.begin(), kept.end(),
              [](auto& a, auto& b) { return a.first < b.first; });
    for (std::size_t i = 1; i < kept.size(); ++i)
      if (kept[i].first == kept[i - 1].first)
        return refuse("names a participant twice", path);
    if (auto why = summed(rule, kept, path))
      return why;
    out.what = std::move(kept);
    return std::nullopt;
  }

  static const datum& value_of(const datum& item) {
    return item;
  }

  static const datum& value_of(const std::pair<std::string, datum>& item) {
    return item.second;
  }

  template <class Items>
  static refusal summed(const answer_rule& rule, const Items& items,
                        const std::string& path) {
    if (!rule.sum_least && !rule.sum_most)
      return std::nullopt;
    double sum = 0;
    for (const auto& item : items) {
      const auto& value = value_of(item).what;
      if (const auto* whole = std::get_if<std::int64_t>(&value))
        sum += static_cast<double>(*whole);
      else if (const auto* real = std::get_if<double>(&value))
        sum += *real;
    }
    // What clients add up in decimals is rarely exact in binary.
    constexpr double slack = 1e-9;
    if (rule.sum_least && sum < *rule.sum_least - slack)
      return refuse("has a sum below its bound", path);
    if (rule.sum_most && sum > *rule.sum_most + slack)
      return refuse("has a sum over its bound", path);
    return std::nullopt;
  }

  const answer_schema& schema_;
  const participant_id& by_;
  const participant_finder& find_;
};

} // namespace

std::string_view to_string(answer_type type) noexcept {
  auto index = static_cast<std::size_t>(type);
  return index < type_names.size() ? type_names[index] : type_names[0];
}

std::optional<answer_type> parse_answer_type(std::string_view name) noexcept {
  for (std::size_t i = 0; i < type_names.size(); ++i)
    if (type_names[i] == name)
      return static_cast<answer_type>(i);
  return std::nullopt;
}

result<done> check(const answer_schema& schema) {
  if (auto why = schema_checker{schema}.run())
    return *why;
  return done{};
}

result<done> check_answerable(const answer_schema& schema) {
  if (auto why = sense_checker{schema}.visit(0, "schema"))
    return *why;
  return done{};
}

result<datum> validate(const answer_schema& schema, const datum& answer,
                       const participant_id& by,
                       const participant_finder& find) {
  if (size_of(answer) > limits::answer_bytes)
    return fail(errc::too_large, "is over its bound", "answer");
  return answer_checker{schema, by, find}.run(answer);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
bool mentions(const datum& value, std::string_view text) {
  if (const auto* said = std::get_if<std::string>(&value.what))
    return *said == text;
  if (const auto* items = std::get_if<datum::list>(&value.what))
    return std::any_of(items->begin(), items->end(),
                       [=](const auto& item) { return mentions(item, text); });
  if (const auto* named = std::get_if<datum::fields>(&value.what))
    return std::any_of(named->begin(), named->end(), [=](const auto& field) {
      return field.first == text || mentions(field.second, text);
    });
  return false;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
void take_out(datum& from, std::string_view text) {
  if (auto* said = std::get_if<std::string>(&from.what)) {
    if (*said == text)
      said->clear();
  } else if (auto* items = std::get_if<datum::list>(&from.what)) {
    std::erase_if(*items, [=](const auto& item) {
      const auto* one = std::get_if<std::string>(&item.what);
      return one != nullptr && *one == text;
    });
    for (auto& item : *items)
      take_out(item, text);
  } else if (auto* named = std::get_if<datum::fields>(&from.what)) {
    std::erase_if(*named,
                  [=](const auto& field) { return field.first == text; });
    for (auto& field : *named)
      take_out(field.second, text);
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
std::size_t size_of(const datum& value) noexcept {
  std::size_t out = 2;
  if (const auto* text = std::get_if<std::string>(&value.what)) {
    out += text->size();
  } else if (const auto* items = std::get_if<datum::list>(&value.what)) {
    for (const auto& item : *items)
      out += size_of(item);
  } else if (const auto* named = std::get_if<datum::fields>(&value.what)) {
    for (const auto& [name, item] : *named)
      out += name.size() + size_of(item);
  } else {
    out += 8;
  }
  return out;
}

} // namespace rollcall
