#include "persistence/commit_pipeline.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <algorithm>
#include <utility>

namespace rollcall {

namespace {

// What a queued record costs beside its bytes.
constexpr std::size_t record_overhead = 64;

std::size_t size_of(const encoded_record& item) {
  return item.key.size() + (item.value ? item.value->size() : 0)
         + record_overhead;
}

bool belongs_to(const encoded_record& item, const session_key& session) {
  auto key = keys::parse(item.key);
  return key && key->session == session;
}

} // namespace

commit_pipeline::commit_pipeline(keys_of ask) : keys_of_(std::move(ask)) {
  // nop
}

result<done> commit_pipeline::push(std::uint64_t id, const commit& what) {
  if (what.partition >= limits::partitions_max)
    return fail(errc::bad_request, "there is no such partition", "partition");
  waiting item;
  item.id = id;
  item.epoch = what.epoch;
  item.bytes = record_overhead;
  for (const auto& rec : what.records) {
    auto encoded = encode(rec, what.partition, form_);
    if (!encoded)
      return encoded.error();
    for (auto& one : *encoded) {
      item.bytes += size_of(one);
      item.steps.emplace_back(std::move(one));
    }
    if (const auto* erased = std::get_if<session_erased>(&rec)) {
      item.erases = true;
      item.steps.emplace_back(*erased);
    }
  }
  auto& to = lanes_[what.partition];
  if (to.queue.size() >= limits::commits_per_partition
      || bytes_ + item.bytes > limits::commit_queue_bytes)
    return fail(errc::unavailable, "too many changes wait for the disk");
  bytes_ += item.bytes;
  ++queued_;
  to.queue.push_back(std::move(item));
  return done{};
}

std::vector<commit_pipeline::append_order> commit_pipeline::start_appends() {
  std::vector<append_order> out;
  for (auto& [partition, from] : lanes_) {
    if (from.held || from.flight || from.queue.empty())
      continue;
    from.flight = form_group(partition, from);
    if (!from.flight)
      continue;
    ++in_flight_;
    out.push_back({partition, from.flight->epoch, from.flight->ticket,
                   from.flight->records});
  }
  return out;
}

std::optional<commit_pipeline::group>
commit_pipeline::form_group(partition_id partition, lane& from) {
  group out;
  while (!from.queue.empty()) {
    auto& next = from.queue.front();
    if (!out.commits.empty()
        && (next.epoch != out.epoch || next.erases
            || out.commits.size() >= limits::group_commits
            || out.bytes + next.bytes > limits::group_bytes))
      break;
    auto item = std::move(next);
    from.queue.pop_front();
    --queued_;
    auto found = expand(partition, item);
    if (!found) {
      bytes_ -= item.bytes;
      answers_.push_back({item.id, found.error()});
      continue;
    }
    out.epoch = item.epoch;
    std::move(found->records.begin(), found->records.end(),
              std::back_inserter(out.records));
    if (found->more) {
      out.rest = std::move(item);
      break;
    }
    out.bytes += item.bytes;
    out.commits.push_back(item.id);
    if (item.erases)
      break;
  }
  if (out.commits.empty() && !out.rest)
    return std::nullopt;
  out.ticket = ++last_ticket_;
  return out;
}

result<commit_pipeline::expanded>
commit_pipeline::expand(partition_id partition, waiting& item) const {
  expanded out;
  out.records.reserve(item.steps.size());
  for (auto& one : item.steps) {
    if (auto* written = std::get_if<encoded_record>(&one)) {
      if (item.erases)
        out.records.push_back(*written);
      else
        out.records.push_back(std::move(*written));
      continue;
    }
    const auto& session = std::get<session_erased>(one).session;
    // What this very commit did to the session before is void.
    std::erase_if(out.records, [&](const auto& one_of) {
      return belongs_to(one_of, session);
    });
    auto found = keys_of_(partition, session);
    if (!found)
      return found.error();
    if (found->more)
      out.records.clear();
    for (auto& key : found->keys)
      out.records.push_back({std::move(key), std::nullopt});
    out.more = found->more;
    if (out.more)
      break;
  }
  return out;
}

void commit_pipeline::appended(partition_id partition, std::uint64_t ticket,
                               const result<position_t>& where) {
  auto found = lanes_.find(partition);
  if (found == lanes_.end())
    return;
  auto& flight = found->second.flight;
  if (!flight || flight->ticket != ticket || flight->at)
    return;
  if (!where) {
    finish(found->second, where);
    return;
  }
  flight->at = *where;
  ready_.push_back(partition);
}

std::span<const applied_records> commit_pipeline::start_write() {
  if (!writing_.empty())
    return {};
  std::size_t commits = 0;
  std::size_t bytes = 0;
  while (!ready_.empty()) {
    auto partition = ready_.front();
    auto& from = lanes_.at(partition);
    auto& flight = *from.flight;
    if (!writing_.empty()
        && (commits + flight.commits.size() > limits::group_commits
            || bytes + flight.bytes > limits::group_bytes))
      break;
    commits += flight.commits.size();
    bytes += flight.bytes;
    ready_.pop_front();
    checkpoint at{flight.epoch / epoch_generation_unit, *flight.at,
                  flight.epoch, from.incarnation};
    writing_.push_back({partition, at, std::move(flight.records)});
  }
  return writing_;
}

void commit_pipeline::written(const result<done>& outcome,
                              const kept& is_kept) {
  for (auto& one : writing_) {
    auto& where = lanes_.at(one.partition);
    if (outcome) {
      finish(where, one.at.position);
    } else if (is_kept(one.partition, one.at.position)) {
      where.flight->records = std::move(one.records);
      ready_.push_back(one.partition);
    } else {
      finish(where,
             fail(errc::unavailable, "the disk did not take the change"));
    }
  }
  writing_.clear();
}

void commit_pipeline::finish(lane& where, const result<position_t>& outcome) {
  if (auto& rest = where.flight->rest) {
    if (outcome) {
      // Behind those who wait: a large session must not hold up others.
      where.queue.push_back(std::move(*rest));
      ++queued_;
    } else {
      bytes_ -= rest->bytes;
      answers_.push_back({rest->id, outcome});
    }
  }
  for (auto id : where.flight->commits)
    answers_.push_back({id, outcome});
  bytes_ -= where.flight->bytes;
  --in_flight_;
  where.flight.reset();
}

std::vector<commit_pipeline::answer> commit_pipeline::take_answers() {
  return std::exchange(answers_, {});
}

void commit_pipeline::hold(partition_id partition) {
  lanes_[partition].held = true;
}

void commit_pipeline::release(partition_id partition) {
  lanes_[partition].held = false;
}

void commit_pipeline::claimed(partition_id partition,
                              std::uint64_t incarnation) {
  lanes_[partition].incarnation = incarnation;
}

bool commit_pipeline::idle(partition_id partition) const {
  auto found = lanes_.find(partition);
  return found == lanes_.end() || !found->second.flight;
}

bool commit_pipeline::has_ready() const noexcept {
  return writing_.empty() && !ready_.empty();
}

void commit_pipeline::abandon(const failure& why) {
  for (auto& [partition, from] : lanes_) {
    if (from.flight)
      finish(from, why);
    for (auto& item : from.queue)
      answers_.push_back({item.id, why});
    from.queue.clear();
  }
  ready_.clear();
  writing_.clear();
  queued_ = 0;
  bytes_ = 0;
}

std::size_t commit_pipeline::queued() const noexcept {
  return queued_;
}

std::size_t commit_pipeline::in_flight() const noexcept {
  return in_flight_;
}

std::size_t commit_pipeline::queued_bytes() const noexcept {
  return bytes_;
}

} // namespace rollcall
