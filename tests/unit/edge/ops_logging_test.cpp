#include "edge/ops/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include <sys/stat.h>

namespace rollcall::edge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// 2025-01-31T12:00:00.250Z
constexpr millis wall{1'738'324'800'250};

std::string json(std::initializer_list<log_field> fields,
                 std::uint64_t suppressed = 0) {
  return json_line(
    {log_level::warn, "store", "slow", {fields.begin(), fields.size()}}, wall,
    suppressed);
}

TEST(LogLines, AreJsonForMachines) {
  EXPECT_EQ(json({{"partition", 7}, {"ok", true}, {"load", 0.5}, {"id", "s"}}),
            R"({"at":"2025-01-31T12:00:00.250Z","level":"warn",)"
            R"("subject":"store","event":"slow",)"
            R"("partition":7,"ok":true,"load":0.5,"id":"s"})");
}

TEST(LogLines, AreShortForPeople) {
  const log_field fields[] = {{"partition", 7}, {"id", "a b"}};
  EXPECT_EQ(text_line({log_level::info, "store", "opened", fields}, wall, 0),
            "2025-01-31T12:00:00.250Z info  store opened partition=7 "
            "id=\"a b\"");
  EXPECT_EQ(text_line({log_level::error, "store", "lost", {}}, wall, 3),
            "2025-01-31T12:00:00.250Z error store lost suppressed=3");
}

