#include "edge/connection/board_seats.hpp"

#include "actors/base/limits.hpp"

namespace rollcall::edge {

namespace {

constexpr millis sweep_every{1'000};

} // namespace

std::optional<connection_id>
board_seats::left_behind(const session_key& board, const user_id& user) const {
  std::lock_guard guard{mutex_};
  auto found = seats_.find({board, user});
  return found == seats_.end() ? std::nullopt : found->second.left;
}

void board_seats::sit(const session_key& board, const user_id& user,
                      const std::optional<connection_id>& old, millis now) {
  std::lock_guard guard{mutex_};
  auto* theirs = at(board, user, now);
  if (theirs == nullptr)
    return;
  ++theirs->sockets;
  if (old && theirs->left == old)
    theirs->left.reset();
}

void board_seats::stand(const session_key& board, const user_id& user) {
  std::lock_guard guard{mutex_};
  auto found = seats_.find({board, user});
  if (found == seats_.end())
    return;
  if (found->second.sockets > 0)
    --found->second.sockets;
  drop_empty({board, user});
}

bool board_seats::lose(const session_key& board, const user_id& user,
                       const connection_id& lease, bool sat, millis now,
                       millis until) {
  std::lock_guard guard{mutex_};
  auto* theirs = at(board, user, now);
  if (theirs == nullptr)
    return false;
  if (sat && theirs->sockets > 0)
    --theirs->sockets;
  if (theirs->sockets > 0)
    return true;
  theirs->left = lease;
  theirs->until = until;
  return false;
}

board_seats::seat* board_seats::at(const session_key& board,
                                   const user_id& user, millis now) {
  place where{board, user};
  auto found = seats_.find(where);
  if (found != seats_.end())
    return &found->second;
  if (seats_.size() >= limits::board_users && now >= next_sweep_) {
    next_sweep_ = now + sweep_every;
    std::erase_if(seats_, [&](const auto& one) {
      return one.second.sockets == 0 && one.second.until <= now;
    });
  }
  return seats_.size() < limits::board_users ? &seats_[where] : nullptr;
}

void board_seats::drop_empty(const place& where) {
  auto found = seats_.find(where);
  if (found->second.sockets == 0 && !found->second.left)
    seats_.erase(found);
}

} // namespace rollcall::edge
