#include "tests/bench/load/cluster_workloads.hpp"
#include "tests/bench/load/console.hpp"
#include "tests/bench/load/greeting_dialect.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <deque>

namespace rollcall::bench {

namespace {

// The server lets one connection have 64.
constexpr std::size_t waiting_most = 48;
constexpr std::chrono::seconds last_word_within{15};
constexpr std::size_t shown_most = 500;
// What an observer need not see while nobody comes or goes.
constexpr std::array<std::string_view, 4> surprises{"joined", "left",
                                                    "suspected", "resumed"};

std::uint64_t number_behind(std::string_view text, std::string_view key) {
  std::uint64_t value = 0;
  if (auto at = text.rfind(key); at != std::string_view::npos)
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(),
                    value);
  return value;
}

std::int64_t nanoseconds(steady::time_point when) {
  return std::chrono::nanoseconds{when.time_since_epoch()}.count();
}

struct question {
  std::uint64_t id = 0;
  steady::time_point due;
};

/// One room: who speaks in it, and what its observer saw last.
struct room_probe {
  std::deque<question> waiting;
  std::uint64_t accepted = 0;
  std::uint64_t seen = 0;
};

class prober {
public:
  prober(const plan& what, const dialect& base)
    : what_{what},
      language_{base,
                [this, &base](const seat& who) {
                  return who.index < what_.rooms ? base.greet(who)
                                                 : watching(who);
                }},
      book_{2 * what.rooms, 1},
      rooms_(what.rooms),
      crowd_{options(), language_, book_} {}

  outcome run() {
    outcome out;
    if (crowd_.open(2 * what_.rooms, steady::now() + what_.patience)) {
      std::puts("ready");
      watching_ = true;
      speak();
      watching_ = false;
      settle();
    }
    out.fault = book_.fault();
    out.figures["questions"] = static_cast<double>(last_id_);
    return out;
  }

private:
  swarm_options options() {
    swarm_options out;
    out.members = 2 * what_.rooms;
    out.book = false;
    out.seat_of = [this](std::size_t who) {
      return seat{who, what_.prefix + std::to_string(who % what_.rooms)};
    };
    out.port_of = [this](std::size_t who) {
      return who < what_.rooms ? what_.port : what_.observer_port;
    };
    out.listen
      = [this](std::size_t who, std::string_view text, steady::time_point now) {
          return take(who, text, now);
        };
    return out;
  }

  // The rooms take turns, so that no two of them are asked at once.
  void speak() {
    auto apart = std::chrono::nanoseconds{what_.period} / what_.rooms;
    auto due = steady::now() + apart;
    for (std::size_t k = 0; !orders_.closed(); ++k, due += apart) {
      if (!crowd_.idle(due))
        return;
      ask(k % what_.rooms, due);
      if (k % what_.rooms == 0)
        std::fflush(stdout);
    }
  }

  void ask(std::size_t room, steady::time_point due) {
    auto& at = rooms_[room];
    if (at.waiting.size() >= waiting_most)
      return;
    auto id = ++last_id_ + 1;
    at.waiting.push_back({id, due});
    auto number = std::to_string(id);
    crowd_.send_text(room, R"({"op":"set_live","id":)" + number
                             + R"(,"session":")" + what_.prefix
                             + std::to_string(room) + R"(","live":{"n":)"
                             + number + "}}");
  }

  // Everyone must have the last word of every room.
  void settle() {
    auto until = steady::now() + last_word_within;
    auto all_answered = [&] {
      return std::ranges::all_of(
        rooms_, [](const room_probe& one) { return one.waiting.empty(); });
    };
    auto all_seen = [&] {
      return std::ranges::all_of(
        rooms_, [](const room_probe& one) { return one.seen == one.accepted; });
    };
    if (!crowd_.run(all_answered, until))
      return;
    for (std::size_t room = 0; room < what_.rooms; ++room)
      ask(room, steady::now());
    (void)crowd_.run([&] { return all_answered() && all_seen(); }, until);
  }

  bool take(std::size_t who, std::string_view text, steady::time_point now) {
    auto head = text.substr(0, 64);
    if (head.find(R"("push":)") != std::string_view::npos) {
      take_push(who, head, text, now);
      return false;
    }
    auto id = number_behind(head, R"("re":)");
    if (who >= what_.rooms || id < 2)
      return false;
    take_answer(who, id, text, now);
    return true;
  }

  void take_answer(std::size_t room, std::uint64_t id, std::string_view text,
                   steady::time_point now) {
    auto& at = rooms_[room];
    auto found = std::ranges::find(at.waiting, id, &question::id);
    if (found == at.waiting.end())
      return book_.book_fault("an answer nobody waits for: "
                              + std::string{text.substr(0, 200)});
    std::string code = "ok";
    if (text.find(R"("ok":true)") == std::string_view::npos) {
      constexpr std::string_view key = R"("code":")";
      auto from = text.find(key);
      code = from == std::string_view::npos
               ? "?"
               : std::string{text.substr(from + key.size(),
                                         text.find('"', from + key.size())
                                           - from - key.size())};
    }
    unsigned long long epoch = number_behind(text, R"("at":[)");
    std::printf("A %zu %lld %lld %llu %s\n", room,
                static_cast<long long>(nanoseconds(found->due)),
                static_cast<long long>(nanoseconds(now)), epoch, code.c_str());
    at.waiting.erase(found);
    if (code == "ok")
      at.accepted = std::max(at.accepted, id);
  }

  void take_push(std::size_t who, std::string_view head, std::string_view text,
                 steady::time_point now) {
    auto tell = [&](std::string_view what) {
      auto shown = text.substr(0, shown_most);
      if (watching_)
        std::printf("E %zu %lld %.*s %.*s\n", who,
                    static_cast<long long>(nanoseconds(now)),
                    static_cast<int>(what.size()), what.data(),
                    static_cast<int>(shown.size()), shown.data());
    };
    if (who >= what_.rooms)
      if (auto n = number_behind(text, R"("n":)"))
        rooms_[who - what_.rooms].seen = n;
    if (head.find(R"("push":"snapshot")") != std::string_view::npos)
      return tell("snapshot");
    for (auto type : surprises)
      if (text.find(R"("type":")" + std::string{type} + '"')
          != std::string_view::npos)
        tell(type);
  }

  const plan& what_;
  greeting_dialect language_;
  ledger book_;
  std::vector<room_probe> rooms_;
  swarm crowd_;
  console orders_;
  bool watching_ = false;
  std::uint64_t last_id_ = 0;
};

} // namespace

outcome probe(const plan& what, const dialect& language) {
  return prober{what, language}.run();
}

} // namespace rollcall::bench
