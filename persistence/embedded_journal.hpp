#pragma once

// The journal of one node without NATS: the synced batch is the append.

#include "actors/ports.hpp"

#include <map>
#include <memory>

namespace rollcall {

/// Fences and numbers the appends of partitions whose only record is this
/// store. It keeps no position of its own: the next one is always the store's
/// plus one. So a batch that fails gives its position back by never having
/// been, and a restart has nothing to learn.
///
/// Belongs to the store actor's thread, like the store it reads. Answers come
/// before the call returns.
class embedded_journal final : public journal {
public:
  explicit embedded_journal(std::shared_ptr<store> at);

  /// The epoch is above that in the store and above every claim made here.
  /// It outlives a restart once the store actor has written it with the
  /// partition's checkpoint, which it does before it answers the opener.
  void claim(partition_id partition, const node_id& who,
             claimed answer) override;

  /// Answers the position at which the following write must apply the
  /// records.
  void append(partition_id partition, epoch_t epoch,
              std::span<const encoded_record> records,
              appended answer) override;

  /// Nothing: what was appended is in the store.
  result<journal_tail> follow(partition_id partition, const checkpoint& from,
                              std::size_t bytes) override;

  result<done> make_anew(partition_id partition, const checkpoint& stored,
                         const content& read) override;

  result<done> give_up(partition_id partition,
                       const checkpoint& stored) override;

private:
  std::shared_ptr<store> store_;
  /// Another one at each start: should the store ever meet a journal
  /// elsewhere, what was appended here is not taken for a part of that.
  std::uint64_t incarnation_;
  /// The claim in force. At most one entry per partition.
  std::map<partition_id, epoch_t> claims_;
};

} // namespace rollcall
