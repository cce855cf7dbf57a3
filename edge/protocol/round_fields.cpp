#include "edge/protocol/round_fields.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/tree_builder.hpp"

#include <algorithm>
#include <limits>

namespace rollcall::edge {

namespace {

void read_real(field_reader& in, std::string_view key,
               std::optional<double>& out) {
  const auto* found = in.take(key);
  if (found == nullptr)
    return;
  if (const auto* whole = found->get_if<std::int64_t>())
    out = static_cast<double>(*whole);
  else if (const auto* real = found->get_if<double>())
    out = *real;
  else
    in.refuse(key, "must be a number");
}

void read_flag(field_reader& in, std::string_view key, bool& out) {
  if (const auto* flag = in.boolean(key))
    out = *flag;
}

void read_texts(field_reader& in, std::string_view key, std::size_t most,
                std::vector<std::string>& out) {
  const auto* items = in.list(key);
  if (items == nullptr)
    return;
  for (const auto& item : *items) {
    const auto* text = item.get_if<std::string>();
    if (text == nullptr || text->empty() || text->size() > limits::id_bytes
        || out.size() == most) {
      in.refuse(key, "must be a short list of texts");
      return;
    }
    out.push_back(*text);
  }
}

class schema_reader {
public:
  /// Appends the rule at `path` and all below it.
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the request.
  std::optional<failure> rule(std::string name, const value& from,
                              const std::string& path) {
    const auto* members = from.get_if<value::map>();
    if (members == nullptr)
      return fail(errc::bad_request, "must be a map", path);
    field_reader in{*members, path};
    auto place = out.size();
    answer_rule made;
    made.name = std::move(name);
    if (const auto* type
        = in.text("type", limits::name_bytes, need::required)) {
      if (auto known = parse_answer_type(*type))
        made.type = *known;
      else
        in.refuse("type", "is none of the known values");
    }
    read_flag(in, "optional", made.optional);
    read_real(in, "min", made.least);
    read_real(in, "max", made.most);
    read_texts(in, "values", limits::answer_choices, made.choices);
    read_real(in, "sum_min", made.sum_least);
    read_real(in, "sum_max", made.sum_most);
    read_flag(in, "self", made.self);
    const auto* of = in.take("of");
    const auto* fields = in.map("fields");
    if (auto why = in.finish())
      return why;
    out.push_back(std::move(made));
    if (of != nullptr)
      if (auto why = rule({}, *of, joined_path(path, "of")))
        return why;
    if (fields != nullptr)
      if (auto why = children(*fields, path))
        return why;
    return close(place);
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the request.
  std::optional<failure> children(const value::map& fields,
                                  const std::string& path) {
    for (const auto& [name, content] : fields) {
      auto inner = joined_path(path, name);
      if (auto good = check_name(name, inner); !good)
        return good.error();
      if (auto why = rule(name, content, inner))
        return why;
    }
    return std::nullopt;
  }

  std::optional<failure> close(std::size_t place) {
    if (out.size() > limits::schema_rules)
      return fail(errc::bad_request, "has more than 64 rules", "schema");
    out[place].below = static_cast<std::uint16_t>(out.size() - place - 1);
    return std::nullopt;
  }

  answer_schema out;
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as the request.
datum as_datum(const value& from) {
  datum out;
  if (const auto* flag = from.get_if<bool>()) {
    out.what = *flag;
  } else if (const auto* whole = from.get_if<std::int64_t>()) {
    out.what = *whole;
  } else if (const auto* real = from.get_if<double>()) {
    out.what = *real;
  } else if (const auto* text = from.get_if<std::string>()) {
    out.what = *text;
  } else if (const auto* items = from.get_if<value::array>()) {
    auto& all = out.what.emplace<datum::list>();
    all.reserve(items->size());
    for (const auto& item : *items)
      all.push_back(as_datum(item));
  } else if (const auto* members = from.get_if<value::map>()) {
    auto& all = out.what.emplace<datum::fields>();
    all.reserve(members->size());
    for (const auto& [name, item] : *members)
      all.emplace_back(name, as_datum(item));
    std::sort(all.begin(), all.end(),
              [](auto& a, auto& b) { return a.first < b.first; });
  }
  return out;
}

/// What is wrong with `from` whatever the schema says.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
std::optional<failure> refuses(const value& from, const std::string& path,
                               std::size_t depth) {
  if (depth > limits::answer_depth)
    return fail(errc::bad_request, "is nested too deep", path);
  if (from.is_null())
    return fail(errc::bad_request, "must not be null", path);
  if (const auto* items = from.get_if<value::array>())
    for (std::size_t i = 0; i < items->size(); ++i)
      if (auto why = refuses((*items)[i], path + '[' + std::to_string(i) + ']',
                             depth + 1))
        return why;
  if (const auto* members = from.get_if<value::map>())
    for (const auto& [name, item] : *members) {
      auto inner = joined_path(path, name);
      if (auto good = check_id(name, inner); !good)
        return good.error();
      if (auto why = refuses(item, inner, depth + 1))
        return why;
    }
  return std::nullopt;
}

} // namespace

round_rules read_round_rules(field_reader& in) {
  round_rules out;
  if (const auto* fields = in.map("schema", need::required)) {
    schema_reader reader;
    reader.out.emplace_back();
    auto why = reader.children(*fields, "schema");
    if (!why)
      why = reader.close(0);
    if (why)
      in.refuse(std::move(*why));
    out.schema = std::move(reader.out);
  }
  if (const auto* roles = in.list("roles")) {
    for (const auto& item : *roles) {
      auto path = "roles[" + std::to_string(out.roles.size()) + ']';
      const auto* text = item.get_if<std::string>();
      if (text == nullptr || out.roles.size() == limits::roles_per_round) {
        in.refuse("roles", "must be up to 8 names");
        break;
      }
      if (auto good = check_name(*text, path); !good) {
        in.refuse(good.error());
        break;
      }
      out.roles.push_back(*text);
    }
  }
  read_flag(in, "revise", out.revise);
  if (const auto* name = in.text("results", limits::name_bytes)) {
    if (auto known = parse_results(*name))
      out.results = *known;
    else
      in.refuse("results", "is none of the known values");
  }
  if (const auto* name = in.text("progress", limits::name_bytes)) {
    if (auto known = parse_progress(*name))
      out.progress = *known;
    else
      in.refuse("progress", "is none of the known values");
  }
  return out;
}

datum read_answer(field_reader& in) {
  const auto* found = in.take("answer");
  if (found == nullptr || found->get_if<value::map>() == nullptr) {
    in.refuse("answer", found == nullptr ? "is missing" : "must be a map");
    return {};
  }
  if (auto why = refuses(*found, "answer", 0)) {
    in.refuse(std::move(*why));
    return {};
  }
  return as_datum(*found);
}

std::optional<std::optional<millis>> read_start(field_reader& in,
                                                bool removal_allowed) {
  const auto* found = in.take("starts_at");
  if (found == nullptr)
    return std::nullopt;
  if (found->is_null() && removal_allowed)
    return std::optional<millis>{};
  const auto* when = found->get_if<std::int64_t>();
  if (when == nullptr || *when < 0) {
    in.refuse("starts_at", "must be Unix milliseconds");
    return std::nullopt;
  }
  return std::optional<millis>{millis{*when}};
}

} // namespace rollcall::edge
