#include "actors/base/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rollcall {
namespace {

std::vector<std::string> lines;

std::string text_of(const log_field& field) {
  auto out = std::string{field.key} + '=';
  if (auto* b = std::get_if<bool>(&field.value))
    return out + (*b ? "true" : "false");
  if (auto* i = std::get_if<std::int64_t>(&field.value))
    return out + 'i' + std::to_string(*i);
  if (auto* u = std::get_if<std::uint64_t>(&field.value))
    return out + 'u' + std::to_string(*u);
  if (auto* d = std::get_if<double>(&field.value))
    return out + 'd' + std::to_string(*d);
  return out + std::string{std::get<std::string_view>(field.value)};
}

void keep(const log_line& line) noexcept {
  auto text = std::string{to_string(line.level)} + ' '
              + std::string{line.subject} + ' ' + std::string{line.event};
  for (const auto& field : line.fields)
    text += ' ' + text_of(field);
  lines.push_back(std::move(text));
}

class Log : public testing::Test {
protected:
  void SetUp() override {
    lines.clear();
  }

  void TearDown() override {
    set_log_sink(nullptr, log_level::debug);
  }
};

TEST_F(Log, IsOffWithoutASink) {
  EXPECT_FALSE(log_enabled(log_level::error));
  log(log_level::error, "journal", "lost");
  EXPECT_TRUE(lines.empty());
}

TEST_F(Log, KeepsTheTypesOfFields) {
  set_log_sink(keep, log_level::debug);
  const session_id id{"s1"};
  const std::string text = "t";
  log(log_level::info, "session", "opened",
      {{"id", id},
       {"text", text},
       {"literal", "l"},
       {"bool", true},
       {"signed", -1},
       {"unsigned", std::uint64_t{18'446'744'073'709'551'615U}},
       {"double", 0.5},
       {"after_ms", millis{250}}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], "info session opened id=s1 text=t literal=l bool=true "
                      "signed=i-1 unsigned=u18446744073709551615 "
                      "double=d0.500000 after_ms=i250");
}

TEST_F(Log, PassesLinesFromTheLowestLevelOn) {
  set_log_sink(keep, log_level::warn);
  EXPECT_FALSE(log_enabled(log_level::info));
  EXPECT_TRUE(log_enabled(log_level::warn));
  log(log_level::info, "a", "b");
  log(log_level::warn, "a", "b");
  log(log_level::error, "a", "b");
  EXPECT_EQ(lines, (std::vector<std::string>{"warn a b", "error a b"}));
}

TEST_F(Log, HasNoLinesOfLevelOff) {
  set_log_sink(keep, log_level::off);
  log(log_level::error, "a", "b");
  set_log_sink(keep, log_level::debug);
  log(log_level::off, "a", "b");
  EXPECT_TRUE(lines.empty());
}

TEST_F(Log, NamesLevelsBothWays) {
  for (auto level : {log_level::debug, log_level::info, log_level::warn,
                     log_level::error, log_level::off})
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

} // namespace
} // namespace rollcall
