#include "tests/bench/load/workloads.hpp"

#include "tests/bench/load/cluster_workloads.hpp"
#include "tests/bench/load/server_usage.hpp"

#include <algorithm>
#include <cmath>

namespace rollcall::bench {

namespace {

// What a server still does after the last delivery (a late write, a collector)
// belongs to the work; so everyone's CPU is read this much later.
constexpr std::chrono::milliseconds afterglow{200};

// A burst of a fast server is short against the clock's and the scheduler's
// noise: repeat until this much CPU was seen, within bounds.
constexpr double burst_cpu_enough = 1.0;
constexpr std::size_t bursts_min = 3;
constexpr std::size_t bursts_max = 15;

constexpr std::size_t idle_room = 10;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  auto n = values.size();
  return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

swarm_options options_of(const plan& what, std::size_t members,
                         std::size_t room_size, std::string prefix) {
  swarm_options out;
  out.port = what.port;
  out.members = members;
  out.room_size = room_size;
  out.room_prefix = std::move(prefix);
  out.in_flight = what.in_flight;
  return out;
}

/// The stretch of time that is measured.
class stretch {
public:
  stretch(const plan& what, const swarm& crowd)
    : server_{what.server},
      crowd_{crowd},
      before_{crowd.received()},
      server_before_{cpu_seconds(server_)},
      own_before_{own_cpu_seconds()},
      start_{steady::now()} {}

  /// The last delivery came.
  void stop() {
    wall_ = seconds_since(start_);
    own_ = own_cpu_seconds() - own_before_;
  }

  [[nodiscard]] double cpu() const {
    return cpu_seconds(server_) - server_before_;
  }
  [[nodiscard]] double wall() const {
    return wall_;
  }

