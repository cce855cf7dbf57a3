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

// Only what the leaders say counts, not what any replica may still believe.
// The list comes from the servers' meta leader alone, and after its death from
// nobody for seconds. A journal that was the youngest, is still there and not
// sealed still is: none is made beside one that is there before that is sealed
// (docs/decisions/0009-journals-made-anew.md).
result<stream_facts> nats_lane::look(steady_time until,
                                     std::uint64_t listed) const {
  stream_facts facts;
  auto wait = until;
  if (listed != 0)
    wait = std::min(until, clock::now() + config_.list_patience);
  auto found = calls(0).names(names_.journals(partition_), wait);
  if (found && found->error == 0) {
    for (const auto& name : found->names) {
      facts.exists = true;
      facts.generation
        = std::max(facts.generation, names_.generation_in(name, partition_));
    }
    listed_ = facts.generation;
  } else if (listed != 0) {
    facts.exists = true;
    facts.generation = listed;
  } else if (!found) {
    return found.error();
  } else {
    return fail(errc::unavailable,
                "the journals cannot be listed: " + found->description);
  }
  if (facts.generation == 0)
    return facts;
  auto read = look_into(facts, until);
  if (!read)
    return read.error();
  if (!*read)
    return fail(errc::unavailable, "the journal "
                                     + calls(facts.generation).stream()
                                     + " is gone since it was listed");
  return facts;
}

// Whose claim is in force need not ask which stream it is, for the same reason.
result<stream_facts> nats_lane::look_as_owner(epoch_t epoch,
                                              steady_time until) const {
  stream_facts facts;
  facts.exists = true;
  facts.generation = epoch / epoch_generation_unit;
  auto read = look_into(facts, until);
  if (!read)
    return read.error();
  if (!*read || facts.sealed)
    return look(until);
  return facts;
}

result<bool> nats_lane::look_into(stream_facts& facts,
                                  steady_time until) const {
  auto at = calls(facts.generation);
  const stream_id here{partition_, facts.generation};
  auto info = at.info(until);
  if (!info)
    return info.error();
  if (info->error == stream_error::stream_not_found)
    return false;
  if (info->error != 0)
    return fail(errc::unavailable,
                "the journal " + at.stream() + ": " + info->description);
  facts.last = info->last_sequence;
  facts.leader = info->leader;
  if (info->messages_per_subject == 1 && info->discard == "new")
    facts.label = parse_journal_label(info->marker);
  auto claim = at.last_message(names_.claim(here), until);
  if (!claim)
    return claim.error();
  facts.claim = *claim ? (*claim)->sequence : 0;
  if (auto there = *claim && facts.label
                     ? decode_entry((*claim)->data)
                     : result<journal_entry>{fail(errc::not_found, {})};
      there && there->marker == facts.label->marker
      && !is_in_place(*there, facts.claim))
    return damaged_copy(facts.claim, facts);
  // Without a leader any replica tells where it stands itself, and that may be
  // behind what the next leader has.
  facts.last = std::max(facts.last, facts.claim);
  auto seal = at.last_message(names_.seal(here), until);
  if (!seal)
    return seal.error();
  facts.sealed = seal->has_value();
  if (facts.generation == 1)
    return true;
  auto seeded = at.last_message(names_.seeded(here), until);
  if (!seeded)
    return seeded.error();
  if (!*seeded)
    return true;
  auto entry = decode_entry((*seeded)->data);
  if (entry && facts.label && entry->marker == facts.label->marker) {
    facts.base = decode_base(entry->body);
    facts.base_end = (*seeded)->sequence;
  }
  return true;
}

// Another copy may be whole: once its server leads, all goes on.
failure nats_lane::damaged_copy(position_t position,
                                const stream_facts& facts) const {
  auto stream = names_.stream({partition_, facts.generation});
  if (damaged_at_.exchange(position) != position)
    log(log_level::error, "journal", "damaged_copy",
        {{"partition", partition_},
         {"stream", stream},
         {"server", facts.leader},
         {"position", position}});
  auto where = facts.leader.empty() ? "" : " on the server " + facts.leader;
  return fail(errc::unavailable,
              "the copy of " + stream + where
                + " is damaged: " + misplaced(position).message
                + "; it is not read (docs/cluster.md says how to mend it)",
              journal_fault::damaged);
}

standing_query nats_lane::about(const checkpoint& stored) const {
  standing_query out;
  out.stored = stored;
  out.partitions = config_.partitions;
  if (config_.heard)
    out.heard = config_.heard(partition_);
  return out;
}

result<standing> nats_lane::judge_for(const stream_facts& facts,
                                      const checkpoint& stored) const {
  auto asked = about(stored);
  asked.stream = names_.stream(
    {partition_, std::max<std::uint64_t>(
                   facts.exists ? facts.generation : stored.generation, 1)});
  return judge(facts, asked);
}

