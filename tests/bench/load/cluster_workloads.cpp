#include "tests/bench/load/cluster_workloads.hpp"

#include "tests/bench/load/console.hpp"
#include "tests/bench/load/greeting_dialect.hpp"
#include "tests/bench/load/server_usage.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace rollcall::bench {

namespace {

// What is told twice, or to the wrong ones, comes later than what was due.
constexpr std::chrono::milliseconds afterglow{500};

constexpr std::string_view joined_mark = R"("type":"joined")";
constexpr std::string_view user_mark = R"("user":"user-)";

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t out = 0;
  for (auto at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size()))
    ++out;
  return out;
}

// -- joins --------------------------------------------------------------------

/// The first `rooms` members observe a room each at one node, the others join
/// them in turn at the other.
class join_watch {
public:
  join_watch(const plan& what, ledger& book)
    : rooms_{what.rooms},
      book_{book},
      due_(what.members),
      seen_(what.members, false) {}

  void set_due(std::size_t joiner, steady::time_point when) {
    due_[joiner] = when;
  }

  /// Books whom an observer sees join.
  void take(std::size_t observer, std::string_view text,
            steady::time_point now) {
    for (auto at = text.find(joined_mark); at != std::string_view::npos;
         at = text.find(joined_mark, at + 1)) {
      auto user = text.find(user_mark, at);
      std::size_t index = 0;
      if (user != std::string_view::npos) {
        auto digits = text.substr(user + user_mark.size(), 6);
        std::from_chars(digits.data(), digits.data() + digits.size(), index);
      }
      auto joiner = index - rooms_;
      if (index < rooms_ || joiner >= due_.size() || joiner % rooms_ != observer
          || seen_[joiner])
        return book_.book_fault("observer " + std::to_string(observer)
                                + " saw a wrong join, or one twice: member "
                                + std::to_string(index));
      seen_[joiner] = true;
      ++count_;
      auto late = std::chrono::duration_cast<std::chrono::microseconds>(
        now - due_[joiner]);
      if (joiner >= skip_)
        late_.push_back(
          static_cast<std::uint32_t>(std::max<std::int64_t>(late.count(), 0)));
    }
  }

  /// The first `joiners` warm up and are not measured.
  void skip(std::size_t joiners) {
    skip_ = joiners;
  }

  [[nodiscard]] std::size_t count() const {
    return count_;
  }
  [[nodiscard]] std::vector<std::uint32_t>& late() {
    return late_;
  }

private:
  std::size_t rooms_;
  ledger& book_;
  std::vector<steady::time_point> due_;
  std::vector<bool> seen_;
  std::size_t skip_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> late_;
};

std::string join_of(const plan& what, std::size_t room) {
  return R"({"op":"join","id":1,"session":")" + what.prefix
         + std::to_string(room) + R"(","view":")" + what.view + R"("})";
}

void measure_joins(const plan& what, swarm& crowd, ledger& book,
                   join_watch& watch, const std::size_t& answered) {
  auto rooms = what.rooms;
  if (!crowd.open(rooms + what.members, steady::now() + what.patience)
      || !crowd.idle(steady::now() + std::chrono::seconds{1}))
    return;
  auto start = steady::now() + what.period;
  // Open loop: a join goes out when it is due, whatever became of the last.
  for (std::size_t k = 0; k < what.members; ++k)
    watch.set_due(k, start + k * what.period);
  for (std::size_t k = 0; k < what.members; ++k) {
    if (!crowd.idle(start + k * what.period))
      return;
    crowd.send_text(rooms + k, join_of(what, k % rooms));
  }
  (void)crowd.run(
    [&] { return watch.count() == what.members && answered == what.members; },
    steady::now() + std::chrono::seconds{20});
  (void)crowd.idle(steady::now() + afterglow);
  if (book.fault().empty() && watch.count() != what.members)
    book.book_fault("joins were not seen");
}

// -- hold ---------------------------------------------------------------------

/// What members see that nobody wanted while a room is only held.
struct churn {
  std::size_t joined = 0;
  std::size_t left = 0;
  std::size_t suspected = 0;
  std::size_t snapshots = 0;

  void take(std::string_view text) {
    auto head = text.substr(0, 32);
    if (head.find(R"("push":"snapshot")") != std::string_view::npos)
      ++snapshots;
    if (head.find(R"("push":"changes")") == std::string_view::npos)
      return;
    joined += count_of(text, joined_mark);
    left += count_of(text, R"("type":"left")");
    suspected += count_of(text, R"("type":"suspected")");
  }

