#include "cluster/nats_lane.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/backoff.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t header_most = 256;

failure no_answer() {
  return fail(errc::unavailable, "the journal did not answer in time");
}

} // namespace

nats_lane::nats_lane(nats_requests& ask, const subjects& names,
                     const nats_journal_config& config, partition_id partition)
  : ask_(ask),
    names_(names),
    config_(config),
    partition_(partition),
    ring_(limits::journal_ring_groups, limits::journal_ring_bytes) {
  // nop
}

stream_calls nats_lane::calls(std::uint64_t generation) const {
  return {ask_, names_.stream({partition_, generation})};
}

stream_id nats_lane::here() const noexcept {
  return {partition_, marker_.generation};
}

epoch_t nats_lane::epoch() const noexcept {
  return epoch_.load();
}

// -- claims ------------------------------------------------------------------

result<checkpoint> nats_lane::claim(const node_id& who,
                                    const checkpoint& stored,
                                    steady_time until) {
  epoch_ = 0;
  auto found = open_stream(stored, until);
  if (!found)
    return found.error();
  marker_ = found->marker;
  auto sequence = publish_claim(who, *found, until);
  if (!sequence)
    return sequence.error();
  auto epoch = make_epoch(marker_, *sequence);
  if (epoch / epoch_generation_unit != marker_.generation)
    return fail(errc::internal, "the partition's claims are used up");
  // Sealed before our claim: else the seal would end it.
  auto sealed
    = calls(marker_.generation).last_message(names_.seal(here()), until);
  if (!sealed)
    return sealed.error();
  if (*sealed)
    return fail(errc::unavailable, "the journal is about to be made anew",
                journal_fault::sealed);
  tail_ = *sequence;
  last_op_ = 0;
  doubts_.clear();
  ring_ = journal_ring{limits::journal_ring_groups, limits::journal_ring_bytes};
  ring_until_ = *sequence;
  epoch_ = epoch;
  return checkpoint{marker_.generation, *sequence, epoch, marker_.incarnation};
}

// Expects the end of the stream, as appends do: what expects nothing can be
// applied twice by a replica (docs/decisions/0013-fenced-claims.md).
result<position_t> nats_lane::publish_claim(const node_id& who,
                                            const opened& at,
                                            steady_time until) {
  journal_entry entry;
  entry.kind = entry_kind::claim;
  entry.marker = marker_;
  entry.body = who.name.substr(0, limits::id_bytes) + '\0'
               + std::to_string(who.incarnation);
  return publish_at_end(names_.claim(here()), std::move(entry), {at.last},
                        until);
}

result<position_t> nats_lane::publish_at_end(const std::string& subject,
                                             journal_entry entry, end_place end,
                                             steady_time until) const {
  auto stream = names_.stream({partition_, entry.marker.generation});
  auto with = end_calls_of(ask_, stream, subject);
  auto written = write_at_end(with, stream, std::move(entry), end,
                              config_.resend_after, until);
  if (!written)
    return written.error();
  return position_t{written->position};
}

failure nats_lane::end_claim(const char* why) {
  epoch_ = 0;
  log(log_level::warn, "journal", "claim_ended",
      {{"partition", partition_}, {"why", std::string_view{why}}});
  return fail(errc::conflict, why);
}

// -- appends -----------------------------------------------------------------

journal_entry nats_lane::make_entry() {
  journal_entry entry;
  entry.marker = marker_;
  entry.epoch = epoch_.load();
  entry.op = ++last_op_;
  return entry;
}

failure nats_lane::no_leader(steady_time until) {
  auto facts = look(std::min(until, clock::now() + config_.resend_after));
  if (facts && facts->exists && facts->generation > marker_.generation)
    return end_claim("the journal was made anew");
  if (facts && !facts->exists)
    return fail(errc::unavailable,
                "the journal " + names_.stream(here()) + " is gone");
  return fail(errc::unavailable, "the journal has no leader now");
}

// One message, alone in flight. What is sent again is the same to the byte:
// the server knows it by its id, or by the sequence that it expects.
result<position_t> nats_lane::publish(const std::string& subject,
                                      const journal_entry& entry, bool commits,
                                      steady_time until) {
  auto bytes = encode(entry);
  nats_requests::headers with{
    {"Nats-Expected-Stream", names_.stream(here())},
    {"Nats-Expected-Last-Sequence", std::to_string(tail_)},
    {"Nats-Msg-Id",
     std::to_string(entry.epoch) + "." + std::to_string(entry.op)}};
  bool doubtful = false;
  auto given_up = clock::now() + config_.doubt_patience;
  for (backoff pause;;) {
    auto now = clock::now();
    if (doubtful && commits)
      until = std::max(until, given_up);
    if (now >= until || ask_.stopped())
      break;
    auto got = ask_.ask(subject, with, bytes,
                        std::min(until, now + config_.resend_after));
    if (got.end == ask_end::answered) {
      auto answer = parse_publish_answer(got.data);
      if (answer.error == 0) {
        tail_ = answer.sequence;
        doubts_.clear();
        return tail_;
      }
      if (answer.error != stream_error::wrong_last_sequence) {
        if (!doubtful)
          return fail(errc::unavailable,
                      "the journal refuses: " + answer.description);
      } else if (auto settled = settle(entry, commits, until)) {
        return *settled;
      } else {
        // What was in doubt had arrived, and is nobody's loss.
        with[1].second = std::to_string(tail_);
        continue;
      }
    } else if (got.end == ask_end::nobody) {
      auto why = no_leader(until);
      if (!doubtful || epoch_.load() == 0)
        return why;
    } else if (!doubtful && got.end != ask_end::silent) {
      return fail(errc::unavailable, "NATS is not connected");
    }
    doubtful = doubtful || got.end == ask_end::silent;
    ask_.pause(std::min(until, clock::now() + pause.next()));
  }
  if (doubtful)
    doubts_.push_back({entry.op, commits});
  return no_answer();
}

