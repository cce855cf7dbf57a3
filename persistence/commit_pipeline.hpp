#pragma once

// The way of a commit: queue -> journal -> group -> disk -> answer. Pure
// state; the store actor moves it and talks to journal and store.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "persistence/store_reader.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// Orders the commits of all partitions. Per partition: commits in the order
/// they came, one append in flight, and not another before its records are on
/// disk (so that the store is exactly the applied prefix of the journal). Over
/// all partitions: what the journal took goes into one synced write.
///
/// The erasure of a session goes in steps of limits::erase_step keys, each a
/// group of its own, with others between them; only the last writes what was
/// committed with it, and is answered.
///
/// Owned by the store actor. Bounds: limits::commits_per_partition,
/// commit_queue_bytes; a group takes at most group_commits and group_bytes
/// (a commit that is larger goes alone).
class commit_pipeline {
public:
  /// The next keys of a session to erase, at most limits::erase_step, and
  /// whether there are more. Asked when all that came before is in the store.
  using keys_of
    = std::function<result<session_keys>(partition_id, const session_key&)>;

  /// Whether the journal holds a group whose write failed; see `written`.
  using kept = std::function<bool(partition_id, position_t)>;

  /// What `journal::append` is to be called with. `records` is valid until
  /// the append is answered and its group written.
  struct append_order {
    partition_id partition = 0;
    epoch_t epoch = 0;
    std::uint64_t ticket = 0;
    std::span<const encoded_record> records;
  };

  /// The end of a commit: where it is, or why nothing of it is anywhere.
  struct answer {
    std::uint64_t commit = 0;
    result<position_t> at = position_t{0};
  };

  explicit commit_pipeline(keys_of ask);

  /// The form in which later commits are kept: see `encode`.
  void write_as(std::uint32_t form) noexcept {
    form_ = form;
  }

  /// Queues a commit under the caller's number `id`. `unavailable` when the
  /// queue is full, `too_large` when a record is over its bound; then the
  /// commit is not queued and gets no later answer.
  result<done> push(std::uint64_t id, const commit& what);

  /// The appends that may start now: at most one per partition.
  [[nodiscard]] std::vector<append_order> start_appends();

  /// The journal's answer to an append. One that was not asked for, or was
  /// answered before, changes nothing.
  void appended(partition_id partition, std::uint64_t ticket,
                const result<position_t>& where);

  /// What to write now; empty when there is nothing or a write is under way.
  /// Valid until `written`.
  [[nodiscard]] std::span<const applied_records> start_write();

  /// The outcome of that write. After a failure the groups which `is_kept`
  /// confirms stay and come again with the next `start_write`: they exist, the
  /// store has to follow. The others never were, and are answered so.
  void written(const result<done>& outcome, const kept& is_kept);

  /// The commits that have come to their end since the last call, in order
  /// per partition.
  [[nodiscard]] std::vector<answer> take_answers();

  /// Starts no appends for this partition until `release`: a claim is coming.
  void hold(partition_id partition);
  void release(partition_id partition);

  /// A claim is in force, to the journal of this incarnation: what is appended
  /// under it is written with that.
  void claimed(partition_id partition, std::uint64_t incarnation);

  /// Whether nothing of this partition is between journal and disk.
  /// Commits that wait for the journal do not count.
  [[nodiscard]] bool idle(partition_id partition) const;

  /// Whether `start_write` would give something.
  [[nodiscard]] bool has_ready() const noexcept;

  /// Gives every commit up, queued or under way: the actor ends.
  void abandon(const failure& why);

  /// Commits that wait for the journal, and appends under way.
  [[nodiscard]] std::size_t queued() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;

private:
  using step = std::variant<encoded_record, session_erased>;

  struct waiting {
    std::uint64_t id = 0;
    epoch_t epoch = 0;
    std::vector<step> steps;
    std::size_t bytes = 0;
    bool erases = false;
  };

  /// Commits that go through journal and disk together.
  struct group {
    std::uint64_t ticket = 0;
    epoch_t epoch = 0;
    std::vector<std::uint64_t> commits;
    std::vector<encoded_record> records;
    /// What its commits count for in `bytes_`.
    std::size_t bytes = 0;
    /// The erasure of which this is a step, to be queued again.
    std::optional<waiting> rest;
    std::optional<position_t> at;
  };

  struct lane {
    std::deque<waiting> queue;
    std::optional<group> flight;
    bool held = false;
    std::uint64_t incarnation = 0;
  };

  [[nodiscard]] std::optional<group> form_group(partition_id partition,
                                                lane& from);
  /// What a commit writes now.
  struct expanded {
    std::vector<encoded_record> records;
    /// A step of an erasure that is not the last.
    bool more = false;
  };
  /// Takes the steps, unless it is an erasure: that may come again.
  [[nodiscard]] result<expanded> expand(partition_id partition,
                                        waiting& item) const;
  void finish(lane& where, const result<position_t>& outcome);

  keys_of keys_of_;
  std::map<partition_id, lane> lanes_;
  /// Partitions whose flight has its position, in the order of the answers.
  std::deque<partition_id> ready_;
  /// The write under way.
  std::vector<applied_records> writing_;
  std::vector<answer> answers_;
  std::uint32_t form_ = record_form;
  std::uint64_t last_ticket_ = 0;
  std::size_t queued_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace rollcall
