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

  // -- journals: one JetStream stream per partition --------------------------

  /// `RC_<cluster>_<ppp>`.
  [[nodiscard]] std::string stream(partition_id partition) const;

  /// `rcj.<cluster>.<ppp>.>`: all that the stream takes.
  [[nodiscard]] std::string journal(partition_id partition) const;

  /// `rcj.<cluster>.<ppp>.e`: the claim in force.
  [[nodiscard]] std::string claim(partition_id partition) const;

  /// `rcj.<cluster>.<ppp>.s.<token>`: the last value of one key.
  [[nodiscard]] std::string key(partition_id partition,
                                std::string_view key) const;

  /// The same for a value that is cut into parts: the first is as above, the
  /// others have `.<part>` behind it.
  [[nodiscard]] std::string key_part(partition_id partition,
                                     std::string_view key,
                                     std::size_t part) const;

  /// `rcj.<cluster>.<ppp>.g.<slot>.<part>`: one part of a group of records.
  [[nodiscard]] std::string group_part(partition_id partition,
                                       std::uint64_t slot,
                                       std::size_t part) const;

  /// `rcj.<cluster>.<ppp>.g.>`: all groups, to filter by.
  [[nodiscard]] std::string groups(partition_id partition) const;

  /// `rcj.<cluster>.probe`: of no stream; who may publish here may publish to
  /// every journal.
  [[nodiscard]] std::string journal_probe() const;

private:
  [[nodiscard]] std::string prefix(partition_id partition) const;

  std::string cluster_;
};

} // namespace rollcall::cluster