// Something stands where `entry` wanted to: itself, or what was in doubt, or
// the end of our claim. Nothing, when the message is to be sent once more.
std::optional<result<position_t>>
nats_lane::settle(const journal_entry& entry, bool commits, steady_time until) {
  auto found = calls(marker_.generation).message_at(tail_ + 1, until);
  if (!found) {
    doubts_.push_back({entry.op, commits});
    return found.error();
  }
  auto there = found->error == 0
                 ? decode_entry(found->data)
                 : result<journal_entry>{fail(errc::not_found, {})};
  // Compacted already, or a claim: in either case somebody wrote after us.
  if (!there || there->kind != entry.kind || there->epoch != entry.epoch
      || there->marker != entry.marker)
    return end_claim("a later claim to the partition is in force");
  if (there->op == entry.op) {
    tail_ = found->sequence;
    doubts_.clear();
    return tail_;
  }
  auto doubted = std::find_if(doubts_.begin(), doubts_.end(),
                              [&](auto& one) { return one.op == there->op; });
  if (doubted == doubts_.end() || doubted->commits)
    return end_claim("an append that was given up had arrived after all");
  tail_ = found->sequence;
  doubts_.clear();
  return std::nullopt;
}

result<position_t> nats_lane::append(epoch_t epoch,
                                     std::vector<encoded_record> records,
                                     steady_time until) {
  if (epoch == 0 || epoch != epoch_.load())
    return fail(errc::conflict, "a later claim to the partition is in force");
  if (records.size() == 1
      && records[0].key.size() + records[0].value.value_or("").size()
           <= limits::journal_part_bytes - header_most)
    return append_one(std::move(records[0]), until);
  return append_group(std::move(records), until);
}

result<position_t> nats_lane::append_one(encoded_record record,
                                         steady_time until) {
  auto entry = make_entry();
  entry.body = encode_records({&record, 1});
  auto at = publish(names_.key(here(), record.key), entry, true, until);
  if (at)
    ring_.written_alone(record.key);
  return at;
}

result<position_t> nats_lane::append_group(std::vector<encoded_record> records,
                                           steady_time until) {
  if (auto loaded = load_ring(until); !loaded)
    return loaded.error();
  while (ring_.full())
    if (auto done_one = spread(until); !done_one)
      return done_one.error();
  auto parts
    = cut_into_parts(encode_records(records), limits::journal_part_bytes);
  auto number = ring_.next_group();
  auto slot = number % limits::journal_ring_groups;
  // Whatever becomes of it: another group gets another number.
  ring_.skip(number);
  result<position_t> at = position_t{0};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto entry = make_entry();
    entry.group = number;
    entry.part = static_cast<std::uint32_t>(i);
    entry.parts = static_cast<std::uint32_t>(parts.size());
    entry.body = std::move(parts[i]);
    at = publish(names_.group_part(here(), slot, i), entry,
                 i + 1 == parts.size(), until);
    if (!at)
      return at;
  }
  ring_.add(number, *at, std::move(records), false);
  return at;
}

// -- the ring ----------------------------------------------------------------

bool nats_lane::wants_spreading() const noexcept {
  return epoch_.load() != 0 && ring_until_ == 0 && ring_.wants_spreading();
}

bool nats_lane::spread_one(steady_time until) {
  return spread(until).ok();
}

result<bool> nats_lane::is_superseded(const spread_record& item,
                                      steady_time until) {
  if (!item.inherited)
    return false;
  auto found = calls(marker_.generation)
                 .last_message(names_.key(here(), item.record.key), until);
  if (!found)
    return found.error();
  return *found && (*found)->sequence > item.position;
}

result<done> nats_lane::spread(steady_time until) {
  auto item = ring_.front();
  if (!item)
    return done{};
  auto superseded = is_superseded(*item, until);
  if (!superseded)
    return superseded.error();
  if (!*superseded) {
    auto parts = cut_into_parts(encode_records({&item->record, 1}),
                                limits::journal_part_bytes);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto entry = make_entry();
      entry.part = static_cast<std::uint32_t>(i);
      entry.parts = static_cast<std::uint32_t>(parts.size());
      entry.body = std::move(parts[i]);
      auto at = publish(names_.key_part(here(), item->record.key, i), entry,
                        false, until);
      if (!at)
        return at.error();
    }
  }
  ring_.pop();
  return done{};
}

} // namespace rollcall::cluster
