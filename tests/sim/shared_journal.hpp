#pragma once

// The journal of several nodes in one process: one log per partition, with
// the claims and the fence of the real one, and the same ways to go wrong.

#include "actors/ports.hpp"
#include "sim/sim_life.hpp"

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::sim {

/// What all nodes append to.
class shared_log {
public:
  struct entry {
    position_t at = 0;
    epoch_t epoch = 0;
    std::vector<encoded_record> records;
  };

  struct stream {
    std::vector<entry> entries;
    position_t last = 0;
    epoch_t claim = 0;
    node_id owner;
  };

  /// Bugs, to prove that the checks see them.
  struct planted {
    /// Appends are taken whatever they expect.
    bool no_fence = false;
    /// After a refusal the expectation lines up with the log again, as it does
    /// for a writer with several appends in flight.
    bool realigns = false;
    /// An append is answered before the log has it.
    bool answers_early = false;
  };

  stream& of(partition_id partition) {
    return streams_[partition];
  }

  [[nodiscard]] const std::map<partition_id, stream>& all() const {
    return streams_;
  }

  /// The content of a partition: all its records, folded.
  [[nodiscard]] std::map<std::string, std::string>
  fold(partition_id partition) {
    std::map<std::string, std::string> out;
    for (const auto& one : of(partition).entries)
      for (const auto& item : one.records) {
        if (item.value)
          out[item.key] = *item.value;
        else
          out.erase(item.key);
      }
    return out;
  }

  void take(partition_id partition, epoch_t epoch,
            std::vector<encoded_record> records) {
    auto& to = of(partition);
    if (epoch != to.claim)
      complaints.push_back("partition " + std::to_string(partition)
                           + " took a record of " + std::to_string(epoch)
                           + " under the claim " + std::to_string(to.claim));
    to.entries.push_back({++to.last, epoch, std::move(records)});
  }

  /// A disk was lost and a stream came back without its end.
  void shorten(partition_id partition, std::size_t by) {
    auto& to = of(partition);
    while (by-- > 0 && !to.entries.empty()) {
      to.entries.pop_back();
      to.last = to.entries.empty() ? 0 : to.entries.back().at;
    }
  }

  /// While off nobody can write or read: a stream without a leader.
  bool works = true;
  /// Replays fail: a consumer that stalls.
  bool stalls = false;
  /// One acknowledgement in so many never arrives.
  std::uint32_t lost_acks = 0;
  /// Replaced values may be left out.
  bool compacts = true;
  planted bugs;
  std::vector<std::string> complaints;
  std::uint64_t acks_lost = 0;
  std::uint64_t left_out = 0;

private:
  std::map<partition_id, stream> streams_;
};

/// One node's way to the log.
class shared_journal final
  : public journal,
    public std::enable_shared_from_this<shared_journal> {
public:
  shared_journal(std::shared_ptr<shared_log> log,
                 std::shared_ptr<sim_events> events,
                 std::shared_ptr<sim_life> life, std::uint64_t seed)
    : log_(std::move(log)),
      events_(std::move(events)),
      life_(std::move(life)),
      random_(seed) {
    // nop
  }

  void claim(partition_id partition, const node_id& who,
             claimed answer) override {
    if (life_->alive)
      begin([this, partition, who,
             answer](bool heard) { do_claim(partition, who, answer, heard); },
            [answer] { answer(away()); });
  }

  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override {
    if (!life_->alive || life_->hits(crash_point::before_append))
      return;
    std::vector<encoded_record> kept{records.begin(), records.end()};
    if (log_->bugs.answers_early) {
      auto& mine = mine_[partition];
      tell([answer, at = mine.position + 1] { answer(at); });
      answer = [](const result<position_t>&) {};
    }
    begin([this, partition, epoch, kept, answer](
            bool heard) { do_append(partition, epoch, kept, answer, heard); },
          [answer] { answer(away()); });
  }

  result<done> replay(partition_id partition, position_t from,
                      const replayed& each) override {
    if (!log_->works || log_->stalls || no_way_out || no_way_in)
      return fail(errc::unavailable, "the journal is away");
    auto& of = log_->of(partition);
    if (mine_[partition].epoch != of.claim)
      return fail(errc::conflict, "a later claim is in force");
    replay_from(of, from, each);
    return done{};
  }

  /// Requests of this node do not reach the log.
  bool no_way_out = false;
  /// Its answers do not reach this node.
  bool no_way_in = false;

private:
  /// `apply` happens at the log; `heard` says whether its answer will be.
  struct request {
    std::function<void(bool heard)> apply;
    std::function<void()> refuse;
    millis until{0};
  };

  /// What this node believes to be the end of a partition it has claimed.
  struct claim_of_mine {
    epoch_t epoch = 0;
    position_t position = 0;
    bool over = false;
  };

  static constexpr millis patience{3'000};
  static constexpr millis again{50};
  static constexpr millis gives_up{500};

  void begin(std::function<void(bool heard)> apply,
             std::function<void()> refuse) {
    request what{std::move(apply), std::move(refuse), events_->now + patience};
    events_->at(events_->now + millis{1 + pick(3)},
                [self = shared_from_this(), what = std::move(what)] {
                  self->attempt(what);
                });
  }

  // As the real one: the same bytes again and again until they are answered.
  void attempt(const request& what) {
    if (log_->works && !no_way_out) {
      bool lost = log_->lost_acks != 0 && pick(log_->lost_acks) == 0;
      log_->acks_lost += lost ? 1 : 0;
      what.apply(!lost && !no_way_in);
    } else if (events_->now >= what.until) {
      life_->enter(what.refuse);
    } else {
      events_->at(events_->now + again, [self = shared_from_this(), what] {
        self->life_->enter([self, what] { self->attempt(what); });
      });
    }
  }

  void tell(std::function<void()> answer, millis in = millis{0}) {
    events_->at(
      events_->now + in + millis{1 + pick(3)},
      [life = life_, answer = std::move(answer)] { life->enter(answer); });
  }

  static failure away() {
    return fail(errc::unavailable, "the journal is away");
  }

  void do_claim(partition_id partition, const node_id& who,
                const claimed& answer, bool heard) {
    auto& to = log_->of(partition);
    to.claim = epoch_generation_unit + ++to.last;
    to.owner = who;
    to.entries.push_back({to.last, to.claim, {}});
    if (!heard) {
      tell([answer] { answer(away()); }, gives_up);
      return;
    }
    mine_[partition] = {to.claim, to.last, false};
    tell([answer, at = checkpoint{1, to.last, to.claim}] { answer(at); });
  }

  void do_append(partition_id partition, epoch_t epoch,
                 const std::vector<encoded_record>& records,
                 const appended& answer, bool heard) {
    auto& to = log_->of(partition);
    auto& mine = mine_[partition];
    bool fits = mine.epoch == epoch && !mine.over && mine.position == to.last;
    if (!fits && !log_->bugs.no_fence) {
      if (log_->bugs.realigns)
        mine = {epoch, to.last, false};
      else
        mine.over = true;
      tell([answer] {
        answer(fail(errc::conflict, "a later claim is in force"));
      });
      return;
    }
    log_->take(partition, epoch, records);
    if (life_->hits(crash_point::in_append))
      return;
    if (!heard) {
      // What it knows of the log ends before this: the next one is refused.
      tell([answer] { answer(away()); }, gives_up);
      return;
    }
    mine.position = to.last;
    tell([answer, at = to.last] { answer(at); });
  }

  void replay_from(const shared_log::stream& of, position_t from,
                   const replayed& each) {
    std::set<std::string> replaced;
    std::vector<shared_log::entry> out;
    auto compacted = of.last - std::min<position_t>(of.last, pick(20));
    for (auto one = of.entries.rbegin(); one != of.entries.rend(); ++one) {
      if (one->at <= from)
        break;
      auto kept = *one;
      if (log_->compacts && one->at <= compacted)
        log_->left_out += std::erase_if(kept.records, [&](const auto& item) {
          return replaced.contains(item.key);
        });
      for (const auto& item : one->records)
        replaced.insert(item.key);
      if (!kept.records.empty())
        out.push_back(std::move(kept));
    }
    for (auto one = out.rbegin(); one != out.rend(); ++one)
      each(one->at, one->epoch, one->records);
    if (!out.empty() && pick(4) == 0)
      each(out.front().at, out.front().epoch, out.front().records);
  }

  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  std::shared_ptr<shared_log> log_;
  std::shared_ptr<sim_events> events_;
  std::shared_ptr<sim_life> life_;
  std::mt19937_64 random_;
  std::map<partition_id, claim_of_mine> mine_;
};

} // namespace rollcall::sim
