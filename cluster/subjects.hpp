#pragma once

// Every NATS subject and stream name, made here and nowhere else. nats.c does
// not check subjects: a blank or a line end in one is an injection. So no id
// enters one but as a hash, and the cluster's own name is checked.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// Checks a cluster's id: `[A-Za-z0-9_-]{1,32}`.
[[nodiscard]] result<std::string> check_cluster_id(std::string_view text);

/// 22 characters of `[A-Za-z0-9_-]`: base64url of the first 16 bytes of
/// SHA-256. Two texts with one token do not happen; who stores under it
/// keeps the text beside the value and compares all the same.
[[nodiscard]] std::string subject_token(std::string_view text);

/// The stream of a partition's journal: a journal that had to be made anew is
/// another stream, under subjects of its own, so that nothing which is meant
/// for the one can end in the other.
struct stream_id {
  partition_id partition = 0;
  std::uint64_t generation = 1;

  // NOLINTNEXTLINE(google-explicit-constructor): most have just one.
  stream_id(partition_id of, std::uint64_t in = 1) noexcept
    : partition(of), generation(in) {
    // nop
  }
};

/// The subjects of one cluster. Cheap to copy; made once from a checked id.
class subjects {
public:
  /// An id that `check_cluster_id` refuses is a fault of the caller's and is
  /// replaced by its token.
  explicit subjects(std::string_view cluster);

  // -- between nodes: core NATS, at most once --------------------------------

  /// `rc.<cluster>.n.<token>`: the static inbox of one incarnation of a node.
  [[nodiscard]] std::string node_inbox(const node_id& node) const;

  /// `rc.<cluster>.all`: every node's other inbox.
  [[nodiscard]] std::string everybody() const;

  // -- journals: one JetStream stream per partition and generation -----------

  /// `RC_<cluster>_<ppp>_<generation>`.
  [[nodiscard]] std::string stream(stream_id of) const;

  /// The generation in the name of a stream of this partition; zero when it is
  /// none of ours.
  [[nodiscard]] std::uint64_t generation_in(std::string_view stream,
                                            partition_id partition) const;

  /// `rcj.<cluster>.<ppp>.>`: what the partition's streams take, all together.
  [[nodiscard]] std::string journals(partition_id partition) const;

  /// `rcj.<cluster>.<ppp>.<generation>.>`: all that the stream takes. The
  /// others below are part of it.
  [[nodiscard]] std::string journal(stream_id of) const;

  /// `e`: the claim in force.
  [[nodiscard]] std::string claim(stream_id of) const;

  /// `b.<number>`: a piece of the copy that the stream was made anew from.
  [[nodiscard]] std::string base(stream_id of, std::uint64_t number) const;

  /// `i`: that the copy is complete, and which it was.
  [[nodiscard]] std::string seeded(stream_id of) const;

  /// `x`: nothing more is to be written here.
  [[nodiscard]] std::string seal(stream_id of) const;

  /// `s.<token>`: the last value of one key.
  [[nodiscard]] std::string key(stream_id of, std::string_view key) const;

  /// The same for a value that is cut into parts: the first is as above, the
  /// others have `.<part>` behind it.
  [[nodiscard]] std::string key_part(stream_id of, std::string_view key,
                                     std::size_t part) const;

  /// `g.<slot>.<part>`: one part of a group of records.
  [[nodiscard]] std::string group_part(stream_id of, std::uint64_t slot,
                                       std::size_t part) const;

  /// `g.>`: all groups, to filter by.
  [[nodiscard]] std::string groups(stream_id of) const;

  /// `rcj.<cluster>.probe`: of no stream; who may publish here may publish to
  /// every journal.
  [[nodiscard]] std::string journal_probe() const;

private:
  [[nodiscard]] std::string prefix(stream_id of) const;

  std::string cluster_;
};

} // namespace rollcall::cluster
