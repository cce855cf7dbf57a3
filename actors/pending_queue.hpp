#pragma once

// Durable operations of one session on their way to the journal. Operations
// that touch different users go together; one that touches the session goes
// alone; order is kept among those that conflict.

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <vector>

namespace rollcall {

/// Names an operation whose answer is still to come; 0 wants no answer.
using ticket = std::uint64_t;

/// Decides which operations may be in flight together. `Op` has a member
/// `std::optional<user_id> touches`: one user, or (nothing) the whole session.
template <class Op>
class pending_queue {
public:
  [[nodiscard]] bool full() const noexcept {
    return waiting_.size() >= limits::pending_per_session;
  }

  [[nodiscard]] bool empty() const noexcept {
    return waiting_.empty() && in_flight_ == 0;
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.size();
  }

  void push(Op op) {
    waiting_.push_back(std::move(op));
  }

  /// Drops those of the waiting ones that fit; nobody may wait for an answer.
  template <class Fits>
  void drop_waiting(Fits fits) {
    std::erase_if(waiting_, fits);
  }

  /// Takes out every operation that may start now, in order. Each must be
  /// given back to `finished`.
  [[nodiscard]] std::vector<Op> startable() {
    std::vector<Op> out;
    std::set<user_id> held;
    std::deque<Op> rest;
    bool barrier = session_busy_;
    for (auto& op : waiting_) {
      bool alone = !op.touches.has_value();
      bool go = !barrier
                && (alone ? in_flight_ == 0 && rest.empty()
                          : !busy_.contains(*op.touches)
                              && !held.contains(*op.touches));
      if (go) {
        start(op);
        barrier = barrier || alone;
        out.push_back(std::move(op));
        continue;
      }
      if (alone)
        barrier = true;
      else
        held.insert(*op.touches);
      rest.push_back(std::move(op));
    }
    waiting_ = std::move(rest);
    return out;
  }

  void finished(const Op& op) {
    --in_flight_;
    if (op.touches)
      busy_.erase(*op.touches);
    else
      session_busy_ = false;
  }

private:
  void start(const Op& op) {
    ++in_flight_;
    if (op.touches)
      busy_.insert(*op.touches);
    else
      session_busy_ = true;
  }

  std::deque<Op> waiting_;
  std::set<user_id> busy_;
  bool session_busy_ = false;
  std::size_t in_flight_ = 0;
};

} // namespace rollcall
