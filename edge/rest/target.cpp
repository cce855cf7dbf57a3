#include "edge/rest/target.hpp"

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace rollcall::edge {

namespace {

constexpr std::string_view unreserved = "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-._~";
// RFC 3986, section 3.3: what a segment may have unescaped beside these.
constexpr std::string_view delimiters = "!$&'()*+,;=:@";

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// The byte of an escape at the begin of `text`.
std::optional<unsigned char> escaped(std::string_view text) noexcept {
  if (text.size() < 3 || text.front() != '%')
    return std::nullopt;
  auto high = hex_digit(text[1]);
  auto low = hex_digit(text[2]);
  if (!high || !low)
    return std::nullopt;
  return static_cast<unsigned char>(*high << 4 | *low);
}

bool has_escape(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at)
    if (escaped(text.substr(at)))
      return true;
  return false;
}

/// Where a text stands: a slash in a segment would make two of it.
enum class part : std::uint8_t { segment, query };

result<std::string> decode(std::string_view text, std::string_view field,
                           part where) {
  auto refuse = [&](std::string why) {
    return fail(errc::bad_request, why, std::string{field});
  };
  std::string out;
  while (!text.empty()) {
    auto c = text.front();
    if (c != '%') {
      if (unreserved.find(c) == std::string_view::npos
          && delimiters.find(c) == std::string_view::npos)
        return refuse("has a character that is to be escaped");
      out += c;
      text.remove_prefix(1);
      continue;
    }
    auto byte = escaped(text);
    if (!byte)
      return refuse("has a % without two hex digits");
    if (*byte < 0x20 || *byte == 0x7F)
      return refuse("has a control character");
    if (where == part::segment && (*byte == '/' || *byte == '\\'))
      return refuse("has an escaped slash");
    out += static_cast<char>(*byte);
    text.remove_prefix(3);
  }
  if (out.size()
      > (where == part::query ? limits::cursor_bytes : limits::id_bytes))
    return refuse("is too long");
  if (has_escape(out))
    return refuse("is escaped twice");
  if (!is_utf8(out))
    return refuse("is not UTF-8");
  return out;
}

} // namespace

result<path_segments> decode_path(std::string_view path) {
  path_segments out;
  if (path.empty() || path.front() != '/')
    return fail(errc::bad_request, "begins with a slash", "path");
  while (!path.empty()) {
    path.remove_prefix(1);
    auto end = std::min(path.find('/'), path.size());
    auto segment = decode(path.substr(0, end), "path", part::segment);
    if (!segment)
      return segment.error();
    if (segment->empty() || *segment == "." || *segment == "..")
      return fail(errc::bad_request, "has an empty segment or a dot for one",
                  "path");
    if (out.size() == limits::path_segments)
      return fail(errc::bad_request, "has too many segments", "path");
    out.push_back(std::move(*segment));
    path.remove_prefix(end);
  }
  return out;
}

result<query_fields> decode_query(std::string_view query) {
  query_fields out;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto pair = query.substr(0, end);
    // What is joined to nothing is a field without a name.
    if (end + 1 == query.size())
      return fail(errc::bad_request, "is name=value, joined by &", "query");
    query.remove_prefix(std::min(end + 1, query.size()));
    auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), "query", part::query);
    if (!name)
      return name.error();
    if (name->empty() || equals == std::string_view::npos)
      return fail(errc::bad_request, "is name=value, joined by &", "query");
    auto content = decode(pair.substr(equals + 1), *name, part::query);
    if (!content)
      return content.error();
    for (const auto& [earlier, ignored] : out)
      if (earlier == *name)
        return fail(errc::bad_request, "is there twice", *name);
    if (out.size() == limits::query_fields)
      return fail(errc::bad_request, "has too many fields", "query");
    out.emplace_back(std::move(*name), std::move(*content));
  }
  return out;
}

std::string encode_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (unreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
  }
  return out;
}

} // namespace rollcall::edge