  void tell(std::map<std::string, double>& figures) const {
    auto now = crowd_.received();
    figures["wall_s"] = wall_;
    figures["client_cpu_s"] = own_;
    figures["frames"] = static_cast<double>(now.frames - before_.frames);
    figures["bytes"] = static_cast<double>(now.bytes - before_.bytes);
    if (server_ > 0)
      figures["cpu_s"] = cpu();
  }

private:
  pid_t server_;
  const swarm& crowd_;
  traffic before_;
  double server_before_;
  double own_before_;
  steady::time_point start_;
  double wall_ = 0;
  double own_ = 0;
};

/// Opens until `count` members are in and all of them know of all.
bool gather(const plan& what, swarm& crowd, const ledger& book,
            std::size_t count) {
  auto deadline = steady::now() + what.patience;
  // Quiet peers tell a joiner of itself alone, and nobody else.
  auto due = what.quiet ? 0 : book.identities_due(count);
  return crowd.open(count, deadline)
         && crowd.run([&] { return book.booked() >= due; }, deadline);
}

// -- W1 -----------------------------------------------------------------------

void storm(const plan& what, const dialect& language, std::string prefix,
           std::size_t members, outcome& out) {
  ledger book{members, members};
  swarm crowd{options_of(what, members, members, std::move(prefix)), language,
              book};
  stretch measured{what, crowd};
  if (gather(what, crowd, book, members)) {
    measured.stop();
    // Whatever is told twice shows now.
    (void)crowd.idle(steady::now() + afterglow);
    measured.tell(out.figures);
    out.figures["deliveries"] = static_cast<double>(book.booked());
  }
  out.fault = book.fault();
  crowd.close_all();
  if (out.fault.empty())
    (void)crowd.idle(steady::now() + afterglow);
}

outcome join_storm(const plan& what, const dialect& language) {
  outcome out;
  if (what.warm_up > 0)
    storm(what, language, "warm", what.warm_up, out);
  if (out.fault.empty())
    storm(what, language, "room", what.members, out);
  return out;
}

// -- W2 -----------------------------------------------------------------------

/// One event each from as many members, all at once.
bool burst(const plan& what, swarm& crowd, ledger& book, std::size_t first) {
  book.expect_events(first, what.events);
  for (std::size_t k = 0; k < what.events; ++k)
    crowd.send_event(k % what.members, first + k);
  return crowd.run([&] { return book.booked() >= book.events_due(); },
                   steady::now() + what.patience);
}

outcome burst_fan_out(const plan& what, const dialect& language) {
  outcome out;
  ledger book{what.members, what.members};
  swarm crowd{options_of(what, what.members, what.members, "room"), language,
              book};
  std::size_t first = 1;
  std::vector<double> walls;
  double spent = 0;
  bool good = gather(what, crowd, book, what.members)
              && burst(what, crowd, book, first)
              && crowd.idle(steady::now() + afterglow);
  while (good && out.bursts.size() < bursts_max
         && (out.bursts.size() < bursts_min || spent < burst_cpu_enough)) {
    first += what.events;
    stretch measured{what, crowd};
    good = burst(what, crowd, book, first);
    measured.stop();
    good = good && crowd.idle(steady::now() + afterglow);
    measured.tell(out.figures);
    out.bursts.push_back(measured.cpu());
    walls.push_back(measured.wall());
    spent += out.bursts.back();
  }
  out.fault = book.fault();
  out.figures["cpu_s"] = median(out.bursts);
  out.figures["wall_s"] = median(walls);
  out.figures["deliveries"] = static_cast<double>(book.booked());
  return out;
}

// -- W3 -----------------------------------------------------------------------

outcome paced_fan_out(const plan& what, const dialect& language) {
  outcome out;
  ledger book{what.members, what.members};
  swarm crowd{options_of(what, what.members, what.members, "room"), language,
              book};
  if (!gather(what, crowd, book, what.members) || !burst(what, crowd, book, 1)
      || !crowd.idle(steady::now() + std::chrono::seconds{1})) {
    out.fault = book.fault();
    return out;
  }
  auto first = what.events + 1;
  auto start = steady::now() + what.period;
  std::vector<steady::time_point> due;
  for (std::size_t k = 0; k < what.events; ++k)
    due.push_back(start + k * what.period);
  book.expect_events(first, what.events, &due);
  stretch measured{what, crowd};
  // Open loop: an event goes out when it is due, whatever became of the last.
  for (std::size_t k = 0; k < what.events && crowd.idle(due[k]); ++k)
    crowd.send_event(k % what.members, first + k);
  (void)crowd.run([&] { return book.booked() >= book.events_due(); },
                  steady::now() + what.patience);
  measured.stop();
  (void)crowd.idle(steady::now() + afterglow);
  measured.tell(out.figures);
  out.fault = book.fault();
  out.figures["deliveries"] = static_cast<double>(book.booked());
  out.figures["p50_ms"] = quantile(book.lateness(), 0.50);
  out.figures["p99_ms"] = quantile(book.lateness(), 0.99);
  return out;
}

// -- W4 -----------------------------------------------------------------------

outcome idle_memory(const plan& what, const dialect& language) {
  outcome out;
  ledger book{what.members_more, idle_room};
  swarm crowd{options_of(what, what.members_more, idle_room, "room"), language,
              book};
  auto size = [&](std::size_t members) {
    memory_usage none;
    return gather(what, crowd, book, members)
               && crowd.idle(steady::now() + what.settle)
             ? memory_of(what.server)
             : none;
  };
  auto less = size(what.members);
  auto more = size(what.members_more);
  auto slope = [&](std::int64_t a, std::int64_t b) {
    return static_cast<double>(b - a)
           / static_cast<double>(what.members_more - what.members);
  };
  out.fault = book.fault();
  out.figures["bytes_per_connection"] = slope(less.user_bytes, more.user_bytes);
  out.figures["socket_bytes_per_connection"]
    = slope(less.socket_bytes, more.socket_bytes);
  out.figures["slab_bytes_per_connection"]
    = slope(less.slab_bytes, more.slab_bytes);
  out.figures["user_bytes_less"] = static_cast<double>(less.user_bytes);
  out.figures["user_bytes_more"] = static_cast<double>(more.user_bytes);
  out.figures["deliveries"] = static_cast<double>(book.booked());
  return out;
}

outcome dispatch(const plan& what, const dialect& language) {
  if (what.workload == "W1")
    return join_storm(what, language);
  if (what.workload == "W2")
    return burst_fan_out(what, language);
  if (what.workload == "W3")
    return paced_fan_out(what, language);
  return idle_memory(what, language);
}

} // namespace

double quantile(std::vector<std::uint32_t>& us, double q) {
  if (us.empty())
    return 0;
  auto rank = std::min(us.size() - 1, static_cast<std::size_t>(std::ceil(
                                        q * static_cast<double>(us.size()))));
  std::nth_element(us.begin(), us.begin() + static_cast<long>(rank), us.end());
  return us[rank] / 1000.0;
}

outcome run_plan(const plan& what, const dialect& language) {
  if (what.workload == "rooms")
    return make_rooms(what, language);
  if (what.workload == "probe")
    return probe(what, language);
  if (what.workload == "joins")
    return timed_joins(what, language);
  if (what.workload == "hold")
    return hold(what, language);
  outcome out;
  auto rooms = what.workload == "W4"
                 ? (what.members_more + idle_room - 1) / idle_room
                 : 1;
  if (!what.prepared) {
    out.fault = language.prepare(what.port, "room", rooms);
    if (out.fault.empty() && what.warm_up > 0)
      out.fault = language.prepare(what.port, "warm", 1);
  }
  return out.fault.empty() ? dispatch(what, language) : out;
}

} // namespace rollcall::bench
