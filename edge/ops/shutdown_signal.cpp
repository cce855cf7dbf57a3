#include "edge/ops/shutdown_signal.hpp"

#include <pthread.h>
#include <unistd.h>

namespace rollcall::edge {

namespace {

constexpr int own_signal = SIGUSR1;

} // namespace

shutdown_signal::shutdown_signal() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, own_signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool shutdown_signal::wait() const {
  int signal = 0;
  sigwait(&set_, &signal);
  return signal != own_signal;
}

bool shutdown_signal::came() const {
  constexpr timespec at_once{0, 0};
  return sigtimedwait(&set_, nullptr, &at_once) > 0;
}

void shutdown_signal::give_up() {
  ::kill(::getpid(), own_signal);
}

} // namespace rollcall::edge
