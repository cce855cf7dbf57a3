#include "cluster/stream_standing.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

constexpr const char* mend_by_copies
  = "; it is made anew from the furthest copy once all known nodes are heard, "
    "or from this one with --accept-loss";

failure broken(const char* fault, const standing_query& about,
               const std::string& what) {
  return fail(errc::unavailable, "the journal " + about.stream + " " + what,
              fault);
}

std::string at(position_t position) {
  return std::to_string(position);
}

result<standing> judge_missing(const standing_query& about) {
  if (about.stored.generation == 0 && about.heard.empty())
    return standing{};
  if (about.stored.generation == 0)
    return broken(journal_fault::gone, about,
                  "is gone, and another node has a copy of it: it is not made "
                  "from nothing");
  return broken(
    journal_fault::gone, about,
    "is gone, and the store is at its position " + at(about.stored.position)
      + ": it is not made anew over what is stored" + mend_by_copies);
}

position_t furthest_copy(const journal_marker& marker,
                         const standing_query& about) {
  position_t out = 0;
  auto count = [&](const checkpoint& one) {
    if (one.generation == marker.generation
        && one.incarnation == marker.incarnation)
      out = std::max(out, one.position);
  };
  count(about.stored);
  for (const auto& one : about.heard)
    count(one);
  return out;
}

result<standing> judge_same(const stream_facts& facts,
                            const standing_query& about) {
  const auto& marker = facts.label->marker;
  auto furthest = furthest_copy(marker, about);
  if (facts.last < furthest)
    return broken(journal_fault::cut, about,
                  "ends at " + at(facts.last)
                    + (furthest == about.stored.position
                         ? ", before the store's position "
                         : ", before another node's position ")
                    + at(furthest) + ": not replayed" + mend_by_copies);
  // It once was shorter, and somebody has written on since.
  if (make_epoch(marker, facts.claim) < about.stored.epoch)
    return broken(
      journal_fault::cut, about,
      "has lost the claim at " + at(about.stored.epoch % epoch_generation_unit)
        + " that the store was written under: not replayed" + mend_by_copies);
  // It was shorter, and was claimed where the store had something else.
  if (facts.claim != 0 && about.stored.position >= facts.claim
      && about.stored.epoch < make_epoch(marker, facts.claim))
    return broken(journal_fault::cut, about,
                  "has a claim at " + at(facts.claim)
                    + " that the store knew nothing of at its position "
                    + at(about.stored.position) + ": not replayed"
                    + mend_by_copies);
  return standing{restore_way::tail, about.stored};
}

result<standing> judge_later(const stream_facts& facts,
                             const standing_query& about) {
  const auto& marker = facts.label->marker;
  if (!covers(*facts.base, about.stored))
    return broken(
      journal_fault::behind, about,
      "was made anew from position " + at(facts.base->position)
        + " of generation " + std::to_string(facts.base->generation)
        + ", and the store has what that copy had not (position "
        + at(about.stored.position) + " of generation "
        + std::to_string(about.stored.generation)
        + "): not replayed; keep a copy of this node's data directory, then "
          "start the node with an empty one");
  checkpoint start{marker.generation, 0, 0, marker.incarnation};
  start.epoch = make_epoch(marker, 0);
  if (facts.base->generation == about.stored.generation
      && facts.base->position == about.stored.position
      && facts.base->incarnation == about.stored.incarnation) {
    start.position = facts.base_end;
    return standing{restore_way::adopt, start};
  }
  return standing{restore_way::whole, start};
}

} // namespace

bool has_lost_its_end(const stream_facts& facts, const standing_query& about) {
  return facts.exists && facts.label && !facts.sealed
         && facts.label->marker.generation == facts.generation
         && facts.last < furthest_copy(facts.label->marker, about);
}

bool are_strangers(const checkpoint& one, const checkpoint& other) {
  return one.generation == other.generation && one.generation != 0
         && one.incarnation != other.incarnation;
}

bool covers(const checkpoint& one, const checkpoint& other) {
  if (one.generation != other.generation)
    return one.generation > other.generation;
  return !are_strangers(one, other) && one.position >= other.position;
}

result<standing> judge(const stream_facts& facts, const standing_query& about) {
  if (!facts.exists)
    return judge_missing(about);
  if (!facts.label || facts.label->marker.generation != facts.generation)
    return broken(journal_fault::foreign, about,
                  "is not a journal of ours, or not set up as one; give this "
                  "cluster another cluster.id, or remove that stream");
  const auto& marker = facts.label->marker;
  if (about.partitions != 0 && facts.label->partitions != 0
      && facts.label->partitions != about.partitions)
    return broken(journal_fault::foreign, about,
                  "is of a cluster of "
                    + std::to_string(facts.label->partitions)
                    + " partitions; set engine.partitions to that");
  if (facts.sealed)
    return broken(journal_fault::sealed, about,
                  std::string{"was given up"} + mend_by_copies);
  if (facts.generation > 1 && !facts.base)
    return broken(journal_fault::incomplete, about,
                  std::string{"is being made anew and not complete"}
                    + mend_by_copies);
  for (const auto& one : about.heard)
    if (one.generation > marker.generation)
      return broken(journal_fault::other, about,
                    "is of generation " + std::to_string(marker.generation)
                      + ", and another node has a copy of generation "
                      + std::to_string(one.generation) + ": not replayed"
                      + mend_by_copies);
  const auto& stored = about.stored;
  if (stored.generation == 0
      || (marker.generation == stored.generation
          && marker.incarnation == stored.incarnation))
    return judge_same(facts, about);
  if (marker.generation > stored.generation && facts.base)
    return judge_later(facts, about);
  return broken(journal_fault::other, about,
                "is of generation " + std::to_string(marker.generation)
                  + ", incarnation " + std::to_string(marker.incarnation)
                  + "; the store was written from generation "
                  + std::to_string(stored.generation) + ", incarnation "
                  + std::to_string(stored.incarnation) + ": not replayed"
                  + mend_by_copies);
}

} // namespace rollcall::cluster
