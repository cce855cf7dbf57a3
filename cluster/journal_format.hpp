#pragma once

// What the messages of a journal's stream carry, and how a reader makes
// appends of them again. Pure: no network, no clock.

#include "actors/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::cluster {

/// What a stream is, beside its name: a stream that was made anew is another,
/// whatever it is called. In the stream's description and in every message.
struct journal_marker {
  std::uint64_t generation = 0;
  /// Drawn when the stream was made.
  std::uint64_t incarnation = 0;

  friend bool operator==(const journal_marker&, const journal_marker&)
    = default;
};

/// The epoch of the claim at sequence `claim`.
[[nodiscard]] epoch_t make_epoch(const journal_marker& marker,
                                 std::uint64_t claim) noexcept;

[[nodiscard]] std::string to_string(const journal_marker& marker);
[[nodiscard]] std::optional<journal_marker>
parse_journal_marker(std::string_view text);

/// What is written on a stream: its description.
struct journal_label {
  journal_marker marker;
  /// How many partitions the cluster has; zero when it does not say.
  std::uint32_t partitions = 0;

  friend bool operator==(const journal_label&, const journal_label&) = default;
};

[[nodiscard]] std::string to_string(const journal_label& label);
[[nodiscard]] std::optional<journal_label>
parse_journal_label(std::string_view text);

/// Of a journal that was made anew: the store it was made from.
[[nodiscard]] std::string encode_base(const checkpoint& base);
[[nodiscard]] std::optional<checkpoint> decode_base(std::string_view bytes);

enum class entry_kind : std::uint8_t {
  claim = 1,
  records = 2,
  /// Of a journal that was made anew: the copy is complete.
  seeded = 3,
  /// The end of a journal that is to be made anew.
  sealed = 4,
};

/// One message. An append that is too long for one is cut into parts that
/// follow each other without a gap; the last part commits all of them.
struct journal_entry {
  entry_kind kind = entry_kind::records;
  journal_marker marker;
  /// The writer's claim. In a claim or a seal: the epoch that its place gives
  /// it, so that it shows when it stands elsewhere; zero in those of versions
  /// that did not know their place.
  epoch_t epoch = 0;
  /// Counts the messages of an epoch from 1: with the epoch it names one. Of a
  /// claim or a seal: drawn.
  std::uint64_t op = 0;
  /// The group of records it is part of; zero when it is the value of a key.
  std::uint64_t group = 0;
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  /// Of records: a piece of `encode_records`. Of a claim: who claims. Of
  /// `seeded`: `encode_base`.
  std::string body;

  friend bool operator==(const journal_entry&, const journal_entry&) = default;
};

[[nodiscard]] std::string encode(const journal_entry& entry);

/// Refuses what is cut, damaged, or of a later format than this one reads.
[[nodiscard]] result<journal_entry> decode_entry(std::string_view bytes);

/// Whether a claim or a seal stands where its writer put it.
[[nodiscard]] bool is_in_place(const journal_entry& entry,
                               std::uint64_t sequence) noexcept;

/// The failure that a copy of the stream is damaged: what stands at `sequence`
/// cannot have been written there. `journal_fault::damaged`.
[[nodiscard]] failure misplaced(std::uint64_t sequence);

[[nodiscard]] std::string
encode_records(std::span<const encoded_record> records);
[[nodiscard]] result<std::vector<encoded_record>>
decode_records(std::string_view bytes);

/// Cuts the records' bytes so that no message is over `part_bytes` and its
/// header. At least one piece.
[[nodiscard]] std::vector<std::string> cut_into_parts(std::string bytes,
                                                      std::size_t part_bytes);

/// An append as a reader sees it.
struct read_append {
  position_t position = 0;
  epoch_t epoch = 0;
  /// See journal_entry.
  std::uint64_t group = 0;
  std::vector<encoded_record> records;
};

/// Makes appends of the messages of one stream, in stream order. Leaves out
/// appends that were never committed. Holds at most one append's bytes.
class journal_assembler {
public:
  /// `claim` is the sequence of the last claim in the stream.
  journal_assembler(journal_marker marker, std::uint64_t claim);

  /// Takes the message at `sequence`; the append that it completes, if any.
  /// A failure says that the stream cannot be read on, and takes nothing: the
  /// same sequence may be offered again, from another copy. `misplaced` is
  /// what the fence of claims and appends does not let in.
  [[nodiscard]] result<std::optional<read_append>> take(std::uint64_t sequence,
                                                        std::string_view bytes);

  /// Where a reader that applied all appends may go on from, once it has
  /// taken everything up to `sequence`: before the first part of an append
  /// whose last is yet to come.
  [[nodiscard]] position_t settled(position_t sequence) const noexcept;

private:
  [[nodiscard]] bool is_misplaced(const journal_entry& entry,
                                  std::uint64_t sequence) const noexcept;
  [[nodiscard]] bool continues(const journal_entry& entry,
                               std::uint64_t sequence) const noexcept;
  [[nodiscard]] result<std::optional<read_append>>
  take_part(std::uint64_t sequence, journal_entry entry);

  journal_marker marker_;
  std::uint64_t claim_;
  epoch_t highest_ = 0;
  /// The append that is being put together.
  std::optional<journal_entry> open_;
  /// Its first message, and the last one.
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

} // namespace rollcall::cluster
