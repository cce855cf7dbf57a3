#include "actors/chronicle.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall {

namespace {

bool names(const record& one, const user_id& user) {
  if (const auto* closed = std::get_if<interval_record>(&one))
    return closed->user == user;
  const auto& entry = std::get<audit_record>(one);
  return entry.actor == user || entry.target == user;
}

} // namespace

version chronicle::next_number(version at) {
  last_ = std::max(at.rev, last_ + 1);
  return {at.epoch, last_};
}

void chronicle::add(interval_record closed) {
  waiting_.emplace_back(std::move(closed));
  bound();
}

void chronicle::add(audit_record entry) {
  waiting_.emplace_back(std::move(entry));
  bound();
}

void chronicle::bound() {
  if (waiting_.size() <= limits::history_waiting)
    return;
  waiting_.pop_front();
  ++lost_;
}

std::vector<record> chronicle::take() {
  auto count = std::min(waiting_.size(), limits::history_per_write);
  auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  in_flight_.assign(std::make_move_iterator(waiting_.begin()),
                    std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return in_flight_;
}

void chronicle::written(bool kept) {
  if (!kept)
    waiting_.insert(waiting_.begin(),
                    std::make_move_iterator(in_flight_.begin()),
                    std::make_move_iterator(in_flight_.end()));
  in_flight_.clear();
}

void chronicle::forget(const user_id& user) {
  auto named = [&](const record& one) { return names(one, user); };
  std::erase_if(waiting_, named);
  std::erase_if(in_flight_, named);
}

void chronicle::clear() {
  waiting_.clear();
  in_flight_.clear();
}

std::vector<interval_record> chronicle::unwritten_stays() const {
  std::vector<interval_record> out;
  auto add_from = [&](const auto& records) {
    for (const auto& one : records)
      if (const auto* closed = std::get_if<interval_record>(&one))
        out.push_back(*closed);
  };
  add_from(in_flight_);
  add_from(waiting_);
  return out;
}

} // namespace rollcall
