// The load client of tests/bench/run: plays one workload against one running
// server and prints one JSON object.

#include "tests/bench/load/dialect.hpp"
#include "tests/bench/load/workloads.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace rollcall::bench;

void print_json(const plan& what, const outcome& out) {
  std::string fault;
  for (char c : out.fault) {
    if (c == '"' || c == '\\')
      fault += '\\';
    fault += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  std::printf("{\"workload\":\"%s\",\"n\":%zu,\"fault\":\"%s\"",
              what.workload.c_str(), what.members, fault.c_str());
  for (const auto& [name, value] : out.figures)
    std::printf(",\"%s\":%.9g", name.c_str(), value);
  std::printf(",\"bursts\":[");
  for (std::size_t i = 0; i < out.bursts.size(); ++i)
    std::printf("%s%.6f", i == 0 ? "" : ",", out.bursts[i]);
  std::printf("]}\n");
}

/// Only what no neighbour on the machine can change.
void print_counts(const plan& what, const outcome& out) {
  auto figure = [&](const char* name) {
    auto found = out.figures.find(name);
    return found == out.figures.end() ? 0 : found->second;
  };
  auto deliveries = figure("deliveries");
  std::printf("{\"workload\":\"%s\",\"n\":%zu,\"deliveries\":%.0f,"
              "\"frames_per_client\":%.3f,\"frames_per_delivery\":%.5f,"
              "\"bytes_per_delivery\":%.2f}\n",
              what.workload.c_str(), what.members, deliveries,
              figure("frames") / static_cast<double>(what.members),
              figure("frames") / deliveries, figure("bytes") / deliveries);
}

} // namespace

int main(int argc, char** argv) {
  plan what;
  std::string language;
  std::string secret;
  long patience = what.patience.count();
  long period = what.period.count();
  long settle = what.settle.count();
  bool count = false;
  CLI::App app{"Plays one workload against a running server"};
  app.add_option("--dialect", language, "rollcall, socketio or plain")
    ->required();
  app.add_option("--secret", secret, "signs Rollcall's tokens");
  app.add_option("--workload", what.workload)
    ->required()
    ->check(CLI::IsMember(
      {"W1", "W2", "W3", "W4", "rooms", "probe", "joins", "hold"}));
  app.add_option("--port", what.port)->required();
  app.add_option("--server-pid", what.server);
  app.add_option("--members", what.members);
  app.add_option("--members-more", what.members_more, "W4: the second size");
  app.add_option("--events", what.events, "W2, W3");
  app.add_option("--warm-up", what.warm_up, "W1: members of a first storm");
  app.add_option("--in-flight", what.in_flight, "connects at once");
  app.add_option("--period-ms", period, "between two events");
  app.add_option("--settle-ms", settle, "W4: before memory is read");
  app.add_option("--rooms", what.rooms, "of a cluster's workload");
  app.add_option("--prefix", what.prefix, "of the rooms' names");
  app.add_option("--observer-port", what.observer_port, "probe, joins");
  app.add_option("--view", what.view, "joins: what a joiner wants to see");
  app.add_option("--room-size", what.room_size, "hold");
  app.add_option("--parts", what.parts, "hold: processes that share the rooms");
  app.add_option("--part", what.part, "hold: which of them this is");
  app.add_option("--patience-s", patience, "for each step");
  app.add_flag("--quiet", what.quiet, "the server does not tell of joins");
  app.add_flag("--prepared", what.prepared, "the rooms exist");
  app.add_flag("--count", count, "print frames and bytes instead of times");
  CLI11_PARSE(app, argc, argv);
  what.patience = std::chrono::seconds{patience};
  what.period = std::chrono::milliseconds{period};
  what.settle = std::chrono::milliseconds{settle};
  auto speaker = make_dialect(language, secret);
  if (!speaker) {
    std::fprintf(stderr, "no such dialect: %s\n", language.c_str());
    return 2;
  }
  auto out = run_plan(what, *speaker);
  if (count && out.fault.empty())
    print_counts(what, out);
  else
    print_json(what, out);
  return out.fault.empty() ? 0 : 1;
}
