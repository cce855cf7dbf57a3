#include "edge/rest/answers.hpp"

#include "edge/protocol/value.hpp"

#include <charconv>
#include <cstdint>

namespace rollcall::edge {

namespace {

/// Digits alone, as they are written.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto* end = text.data() + text.size();
  auto [at, failed] = std::from_chars(text.data(), end, out);
  if (failed != std::errc{} || at != end
      || out > static_cast<std::uint64_t>(max_integer)
      || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  return out;
}

} // namespace

std::string entity_tag(const version& at, capability_set grants) {
  return "W/\"" + write_cursor(at) + '-' + std::to_string(grants.bits()) + '"';
}

std::string record_tag(const version& changed, const version& at,
                       capability_set grants) {
  return '"' + write_cursor(changed) + '.' + write_cursor(at) + '-'
         + std::to_string(grants.bits()) + '"';
}

std::optional<precondition> read_condition(std::string_view text) {
  if (text == "*")
    return precondition{};
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  auto tag = read_cursor(text.substr(0, text.find('.')));
  if (!tag || text.find_first_not_of("0123456789-.") != text.npos)
    return std::nullopt;
  return precondition{false, *tag};
}

http_response tagged_answer(http_response out, const rest_answer& what,
                            const version& changed) {
  out.headers.emplace_back(
    "ETag", record_tag(changed, what.what.at, what.caller.grants));
  out.headers.emplace_back("Cache-Control", "private, no-cache");
  return out;
}

http_response read_answer(http_response out, const rest_answer& what) {
  out.headers.emplace_back("ETag",
                           entity_tag(what.what.at, what.caller.grants));
  out.headers.emplace_back("Cache-Control", "private, no-cache");
  return out;
}

void write_change(json_writer& to, const rest_answer& what) {
  to.key<"session">();
  to.text(what.order.session.str());
  to.key<"level">();
  if (what.what.level == ack_level::committed)
    to.word<"committed">();
  else
    to.word<"accepted">();
  to.key<"at">();
  write_version(to, what.what.at);
  to.key<"present">();
  to.integer(what.what.present);
  to.key<"total">();
  to.integer(what.what.total);
}

http_response change_answer(const rest_answer& what) {
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_change(to, what);
    to.close_map();
  });
}

std::string write_cursor(const version& after) {
  return std::to_string(after.epoch) + '-' + std::to_string(after.rev);
}

std::optional<version> read_cursor(std::string_view text) {
  auto dash = text.find('-');
  if (dash == std::string_view::npos)
    return std::nullopt;
  auto epoch = parse_number(text.substr(0, dash));
  auto rev = parse_number(text.substr(dash + 1));
  if (!epoch || !rev)
    return std::nullopt;
  return version{*epoch, *rev};
}

} // namespace rollcall::edge
