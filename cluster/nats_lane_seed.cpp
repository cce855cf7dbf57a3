// A journal made anew, from one store's copy of what it held
// (docs/decisions/0009-journals-made-anew.md).

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/nats_lane.hpp"

#include <algorithm>
#include <vector>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

// What a record costs in a message beside its bytes.
constexpr std::size_t record_overhead = 16;

} // namespace

result<done> nats_lane::seal(const journal_marker& marker, end_place end,
                             steady_time until) const {
  journal_entry entry;
  entry.kind = entry_kind::sealed;
  entry.marker = marker;
  auto sealed = publish_at_end(names_.seal({partition_, marker.generation}),
                               entry, end, until);
  if (!sealed)
    return sealed.error();
  return done{};
}

result<done> nats_lane::make_anew(const checkpoint& stored,
                                  const journal::content& read) {
  auto until = clock::now() + config_.patience;
  auto facts = look(until);
  if (!facts)
    return facts.error();
  auto judged = judge_for(*facts, stored);
  if (judged)
    return done{};
  if (!can_be_made_anew(judged.error()))
    return judged.error();
  if (facts->exists && !facts->sealed) {
    if (auto sealed = seal(facts->label->marker, {facts->last}, until); !sealed)
      return sealed;
    // What was completed before the seal may be what others follow now.
    auto again = look(until);
    if (!again)
      return again.error();
    if (again->generation != facts->generation
        || again->base.has_value() != facts->base.has_value())
      return fail(errc::unavailable, "another node makes the journal anew");
  }
  journal_marker next;
  next.generation = std::max(facts->generation, stored.generation) + 1;
  next.incarnation = random_u64();
  auto made = create_stream(next, until);
  if (!made)
    return made.error().code == errc::conflict
             ? fail(errc::unavailable, "another node makes the journal anew")
             : made.error();
  marker_ = next;
  tail_ = 0;
  last_op_ = 0;
  epoch_ = make_epoch(marker_, 0);
  auto records = publish_copy(read);
  if (!records)
    return records.error();
  auto entry = make_entry();
  entry.kind = entry_kind::seeded;
  entry.body = encode_base(stored);
  auto ended = publish(names_.seeded(here()), entry, false,
                       clock::now() + config_.patience);
  if (!ended)
    return ended.error();
  log(log_level::warn, "journal", "made_anew",
      {{"partition", partition_},
       {"generation", marker_.generation},
       {"from_position", stored.position},
       {"records", *records}});
  return done{};
}

// What others are known to have is from before the look, and only the end that
// was seen is sealed: a journal in which somebody goes on is not hurt.
result<done> nats_lane::give_up(const checkpoint& stored) const {
  auto until = clock::now() + config_.look_patience;
  auto known = about(stored);
  auto facts = look(until);
  if (!facts)
    return facts.error();
  if (!has_lost_its_end(*facts, known))
    return done{};
  auto sealed = seal(facts->label->marker, {facts->last, 1}, until);
  if (sealed)
    log(log_level::warn, "journal", "given_up",
        {{"partition", partition_},
         {"generation", facts->generation},
         {"end", facts->last}});
  return sealed;
}

// Each piece is an append of its own: a reader needs no more memory than one.
// None is waited for longer than an answer may take. Nobody goes on without
// it, as an owner would: the attempt is over, and the next one passes over it.
result<std::uint64_t> nats_lane::publish_copy(const journal::content& read) {
  std::uint64_t count = 0;
  std::uint64_t pieces = 0;
  std::vector<encoded_record> piece;
  std::size_t bytes = 0;
  result<done> outcome = done{};
  auto flush = [&] {
    auto parts
      = cut_into_parts(encode_records(piece), limits::journal_part_bytes);
    for (std::size_t i = 0; i < parts.size() && outcome; ++i) {
      auto entry = make_entry();
      entry.part = static_cast<std::uint32_t>(i);
      entry.parts = static_cast<std::uint32_t>(parts.size());
      entry.body = std::move(parts[i]);
      auto at = publish(names_.base(here(), pieces++), entry, false,
                        clock::now() + config_.patience);
      if (!at)
        outcome = at.error();
    }
    piece.clear();
    bytes = 0;
  };
  auto given = read([&](std::string_view key, std::string_view value) {
    auto size = key.size() + value.size() + record_overhead;
    if (!piece.empty() && bytes + size > limits::journal_part_bytes)
      flush();
    piece.push_back({std::string{key}, std::string{value}});
    bytes += size;
    ++count;
    return outcome.ok();
  });
  if (!given)
    return given.error();
  if (outcome && !piece.empty())
    flush();
  if (!outcome)
    return outcome.error();
  return count;
}

} // namespace rollcall::cluster