  void tell(std::map<std::string, double>& figures) const {
    figures["joined"] = static_cast<double>(joined);
    figures["left"] = static_cast<double>(left);
    figures["suspected"] = static_cast<double>(suspected);
    figures["snapshots"] = static_cast<double>(snapshots);
  }
};

} // namespace

outcome make_rooms(const plan& what, const dialect& language) {
  outcome out;
  out.fault = language.prepare(what.port, what.prefix, what.rooms);
  return out;
}

outcome timed_joins(const plan& what, const dialect& base) {
  outcome out;
  ledger book{what.rooms + what.members, 1};
  greeting_dialect language{base, [&](const seat& who) {
                              return who.index < what.rooms ? watching(who)
                                                            : std::string{};
                            }};
  join_watch watch{what, book};
  watch.skip(what.warm_up);
  std::size_t answered = 0;
  swarm* all = nullptr;
  swarm_options options;
  options.members = what.rooms + what.members;
  options.in_flight = what.in_flight;
  options.book = false;
  options.seat_of = [&](std::size_t who) {
    auto room = who < what.rooms ? who : (who - what.rooms) % what.rooms;
    return seat{who, what.prefix + std::to_string(room)};
  };
  options.port_of = [&](std::size_t who) {
    return who < what.rooms ? what.observer_port : what.port;
  };
  options.listen
    = [&](std::size_t who, std::string_view text, steady::time_point now) {
        if (who < what.rooms) {
          watch.take(who, text, now);
          return false;
        }
        auto head = text.substr(0, 64);
        if (head.find(R"("push":"welcome")") != std::string_view::npos)
          all->settle(who);
        else if (head.find(R"("ok":true)") != std::string_view::npos)
          ++answered;
        else if (head.find(R"("ok":false)") != std::string_view::npos
                 || head.find(R"("push":"bye")") != std::string_view::npos)
          book.book_fault(std::string{text.substr(0, 300)});
        return true;
      };
  swarm crowd{options, language, book};
  all = &crowd;
  auto before = own_cpu_seconds();
  auto start = steady::now();
  measure_joins(what, crowd, book, watch, answered);
  std::chrono::duration<double> took = steady::now() - start;
  out.figures["client_cpu_s"] = own_cpu_seconds() - before;
  out.figures["wall_s"] = took.count();
  out.fault = book.fault();
  out.figures["seen"] = static_cast<double>(watch.count());
  out.figures["p50_ms"] = quantile(watch.late(), 0.50);
  out.figures["p99_ms"] = quantile(watch.late(), 0.99);
  out.figures["p999_ms"] = quantile(watch.late(), 0.999);
  out.figures["max_ms"] = quantile(watch.late(), 1);
  crowd.close_all();
  return out;
}

outcome hold(const plan& what, const dialect& language) {
  outcome out;
  auto ours = what.room_size / what.parts;
  auto everyone = what.rooms * what.room_size;
  ledger book{everyone, what.room_size};
  churn seen;
  bool whole = false;
  swarm_options options;
  options.port = what.port;
  options.members = what.rooms * ours;
  options.in_flight = what.in_flight;
  options.seat_of = [&](std::size_t who) {
    auto room = who / ours;
    return seat{room * what.room_size + what.part * ours + who % ours,
                what.prefix + std::to_string(room)};
  };
  options.listen = [&](std::size_t, std::string_view text, steady::time_point) {
    if (whole)
      seen.take(text);
    return false;
  };
  swarm crowd{options, language, book};
  auto deadline = steady::now() + what.patience;
  auto due = std::uint64_t{options.members} * what.room_size;
  console orders;
  if (crowd.open(options.members, deadline)
      && crowd.run([&] { return book.booked() >= due; }, deadline)) {
    std::puts("ready");
    std::fflush(stdout);
    // The others are not ready yet.
    (void)crowd.run([&] { return orders.said("hold") || orders.closed(); },
                    deadline);
    whole = true;
    auto before = own_cpu_seconds();
    (void)crowd.run([&] { return orders.said("count") || orders.closed(); },
                    steady::time_point::max());
    out.figures["client_cpu_s"] = own_cpu_seconds() - before;
  }
  out.fault = book.fault();
  out.figures["connections"]
    = out.fault.empty() ? static_cast<double>(options.members) : 0;
  seen.tell(out.figures);
  return out;
}

} // namespace rollcall::bench
