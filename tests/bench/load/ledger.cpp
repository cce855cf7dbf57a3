#include "tests/bench/load/ledger.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace rollcall::bench {

namespace {

// Servers differ in how they quote a record, so the ledger knows an identity
// by a token that occurs once in it, and nowhere else while people join.
constexpr std::string_view user_prefix = "user-";
constexpr std::size_t user_digits = 6;
constexpr std::string_view event_prefix = "\"n\":";

std::size_t row_words(std::size_t bits) {
  return (bits + 63) / 64;
}

} // namespace

std::string user_of(std::size_t index) {
  char text[32];
  std::snprintf(text, sizeof text, "user-%06zu", index);
  return text;
}

ledger::ledger(std::size_t members, std::size_t room_size)
  : members_{members},
    room_size_{room_size},
    row_{row_words(room_size)},
    seen_(members * row_) {}

void ledger::expect_events(std::size_t first, std::size_t events,
                           const std::vector<steady::time_point>* intended) {
  events_ = true;
  first_ = first;
  booked_ = 0;
  events_due_ = std::uint64_t{events} * members_;
  intended_ = intended;
  row_ = row_words(events);
  seen_.assign(members_ * row_, 0);
  lateness_.clear();
  if (intended)
    lateness_.reserve(events_due_);
}

void ledger::book(std::size_t who, std::string_view text,
                  steady::time_point now) {
  if (events_)
    book_events(who, text, now);
  else
    book_identities(who, text);
}

void ledger::book_fault(std::string what) {
  if (fault_.empty())
    fault_ = std::move(what);
}

std::uint64_t ledger::identities_due(std::size_t members) const {
  return std::uint64_t{members} * std::min(members, room_size_);
}

void ledger::book_once(std::size_t who, std::size_t what) {
  auto& word = seen_[who * row_ + what / 64];
  auto bit = std::uint64_t{1} << what % 64;
  if ((word & bit) != 0)
    book_fault("member " + std::to_string(who) + " was told of "
               + std::to_string(what) + " twice");
  word |= bit;
  ++booked_;
}

void ledger::book_identities(std::size_t who, std::string_view text) {
  std::size_t at = 0;
  while ((at = text.find(user_prefix, at)) != std::string_view::npos) {
    at += user_prefix.size();
    std::size_t index = members_;
    auto digits = text.substr(at, user_digits);
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (index >= members_ || index / room_size_ != who / room_size_)
      return book_fault("member " + std::to_string(who)
                        + " was told of somebody of another room");
    book_once(who, index % room_size_);
    at += user_digits;
  }
}

void ledger::book_events(std::size_t who, std::string_view text,
                         steady::time_point now) {
  std::size_t at = 0;
  auto events = events_due_ / members_;
  while ((at = text.find(event_prefix, at)) != std::string_view::npos) {
    at += event_prefix.size();
    std::size_t number = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), number);
    if (number < first_ || number - first_ >= events)
      return book_fault("event " + std::to_string(number)
                        + " came out of its time");
    book_once(who, number - first_);
    if (intended_) {
      auto late = now - (*intended_)[number - first_];
      auto us = std::chrono::duration_cast<std::chrono::microseconds>(late);
      lateness_.push_back(
        static_cast<std::uint32_t>(std::max<std::int64_t>(us.count(), 0)));
    }
  }
}

} // namespace rollcall::bench
