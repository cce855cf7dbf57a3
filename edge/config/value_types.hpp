#pragma once

// What a value of the configuration is: how it is described, read and
// written. Internal to edge/config. Each type has
//
//   std::string describe() const;
//   result<Value> read(const raw_value&) const;
//   std::string write(const Value&) const;      as TOML

#include "actors/base/errors.hpp"
#include "actors/identity.hpp"
#include "edge/config/config.hpp"
#include "edge/config/values.hpp"
#include "edge/net/origin_policy.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// Bounds are inclusive, here and below.
struct duration_type {
  millis low;
  millis high;

  [[nodiscard]] std::string describe() const {
    return "duration, " + duration_text(low) + " to " + duration_text(high);
  }

  [[nodiscard]] result<millis> read(const raw_value& raw) const {
    return read_duration(raw, low, high);
  }

  [[nodiscard]] static std::string write(millis value) {
    return write_duration(value);
  }
};

struct integer_type {
  std::int64_t low;
  std::int64_t high;

  [[nodiscard]] std::string describe() const {
    return "integer, " + std::to_string(low) + " to " + std::to_string(high);
  }

  [[nodiscard]] result<std::int64_t> read(const raw_value& raw) const {
    return read_integer(raw, low, high);
  }

  [[nodiscard]] static std::string write(std::uint64_t value) {
    return std::to_string(value);
  }
};

struct number_type {
  double low;
  double high;

  [[nodiscard]] std::string describe() const {
    return "number, " + write_number(low) + " to " + write_number(high);
  }

  [[nodiscard]] result<double> read(const raw_value& raw) const {
    return read_number(raw, low, high);
  }

  [[nodiscard]] static std::string write(double value) {
    return write_number(value);
  }
};

struct size_type {
  std::size_t low;
  std::size_t high;

  [[nodiscard]] std::string describe() const {
    return "size, " + (low == 0 ? "0" : size_text(low)) + " to "
           + size_text(high);
  }

  [[nodiscard]] result<std::size_t> read(const raw_value& raw) const {
    return read_size(raw, low, high);
  }

  [[nodiscard]] static std::string write(std::size_t value) {
    return write_size(value);
  }
};

struct bool_type {
  [[nodiscard]] static std::string describe() {
    return "true or false";
  }

  [[nodiscard]] static result<bool> read(const raw_value& raw) {
    return read_bool(raw);
  }

  [[nodiscard]] static std::string write(bool value) {
    return value ? "true" : "false";
  }
};

/// Text that `accepts` finds nothing wrong with.
struct text_type {
  using check_function = result<done> (*)(std::string_view);

  std::string what;
  std::size_t max_bytes;
  check_function accepts = nullptr;

  [[nodiscard]] std::string describe() const {
    return what;
  }

  [[nodiscard]] result<std::string> read(const raw_value& raw) const {
    auto text = read_text(raw, max_bytes);
    if (text.ok() && accepts)
      if (auto accepted = accepts(*text); !accepted)
        return accepted.error();
    return text;
  }

  [[nodiscard]] static std::string write(const std::string& value) {
    return write_text(value);
  }

  template <class Tag>
  [[nodiscard]] static std::string write(const text_id<Tag>& value) {
    return write_text(value.str());
  }
};

struct secret_type {
  [[nodiscard]] static std::string describe() {
    return "text of at least 32 bytes";
  }

  [[nodiscard]] static result<std::string> read(const raw_value& raw) {
    return read_secret(raw);
  }

  [[nodiscard]] static std::string write(const std::string&) {
    return {};
  }
};

struct origins_type {
  [[nodiscard]] static std::string describe() {
    return "list of `http[s]://host[:port]`";
  }

  [[nodiscard]] static result<std::vector<std::string>>
  read(const raw_value& raw) {
    auto list = read_list(raw, 256);
    if (list.ok())
      if (auto policy = origin_policy::make(*list); !policy)
        return policy.error();
    return list;
  }

  [[nodiscard]] static std::string
  write(const std::vector<std::string>& value) {
    return write_list(value);
  }
};

struct nats_urls_type {
  [[nodiscard]] static std::string describe() {
    return "list of `nats://host:port`";
  }

  [[nodiscard]] static result<std::vector<std::string>>
  read(const raw_value& raw) {
    auto list = read_list(raw, 16);
    if (list.ok())
      for (const auto& url : *list)
        if (!url.starts_with("nats://") && !url.starts_with("tls://"))
          return fail(errc::bad_request,
                      "expected URLs such as \"nats://127.0.0.1:4222\"");
    return list;
  }

