#pragma once

// One node's way to the shared log: the claims, the fence and the generations
// of the real journal, its retries, and the answers it does not get. One
// thread; answers come as events of their own.

#include "actors/ports.hpp"
#include "cluster/stream_standing.hpp"
#include "sim/shared_log.hpp"
#include "sim/sim_life.hpp"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace rollcall::sim {

class shared_journal final
  : public journal,
    public std::enable_shared_from_this<shared_journal> {
public:
  /// What a node knows beside the log.
  struct knowledge {
    /// Where its store stands.
    std::function<checkpoint(partition_id)> stored;
    /// The copies that other nodes speak of.
    std::function<std::vector<checkpoint>(partition_id)> heard;
  };

  shared_journal(std::shared_ptr<shared_log> log,
                 std::shared_ptr<sim_events> events,
                 std::shared_ptr<sim_life> life, knowledge known,
                 std::uint64_t seed);

  void claim(partition_id partition, const node_id& who,
             claimed answer) override;
  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override;
  result<journal_tail> follow(partition_id partition, const checkpoint& from,
                              std::size_t budget) override;
  result<done> make_anew(partition_id partition, const checkpoint& stored,
                         const content& read) override;
  result<done> give_up(partition_id partition,
                       const checkpoint& stored) override;

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
    std::uint64_t generation = 0;
    epoch_t epoch = 0;
    position_t position = 0;
    bool over = false;
  };

  void begin(std::function<void(bool heard)> apply,
             std::function<void()> refuse);
  void attempt(const request& what);
  void tell(std::function<void()> answer, millis in = millis{0});
  void do_claim(partition_id partition, const cluster::standing_query& about,
                const claimed& answer, bool heard);
  void do_append(partition_id partition, epoch_t epoch,
                 const std::vector<encoded_record>& records,
                 const appended& answer, bool heard);
  [[nodiscard]] bool readable() const;
  [[nodiscard]] cluster::stream_facts look(partition_id partition);
  [[nodiscard]] result<cluster::standing>
  stand(partition_id partition, const cluster::standing_query& about);
  [[nodiscard]] cluster::standing_query query(partition_id partition,
                                              const checkpoint& stored);
  std::vector<shared_log::entry> entries_after(const shared_log::stream& of,
                                               position_t from);
  std::uint32_t pick(std::uint32_t below);

  std::shared_ptr<shared_log> log_;
  std::shared_ptr<sim_events> events_;
  std::shared_ptr<sim_life> life_;
  knowledge known_;
  std::mt19937_64 random_;
  std::map<partition_id, claim_of_mine> mine_;
};

} // namespace rollcall::sim
