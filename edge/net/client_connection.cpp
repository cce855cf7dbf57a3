#include "edge/net/client_connection.hpp"

#include "edge/net/client_loop.hpp"
#include "edge/net/connection_handler.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/epoll.h>

namespace rollcall::edge {

namespace {

// Pieces handed to the kernel at once.
constexpr std::size_t pieces_per_send = 64;
// Reads of one TLS client in a row; plain ones read once, epoll comes back.
constexpr int reads_in_a_row = 4;
// A throttled client is read again when this share of its burst is there.
constexpr double throttle_share = 0.05;

} // namespace

client_connection::client_connection(client_loop& loop, client_ref self,
                                     transport pipe, const client_address& from,
                                     bool over_limit)
  : loop_(loop),
    self_(self),
    pipe_(std::move(pipe)),
    from_(from),
    over_limit_(over_limit),
    deadline_(loop.now() + loop.core().config.handshake_timeout) {
  rearm();
}

client_connection::~client_connection() = default;

// -- events ------------------------------------------------------------------

void client_connection::on_readable() {
  for (int turn = 0; turn < reads_in_a_row; ++turn) {
    auto scratch = loop_.scratch();
    const auto got = pipe_.read(scratch);
    loop_.counters().bytes_in.add(got.bytes);
    if (got.bytes > 0)
      take(scratch.first(got.bytes));
    if (phase_ == phase::dead)
      return;
    if (got.closed && phase_ != phase::open && !out_.empty()) {
      // It asked, closed its side, and still wants the answer.
      peer_done_ = true;
      phase_ = phase::closing;
      update_interest();
      return;
    }
    if (got.closed || got.failed) {
      lost();
      return;
    }
    read_wants_write_ = got.want_write;
    if (!wants_input() || !pipe_.secure() || got.bytes < scratch.size())
      break;
  }
  if (read_wants_write_)
    update_interest();
  if (wants_input() && pipe_.pending()) {
    // Epoll knows nothing of these bytes.
    paused_until_ = loop_.now() + millis{1};
    update_interest();
    rearm();
  }
  // TLS may have waited to read before it could write.
  if (pipe_.secure() && !out_.empty())
    loop_.mark_dirty(*this);
}

void client_connection::read_pending() {
  if (wants_input() && pipe_.secure())
    on_readable();
}

void client_connection::on_writable() {
  if (read_wants_write_) {
    read_wants_write_ = false;
    read_pending();
    if (phase_ == phase::dead)
      return;
  }
  want_write_ = false;
  loop_.mark_dirty(*this);
}

void client_connection::on_hangup() {
  lost();
}

void client_connection::on_timer() {
  const auto now = loop_.now();
  if (throttled() && now >= paused_until_) {
    paused_until_ = millis{0};
    last_heard_ = now;
    take({});
    read_pending();
    if (phase_ == phase::dead)
      return;
    update_interest();
  }
  if (owes_bytes() && now >= unread_until_) {
    doom();
    return;
  }
  switch (phase_) {
  case phase::reading:
    if (owes_bytes() || now < deadline_)
      break;
    if (in_.empty() && !http_) {
      doom();
      return;
    }
    keep_alive_ = false;
    refuse(refusal_reason::bad_request,
           problem(408, "bad_request", "the request took too long"));
    break;
  case phase::answering:
    if (now < deadline_)
      break;
    keep_alive_ = false;
    send_response(problem(503, "unavailable", "no answer in time"));
    break;
  case phase::open:
    check_watches();
    break;
  case phase::closing:
    if (owes_bytes() || now < deadline_)
      break;
    doom();
    return;
  case phase::dead:
    return;
  }
  rearm();
}

void client_connection::rearm() {
  if (phase_ != phase::dead)
    loop_.arm(*this, next_deadline());
}

millis client_connection::next_deadline() const {
  auto next = deadline_;
  if (owes_bytes()) {
    next = phase_ == phase::answering ? std::min(next, unread_until_)
                                      : unread_until_;
  } else if (phase_ == phase::open) {
    const auto heard = last_sign();
    next = heard + silence_allowed();
    for (const auto& watch : watches_)
      if (!watch.silent)
        next = std::min(next, heard + watch.suspect_after);
    if (plain_)
      next = std::min(next, next_ping());
    if (lagging_)
      next = std::min(next,
                      lagging_since_ + loop_.core().config.slow_reader_grace);
  }
  return throttled() ? std::min(next, paused_until_) : next;
}

// -- input -------------------------------------------------------------------

void client_connection::take(std::span<char> fresh) {
  if (in_.empty()) {
    process(fresh);
    if (!fresh.empty() && phase_ != phase::dead)
      in_.assign(fresh.data(), fresh.size());
  } else {
    in_.append(fresh.data(), fresh.size());
    std::span<char> input{in_};
    process(input);
    if (input.empty())
      std::string{}.swap(in_);
    else if (input.size() < in_.size())
      in_.erase(0, in_.size() - input.size());
  }
  rearm();
}

void client_connection::process(std::span<char>& input) {
  while (!throttled()) {
    switch (phase_) {
    case phase::reading:
      if (out_.bytes() > loop_.core().config.queue.soft) {
        full_ = true;
        update_interest();
        return;
      }
      if (!process_http(input))
        return;
      break;
    case phase::answering:
      return;
    case phase::open:
      process_frames(input);
      if (phase_ == phase::open)
        return;
      break;
    case phase::closing:
      await_close(input);
      return;
    case phase::dead:
      input = {};
      return;
    }
  }
}

void client_connection::throttle() {
  const auto& rule = loop_.core().config.frames;
  paused_until_
    = loop_.now()
      + later(frames_.wait(rule, rule.burst * throttle_share), millis{1});
  loop_.counters().throttled.add();
  update_interest();
}

// -- output ------------------------------------------------------------------

void client_connection::enqueue(const frame_ptr& frame) {
  const auto before = out_.bytes();
  out_.push(frame);
  loop_.counters().queued_bytes.add(out_.bytes() - before);
}

void client_connection::push(const frame_ptr& frame) {
  if (out_.empty())
    unread_until_ = loop_.now() + loop_.core().config.response_timeout;
  enqueue(frame);
  loop_.mark_dirty(*this);
}

void client_connection::flush() {
  if (phase_ == phase::dead || (want_write_ && !pipe_.secure()))
    return;
  auto& counters = loop_.counters();
  std::array<std::string_view, pieces_per_send> pieces;
  while (!out_.empty()) {
    const auto count = out_.gather(pieces);
    const auto before = out_.bytes();
    const auto sent = pipe_.write({pieces.data(), count});
    counters.sends.add();
    counters.bytes_out.add(sent.bytes);
    const auto completed = out_.consume(sent.bytes);
    if (completed > 0)
      on_answer_read();
    counters.frames_out.add(completed);
    counters.queued_bytes.sub(before - out_.bytes());
    if (sent.failed || sent.closed) {
      lost();
      return;
    }
    if (sent.want_write || sent.want_read) {
      want_write_ = sent.want_write;
      update_interest();
      return;
    }
  }
  want_write_ = false;
  update_interest();
  after_drained();
}

void client_connection::after_drained() {
  const auto& core = loop_.core();
  if (phase_ == phase::closing) {
    if (peer_done_) {
      doom();
    } else if (!websocket_ && !write_ended_) {
      // The client may still be sending: closing now would destroy the
      // response on its way, so wait for its end.
      write_ended_ = true;
      pipe_.shutdown_write();
      deadline_ = loop_.now() + core.config.close_timeout;
      rearm();
    }
    return;
  }
  if (phase_ == phase::reading) {
    go_on_reading();
    return;
  }
  if (!lagging_ || phase_ != phase::open)
    return;
  lagging_ = false;
  loop_.counters().lagging.sub(1);
  std::vector<channel_id> lost;
  std::erase_if(places_, [&](const place& each) {
    if (each.lost)
      lost.push_back(each.channel);
    return each.lost;
  });
  for (const auto channel : lost) {
    loop_.counters().resyncs.add();
    if (core.hooks.resync)
      core.hooks.resync(channel, self_);
  }
}

void client_connection::on_answer_read() {
  unread_until_ = loop_.now() + loop_.core().config.response_timeout;
  // From here on it may take as long to ask again.
  if (phase_ == phase::reading && in_.empty() && !http_)
    deadline_ = unread_until_;
}

void client_connection::go_on_reading() {
  if (std::exchange(full_, false)) {
    take({});
    read_pending();
    update_interest();
  }
  rearm();
}

void client_connection::update_interest() {
  if (phase_ == phase::dead)
    return;
  std::uint32_t events = 0;
  if (wants_input())
    events |= EPOLLIN;
  if (want_write_ || read_wants_write_)
    events |= EPOLLOUT;
  loop_.set_interest(*this, events);
}

// -- the end -----------------------------------------------------------------

void client_connection::lost() {
  if (phase_ == phase::open) {
    loop_.counters().count_close(1006);
    leave_open(false, true);
  }
  doom();
}

void client_connection::doom() {
  if (phase_ == phase::dead)
    return;
  phase_ = phase::dead;
  if (lagging_)
    loop_.counters().lagging.sub(1);
  loop_.counters().queued_bytes.sub(out_.bytes());
  http_.reset();
  loop_.bury(*this);
}

void client_connection::abandon() {
  if (phase_ == phase::open)
    leave_open(false, !loop_.stopping());
  doom();
}

} // namespace rollcall::edge
