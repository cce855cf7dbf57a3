#include "edge/net/client_loop.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "edge/net/client_connection.hpp"
#include "edge/net/connection_handler.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>
#include <variant>

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace rollcall::edge {

namespace {

constexpr std::size_t events_per_wait = 512;
constexpr std::size_t scratch_bytes = std::size_t{64} << 10;
constexpr millis timer_granularity{16};
// The loop wakes at least this often, so that it can tell a stall from rest.
constexpr millis longest_wait{1'000};
constexpr millis stall_threshold{1'000};
constexpr std::size_t rounds_without_timers = 8;
// A fan-out that takes this long is followed by a pause, in which what comes
// gathers and the sockets are read: under load fewer, larger sends, and a
// loop that is never more than a third fan-out.
constexpr millis fan_out_worth_a_pause{1};
constexpr millis longest_fan_out_pause{20};
// The loop whose thread this is.
thread_local const client_loop* running_here = nullptr;

} // namespace

client_loop::client_loop(std::uint32_t index, server_core& core)
  : index_(index),
    core_(core),
    inbox_(limits::loop_inbox),
    timers_(timer_granularity),
    evidence_(core.config.evidence_window, core.config.node),
    scratch_(scratch_bytes),
    random_(std::random_device{}()) {
  // nop
}

client_loop::~client_loop() {
  inbox_.close();
  join();
}

result<done> client_loop::open() {
  const auto refuse = [](const char* what) {
    return fail(errc::unavailable,
                std::string{what} + ": "
                  + std::generic_category().message(errno)
                  + "; raise the limit of descriptors (ulimit -n)");
  };
  epoll_ = unique_fd{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll_)
    return refuse("no epoll descriptor");
  wake_ = unique_fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!wake_)
    return refuse("no event descriptor");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_key;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    return refuse("the event descriptor cannot be watched");
  return done{};
}

void client_loop::adopt(listener accepting) {
  listener_.emplace(std::move(accepting));
  accept_again_ = millis{0};
}

void client_loop::start() {
  // Signals are the main thread's, SIGPIPE nobody's: OpenSSL would raise it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[this] { run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void client_loop::join() {
  if (thread_.joinable())
    thread_.join();
}

void client_loop::post(loop_message message) {
  if (!inbox_.post(std::move(message)))
    return;
  // The loop looks into its inbox before it sleeps.
  if (running_here == this)
    return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

// -- the round ---------------------------------------------------------------

void client_loop::run() {
  running_here = this;
  now_ = system_now().steady;
  idle_from_ = now_;
  while (!finished()) {
    wait();
    drain_inbox();
    fire_timers();
    flush_all();
    flush_paced();
    flush_all();
    hand_over_evidence();
    reap();
  }
  for (auto& client : clients_)
    if (client && !client->dead())
      client->abandon();
  hand_over_evidence();
  reap();
  inbox_.close();
  listener_.reset();
}

void client_loop::wait() {
  std::array<epoll_event, events_per_wait> events;
  const auto patience = timeout();
  const auto count = ::epoll_wait(epoll_.get(), events.data(),
                                  static_cast<int>(events.size()), patience);
  const auto before = idle_from_;
  now_ = system_now().steady;
  if (now_ - before > millis{patience} + stall_threshold) {
    alive_floor_ = now_;
    log(log_level::warn, "loop", "stalled",
        {{"loop", index_}, {"gap_ms", now_ - before}});
  }
  idle_from_ = now_;
  io_left_ = count == static_cast<int>(events.size());
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    handle_event(event.data.u64, event.events);
  }
  if (accept_again_ && now_ >= *accept_again_)
    accept_some();
}

void client_loop::handle_event(std::uint64_t key, std::uint32_t events) {
  if (key == wake_key) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    return;
  }
  if (key == listener_key) {
    accept_some();
    return;
  }
  auto* client = find(key);
  if (client == nullptr)
    return;
  if ((events & EPOLLOUT) != 0)
    client->on_writable();
  if ((events & EPOLLIN) != 0 && !client->dead())
    client->on_readable();
  else if ((events & (EPOLLERR | EPOLLHUP)) != 0 && !client->dead())
    client->on_hangup();
}

int client_loop::timeout() const {
  // What the loop told itself since it looked is not announced by the event
  // descriptor.
  if (inbox_.pending())
    return 0;
  auto until = now_ + longest_wait;
  const auto sooner = [&](const std::optional<millis>& at) {
    if (at && *at < until)
      until = *at;
  };
  sooner(timers_.next());
  sooner(evidence_.due());
  sooner(accept_again_);
  sooner(stop_at_);
  if (!paced_.empty())
    sooner(fan_out_at_);
  const auto left = until - now_;
  return static_cast<int>(std::clamp<millis::rep>(left.count(), 0, 1'000));
}

void client_loop::drain_inbox() {
  // Handlers may answer at once, from this very thread; a few rounds catch
  // that without letting them starve the sockets.
  for (int round = 0; round < 4; ++round) {
    inbox_.drain(haul_);
    if (haul_.messages.empty() && haul_.lost_slots.empty()
        && haul_.lost_channels.empty())
      return;
    for (auto& message : haul_.messages)
      std::visit([this](auto& what) { take(what); }, message);
    for (const auto slot : haul_.lost_slots)
      if (auto* client = find(slot))
        client->cut(close_code::overloaded);
    for (const auto channel : haul_.lost_channels)
      resynchronise(channel);
  }
}

void client_loop::fire_timers() {
  // Input that waits in the kernel is a sign of life: read it first.
  if (io_left_ && ++rounds_without_timers_ < rounds_without_timers)
    return;
  rounds_without_timers_ = 0;
  expired_.clear();
  timers_.expire(now_, expired_);
  for (const auto index : expired_) {
    auto& client = clients_[index];
    if (!client || client->dead())
      continue;
    client->armed = never;
    client->on_timer();
  }
}

void client_loop::flush_all() {
  // Flushing may cut a client, which makes it dirty again at the end.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    auto* client = dirty_[i];
    client->dirty = false;
    client->flush();
  }
  dirty_.clear();
}

void client_loop::flush_paced() {
  if (paced_.empty() || (fan_out_at_ && now_ < *fan_out_at_))
    return;
  const auto before = system_now().steady;
  for (const auto slot : paced_) {
    if (auto* client = find(slot)) {
      client->paced = false;
      client->flush();
    }
  }
  paced_.clear();
  const auto after = system_now().steady;
  const auto took = after - before;
  fan_out_at_.reset();
  if (took >= fan_out_worth_a_pause)
    fan_out_at_ = after + std::min(2 * took, longest_fan_out_pause);
}

void client_loop::hand_over_evidence() {
  const auto due = evidence_.due();
  if (!due || (now_ < *due && !finished()))
    return;
  for (auto& note : evidence_.take(now_))
    if (core_.hooks.notice)
      core_.hooks.notice(std::move(note));
}

void client_loop::reap() {
  for (auto* client : graveyard_) {
    const auto index
      = static_cast<std::uint32_t>(client->self().slot & index_mask);
    timers_.cancel(index);
    core_.addresses.leave(client->from());
    core_.sockets.fetch_sub(1, std::memory_order_relaxed);
    clients_[index].reset();
    free_.push_back(index);
    --living_;
    stats_.sockets.sub(1);
  }
  graveyard_.clear();
  for (const auto channel : emptied_) {
    const auto found = channels_.find(channel);
    if (found != channels_.end() && found->second.empty())
      channels_.erase(found);
  }
  emptied_.clear();
}

bool client_loop::finished() const {
  return stop_at_ && (living_ == 0 || now_ >= *stop_at_);
}

// -- clients -----------------------------------------------------------------

client_connection* client_loop::find(std::uint64_t slot) noexcept {
  const auto index = static_cast<std::size_t>(slot & index_mask);
  if (index >= clients_.size())
    return nullptr;
  auto* client = clients_[index].get();
  return client != nullptr && client->self().slot == slot && !client->dead()
           ? client
           : nullptr;
}

millis client_loop::jitter(millis span) {
  if (span <= millis{0})
    return millis{0};
  return millis{
    std::uniform_int_distribution<millis::rep>{0, span.count()}(random_)};
}

void client_loop::arm(client_connection& client, millis deadline) {
  if (deadline >= client.armed)
    return;
  client.armed = deadline;
  timers_.schedule(static_cast<std::uint32_t>(client.self().slot & index_mask),
                   deadline);
}

void client_loop::mark_dirty(client_connection& client) {
  if (std::exchange(client.dirty, true))
    return;
  dirty_.push_back(&client);
}

void client_loop::mark_paced(client_connection& client) {
  if (client.dirty || std::exchange(client.paced, true))
    return;
  paced_.push_back(client.self().slot);
}

void client_loop::set_interest(client_connection& client,
                               std::uint32_t events) {
  if (client.interest == events)
    return;
  client.interest = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = client.self().slot;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.fd(), &event);
}

void client_loop::bury(client_connection& client) {
  // It may be dirty, or in the middle of one of its own functions.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client.fd(), nullptr);
  graveyard_.push_back(&client);
}

void client_loop::enter_channel(client_connection& client, channel_id channel) {
  auto& members = channels_[channel];
  client.find_place(channel)->index
    = static_cast<std::uint32_t>(members.size());
  members.push_back(&client);
}

void client_loop::leave_channel(client_connection& client, channel_id channel,
                                std::uint32_t index) {
  auto found = channels_.find(channel);
  if (found == channels_.end())
    return;
  auto& members = found->second;
  auto* last = members.back();
  members.pop_back();
  if (last != &client) {
    members[index] = last;
    last->find_place(channel)->index = index;
  }
  // Not erased here: somebody may be walking over it.
  if (members.empty())
    emptied_.push_back(channel);
}

} // namespace rollcall::edge
