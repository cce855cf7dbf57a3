// How clients come into a loop: accepted by the one that listens, dealt out to
// all in turn.

#include "actors/base/log.hpp"
#include "edge/net/client_connection.hpp"
#include "edge/net/client_loop.hpp"

#include <utility>

#include <sys/epoll.h>

namespace rollcall::edge {

namespace {

constexpr std::size_t accepts_per_round = 128;

} // namespace

void client_loop::accept_some() {
  if (!listener_ || listener_->fd() < 0)
    return;
  if (accept_again_ && now_ < *accept_again_)
    return;
  const auto watch_listener = [this](int operation) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = listener_key;
    ::epoll_ctl(epoll_.get(), operation, listener_->fd(), &event);
  };
  if (std::exchange(accept_again_, std::nullopt))
    watch_listener(EPOLL_CTL_ADD);
  const auto go_on = listener_->accept(
    accepts_per_round, now_, [this](unique_fd fd, const client_address& from) {
      stats_.accepted.add();
      const auto limit = core_.config.max_sockets;
      const auto verdict = core_.addresses.enter(from);
      if (verdict == address_table::verdict::flooding) {
        stats_.refused[static_cast<std::size_t>(refusal_reason::address_limit)]
          .add();
        return;
      }
      if (limit > 0 && core_.sockets.load(std::memory_order_relaxed) >= limit) {
        core_.addresses.leave(from);
        stats_.refused[static_cast<std::size_t>(refusal_reason::overloaded)]
          .add();
        return;
      }
      core_.sockets.fetch_add(1, std::memory_order_relaxed);
      auto message = std::make_unique<socket_message>();
      message->fd = std::move(fd);
      message->from = from;
      message->over_limit = verdict == address_table::verdict::over_limit;
      auto& loop = *core_.loops[next_loop_++ % core_.loops.size()];
      if (&loop == this)
        take(message);
      else
        loop.post(std::move(message));
    });
  if (go_on)
    return;
  // A level-triggered listener would wake us for what we cannot take.
  watch_listener(EPOLL_CTL_DEL);
  accept_again_ = listener_->paused_until();
  stats_.accept_backoffs.add();
  log(log_level::warn, "listener", "out of descriptors",
      {{"pause_ms", *accept_again_ - now_}});
}

void client_loop::take(std::unique_ptr<socket_message>& message) {
  const auto give_up = [&] {
    core_.addresses.leave(message->from);
    core_.sockets.fetch_sub(1, std::memory_order_relaxed);
  };
  if (stopping() || living_ > index_mask - 1) {
    give_up();
    return;
  }
  transport pipe{message->fd.release(), core_.tls.get()};
  if (pipe.fd() < 0) {
    give_up();
    return;
  }
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(clients_.size());
    clients_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  const client_ref self{index_, ++last_serial_ << index_bits | index};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = self.slot;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pipe.fd(), &event) != 0) {
    free_.push_back(index);
    give_up();
    return;
  }
  clients_[index] = std::make_unique<client_connection>(
    *this, self, std::move(pipe), message->from, message->over_limit);
  clients_[index]->interest = EPOLLIN;
  ++living_;
  stats_.sockets.add();
}

} // namespace rollcall::edge
