#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/nats_lane.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

// What a message has beside its part of an append.
constexpr std::int64_t header_most = 1'024;

} // namespace

// -- the stream --------------------------------------------------------------

failure nats_lane::gone(position_t stored) const {
  return fail(errc::unavailable,
              "the journal " + calls_.stream()
                + " is gone, and the store is at its position "
                + std::to_string(stored)
                + ": it is not made anew over what is stored");
}

result<journal_marker> nats_lane::check(const info_answer& found,
                                        const checkpoint& stored) const {
  auto marker = parse_journal_marker(found.marker);
  if (!marker)
    return fail(errc::unavailable,
                "the stream " + calls_.stream() + " is not a journal of ours");
  if (found.messages_per_subject != 1 || found.discard != "new")
    return fail(errc::unavailable, "the stream " + calls_.stream()
                                     + " is not set up as a journal");
  if (stored.generation != 0 && marker->generation != stored.generation)
    return fail(errc::unavailable,
                "the journal " + calls_.stream() + " is of generation "
                  + std::to_string(marker->generation) + ", the store of "
                  + std::to_string(stored.generation) + ": not replayed");
  if (found.last_sequence < stored.position)
    return fail(errc::unavailable,
                "the journal " + calls_.stream() + " ends at "
                  + std::to_string(found.last_sequence)
                  + ", before the store's position "
                  + std::to_string(stored.position) + ": not replayed");
  return *marker;
}

result<info_answer> nats_lane::open_stream(const checkpoint& stored,
                                           steady_time until) {
  auto found = calls_.info(until);
  if (!found || found->error == 0)
    return found;
  if (found->error != stream_error::stream_not_found)
    return fail(errc::unavailable,
                "the journal " + calls_.stream() + ": " + found->description);
  if (stored.position != 0)
    return gone(stored.position);
  stream_settings wanted;
  wanted.name = calls_.stream();
  wanted.subjects = names_.journal(partition_);
  wanted.marker = to_string(journal_marker{1, random_u64()});
  wanted.replicas = config_.replicas;
  wanted.max_bytes = config_.stream_bytes;
  wanted.max_message_bytes
    = std::int64_t{limits::journal_part_bytes} + header_most;
  auto made = calls_.create(wanted, until);
  if (!made)
    return made;
  // Somebody else may have made it meanwhile; theirs is as good.
  if (made->error != 0 && made->error != stream_error::stream_name_in_use)
    return fail(errc::unavailable, "the journal " + calls_.stream()
                                     + " cannot be made: " + made->description);
  auto again = calls_.info(until);
  if (again && again->error != 0)
    return fail(errc::unavailable,
                "the journal " + calls_.stream() + ": " + again->description);
  return again;
}

// -- reading -----------------------------------------------------------------

result<done> nats_lane::load_ring(steady_time until) {
  if (ring_until_ == 0)
    return done{};
  journal_ring loaded{limits::journal_ring_groups, limits::journal_ring_bytes};
  journal_assembler assembler{marker_, ring_until_};
  auto patience = std::chrono::duration_cast<millis>(until - clock::now());
  auto outcome = calls_.read(
    names_.groups(partition_), 1, ring_until_, patience,
    [&](std::uint64_t sequence, std::string_view bytes) -> result<bool> {
      auto taken = assembler.take(sequence, bytes);
      if (!taken)
        return taken.error();
      if (auto& append = *taken)
        loaded.add(append->group, append->position, std::move(append->records),
                   true);
      return true;
    });
  if (!outcome)
    return outcome;
  ring_ = std::move(loaded);
  ring_until_ = 0;
  return done{};
}

result<done> nats_lane::replay(position_t from, const checkpoint& stored,
                               const journal::replayed& each) {
  auto until = clock::now() + config_.patience;
  auto mine = epoch_.load();
  auto found = calls_.info(until);
  if (!found)
    return found.error();
  if (found->error == stream_error::stream_not_found) {
    if (from == 0 && stored.position == 0)
      return done{};
    return gone(std::max(from, stored.position));
  }
  if (found->error != 0)
    return fail(errc::unavailable,
                "the journal " + calls_.stream() + ": " + found->description);
  auto expected = stored;
  expected.position = std::max(from, stored.position);
  auto marker = check(*found, expected);
  if (!marker)
    return marker.error();
  auto claimed = calls_.last_message(names_.claim(partition_), until);
  if (!claimed)
    return claimed.error();
  if (claimed->error != 0)
    return from == 0 && found->last_sequence == 0
             ? result<done>{done{}}
             : fail(errc::unavailable,
                    "the journal " + calls_.stream() + " has lost its claim");
  journal_assembler assembler{*marker, claimed->sequence};
  auto outcome = calls_.read(
    names_.journal(partition_), from + 1, found->last_sequence,
    config_.patience,
    [&](std::uint64_t sequence, std::string_view bytes) -> result<bool> {
      auto taken = assembler.take(sequence, bytes);
      if (!taken)
        return taken.error();
      if (const auto& append = *taken)
        each(append->position, append->epoch, append->records);
      return true;
    });
  if (assembler.zombies() > 0)
    log(log_level::error, "journal", "zombie_records",
        {{"partition", partition_}, {"count", assembler.zombies()}});
  if (!outcome)
    return outcome;
  if (mine != 0 && make_epoch(*marker, claimed->sequence) > mine) {
    epoch_.compare_exchange_strong(mine, 0);
    return fail(errc::conflict, "a later claim to the partition is in force");
  }
  return done{};
}

} // namespace rollcall::cluster
