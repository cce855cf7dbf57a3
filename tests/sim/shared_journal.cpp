#include "sim/shared_journal.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace rollcall::sim {

namespace {

/// How long a request is repeated, and how often.
constexpr millis patience{3'000};
constexpr millis again{50};
/// When an answer that was lost is no longer waited for.
constexpr millis gives_up{500};

failure away() {
  return fail(errc::unavailable, "the journal is away");
}

failure fenced() {
  return fail(errc::conflict, "a later claim is in force");
}

} // namespace

shared_journal::shared_journal(std::shared_ptr<shared_log> log,
                               std::shared_ptr<sim_events> events,
                               std::shared_ptr<sim_life> life, knowledge known,
                               std::uint64_t seed)
  : log_(std::move(log)),
    events_(std::move(events)),
    life_(std::move(life)),
    known_(std::move(known)),
    random_(seed) {
  // nop
}

// -- what is written ---------------------------------------------------------

void shared_journal::claim(partition_id partition, const node_id&,
                           claimed answer) {
  if (!life_->alive)
    return;
  auto about = query(partition, known_.stored(partition));
  begin([this, partition, about,
         answer](bool heard) { do_claim(partition, about, answer, heard); },
        [answer] { answer(away()); });
}

void shared_journal::append(partition_id partition, epoch_t epoch,
                            std::span<const encoded_record> records,
                            appended answer) {
  if (!life_->alive || life_->hits(crash_point::before_append))
    return;
  std::vector<encoded_record> kept{records.begin(), records.end()};
  if (log_->bugs.answers_early) {
    auto& mine = mine_[partition];
    tell([answer, at = mine.position + 1] { answer(at); });
    answer = [](const result<position_t>&) {};
  }
  begin([this, partition, epoch, kept, answer](
          bool heard) { do_append(partition, epoch, kept, answer, heard); },
        [answer] { answer(away()); });
}

void shared_journal::begin(std::function<void(bool heard)> apply,
                           std::function<void()> refuse) {
  request what{std::move(apply), std::move(refuse), events_->now + patience};
  events_->at(events_->now + millis{1 + pick(3)},
              [self = shared_from_this(), what = std::move(what)] {
                self->attempt(what);
              });
}

// As the real one: the same bytes again and again until they are answered.
void shared_journal::attempt(const request& what) {
  if (log_->away == 0 && !no_way_out) {
    bool lost = log_->lost_acks != 0 && pick(log_->lost_acks) == 0;
    log_->acks_lost += lost ? 1 : 0;
    what.apply(!lost && !no_way_in);
  } else if (events_->now >= what.until) {
    life_->enter(what.refuse);
  } else {
    events_->at(events_->now + again, [self = shared_from_this(), what] {
      self->life_->enter([self, what] { self->attempt(what); });
    });
  }
}

void shared_journal::tell(std::function<void()> answer, millis in) {
  events_->at(
    events_->now + in + millis{1 + pick(3)},
    [life = life_, answer = std::move(answer)] { life->enter(answer); });
}

void shared_journal::do_claim(partition_id partition,
                              const cluster::standing_query& about,
                              const claimed& answer, bool heard) {
  auto judged = stand(partition, about);
  if (!judged) {
    tell([answer, why = judged.error()] { answer(why); });
    return;
  }
  auto* to = log_->find(partition);
  if (to == nullptr)
    to = &log_->make(partition, 1);
  to->claim = make_epoch(to->marker, ++to->last);
  if (!heard) {
    tell([answer] { answer(away()); }, gives_up);
    return;
  }
  mine_[partition] = {to->marker.generation, to->claim, to->last, false};
  tell([answer, at = checkpoint{to->marker.generation, to->last, to->claim,
                                to->marker.incarnation}] { answer(at); });
}

void shared_journal::do_append(partition_id partition, epoch_t epoch,
                               const std::vector<encoded_record>& records,
                               const appended& answer, bool heard) {
  auto& mine = mine_[partition];
  auto* to = log_->find(partition, mine.generation);
  if (to == nullptr && mine.epoch == epoch) {
    tell([answer] { answer(away()); });
    return;
  }
  bool fits = mine.epoch == epoch && !mine.over && !to->sealed
              && mine.position == to->last;
  if (to == nullptr || (!fits && !log_->bugs.no_fence)) {
    if (log_->bugs.realigns && to != nullptr)
      mine = {mine.generation, epoch, to->last, false};
    else
      mine.over = true;
    tell([answer] { answer(fenced()); });
    return;
  }
  log_->take(partition, *to, epoch, records);
  if (life_->hits(crash_point::in_append))
    return;
  if (!heard) {
    // What it knows of the log ends before this: the next one is refused.
    tell([answer] { answer(away()); }, gives_up);
    return;
  }
  mine.position = to->last;
  tell([answer, at = to->last] { answer(at); });
}

// -- what is read ------------------------------------------------------------

result<journal_tail> shared_journal::follow(partition_id partition,
                                            const checkpoint& from,
                                            std::size_t) {
  if (!readable())
    return away();
  auto judged = stand(partition, query(partition, from));
  if (!judged)
    return judged.error();
  journal_tail out;
  out.way = judged->way;
  out.start = judged->start;
  const auto* at = log_->find(partition);
  if (at == nullptr)
    return out;
  auto& mine = mine_[partition];
  if (mine.epoch != 0 && at->claim > mine.epoch) {
    mine = {};
    return fenced();
  }
  checkpoint next{at->marker.generation, out.start.position, out.start.epoch,
                  at->marker.incarnation};
  for (auto& one : entries_after(*at, out.start.position)) {
    next.position = one.at;
    next.epoch = one.epoch;
    out.groups.push_back({partition, next, std::move(one.records)});
  }
  if (at->last > next.position) {
    next.position = at->last;
    next.epoch = std::max(next.epoch, at->claim);
    out.groups.push_back({partition, next, {}});
  }
  return out;
}

result<done> shared_journal::make_anew(partition_id partition,
                                       const checkpoint& stored,
                                       const content& read) {
  if (!readable() || !life_->alive)
    return away();
  auto judged = stand(partition, query(partition, stored));
  if (judged)
    return done{};
  if (!can_be_made_anew(judged.error()))
    return judged.error();
  std::vector<encoded_record> all;
  auto given = read([&](auto key, auto value) {
    all.push_back({std::string{key}, std::string{value}});
    return true;
  });
  if (!given)
    return given;
  if (log_->bugs.reseeds_stale) {
    all.clear();
    for (const auto& [key, value] : log_->stale_copy(partition))
      all.push_back({key, value});
  }
  auto generation = stored.generation;
  if (auto* before = log_->find(partition)) {
    before->sealed = true;
    generation = std::max(generation, before->marker.generation);
  }
  auto& made = log_->make(partition, generation + 1);
  made.entries.push_back(
    {++made.last, make_epoch(made.marker, 0), std::move(all)});
  made.base = stored;
  made.base_end = ++made.last;
  return done{};
}

result<done> shared_journal::give_up(partition_id partition,
                                     const checkpoint& stored) {
  if (!readable() || !life_->alive)
    return away();
  if (cluster::has_lost_its_end(look(partition), query(partition, stored)))
    log_->find(partition)->sealed = true;
  return done{};
}

bool shared_journal::readable() const {
  return log_->away == 0 && !log_->stalls && !no_way_out && !no_way_in;
}

cluster::standing_query shared_journal::query(partition_id partition,
                                              const checkpoint& stored) {
  cluster::standing_query about;
  about.stored = stored;
  if (known_.heard)
    about.heard = known_.heard(partition);
  return about;
}

cluster::stream_facts shared_journal::look(partition_id partition) {
  cluster::stream_facts facts;
  if (const auto* found = log_->find(partition)) {
    facts.exists = true;
    facts.generation = found->marker.generation;
    facts.label = cluster::journal_label{found->marker, 0};
    facts.last = found->last;
    facts.claim = found->claim % epoch_generation_unit;
    facts.sealed = found->sealed;
    facts.base = found->base;
    facts.base_end = found->base_end;
  }
  return facts;
}

result<cluster::standing>
shared_journal::stand(partition_id partition,
                      const cluster::standing_query& about) {
  return cluster::judge(look(partition), about);
}

// A stream of last values: what was replaced since is left out, but near its
// end, where it may not have been yet.
std::vector<shared_log::entry>
shared_journal::entries_after(const shared_log::stream& of, position_t from) {
  std::set<std::string> replaced;
  std::vector<shared_log::entry> out;
  auto compacted = of.last - std::min<position_t>(of.last, pick(20));
  for (auto one = of.entries.rbegin(); one != of.entries.rend(); ++one) {
    if (one->at <= from)
      break;
    auto kept = *one;
    if (log_->compacts && one->at <= compacted)
      log_->left_out += std::erase_if(kept.records, [&](const auto& item) {
        return replaced.contains(item.key);
      });
    for (const auto& item : one->records)
      replaced.insert(item.key);
    if (!kept.records.empty())
      out.push_back(std::move(kept));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::uint32_t shared_journal::pick(std::uint32_t below) {
  return static_cast<std::uint32_t>(random_() % below);
}

} // namespace rollcall::sim
