#pragma once

// The correctness gate: a server that drops messages is a faster server, so no
// figure counts before every recipient has had everything exactly once.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::bench {

using steady = std::chrono::steady_clock;

/// The user of member `index`, and what the ledger looks for in messages.
[[nodiscard]] std::string user_of(std::size_t index);

/// Who has been told what. Members 0 … n−1 sit in rooms of `room_size` in
/// order. It looks at one sort of thing at a time: first identities, then the
/// events of one burst.
class ledger {
public:
  ledger(std::size_t members, std::size_t room_size);

  /// Waits for `events` with the numbers `first` … to reach all members.
  /// When `intended` is given, event `first + k` was due at `intended[k]`,
  /// and each delivery's lateness is kept; it must outlive the burst.
  void expect_events(std::size_t first, std::size_t events,
                     const std::vector<steady::time_point>* intended = nullptr);

  /// Books what `text` told member `who`.
  void book(std::size_t who, std::string_view text, steady::time_point now);

  /// Books an observation that breaks the gate, whatever else arrives.
  void book_fault(std::string what);

  /// What one of `members` members gets of identities, all taken together.
  [[nodiscard]] std::uint64_t identities_due(std::size_t members) const;

  /// Deliveries since the last `expect_events`, or since the beginning.
  [[nodiscard]] std::uint64_t booked() const {
    return booked_;
  }
  [[nodiscard]] std::uint64_t events_due() const {
    return events_due_;
  }

  /// Empty while all is well.
  [[nodiscard]] const std::string& fault() const {
    return fault_;
  }

  /// Microseconds from when an event was due to each delivery of it.
  [[nodiscard]] std::vector<std::uint32_t>& lateness() {
    return lateness_;
  }

private:
  void book_once(std::size_t who, std::size_t what);
  void book_identities(std::size_t who, std::string_view text);
  void book_events(std::size_t who, std::string_view text,
                   steady::time_point now);

  std::size_t members_;
  std::size_t room_size_;
  std::size_t row_;
  bool events_ = false;
  std::size_t first_ = 0;
  std::uint64_t booked_ = 0;
  std::uint64_t events_due_ = 0;
  const std::vector<steady::time_point>* intended_ = nullptr;
  std::vector<std::uint64_t> seen_;
  std::vector<std::uint32_t> lateness_;
  std::string fault_;
};

} // namespace rollcall::bench
