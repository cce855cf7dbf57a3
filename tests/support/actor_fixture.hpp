#pragma once

// Actors under virtual time: one thread, no clock but ours, no sleeping.

#include "actors/base/instant.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace rollcall::test {

/// An actor system that runs only when told to. Whoever spawns actors ends
/// them (`drop`) before the fixture goes: a periodic actor would keep the
/// system alive for ever.
class actor_fixture {
public:
  actor_fixture() : system_(configure(config_)) {
    auto& abstract = system_.scheduler();
    scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&abstract);
    start_ = now().steady;
  }

  caf::actor_system& system() {
    return system_;
  }

  /// Virtual time on both clocks.
  instant now() const {
    auto steady = std::chrono::duration_cast<millis>(
      scheduler_->clock().now().time_since_epoch());
    return {steady, millis{1'700'000'000'000} + steady};
  }

  /// Handles every message there is; no time passes.
  void drain() {
    scheduler_->run();
  }

  /// Lets `span` pass, handling what happens on the way in order.
  void advance(millis span, millis step = millis{5}) {
    drain();
    for (auto left = span; left > millis{0}; left -= step) {
      scheduler_->advance_time(step < left ? step : left);
      drain();
    }
  }

  /// Time has passed while nothing ran: what fell due waits to be handled.
  void pass(millis span) {
    if (span > millis{0})
      scheduler_->advance_time(span);
  }

  /// Asks and drains; nothing when no answer came without time passing.
  template <class Answer, class Handle, class... Messages>
  std::optional<Answer> ask(const Handle& whom, const Messages&... messages) {
    std::optional<Answer> out;
    caf::scoped_actor self{system_};
    auto id = self->request(whom, std::chrono::minutes{60}, messages...);
    drain();
    if (!self->has_next_message())
      return out;
    id.receive([&](const Answer& answer) { out = answer; },
               [](const caf::error&) {});
    return out;
  }

  template <class Handle>
  void drop(Handle& whom) {
    if (whom)
      caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
    drain();
    whom = nullptr;
  }

private:
  static caf::actor_system_config& configure(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  millis start_{0};
};

} // namespace rollcall::test
