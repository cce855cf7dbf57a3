#pragma once

// Whether a stream can be the journal that a store was written from. Pure.
// The rules are those of docs/decisions/0009-journals-made-anew.md.

#include "actors/ports.hpp"
#include "cluster/journal_format.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::cluster {

/// The youngest stream of a partition, as its server tells.
struct stream_facts {
  bool exists = false;
  /// The generation in its name.
  std::uint64_t generation = 0;
  /// Nothing when it is not one of ours, or not set up as one.
  std::optional<journal_label> label;
  position_t last = 0;
  /// The sequence of the claim in force; zero without one.
  position_t claim = 0;
  bool sealed = false;
  /// The server whose copy was read, if it says its name.
  std::string leader;
  /// Of one that was made anew and is complete: from which copy, and where
  /// what came from it ends.
  std::optional<checkpoint> base;
  position_t base_end = 0;
};

/// What is known beside the stream.
struct standing_query {
  /// For messages to people.
  std::string stream;
  /// Where the store stands; zeroes when it has nothing.
  checkpoint stored;
  /// The copies that other nodes speak of.
  std::vector<checkpoint> heard;
  /// How many partitions there should be; zero: not compared.
  std::uint32_t partitions = 0;
};

/// How the store comes to follow the stream.
struct standing {
  restore_way way = restore_way::tail;
  /// The checkpoint it begins with; the stored one for `tail`.
  checkpoint start;
};

/// Compares; the failure has one of `journal_fault` as its field, and says
/// what is wrong and how to mend it. A stream that does not exist is a place
/// to begin only for who has nothing and has heard of nothing.
[[nodiscard]] result<standing> judge(const stream_facts& facts,
                                     const standing_query& about);

/// Whether the stream, which is not given up yet, ends before the store or
/// another copy of it.
[[nodiscard]] bool has_lost_its_end(const stream_facts& facts,
                                    const standing_query& about);

/// Whether a copy at `one` has all that a copy at `other` has.
[[nodiscard]] bool covers(const checkpoint& one, const checkpoint& other);

/// Whether the two are copies of different journals under one generation, so
/// that neither covers the other.
[[nodiscard]] bool are_strangers(const checkpoint& one,
                                 const checkpoint& other);

} // namespace rollcall::cluster
