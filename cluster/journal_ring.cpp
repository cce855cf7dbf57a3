#include "cluster/journal_ring.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

constexpr std::size_t record_overhead = 96;

std::size_t size_of(const encoded_record& item) {
  return item.key.size() + (item.value ? item.value->size() : 0)
         + record_overhead;
}

} // namespace

journal_ring::journal_ring(std::size_t slots, std::size_t bytes)
  : slots_(slots), bytes_most_(bytes) {
  // nop
}

std::uint64_t journal_ring::next_group() const noexcept {
  return next_;
}

bool journal_ring::full() const noexcept {
  return !groups_.empty() && next_ - groups_.front().number >= slots_;
}

bool journal_ring::wants_spreading() const noexcept {
  if (groups_.empty())
    return false;
  return next_ - groups_.front().number > slots_ / 4 * 3
         || bytes_ > bytes_most_;
}

void journal_ring::add(std::uint64_t number, position_t position,
                       std::vector<encoded_record> records, bool inherited) {
  group added{number, position, inherited, 0, std::move(records)};
  for (const auto& one : added.records) {
    added.bytes += size_of(one);
    last_.insert_or_assign(one.key, number);
  }
  bytes_ += added.bytes;
  groups_.push_back(std::move(added));
  skip(number);
}

void journal_ring::skip(std::uint64_t number) noexcept {
  next_ = std::max(next_, number + 1);
}

void journal_ring::written_alone(std::string_view key) {
  if (auto found = last_.find(key); found != last_.end())
    last_.erase(found);
}

std::optional<spread_record> journal_ring::front() {
  drop_spent();
  if (groups_.empty())
    return std::nullopt;
  const auto& oldest = groups_.front();
  return spread_record{oldest.records.back(), oldest.position,
                       oldest.inherited};
}

void journal_ring::pop() {
  auto& oldest = groups_.front();
  written_alone(oldest.records.back().key);
  oldest.records.pop_back();
  drop_spent();
}

void journal_ring::drop_spent() {
  while (!groups_.empty()) {
    auto& oldest = groups_.front();
    while (!oldest.records.empty()) {
      auto found = last_.find(oldest.records.back().key);
      if (found != last_.end() && found->second == oldest.number)
        return;
      oldest.records.pop_back();
    }
    bytes_ -= oldest.bytes;
    groups_.pop_front();
  }
}

std::size_t journal_ring::groups() const noexcept {
  return groups_.size();
}

} // namespace rollcall::cluster
