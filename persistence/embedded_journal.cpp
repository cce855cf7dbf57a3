#include "persistence/embedded_journal.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall {

embedded_journal::embedded_journal(std::shared_ptr<store> at)
  : store_(std::move(at)), incarnation_(random_u64()) {
  // nop
}

void embedded_journal::claim(partition_id partition, const node_id&,
                             claimed answer) {
  if (partition >= limits::partitions_max) {
    answer(fail(errc::bad_request, "there is no such partition", "partition"));
    return;
  }
  auto stored = store_->where(partition);
  if (!stored) {
    answer(stored.error());
    return;
  }
  auto at = *stored;
  at.generation = std::max<std::uint64_t>(at.generation, 1);
  auto next = std::max(at.epoch, claims_[partition]);
  next = std::max(next, at.generation * epoch_generation_unit) + 1;
  if (next / epoch_generation_unit != at.generation) {
    answer(fail(errc::internal, "the partition's claims are used up"));
    return;
  }
  claims_[partition] = next;
  at.epoch = next;
  at.incarnation = incarnation_;
  answer(at);
}

void embedded_journal::append(partition_id partition, epoch_t epoch,
                              std::span<const encoded_record>,
                              appended answer) {
  auto claim = claims_.find(partition);
  if (claim == claims_.end() || claim->second != epoch) {
    answer(fail(errc::conflict, "a later claim to the partition is in force"));
    return;
  }
  auto stored = store_->where(partition);
  if (!stored) {
    answer(fail(errc::unavailable, stored.error().message));
    return;
  }
  answer(stored->position + 1);
}

result<journal_tail>
embedded_journal::follow(partition_id, const checkpoint& from, std::size_t) {
  return journal_tail{restore_way::tail, from, {}, false};
}

result<done> embedded_journal::make_anew(partition_id, const checkpoint&,
                                         const content&) {
  return done{};
}

result<done> embedded_journal::give_up(partition_id, const checkpoint&) {
  return done{};
}

} // namespace rollcall
