#include "edge/net/write_queue.hpp"

#include <utility>

namespace rollcall::edge {

namespace {

// Slots an empty queue keeps, so that a usual tick allocates nothing.
constexpr std::size_t kept_slots = 4;
// Below this many dead slots moving the rest is not worth it.
constexpr std::size_t compact_from = 64;

} // namespace

void write_queue::push(frame_ptr frame) {
  if (!frame || frame->empty())
    return;
  bytes_ += frame->size() + frame_cost;
  if (head_ >= compact_from && head_ * 2 >= frames_.size()) {
    frames_.erase(frames_.begin(),
                  frames_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  frames_.push_back(std::move(frame));
}

void write_queue::push_exempt(frame_ptr frame) {
  const auto before = bytes_;
  push(std::move(frame));
  exempt_ += bytes_ - before;
}

std::size_t
write_queue::gather(std::span<std::string_view> out) const noexcept {
  std::size_t filled = 0;
  auto skip = sent_;
  for (auto i = head_; i < frames_.size() && filled < out.size(); ++i) {
    out[filled++] = std::string_view{*frames_[i]}.substr(skip);
    skip = 0;
  }
  return filled;
}

std::size_t write_queue::consume(std::size_t bytes) {
  std::size_t completed = 0;
  while (bytes > 0 && !empty()) {
    auto& front = frames_[head_];
    const auto left = front->size() - sent_;
    if (bytes < left) {
      sent_ += bytes;
      bytes_ -= bytes;
      return completed;
    }
    bytes -= left;
    bytes_ -= left + frame_cost;
    sent_ = 0;
    front.reset();
    ++head_;
    ++completed;
  }
  forget_if_empty();
  return completed;
}

void write_queue::drop_unsent(std::size_t keep) {
  auto stays = head_;
  std::size_t covered = 0;
  // A frame whose first bytes are out must be finished.
  if (sent_ > 0)
    keep = keep == 0 ? 1 : keep;
  std::size_t bytes = 0;
  while (stays < frames_.size() && covered < keep) {
    const auto size = frames_[stays]->size() - (stays == head_ ? sent_ : 0);
    covered += size;
    bytes += size + frame_cost;
    ++stays;
  }
  frames_.resize(stays);
  bytes_ = bytes;
  exempt_ = 0;
  forget_if_empty();
}

void write_queue::forget_if_empty() {
  if (!empty())
    return;
  frames_.clear();
  if (frames_.capacity() > kept_slots)
    std::vector<frame_ptr>{}.swap(frames_);
  head_ = 0;
  exempt_ = 0;
}

} // namespace rollcall::edge
