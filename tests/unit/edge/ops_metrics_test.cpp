#include "edge/ops/metrics_text.hpp"
#include "edge/ops/node_figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace rollcall::edge {
namespace {

using testing::HasSubstr;

TEST(MetricsText, WritesEachTypeAsPrometheusReadsIt) {
  metrics::registry all;
  all.make_counter("rollcall_a_total", "Things.", {{"op", "join"}}).add(3);
  all.make_gauge("rollcall_b", "Level.").set(0.5);
  constexpr std::array bounds = {0.25, 1.0};
  auto& spread = all.make_histogram("rollcall_c_seconds", "Spread.", bounds,
                                    {{"op", "x"}});
  spread.observe(0.25);
  spread.observe(0.5);
  spread.observe(2);
  EXPECT_EQ(metrics_text(all.read()),
            "# HELP rollcall_a_total Things.\n"
            "# TYPE rollcall_a_total counter\n"
            "rollcall_a_total{op=\"join\"} 3\n"
            "# HELP rollcall_b Level.\n"
            "# TYPE rollcall_b gauge\n"
            "rollcall_b 0.5\n"
            "# HELP rollcall_c_seconds Spread.\n"
            "# TYPE rollcall_c_seconds histogram\n"
            "rollcall_c_seconds_bucket{op=\"x\",le=\"0.25\"} 1\n"
            "rollcall_c_seconds_bucket{op=\"x\",le=\"1\"} 2\n"
            "rollcall_c_seconds_bucket{op=\"x\",le=\"+Inf\"} 3\n"
            "rollcall_c_seconds_sum{op=\"x\"} 2.75\n"
            "rollcall_c_seconds_count{op=\"x\"} 3\n");
}

TEST(MetricsText, EscapesLabelsAndHelp) {
  metrics::registry all;
  all.make_gauge("rollcall_a", "One\\\n\"two\"", {{"k", "a\\b\"c\nd"}}).set(1);
  const auto text = metrics_text(all.read());
  EXPECT_THAT(text, HasSubstr("# HELP rollcall_a One\\\\\\n\"two\"\n"));
  EXPECT_THAT(text, HasSubstr("rollcall_a{k=\"a\\\\b\\\"c\\nd\"} 1\n"));
}

TEST(MetricsText, WritesNumbersThatAreNone) {
  metrics::registry all;
  auto& level = all.make_gauge("rollcall_a", "x");
  for (const auto& [value, text] :
       {std::pair{std::numeric_limits<double>::quiet_NaN(), "NaN"},
        std::pair{std::numeric_limits<double>::infinity(), "+Inf"},
        std::pair{-std::numeric_limits<double>::infinity(), "-Inf"}}) {
    level.set(value);
    EXPECT_THAT(metrics_text(all.read()),
                HasSubstr("rollcall_a " + std::string{text} + "\n"));
  }
  EXPECT_EQ(metrics_text({}), "");
}

TEST(MetricsText, ListsNamesTypesAndLabels) {
  metrics::registry all;
  all.make_counter("rollcall_a_total", "Things.", {{"op", "x"}, {"by", "y"}});
  all.make_gauge("rollcall_b", "Level.");
  EXPECT_EQ(metrics_table(all.read()),
            "| `rollcall_a_total` | counter | `by`, `op` | Things. |\n"
            "| `rollcall_b` | gauge | – | Level. |\n");
}

TEST(NodeFigures, DescribeTheProcess) {
  metrics::registry all;
  const auto handles = register_process_figures(all, "1.2.3", millis{1'500});
  const auto text = metrics_text(all.read());
  EXPECT_THAT(text, HasSubstr("rollcall_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rollcall_process_start_time_seconds 1.5\n"));
  std::map<std::string, double> values;
  for (const auto& metric : all.read())
    values[metric.name] = metric.series.at(0).value;
  EXPECT_GT(values["rollcall_process_resident_bytes"], 100'000);
  EXPECT_GE(values["rollcall_process_open_descriptors"], 3);
}

TEST(NodeFigures, DescribeTheNetworkWhileTheHandleLives) {
  metrics::registry all;
  server_stats stats;
  stats.accepted = 7;
  stats.clients = 3;
  stats.refused[1] = 2;
  stats.closed = {{1000, 5}, {3001, 1}};
  auto handle = register_network_figures(all, [&] { return stats; });
  const auto text = metrics_text(all.read());
  EXPECT_THAT(text, HasSubstr("rollcall_net_accepted_total 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE rollcall_net_clients gauge\n"
                              "rollcall_net_clients 3\n"));
  EXPECT_THAT(text,
              HasSubstr("rollcall_net_refused_total{reason=\"origin\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rollcall_net_closed_total{code=\"3001\"} 1\n"));
  handle = {};
  EXPECT_TRUE(all.read().empty());
}

// Collectors are not checked at registration as the others are.
TEST(NodeFigures, FollowTheRulesForNames) {
  metrics::registry all;
  const auto process = register_process_figures(all, "1", millis{0});
  const auto network
    = register_network_figures(all, [] { return server_stats{}; });
  std::set<std::string> names;
  for (const auto& metric : all.read()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(metric.name.starts_with("rollcall_"));
    EXPECT_EQ(metric.type == metrics::metric_type::counter,
              metric.name.ends_with("_total"))
      << metric.name;
    EXPECT_FALSE(metric.help.empty());
  }
}

std::string text_of(const std::filesystem::path& path) {
  const std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// All texts in quotes that are names of metrics.
std::set<std::string> names_in(const std::string& source) {
  static const std::regex name{"\"(rollcall_[a-z0-9_]+)\""};
  std::set<std::string> out;
  for (std::sregex_iterator at{source.begin(), source.end(), name}, end;
       at != end; ++at)
    out.insert((*at)[1]);
  return out;
}

TEST(Metrics, AreAllDocumented) {
  const std::filesystem::path root{ROLLCALL_TESTS_DIR "/.."};
  const auto document = text_of(root / "docs/metrics.md");
  std::size_t found = 0;
  for (const auto* folder : {"actors", "cluster", "persistence", "edge"}) {
    if (!std::filesystem::exists(root / folder))
      continue;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator{root / folder}) {
      if (entry.path().extension() != ".cpp")
        continue;
      for (const auto& name : names_in(text_of(entry.path()))) {
        ++found;
        EXPECT_NE(document.find("| `" + name + "` |"), std::string::npos)
          << "docs/metrics.md lacks " << name << " of " << entry.path();
      }
    }
  }
  EXPECT_GT(found, 20U);
}

} // namespace
} // namespace rollcall::edge
