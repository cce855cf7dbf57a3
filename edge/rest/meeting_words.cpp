#include "edge/rest/meeting_words.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace rollcall::edge {

std::string iso_time(millis wall) {
  const auto seconds = static_cast<std::time_t>(wall.count() / 1'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto size
    = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> rest{};
  std::snprintf(rest.data(), rest.size(), ".%03dZ",
                static_cast<int>(wall.count() % 1'000));
  return std::string{text.data(), size} + rest.data();
}

namespace {

void write_or_null(json_writer& to, const std::string& text) {
  if (text.empty())
    to.null();
  else
    to.text(text);
}

} // namespace

void write_facts(json_writer& to, const participant_view& who) {
  to.key<"fullName">();
  write_or_null(to, who.who.name);
  to.key<"email">();
  write_or_null(to, who.who.email);
  to.key<"joinedAt">();
  to.text(iso_time(who.since));
  to.key<"lastSeen">();
  to.text(iso_time(who.last_active));
}

void write_success(json_writer& to, const rest_answer& what) {
  to.key<"success">();
  to.boolean(true);
  to.key<"meetingId">();
  to.text(what.order.session.str());
}

} // namespace rollcall::edge
