#include "edge/protocol/request_fields.hpp"

#include "actors/base/hash.hpp"
#include "edge/protocol/tree_builder.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace rollcall::edge {

namespace {

std::optional<view> parse_view(std::string_view name) {
  if (name == "roster")
    return view::roster;
  if (name == "events")
    return view::events;
  if (name == "count")
    return view::count;
  return std::nullopt;
}

/// A version's number: an integer that is not negative.
std::optional<std::uint64_t> as_number(const value& content) {
  const auto* number = content.get_if<std::int64_t>();
  if (number == nullptr || *number < 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

/// Every length is said, so that different contents have different texts.
void spell(std::string& out, char type, std::string_view text) {
  out += type;
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

using members = std::vector<const value::member*>;

members by_name(const value::map& fields) {
  members out;
  out.reserve(fields.size());
  for (const auto& field : fields)
    out.push_back(&field);
  std::sort(out.begin(), out.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  return out;
}

// NOLINTNEXTLINE(misc-no-recursion): at most limits::nesting_depth levels.
void spell(std::string& out, const value& content) {
  if (const auto* flag = content.get_if<bool>()) {
    out += *flag ? 't' : 'f';
  } else if (const auto* number = content.get_if<std::int64_t>()) {
    spell(out, 'i', std::to_string(*number));
  } else if (const auto* real = content.get_if<double>()) {
    spell(out, 'd', std::to_string(std::bit_cast<std::uint64_t>(*real)));
  } else if (const auto* text = content.get_if<std::string>()) {
    spell(out, 's', *text);
  } else if (const auto* items = content.get_if<value::array>()) {
    spell(out, 'a', std::to_string(items->size()));
    for (const auto& item : *items)
      spell(out, item);
  } else if (const auto* fields = content.get_if<value::map>()) {
    spell(out, 'm', std::to_string(fields->size()));
    for (const auto* field : by_name(*fields)) {
      spell(out, 'k', field->first);
      spell(out, field->second);
    }
  } else {
    out += 'n';
  }
}

} // namespace

std::uint64_t short_digest(std::string_view text) {
  const auto digest = sha256(text);
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i)
    out = out << 8 | digest[i];
  return out;
}

std::uint64_t digest_of(const value::map& request) {
  constexpr std::array<std::string_view, 3> passing = {"id", "since", "view"};
  std::string text;
  for (const auto* field : by_name(request)) {
    if (std::find(passing.begin(), passing.end(), field->first)
        != passing.end())
      continue;
    spell(text, 'k', field->first);
    spell(text, field->second);
  }
  return short_digest(text);
}

std::optional<live_value> as_live_value(const value& content) {
  if (const auto* flag = content.get_if<bool>())
    return live_value{*flag};
  if (const auto* number = content.get_if<std::int64_t>())
    return live_value{*number};
  if (const auto* number = content.get_if<double>())
    return live_value{*number};
  const auto* text = content.get_if<std::string>();
  if (text != nullptr && text->size() <= limits::live_value_bytes)
    return live_value{*text};
  return std::nullopt;
}

namespace {

template <class Enum>
void read_choice(field_reader& in, std::string_view key,
                 std::optional<Enum>& out) {
  const auto* name = in.text(key, limits::name_bytes);
  if (name == nullptr)
    return;
  out = parse_setting<Enum>(*name);
  if (!out)
    in.refuse(key, "is none of the known values");
}

void read_flag(field_reader& in, std::string_view key,
               std::optional<bool>& out) {
  if (const auto* flag = in.boolean(key))
    out = *flag;
}

/// Null takes away what there is: an empty text.
template <class Check>
std::optional<std::string> read_or_clear(field_reader& in, std::string_view key,
                                         Check check) {
  const auto* found = in.take(key);
  if (found != nullptr && found->is_null())
    return std::string{};
  return in.checked(key, check);
}

void read_count(field_reader& in, std::string_view key,
                std::optional<std::uint32_t>& out) {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  if (const auto* number = in.integer(key, 0, most))
    out = static_cast<std::uint32_t>(*number);
}

void read_span(field_reader& in, std::string_view key,
               std::optional<millis>& out) {
  if (const auto* span = in.integer(key, 0, max_integer))
    out = millis{*span};
}

/// A list of at most `most` texts that pass `check`, none twice.
template <class Check>
std::optional<std::vector<std::string>>
read_texts(field_reader& in, std::string_view key, std::size_t most,
           Check check) {
  const auto* items = in.list(key);
  if (items == nullptr)
    return std::nullopt;
  if (items->size() > most) {
    in.refuse(key, "has more than " + std::to_string(most) + " items");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& item : *items) {
    auto path = std::string{key} + '[' + std::to_string(out.size()) + ']';
    const auto* name = item.get_if<std::string>();
    if (name == nullptr) {
      in.refuse(path, "must be text");
      return std::nullopt;
    }
    if (auto good = check(*name, in.path_of(path)); !good) {
      in.refuse(good.error());
      return std::nullopt;
    }
    if (std::find(out.begin(), out.end(), *name) != out.end()) {
      in.refuse(path, "is there twice");
      return std::nullopt;
    }
    out.push_back(*name);
  }
  return out;
}

} // namespace

request_id read_request_id(field_reader& in) {
  const auto* found = in.take("id");
  if (found == nullptr)
    return {};
  if (const auto* number = found->get_if<std::int64_t>())
    if (*number >= 0)
      return *number;
  if (const auto* text = found->get_if<std::string>())
    if (!text->empty() && text->size() <= limits::request_id_bytes)
      return *text;
  in.refuse("id", "must be an integer or text of 1 to 64 bytes");
  return {};
}

session_id read_session(field_reader& in) {
  auto text = in.checked("session", check_id, need::required);
  return session_id{std::move(text).value_or("")};
}

std::optional<connection_id> read_connection(field_reader& in) {
  const auto* text = in.text("connection_id", limits::id_bytes);
  if (text == nullptr)
    return std::nullopt;
  auto found = parse_connection_id(*text);
  if (!found) {
    in.refuse("connection_id", "is not a connection's id");
    return std::nullopt;
  }
  return *found;
}

op_id read_op_id(field_reader& in) {
  const auto* text = in.text("op_id", limits::op_id_bytes);
  if (text == nullptr)
    return {};
  auto good = check_id(*text, in.path_of("op_id"));
  if (!good) {
    in.refuse(good.error());
    return {};
  }
  return op_id{*text};
}

std::optional<version> read_version(field_reader& in, std::string_view key) {
  const auto* pair = in.list(key);
  if (pair == nullptr)
    return std::nullopt;
  if (pair->size() == 2) {
    auto epoch = as_number(pair->front());
    auto rev = as_number(pair->back());
    if (epoch && rev)
      return version{*epoch, *rev};
  }
  in.refuse(key, "must be a version: [epoch, rev]");
  return std::nullopt;
}

std::optional<view> read_view(field_reader& in, bool none_allowed) {
  const auto* name = in.text("view", limits::name_bytes);
  if (name == nullptr)
    return view::roster;
  auto found = parse_view(*name);
  if (!found && !(none_allowed && *name == "none"))
    in.refuse("view", none_allowed ? "must be roster, events, count or none"
                                   : "must be roster, events or count");
  return found;
}

live_update read_live(field_reader& in, need how, bool removal_allowed) {
  live_update out;
  const auto* members = in.map("live", how);
  if (members == nullptr)
    return out;
  if (members->size() > limits::live_keys) {
    in.refuse("live", "has more than 16 keys");
    return out;
  }
  for (const auto& [key, content] : *members) {
    auto path = joined_path("live", key);
    if (auto good = check_name(key, path); !good) {
      in.refuse(good.error());
      return out;
    }
    auto found = as_live_value(content);
    if (!found && !(content.is_null() && removal_allowed)) {
      in.refuse(path, "must be true, false, a number or text of up to 128 "
                      "bytes");
      return out;
    }
    out.emplace(key, std::move(found));
  }
  return out;
}

connection_facts read_facts(field_reader& in) {
  connection_facts out;
  if (const auto* name = in.text("device", limits::name_bytes)) {
    if (auto known = parse_device(*name))
      out.device = *known;
    else
      in.refuse("device", "is none of the known values");
  }
  out.place = in.checked("place", coarse_place).value_or("");
  return out;
}

settings_patch read_settings(field_reader& in, need how) {
  settings_patch out;
  const auto* members = in.map("settings", how);
  if (members == nullptr)
    return out;
  field_reader fields{*members, "settings"};
  read_choice(fields, "membership", out.membership);
  read_choice(fields, "access", out.access);
  read_choice(fields, "host", out.host);
  read_choice(fields, "identity", out.identity);
  read_choice(fields, "duplicates", out.duplicates);
  read_count(fields, "capacity", out.capacity);
  read_flag(fields, "locked", out.locked);
  read_flag(fields, "anonymous_views", out.anonymous_views);
  read_span(fields, "beat_ms", out.beat);
  read_span(fields, "suspect_after_ms", out.suspect_after);
  read_span(fields, "timeout_ms", out.timeout);
  read_span(fields, "drop_grace_ms", out.drop_grace);
  read_span(fields, "host_reclaim_ms", out.host_reclaim);
  out.group = read_or_clear(fields, "group", check_id);
  out.roles = read_texts(fields, "roles", limits::admitted_roles, check_id);
  out.default_role = read_or_clear(fields, "default_role", check_name);
  read_flag(fields, "gated_media", out.gated_media);
  read_count(fields, "live_rate", out.live_rate);
  read_count(fields, "live_burst", out.live_burst);
  read_flag(fields, "own_names", out.own_names);
  const auto* given = fields.take("code");
  if (auto code = given != nullptr && given->is_null() ? std::string{}
                                                       : read_code(fields);
      given != nullptr)
    out.code = std::move(code);
  if (auto why = fields.finish())
    in.refuse(std::move(*why));
  return out;
}

std::optional<std::vector<std::string>> read_permissions(field_reader& in,
                                                         std::string_view key) {
  return read_texts(in, key, limits::permissions_per_member, check_name);
}

std::string read_code(field_reader& in) {
  const auto* text = in.text("code", limits::code_bytes);
  return text != nullptr ? *text : std::string{};
}

} // namespace rollcall::edge
