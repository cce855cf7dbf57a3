#include "cluster/strands.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

failure has_ended() {
  return fail(errc::unavailable, "the journal has ended");
}

} // namespace

strands::strands(const settings& how, std::size_t count, spare idle)
  : how_(how), idle_(std::move(idle)), lines_(count) {
  std::lock_guard guard{mutex_};
  add_worker();
}

strands::~strands() {
  end([] {});
}

void strands::submit(std::size_t strand, work item, millis patience) {
  auto until = clock::now() + patience;
  std::unique_lock guard{mutex_};
  auto& to = lines_.at(strand);
  if (ending_ || to.queue.size() >= how_.queue) {
    auto why = ending_
                 ? has_ended()
                 : fail(errc::unavailable, "too much waits for the journal");
    guard.unlock();
    item.refuse(why);
    return;
  }
  to.queue.push_back({std::move(item), until});
  if (std::exchange(to.busy, true))
    return;
  ready_.push_back(strand);
  changed_.notify_one();
}

void strands::end(const std::function<void()>& interrupt) {
  {
    std::lock_guard guard{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  interrupt();
  // Nobody adds one any more.
  for (auto& one : workers_)
    if (one.thread.joinable())
      one.thread.join();
  for (auto& one : lines_)
    while (!one.queue.empty()) {
      auto item = std::move(one.queue.front());
      one.queue.pop_front();
      item.what.refuse(has_ended());
    }
}

std::size_t strands::threads() const {
  std::lock_guard guard{mutex_};
  return workers_.size();
}

// Under the lock.
void strands::add_worker() {
  auto& added = workers_.emplace_back();
  ++resting_;
  added.thread = std::thread{[this, &added] { serve(added); }};
}

void strands::serve(worker& me) {
  std::unique_lock guard{mutex_};
  while (await_turn(guard)) {
    auto number = ready_.front();
    ready_.pop_front();
    --resting_;
    me.since = clock::now();
    // Somebody has to notice when all others are stuck.
    if (resting_ == 0 && workers_.size() < how_.threads_most)
      add_worker();
    auto more = run_next(number, guard);
    me.since.reset();
    ++resting_;
    auto& of = lines_[number];
    of.busy = more || !of.queue.empty();
    if (of.busy)
      ready_.push_back(number);
    // Our place is free for another one, too.
    if (!ready_.empty())
      changed_.notify_one();
  }
}

// Until there is work and a place for it; false when all ends.
bool strands::await_turn(std::unique_lock<std::mutex>& guard) {
  while (!ending_) {
    if (ready_.empty()) {
      changed_.wait(guard);
      continue;
    }
    auto now = clock::now();
    std::size_t working = 0;
    auto first = steady_time::max();
    for (const auto& one : workers_) {
      if (!one.since || now >= *one.since + how_.stuck_after)
        continue;
      ++working;
      first = std::min(first, *one.since + how_.stuck_after);
    }
    if (working < how_.threads)
      break;
    changed_.wait_until(guard, first);
  }
  return !ending_;
}

// Whether the strand is to come again although nothing waits in it.
bool strands::run_next(std::size_t number,
                       std::unique_lock<std::mutex>& guard) {
  auto& of = lines_[number];
  if (of.queue.empty()) {
    guard.unlock();
    auto more = idle_(number, true);
    guard.lock();
    return more;
  }
  auto item = std::move(of.queue.front());
  of.queue.pop_front();
  guard.unlock();
  if (clock::now() >= item.until)
    item.what.refuse(fail(errc::unavailable, "the journal is busy"));
  else
    item.what.run(item.until);
  auto more = idle_(number, false);
  guard.lock();
  return more;
}

} // namespace rollcall::cluster