  [[nodiscard]] static std::string
  write(const std::vector<std::string>& value) {
    return write_list(value);
  }
};

struct rights_type {
  [[nodiscard]] static std::string describe() {
    return "list of rights";
  }

  [[nodiscard]] static result<capability_set> read(const raw_value& raw) {
    auto list = read_list(raw, 16);
    if (!list)
      return list.error();
    capability_set rights;
    for (const auto& name : *list) {
      auto right = parse_capability(name);
      if (!right)
        return fail(errc::bad_request, write_text(name) + " is not a right");
      rights.add(*right);
    }
    return rights;
  }

  [[nodiscard]] static std::string write(capability_set value) {
    std::vector<std::string> names;
    for (unsigned bit = 0; bit < 16; ++bit) {
      const auto right = static_cast<capability>(1U << bit);
      if (value.has(right))
        names.emplace_back(to_string(right));
    }
    return write_list(names);
  }
};

/// Pairs of a shown name and its claim, as `name` or `name=claim`.
struct profile_type {
  using pairs = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] static std::string describe() {
    return "list of `name` or `name=claim`, at most 4";
  }

  [[nodiscard]] static result<pairs> read(const raw_value& raw) {
    auto list = read_list(raw, limits::profile_fields);
    if (!list)
      return list.error();
    pairs out;
    for (const auto& text : *list) {
      auto cut = text.find('=');
      auto name = text.substr(0, cut);
      auto claim = cut == std::string::npos ? name : text.substr(cut + 1);
      if (!check_name(name, {}) || !check_id(claim, {}))
        return fail(errc::bad_request,
                    write_text(text)
                      + " is not `name` or `name=claim`, with a "
                        "name of [a-z0-9_.-]");
      out.emplace_back(std::move(name), std::move(claim));
    }
    return out;
  }

  [[nodiscard]] static std::string write(const pairs& value) {
    std::vector<std::string> out;
    for (const auto& [name, claim] : value)
      out.push_back(name == claim ? name : name + '=' + claim);
    return write_list(out);
  }
};

struct roles_type {
  [[nodiscard]] static std::string describe() {
    return "list of `core`, `edge`";
  }

  [[nodiscard]] static result<node_roles> read(const raw_value& raw) {
    auto list = read_list(raw, 2);
    if (!list)
      return list.error();
    node_roles roles{false, false};
    for (const auto& name : *list) {
      if (name != "core" && name != "edge")
        return fail(errc::bad_request, write_text(name)
                                         + " is not a role: expected \"core\", "
                                           "\"edge\" or both");
      (name == "core" ? roles.core : roles.edge) = true;
    }
    if (!roles.core && !roles.edge)
      return fail(errc::bad_request, "must name \"core\", \"edge\" or both");
    return roles;
  }

  [[nodiscard]] static std::string write(node_roles value) {
    std::vector<std::string> names;
    if (value.core)
      names.emplace_back("core");
    if (value.edge)
      names.emplace_back("edge");
    return write_list(names);
  }
};

struct endpoint_type {
  [[nodiscard]] static std::string describe() {
    return "`address:port`";
  }

  [[nodiscard]] static result<endpoint> read(const raw_value& raw) {
    auto text = read_text(raw, 64);
    if (!text)
      return text.error();
    auto where = parse_endpoint(*text);
    if (!where)
      return fail(errc::bad_request,
                  "expected a numeric address and a port such as "
                  "\"127.0.0.1:7400\" or \"[::]:7400\", found "
                    + write_text(*text));
    return *where;
  }

  [[nodiscard]] static std::string write(const endpoint& value) {
    return write_text(to_string(value));
  }
};

/// An enumeration whose values are named in their order.
template <class Enum, std::size_t N>
struct choice_type {
  std::array<std::string_view, N> names;

  [[nodiscard]] std::string describe() const {
    std::string out;
    for (auto name : names)
      out += (out.empty() ? "`" : ", `") + std::string{name} + '`';
    return out;
  }

  [[nodiscard]] result<Enum> read(const raw_value& raw) const {
    auto index = read_choice(raw, names);
    if (!index)
      return index.error();
    return static_cast<Enum>(*index);
  }

  [[nodiscard]] std::string write(Enum value) const {
    return write_text(names.at(static_cast<std::size_t>(value)));
  }
};

/// The enumeration whose names `to_string` knows.
template <class Enum, std::size_t N>
choice_type<Enum, N> choice_of() {
  choice_type<Enum, N> out{};
  for (std::size_t i = 0; i < N; ++i)
    out.names.at(i) = to_string(static_cast<Enum>(i));
  return out;
}

} // namespace rollcall::edge
