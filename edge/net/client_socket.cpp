// The WebSocket half of a client's socket.

#include "edge/net/client_connection.hpp"
#include "edge/net/client_loop.hpp"
#include "edge/net/connection_handler.hpp"
#include "edge/protocol/answer_encoder.hpp"
#include "edge/protocol/board_words.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/protocol/request_decoder.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace rollcall::edge {

namespace {

constexpr double bytes_per_token = 1'024;
// Pongs are dropped while this much is unsent: RFC 6455, section 5.5.3 wants
// only the latest ping answered.
constexpr std::size_t pong_queue_bytes = std::size_t{4} << 10;
// A watched client may be silent for this many times `suspect_after`; the
// presets' timeouts are all shorter, so the session has removed it by then.
constexpr int silence_factor = 3;

// A plain WebSocket is asked this often before its silence is its end.
constexpr int pings_per_silence = 3;

} // namespace

// -- input -------------------------------------------------------------------

void client_connection::process_frames(std::span<char>& input) {
  bool any = false;
  while (phase_ == phase::open && !throttled()) {
    const auto event = decoder_.next(input);
    if (event == frame_decoder::event::need_more)
      break;
    any = any || event != frame_decoder::event::failed;
    on_frame(event);
  }
  if (any && phase_ == phase::open)
    heard();
}

void client_connection::await_close(std::span<char>& input) {
  if (websocket_ && !peer_done_) {
    while (true) {
      const auto event = decoder_.next(input);
      if (event == frame_decoder::event::need_more)
        break;
      if (event == frame_decoder::event::closed
          || event == frame_decoder::event::failed) {
        peer_done_ = true;
        input = {};
        // Draining is what ends it.
        loop_.mark_dirty(*this);
        update_interest();
        return;
      }
    }
    if (!input.empty() && input.size() <= limits::frame_bytes)
      return;
  }
  input = {};
}

void client_connection::on_frame(frame_decoder::event what) {
  loop_.counters().frames_in.add();
  const auto size = static_cast<double>(decoder_.payload().size());
  if (frames_.charge(loop_.core().config.frames, 1 + size / bytes_per_token,
                     loop_.now()))
    throttle();
  switch (what) {
  case frame_decoder::event::message:
    on_message();
    break;
  case frame_decoder::event::ping:
    if (out_.bytes() < pong_queue_bytes)
      push(make_frame(opcode::pong, decoder_.payload()));
    break;
  case frame_decoder::event::closed:
    on_closed_by_peer();
    break;
  case frame_decoder::event::failed:
    begin_close(decoder_.close_code(), decoder_.why(), nullptr, false);
    break;
  case frame_decoder::event::fragment:
  case frame_decoder::event::pong:
  case frame_decoder::event::need_more:
    break;
  }
}

void client_connection::on_plain_message() {
  const auto refuse = [this](const failure& why) {
    deliver(make_frame(language_, encode_board_error(why)));
  };
  const auto& rule = loop_.core().config.requests;
  if (!requests_.take(rule, 1, loop_.now())) {
    loop_.counters().rate_limited.add();
    auto why = fail(errc::rate_limited, "too many messages");
    why.retry_after = later(requests_.wait(rule, 1), millis{1});
    refuse(why);
    return;
  }
  auto decoded = decode_board(decoder_.payload(), plain_->session);
  if (decoded)
    handler_->request(
      std::make_shared<const client_request>(std::move(*decoded)));
  else
    refuse(decoded.error());
}

void client_connection::on_message() {
  if (plain_ && plain_->words == vocabulary::stream)
    return;
  if (std::exchange(first_message_, false))
    decoder_.set_message_limit(limits::frame_bytes);
  if (decoder_.is_text() != (language_ == dialect::json)) {
    begin_close(rfc_close::unsupported_data,
                language_ == dialect::json ? "text frames are expected"
                                           : "binary frames are expected",
                nullptr, false);
    return;
  }
  if (plain_) {
    on_plain_message();
    return;
  }
  auto decoded = decode_request(language_, decoder_.payload());
  auto* request = std::get_if<client_request>(&decoded);
  if (request != nullptr && !wants_answer(request->id)
      && std::holds_alternative<heartbeat_request>(request->body))
    return;
  const auto& rule = loop_.core().config.requests;
  if (!requests_.take(rule, 1, loop_.now())) {
    loop_.counters().rate_limited.add();
    const auto& id
      = request != nullptr ? request->id : std::get<decode_failure>(decoded).id;
    if (!wants_answer(id))
      return;
    auto why = fail(errc::rate_limited, "too many requests");
    why.retry_after = later(requests_.wait(rule, 1), millis{1});
    deliver(make_frame(language_, encode_error(language_, id, why)));
    return;
  }
  if (request == nullptr) {
    const auto& failure = std::get<decode_failure>(decoded);
    deliver(
      make_frame(language_, encode_error(language_, failure.id, failure.why)));
    return;
  }
  handler_->request(
    std::make_shared<const client_request>(std::move(*request)));
}

