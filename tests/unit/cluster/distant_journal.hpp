#pragma once

// A journal that is not the store: it keeps what the store may not have, and
// answers, refuses or is silent as a test says.

#include "actors/ports.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace rollcall::test {

/// Of one partition. Used by one thread.
class distant_journal final : public journal {
public:
  void claim(partition_id, const node_id&, claimed answer) override {
    epoch_ = std::max(epoch_, epoch_generation_unit) + 1;
    answer(checkpoint{1, ++end_, epoch_, 1});
  }

  void append(partition_id partition, epoch_t under,
              std::span<const encoded_record> records,
              appended answer) override {
    if (refuses) {
      answer(fail(errc::unavailable, "no leader"));
      return;
    }
    auto take
      = [this, partition, under, answer = std::move(answer),
         copy = std::vector<encoded_record>{records.begin(), records.end()}] {
          if (under != epoch_) {
            answer(fail(errc::conflict, "fenced"));
            return;
          }
          kept_.push_back({partition, {1, ++end_, under, 1}, copy});
          answer(end_);
        };
    if (silent)
      waiting_.emplace_back(std::move(take));
    else
      take();
  }

  result<journal_tail> follow(partition_id, const checkpoint& from,
                              std::size_t) override {
    journal_tail out;
    out.start = from;
    for (const auto& one : kept_)
      if (one.at.position > from.position)
        out.groups.push_back(one);
    return out;
  }

  result<done> make_anew(partition_id, const checkpoint&,
                         const content&) override {
    return done{};
  }

  result<done> give_up(partition_id, const checkpoint&) override {
    return done{};
  }

  /// Takes what came while it was silent.
  void speak() {
    silent = false;
    for (auto& take : std::exchange(waiting_, {}))
      take();
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.size();
  }

  /// Appends from here on get no answer until `speak`.
  bool silent = false;
  /// Appends from here on are refused.
  bool refuses = false;

private:
  std::deque<std::function<void()>> waiting_;
  std::vector<applied_records> kept_;
  epoch_t epoch_ = 0;
  position_t end_ = 0;
};

} // namespace rollcall::test
