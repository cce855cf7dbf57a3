#pragma once

// The groups of records that a journal's stream still holds as groups. Pure.
//
// A group is appended under a slot's subject, not under its keys', so the
// stream does not compact it by key. Before its slot is used again, those of
// its values that are still the last of their keys are *spread*: appended
// once more, each under its key's subject.

#include "actors/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::cluster {

/// A value that has to be spread.
struct spread_record {
  encoded_record record;
  /// Where its group is.
  position_t position = 0;
  /// By an earlier owner: a later value may stand under the key's subject.
  bool inherited = false;
};

/// The last `slots` groups of one stream. Owned by the partition's lane.
class journal_ring {
public:
  /// Groups beyond `slots`, and bytes beyond `bytes`, want spreading.
  journal_ring(std::size_t slots, std::size_t bytes);

  /// The number the next group gets. Its slot is `number % slots`.
  [[nodiscard]] std::uint64_t next_group() const noexcept;

  /// Whether the next group would take the slot of one not spread yet.
  [[nodiscard]] bool full() const noexcept;

  /// Whether something should be spread while there is time.
  [[nodiscard]] bool wants_spreading() const noexcept;

  /// A group that is in the stream. Its values are now the last of their keys.
  void add(std::uint64_t group, position_t position,
           std::vector<encoded_record> records, bool inherited);

  /// A number that was used up without a group.
  void skip(std::uint64_t group) noexcept;

  /// The value under the key's subject is now its last.
  void written_alone(std::string_view key);

  /// What to spread next, of the oldest group; nothing when the ring is empty.
  [[nodiscard]] std::optional<spread_record> front();

  /// That one is spread, or need not be.
  void pop();

  [[nodiscard]] std::size_t groups() const noexcept;

private:
  struct group {
    std::uint64_t number = 0;
    position_t position = 0;
    bool inherited = false;
    std::size_t bytes = 0;
    std::vector<encoded_record> records;
  };

  void drop_spent();

  std::size_t slots_;
  std::size_t bytes_most_;
  std::deque<group> groups_;
  /// The youngest group that has the key's last value. Views into `groups_`
  /// would dangle: records move.
  std::map<std::string, std::uint64_t, std::less<>> last_;
  std::uint64_t next_ = 1;
  std::size_t bytes_ = 0;
};

} // namespace rollcall::cluster