TEST(LogLines, EscapeWhatCouldForgeALine) {
  const auto line = json({{"v", "a\"b\\c\nd\re\x1B[2J\x7F\xC2\x9B"}});
  EXPECT_THAT(line, HasSubstr(R"("v":"a\"b\\c\u000ad\u000de\u001b[2J)"
                              R"(\u007f\u009b")"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1B'), std::string::npos);
}

TEST(LogLines, ReplaceMalformedText) {
  EXPECT_THAT(json({{"v", "a\xFF\xC3z\xF0\x9F"}}),
              HasSubstr("\"v\":\"a\uFFFD\uFFFDz\uFFFD\uFFFD\""));
  EXPECT_THAT(json({{"v", std::string_view{"a\0b", 3}}}),
              HasSubstr(R"("v":"a\u0000b")"));
}

TEST(LogLines, CutLongTextsBetweenCharacters) {
  EXPECT_THAT(json({{"v", std::string(64, 'a')}}),
              HasSubstr("\"v\":\"" + std::string(64, 'a') + "\""));
  EXPECT_THAT(json({{"v", std::string(65, 'a')}}),
              HasSubstr("\"v\":\"" + std::string(64, 'a') + "…\""));
  EXPECT_THAT(json({{"v", std::string(63, 'a') + "\xC3\xA4"}}),
              HasSubstr("\"v\":\"" + std::string(63, 'a') + "…\""));
  EXPECT_LT(json({{"v", std::string(1'000'000, '\xFF')}}).size(), 400U);
}

TEST(LogLines, LeaveFailuresWholeUpToTheirBound) {
  auto why = fail(errc::unavailable, std::string(300, 'a') + "; mend it");
  EXPECT_THAT(json({{"why", why}}), HasSubstr("aaa; mend it\""));
  why.message = std::string(600, 'a');
  EXPECT_THAT(json({{"why", why}}),
              HasSubstr("\"" + std::string(512, 'a') + "…\""));
}

TEST(LogLines, KeepJsonValid) {
  EXPECT_THAT(json({{"v", std::numeric_limits<double>::quiet_NaN()}}),
              HasSubstr(R"("v":null)"));
  EXPECT_THAT(json({{"level", "x"}}, 2),
              HasSubstr(R"("level_":"x","suppressed":2})"));
}

TEST(LogGate, LetsEachEventPassSoOften) {
  log_gate gate{{1, 2}};
  EXPECT_EQ(gate.admit("a", "x", millis{0}), 0U);
  EXPECT_EQ(gate.admit("a", "x", millis{0}), 0U);
  EXPECT_EQ(gate.admit("a", "x", millis{0}), std::nullopt);
  EXPECT_EQ(gate.admit("a", "x", millis{999}), std::nullopt);
  EXPECT_EQ(gate.admit("a", "y", millis{999}), 0U);
  EXPECT_EQ(gate.admit("a", "x", millis{1'000}), 2U);
  EXPECT_EQ(gate.admit("a", "x", millis{9'000}), 0U);
}

TEST(LogGate, SharesOneAllowanceBeyondItsBound) {
  log_gate gate{{1, 1}};
  for (int i = 0; i < 1'024; ++i)
    EXPECT_EQ(gate.admit("a", std::to_string(i), millis{0}), 0U);
  EXPECT_EQ(gate.admit("a", "one more", millis{0}), 0U);
  EXPECT_EQ(gate.admit("a", "and another", millis{0}), std::nullopt);
}

class Logging : public testing::Test {
protected:
  Logging() {
    auto pattern = (fs::temp_directory_path() / "rollcall-XXXXXX").string();
    if (mkdtemp(pattern.data()))
      root_ = pattern;
    settings_.file = (root_ / "log").string();
  }

  ~Logging() override {
    stop_logging();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  [[nodiscard]] std::vector<std::string> lines() const {
    std::ifstream file{settings_.file};
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);)
      out.push_back(line);
    return out;
  }

  fs::path root_;
  log_settings settings_;
  metrics::registry figures_;
};

TEST_F(Logging, WritesJsonLinesToItsFile) {
  ASSERT_TRUE(start_logging(settings_, figures_).ok());
  log(log_level::debug, "node", "hidden");
  log(log_level::info, "node", "ready", {{"port", 7400}});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_THAT(lines()[0], HasSubstr(R"("event":"ready","port":7400})"));
  struct stat info {};
  ASSERT_EQ(stat(settings_.file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);
}

TEST_F(Logging, AppendsToWhatIsThere) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(start_logging(settings_, figures_).ok());
    log(log_level::info, "node", "ready");
    stop_logging();
  }
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(Logging, WritesTextWhenAsked) {
  settings_.format = log_format::text;
  ASSERT_TRUE(start_logging(settings_, figures_).ok());
  log(log_level::info, "node", "ready");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_THAT(lines()[0], HasSubstr(" info  node ready"));
}

TEST_F(Logging, SuppressesFloodsAndCounts) {
  ASSERT_TRUE(start_logging(settings_, figures_).ok());
  for (int i = 0; i < 1'000; ++i)
    log(log_level::warn, "client", "bad_frame");
  log(log_level::warn, "client", "other");
  const auto written = lines();
  EXPECT_LT(written.size(), 500U);
  EXPECT_THAT(written.back(), HasSubstr("other"));
  auto& dropped = figures_.make_counter("rollcall_log_suppressed_total", "");
  EXPECT_EQ(dropped.value() + written.size(), 1'001U);
  auto& counted = figures_.make_counter("rollcall_log_lines_total", "",
                                        {{"level", "warn"}});
  EXPECT_EQ(counted.value(), written.size());
}

TEST_F(Logging, LosesNothingQueuedWhenItStops) {
  settings_.async = true;
  ASSERT_TRUE(start_logging(settings_, figures_).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i)
        log(log_level::info, "node", std::to_string(t * 100 + i));
    });
  for (auto& thread : threads)
    thread.join();
  stop_logging();
  log(log_level::error, "node", "after");
  EXPECT_EQ(lines().size(), 400U);
}

TEST_F(Logging, RefusesAFileItCannotOpen) {
  settings_.file = (root_ / "missing" / "log").string();
  auto started = start_logging(settings_, figures_);
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message, HasSubstr("missing"));
  EXPECT_FALSE(log_enabled(log_level::error));
}

} // namespace
} // namespace rollcall::edge