result<nats_lane::opened> nats_lane::open_stream(const checkpoint& stored,
                                                 steady_time until) {
  auto facts = look(until, listed_);
  if (!facts)
    return facts.error();
  if (!facts->exists) {
    if (auto judged = judge_for(*facts, stored); !judged)
      return judged.error();
    // Somebody else may make it meanwhile; theirs is as good.
    auto made = create_stream({1, random_u64()}, until);
    if (!made && made.error().code != errc::conflict)
      return made.error();
    facts = look(until);
    if (!facts)
      return facts.error();
  }
  if (auto judged = judge_for(*facts, stored); !judged)
    return judged.error();
  if (!facts->exists)
    return fail(errc::unavailable, "the journal is gone again");
  return opened{facts->label->marker, facts->last};
}

result<done> nats_lane::create_stream(const journal_marker& marker,
                                      steady_time until) {
  const stream_id place{partition_, marker.generation};
  stream_settings wanted;
  wanted.name = names_.stream(place);
  wanted.subjects = names_.journal(place);
  wanted.marker = to_string(journal_label{marker, config_.partitions});
  wanted.replicas = config_.replicas;
  wanted.max_bytes = config_.stream_bytes;
  wanted.max_message_bytes
    = std::int64_t{limits::journal_part_bytes} + header_most;
  auto made = calls(marker.generation).create(wanted, until);
  if (!made)
    return made.error();
  if (made->error == stream_error::stream_name_in_use)
    return fail(errc::conflict, "another node has made " + wanted.name);
  if (made->error == stream_error::no_storage)
    return fail(errc::unavailable,
                "the journal " + wanted.name
                  + " cannot be made: NATS has not the "
                  + std::to_string(wanted.max_bytes)
                  + " bytes that a stream sets aside; raise max_file_store, or "
                    "remove streams that are not needed");
  if (made->error != 0)
    return fail(errc::unavailable, "the journal " + wanted.name
                                     + " cannot be made: " + made->description);
  return done{};
}

// -- reading -----------------------------------------------------------------

result<done> nats_lane::load_ring(steady_time until) {
  if (ring_until_ == 0)
    return done{};
  journal_ring loaded{limits::journal_ring_groups, limits::journal_ring_bytes};
  journal_assembler assembler{marker_, ring_until_};
  auto patience = std::chrono::duration_cast<millis>(until - clock::now());
  auto outcome = calls(marker_.generation)
                   .read(names_.groups(here()), 1, ring_until_, patience,
                         [&](std::uint64_t sequence,
                             std::string_view bytes) -> result<bool> {
                           auto taken = assembler.take(sequence, bytes);
                           if (!taken)
                             return taken.error();
                           if (auto& append = *taken)
                             loaded.add(append->group, append->position,
                                        std::move(append->records), true);
                           return true;
                         });
  if (!outcome)
    return outcome;
  ring_ = std::move(loaded);
  ring_until_ = 0;
  return done{};
}

result<journal_tail> nats_lane::follow(const checkpoint& from,
                                       std::size_t bytes) {
  auto until = clock::now() + std::min(config_.look_patience, config_.patience);
  auto mine = epoch_.load();
  auto facts = mine == 0 ? look(until) : look_as_owner(mine, until);
  if (!facts)
    return facts.error();
  auto judged = judge_for(*facts, from);
  if (!judged)
    return judged.error();
  journal_tail out;
  out.way = judged->way;
  out.start = judged->start;
  if (!facts->exists)
    return out;
  const auto& marker = facts->label->marker;
  auto in_force = make_epoch(marker, facts->claim);
  if (mine != 0 && in_force > mine) {
    epoch_.compare_exchange_strong(mine, 0);
    return fail(errc::conflict, "a later claim to the partition is in force");
  }
  checkpoint at{marker.generation, out.start.position, out.start.epoch,
                marker.incarnation};
  journal_assembler assembler{marker, facts->claim};
  std::size_t read_bytes = 0;
  position_t reading = 0;
  auto outcome = calls(marker.generation)
                   .read(names_.journal({partition_, marker.generation}),
                         at.position + 1, facts->last, config_.patience,
                         [&](std::uint64_t sequence,
                             std::string_view message) -> result<bool> {
                           read_bytes += message.size();
                           reading = sequence;
                           auto taken = assembler.take(sequence, message);
                           if (!taken)
                             return taken.error();
                           if (auto& append = *taken) {
                             at.position = append->position;
                             at.epoch = std::max(at.epoch, append->epoch);
                             out.groups.push_back(
                               {partition_, at, std::move(append->records)});
                             out.more = read_bytes >= bytes;
                           }
                           return !out.more;
                         });
  // Not even what comes before it: something may be missing there.
  if (!outcome)
    return outcome.error().field == journal_fault::damaged
             ? damaged_copy(reading, *facts)
             : outcome.error();
  // Claims and the like have no records, but are behind us now.
  auto end = assembler.settled(facts->last);
  if (!out.more && end > at.position) {
    at.position = end;
    if (facts->claim <= end)
      at.epoch = std::max(at.epoch, in_force);
    out.groups.push_back({partition_, at, {}});
  }
  return out;
}

} // namespace rollcall::cluster
