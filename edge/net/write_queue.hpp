#pragma once

// What the kernel did not take yet. Frames are shared by all who receive
// them; a queue holds pointers, never copies. Pure.

#include "actors/base/limits.hpp"
#include "actors/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// The bounds of one client's queue, in bytes as `write_queue` counts them.
struct queue_limits {
  /// Above this a client gets no channel frames any more; over HTTP its next
  /// request waits until all that is queued has been sent.
  std::size_t soft = limits::write_queue_soft_bytes;
  /// Above this it is cut.
  std::size_t hard = limits::write_queue_hard_bytes;
};

/// The unsent frames of one client, oldest first. Owned by its io loop.
class write_queue {
public:
  /// What a frame costs beside its bytes, so that many empty frames count.
  static constexpr std::size_t frame_cost = 32;

  enum class verdict : std::uint8_t { fits, over_soft, over_hard };

  /// What pushing a frame of `bytes` would come to.
  [[nodiscard]] verdict judge(std::size_t bytes,
                              const queue_limits& bounds) const noexcept {
    const auto after = bytes_ + bytes + frame_cost;
    // The queue may always hold one frame, or a big one could never be sent.
    if (after > bounds.hard + exempt_ && !empty())
      return verdict::over_hard;
    return after > bounds.soft + exempt_ ? verdict::over_soft : verdict::fits;
  }

  /// Takes a frame without judging it.
  void push(frame_ptr frame);

  /// As `push`, but the frame does not count against the bounds until the
  /// queue has drained: a snapshot alone makes nobody a slow reader.
  void push_exempt(frame_ptr frame);

  /// Fills `out` with the unsent bytes from the front; returns how many
  /// entries it filled.
  [[nodiscard]] std::size_t
  gather(std::span<std::string_view> out) const noexcept;

  /// Forgets `bytes` from the front; they were sent. Returns how many frames
  /// that completed.
  std::size_t consume(std::size_t bytes);

  /// Drops every frame of which nothing was sent, save those that hold the
  /// first `keep` unsent bytes (which a TLS layer may have promised).
  void drop_unsent(std::size_t keep);

  [[nodiscard]] bool empty() const noexcept {
    return head_ == frames_.size();
  }

  [[nodiscard]] std::size_t frames() const noexcept {
    return frames_.size() - head_;
  }

  /// Unsent bytes plus `frame_cost` for each frame.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return bytes_;
  }

private:
  void forget_if_empty();

  std::vector<frame_ptr> frames_;
  std::size_t head_ = 0;
  // Bytes of the first frame that were sent.
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
  std::size_t exempt_ = 0;
};

} // namespace rollcall::edge