void client_connection::on_closed_by_peer() {
  const auto code = decoder_.close_code();
  const auto goodbye
    = code == rfc_close::normal || code == rfc_close::going_away;
  loop_.counters().count_close(code);
  leave_open(goodbye, true);
  push(make_close_frame(code, ""));
  phase_ = phase::closing;
  peer_done_ = true;
  deadline_ = loop_.now() + loop_.core().config.close_timeout;
  update_interest();
  rearm();
}

// -- signs of life -----------------------------------------------------------

millis client_connection::last_sign() const noexcept {
  // While we do not listen, nobody is silent.
  return throttled() ? loop_.now() : later(last_heard_, loop_.alive_floor());
}

millis client_connection::silence_allowed() const noexcept {
  auto allowed = loop_.core().config.idle_timeout;
  for (const auto& watch : watches_)
    allowed = later(allowed, watch.suspect_after * silence_factor);
  return allowed;
}

void client_connection::heard() {
  const auto now = loop_.now();
  last_heard_ = now;
  for (auto& watch : watches_) {
    if (!std::exchange(watch.silent, false))
      continue;
    loop_.evidence().add(watch.where, watch.connection, sign::back, now, now);
  }
}

void client_connection::check_watches() {
  const auto now = loop_.now();
  if (lagging_
      && now - lagging_since_ >= loop_.core().config.slow_reader_grace) {
    cut(close_code::slow_reader);
    return;
  }
  const auto since = last_sign();
  for (auto& watch : watches_) {
    if (watch.silent || now - since < watch.suspect_after)
      continue;
    watch.silent = true;
    loop_.evidence().add(watch.where, watch.connection, sign::silent, since,
                         now);
  }
  if (now - since >= silence_allowed()) {
    cut(close_code::silent);
  } else if (plain_ && now >= next_ping()) {
    pinged_ = now;
    push(make_frame(opcode::ping, ""));
  }
}

millis client_connection::next_ping() const noexcept {
  return later(last_sign(), pinged_) + silence_allowed() / pings_per_silence;
}

void client_connection::watch(const watch_message& what) {
  if (phase_ != phase::open) {
    if (what.suspect_after > millis{0} && !loop_.stopping()) {
      auto* page = loop_.evidence().enter(what.session);
      loop_.evidence().add(page, what.connection, sign::closed, loop_.now(),
                           loop_.now());
      loop_.evidence().leave(page);
    }
    return;
  }
  const auto found
    = std::find_if(watches_.begin(), watches_.end(), [&](const auto& each) {
        return each.connection == what.connection
               && each.where->session == what.session;
      });
  if (what.suspect_after <= millis{0}) {
    if (found == watches_.end())
      return;
    loop_.evidence().leave(found->where);
    watches_.erase(found);
    return;
  }
  if (found != watches_.end()) {
    found->suspect_after = what.suspect_after;
  } else if (watches_.size() >= limits::channels_per_connection) {
    cut(close_code::limit);
    return;
  } else {
    watches_.push_back({loop_.evidence().enter(what.session), what.connection,
                        what.suspect_after, false});
  }
  rearm();
}

// -- output ------------------------------------------------------------------

void client_connection::deliver(const frame_ptr& frame) {
  if (phase_ != phase::open || !frame)
    return;
  const auto& bounds = loop_.core().config.queue;
  if (out_.judge(frame->size(), bounds) == write_queue::verdict::over_hard) {
    flush();
    if (phase_ != phase::open)
      return;
    if (out_.judge(frame->size(), bounds) == write_queue::verdict::over_hard) {
      cut(close_code::slow_reader);
      return;
    }
  }
  push(frame);
}

void client_connection::publish(const frame_ptr& frame) {
  const auto& bounds = loop_.core().config.queue;
  if (out_.judge(frame->size(), bounds) != write_queue::verdict::fits) {
    flush();
    if (phase_ != phase::open)
      return;
    if (out_.judge(frame->size(), bounds) != write_queue::verdict::fits) {
      lose_places();
      return;
    }
  }
  loop_.counters().deliveries.add();
  enqueue(frame);
  loop_.mark_paced(*this);
}

