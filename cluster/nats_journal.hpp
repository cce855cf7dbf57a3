#pragma once

// The journal of a cluster: one JetStream stream per partition.

#include "actors/ports.hpp"
#include "cluster/nats_connection.hpp"
#include "cluster/nats_lane.hpp"

#include <functional>
#include <memory>

namespace rollcall::cluster {

/// Appends to streams that all nodes of the cluster read. Has a connection
/// and threads of its own; answers come on those, at the latest a little
/// after `nats_journal_config::patience`, that of an append which may have
/// arrived after `doubt_patience` (docs/decisions/0015-appends-in-doubt.md).
/// Thread-safe.
///
/// Beyond what `journal` says of `unavailable`: an append that was given up
/// even then may arrive all the same. If it did, the next append under that
/// epoch is a `conflict`; the owner claims anew and finds it by replay.
///
/// Streams are made by the first claim of a node whose store has nothing of
/// the partition, if no other node has, and by `make_anew`
/// (docs/decisions/0009-journals-made-anew.md).
class nats_journal final : public journal {
public:
  /// Where this node's store stands. Called by `claim`, on the caller's
  /// thread.
  using where = std::function<result<checkpoint>(partition_id)>;

  /// Waits for a server as nats_connection::open does.
  [[nodiscard]] static result<std::unique_ptr<nats_journal>>
  open(const nats_options& options, const nats_journal_config& config,
       where stored);

  /// Answers what is still owed with `unavailable`.
  ~nats_journal() override;

  void claim(partition_id partition, const node_id& who,
             claimed answer) override;

  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override;

  /// What later appends have overwritten may be left out, and a value may come
  /// once more: see journal_ring.
  result<journal_tail> follow(partition_id partition, const checkpoint& from,
                              std::size_t bytes) override;

  result<done> make_anew(partition_id partition, const checkpoint& stored,
                         const content& read) override;

  result<done> give_up(partition_id partition,
                       const checkpoint& stored) override;

  /// Whoever waits for it waits no longer, and nothing more is sent: every
  /// answer from here on is `unavailable`. For the end of a node, when what it
  /// had to append is appended.
  void interrupt() noexcept;

private:
  struct state;

  explicit nats_journal(std::unique_ptr<state> made);

  std::unique_ptr<state> state_;
};

} // namespace rollcall::cluster