client_connection::place*
client_connection::find_place(channel_id channel) noexcept {
  const auto found
    = std::find_if(places_.begin(), places_.end(),
                   [&](const place& each) { return each.channel == channel; });
  return found == places_.end() ? nullptr : &*found;
}

void client_connection::subscribe(channel_id channel, const frame_ptr& first) {
  if (phase_ != phase::open)
    return;
  auto* known = find_place(channel);
  if (known == nullptr && places_.size() >= limits::channels_per_connection) {
    cut(close_code::limit);
    return;
  }
  if (first) {
    // A client that asks for snapshot after snapshot and reads none of them
    // is cut like any other that does not read.
    if (out_.bytes() > loop_.core().config.queue.hard) {
      cut(close_code::slow_reader);
      return;
    }
    const auto before = out_.bytes();
    out_.push_exempt(first);
    loop_.counters().queued_bytes.add(out_.bytes() - before);
    loop_.mark_dirty(*this);
  }
  if (known != nullptr && !known->lost)
    return;
  if (known != nullptr)
    known->lost = false;
  else
    places_.push_back({channel, 0, false});
  loop_.enter_channel(*this, channel);
}

void client_connection::unsubscribe(channel_id channel) {
  auto* known = find_place(channel);
  if (known == nullptr)
    return;
  if (!known->lost)
    loop_.leave_channel(*this, channel, known->index);
  std::erase_if(places_,
                [&](const place& each) { return each.channel == channel; });
}

void client_connection::lose_places() {
  for (auto& each : places_) {
    if (std::exchange(each.lost, true))
      continue;
    loop_.leave_channel(*this, each.channel, each.index);
    loop_.counters().lost_places.add();
  }
  if (std::exchange(lagging_, true))
    return;
  lagging_since_ = loop_.now();
  loop_.counters().lagging.add();
  rearm();
}

// -- the end -----------------------------------------------------------------

frame_ptr client_connection::bye(close_code code,
                                 std::optional<millis> after) const {
  return plain_ ? nullptr
                : make_frame(language_, encode_bye(language_, code, after));
}

void client_connection::cut(close_code code) {
  if (phase_ != phase::open)
    return;
  begin_close(static_cast<std::uint16_t>(code), to_string(code),
              bye(code, std::nullopt), code == close_code::slow_reader);
}

void client_connection::close(std::uint16_t code, std::string_view reason,
                              const frame_ptr& last) {
  begin_close(code, reason, last, false);
}

void client_connection::shut_down() {
  if (phase_ == phase::open) {
    constexpr auto code = close_code::shutdown;
    const auto after = loop_.jitter(loop_.core().config.shutdown_spread);
    begin_close(static_cast<std::uint16_t>(code), to_string(code),
                bye(code, after), false);
    return;
  }
  if (phase_ == phase::reading && in_.empty() && !http_ && out_.empty())
    doom();
}

void client_connection::begin_close(std::uint16_t code, std::string_view reason,
                                    const frame_ptr& last, bool drop_queue) {
  if (phase_ != phase::open)
    return;
  loop_.counters().count_close(code);
  leave_open(false, !loop_.stopping());
  phase_ = phase::closing;
  if (drop_queue) {
    const auto before = out_.bytes();
    out_.drop_unsent(pipe_.promised());
    loop_.counters().queued_bytes.sub(before - out_.bytes());
  }
  if (last)
    push(last);
  push(make_close_frame(code, reason));
  if (std::exchange(paused_until_, millis{0}) > millis{0})
    update_interest();
  deadline_ = loop_.now() + loop_.core().config.close_timeout;
  rearm();
}

void client_connection::leave_open(bool goodbye, bool report) {
  loop_.counters().clients.sub(1);
  for (const auto& each : places_)
    if (!each.lost)
      loop_.leave_channel(*this, each.channel, each.index);
  std::vector<place>{}.swap(places_);
  for (const auto& watch : watches_) {
    if (report && !goodbye)
      loop_.evidence().add(watch.where, watch.connection, sign::closed,
                           loop_.now(), loop_.now());
    loop_.evidence().leave(watch.where);
  }
  std::vector<watched>{}.swap(watches_);
  if (const auto handler = std::exchange(handler_, nullptr))
    handler->gone(goodbye);
}

} // namespace rollcall::edge
